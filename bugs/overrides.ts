// What mutants are made of: one component of the default profile, or of the SPMC, that differs in one thing.

import type { Coroutine, Pending } from '../src/base/coroutine.ts';
import type { Pe } from '../src/hardware/pe.ts';
import type { OwnCall, ReplyClass, Treatment } from '../src/hypervisor/answer-table.ts';
import type { Domain, Vcpu } from '../src/hypervisor/domain.ts';
import type { FfaContext } from '../src/hypervisor/ffa-context.ts';
import type { Hypervisor } from '../src/hypervisor/hypervisor.ts';
import type { Owed } from '../src/hypervisor/owed.ts';
import type { Handler, Profile } from '../src/hypervisor/profile.ts';
import { FFABRIC } from '../src/hypervisor/profiles/ffabric.ts';
import { RecordLifecycle } from '../src/hypervisor/record-lifecycle.ts';
import type { TeardownRecord } from '../src/hypervisor/teardown-record.ts';
import { TeardownWorker } from '../src/hypervisor/teardown-worker.ts';
import type { Act, Handler as SpmcHandler } from '../src/spmc/handlers.ts';
import type { Spmc } from '../src/spmc/spmc.ts';
import type { WorldParts } from '../src/world/world-parts.ts';

// The mediator ----------------------------------------------------------------------------------------------------

/** The default profile, changed. */
export function profile(change: Partial<Profile>): WorldParts {
  return { profiles: new Map([[FFABRIC.name, { ...FFABRIC, ...change }]]) };
}

/** The default profile with another lifecycle. */
export function lifecycle(make: (hypervisor: Hypervisor) => RecordLifecycle): WorldParts {
  return profile({ lifecycle: make });
}

/** The default profile whose lifecycle is the usual one, after something was done to the hypervisor. */
export function hypervisor(change: (hypervisor: Hypervisor) => void): WorldParts {
  return lifecycle((made) => {
    change(made);
    return new RecordLifecycle(made);
  });
}

/** The default profile with one cell of the answer table changed. */
export function cell(reply: ReplyClass, call: OwnCall, treatment: Treatment): WorldParts {
  return worker((inner, item, given) => (item.call === call && given === reply ? treatment : inner));
}

/** The default profile whose teardown treats answers as `treat` says. */
function worker(treat: (usual: Treatment, item: Owed, reply: ReplyClass) => Treatment): WorldParts {
  class Worker extends TeardownWorker {
    protected override treatment(item: Owed, reply: ReplyClass): Treatment {
      return treat(super.treatment(item, reply), item, reply);
    }
  }
  class Lifecycle extends RecordLifecycle {
    protected override worker(made: Hypervisor, smcs: number): TeardownWorker {
      return new Worker(made, this, smcs);
    }
  }
  return lifecycle((made) => new Lifecycle(made));
}

/** The default profile, something done to a guest's context before its teardown begins. */
export function beforeTeardown(change: (context: FfaContext, made: Hypervisor) => void): WorldParts {
  class Lifecycle extends RecordLifecycle {
    override *domainTeardown(made: Hypervisor, pe: Pe, domain: Domain): Coroutine {
      if (domain.ffa !== null) change(domain.ffa, made);
      yield* super.domainTeardown(made, pe, domain);
    }
  }
  return lifecycle((made) => new Lifecycle(made));
}

/** The default profile, something done to the record that a guest leaves. */
export function onRecord(change: (record: TeardownRecord, context: FfaContext, made: Hypervisor) => void): WorldParts {
  class Lifecycle extends RecordLifecycle {
    protected override *record(made: Hypervisor, pe: Pe, context: FfaContext): Coroutine<TeardownRecord> {
      const record = yield* super.record(made, pe, context);
      change(record, context, made);
      return record;
    }
  }
  return lifecycle((made) => new Lifecycle(made));
}

/** A guest's call, and the way to the handler that it would have had. */
export interface GuestCall {
  readonly hypervisor: Hypervisor;
  readonly pe: Pe;
  readonly vcpu: Vcpu;
  readonly context: FfaContext;
  /** The usual handler, to its end. */
  usual(): Coroutine;
}

/** The default profile with another handler for these calls, both forms. */
export function handler(functionIds: readonly number[], make: (usual: Handler) => Handler): WorldParts {
  const change = (handlers: readonly (Handler | null)[]): (Handler | null)[] =>
    handlers.map((usual, at) => {
      const found = functionIds.some((functionId) => (functionId & 0xff) === at);
      return usual !== null && found ? make(usual) : usual;
    });
  return profile({ handlers32: change(FFABRIC.handlers32), handlers64: change(FFABRIC.handlers64) });
}

/** The default profile in which a guest's calls are handled by `serve`. */
export function served(functionIds: readonly number[], serve: (call: GuestCall) => Coroutine): WorldParts {
  return handler(functionIds, (usual) => (made, pe, vcpu) => {
    const context = vcpu.domain.ffa as FfaContext;
    return serve({ hypervisor: made, pe, vcpu, context, usual: () => finished(usual(made, pe, vcpu)) });
  });
}

/** The calls of one changed default profile with the lifecycle of another. */
export function both(calls: WorldParts, life: WorldParts): WorldParts {
  const [one, other] = [calls, life].map((parts) => parts.profiles?.get(FFABRIC.name) ?? FFABRIC);
  return profile({ handlers32: one.handlers32, handlers64: one.handlers64, lifecycle: other.lifecycle });
}

/** Something done to a guest's call before its handler. */
export function before(functionIds: readonly number[], change: (call: GuestCall) => void): WorldParts {
  return served(functionIds, function* (call) {
    change(call);
    yield* call.usual();
  });
}

/** Something done after the handler. */
export function after(functionIds: readonly number[], change: (call: GuestCall) => void): WorldParts {
  return served(functionIds, function* (call) {
    yield* call.usual();
    change(call);
  });
}

/** Runs what is left of a call. */
export function* finished(pending: Pending): Coroutine {
  if (pending !== null) yield* pending;
}

/** Something done to what the mediator sends to the SPMC, right before it goes out. */
export function outgoing(change: (pe: Pe, made: Hypervisor, vmId: number) => void): WorldParts {
  return hypervisor((made) => {
    const call = made.secure.call.bind(made.secure);
    made.secure.call = (pe, vmId) => {
      change(pe, made, vmId);
      return call(pe, vmId);
    };
  });
}

// The SPMC --------------------------------------------------------------------------------------------------------

/** The SPMC, changed before it boots. */
export function spmc(change: (spmc: Spmc) => void): WorldParts {
  return { spmc: change };
}

/** The SPMC with another way to do these calls. */
export function act(functionIds: readonly number[], make: (usual: Act) => Act): WorldParts {
  return spmc((made) => {
    const { handlerOf } = made;
    made.handlerOf = (functionId): SpmcHandler | undefined => {
      const usual = handlerOf(functionId);
      const concerned = usual !== undefined && functionIds.includes(functionId >>> 0);
      return concerned ? { ...usual, act: make(usual.act) } : usual;
    };
  });
}

/** The SPMC behind a door that does `smc` for each call of the normal world. */
export function door(smc: (pe: Pe, made: Spmc, usual: () => Pending) => Pending): WorldParts {
  return spmc((made) => {
    const usual = made.smc.bind(made);
    made.smc = (pe) => smc(pe, made, () => usual(pe));
  });
}
