// The other calls (messages, notifications, lend, fragments, FFA_RUN, reclaim) with something taken out.

import {
  FFA_MEM_FRAG_TX,
  FFA_MEM_RECLAIM,
  FFA_MSG_SEND2,
  FFA_NOTIFICATION_GET,
  FFA_RUN,
  FFA_RX_ACQUIRE,
  FFA_SUCCESS_32,
} from '../../../src/abi/function-ids.ts';
import { MESSAGE_SENDER_OFFSET } from '../../../src/abi/layout/messages.ts';
import type { Coroutine, Pending } from '../../../src/base/coroutine.ts';
import { PAGE_SIZE_BYTES } from '../../../src/base/units.ts';
import type { Pe } from '../../../src/hardware/pe.ts';
import { run } from '../../../src/hypervisor/direct-message.ts';
import type { Vcpu } from '../../../src/hypervisor/domain.ts';
import type { Share } from '../../../src/hypervisor/ffa-context.ts';
import type { Hypervisor } from '../../../src/hypervisor/hypervisor.ts';
import type { Handler } from '../../../src/hypervisor/profile.ts';
import { RecordLifecycle } from '../../../src/hypervisor/record-lifecycle.ts';
import type { WorldParts } from '../../../src/world/world-parts.ts';
import { handler, lifecycle, type Mutant, profile } from './mutant.ts';

/** An SPMC with a thin layer before it; `before` returns what is done once the answer is there, or null. */
function behind(before: (pe: Pe) => (() => void) | null): WorldParts {
  return {
    conduit: (inner) => ({
      smc(pe): Pending {
        const after = before(pe);
        const pending = inner.smc(pe);
        return after === null ? pending : finished(pending, after);
      },
    }),
  };
}

function* finished(pending: Pending, after: () => void): Coroutine {
  if (pending !== null) yield* pending;
  after();
}

/** Bits that a GET has given stay, and come again with the next. */
function givenTwice(): WorldParts {
  let given = 0;
  return behind(({ smc }) => {
    if (smc.w(0) !== FFA_NOTIFICATION_GET) return null;
    return () => {
      if (smc.w(0) !== FFA_SUCCESS_32) return;
      const low = smc.w(2);
      smc.setW(2, (low | given) >>> 0);
      given = low;
    };
  });
}

/** The schedule-receiver interrupt is taken and forgotten. */
const deaf = profile({ *scheduleReceiver(): Coroutine {} });

/** A reclaim's flags do not reach the SPMC. */
const unzeroed = behind(({ smc }) => {
  if (smc.w(0) === FFA_MEM_RECLAIM) smc.setW(3, 0);
  return null;
});

/** A fragment goes out with the page behind its first one, which nobody checked. */
function nextPage(hypervisor: Hypervisor): RecordLifecycle {
  const { machine, secure } = hypervisor;
  const call = secure.call.bind(secure);
  secure.call = (pe, vmId) => {
    if (pe.smc.w(0) === FFA_MEM_FRAG_TX) machine.frames.contents.words(secure.txFrame)[0] += PAGE_SIZE_BYTES;
    return call(pe, vmId);
  };
  return new RecordLifecycle(hypervisor);
}

/** A handle that is issued anew proves nothing about half a send. */
function unbelieving(hypervisor: Hypervisor): RecordLifecycle {
  const made = new RecordLifecycle(hypervisor);
  const insert = made.handles.insert.bind(made.handles);
  made.handles.insert = (share) => {
    insert(share);
    for (const { refused, share: half } of share.holder?.partial ?? []) if (!refused && half === share) forget(half);
  };
  return made;
}

/** Whatever lies in another VM's RX, it counts as free; and what the SPMC says of it does not count. */
const overwriting: WorldParts = {
  ...handler(FFA_MSG_SEND2, (handlers) => (hypervisor, pe, vcpu) => {
    for (const { ffa } of hypervisor.domains.all()) if (ffa !== null && ffa !== vcpu.domain.ffa) ffa.rxFree = true;
    return (handlers[FFA_MSG_SEND2 & 0xff] as Handler)(hypervisor, pe, vcpu);
  }),
  ...behind(({ smc }) => (smc.w(0) === FFA_RX_ACQUIRE ? () => smc.set8(FFA_SUCCESS_32) : null)),
};

/** Nobody knows whose half a send is. */
function forget(half: Share): void {
  half.holder = null;
}

/** A reclaim goes out for whoever asks. */
function* anybodys(hypervisor: Hypervisor, pe: Pe, vcpu: Vcpu): Coroutine {
  pe.smc.copy(vcpu.registers);
  const pending = hypervisor.secure.call(pe, vcpu.domain.vmId);
  if (pending !== null) yield* pending;
  vcpu.registers.copy(pe.smc);
}

/** Whatever a message's header says of its sender, the guest's own id is put there. */
const believing = handler(FFA_MSG_SEND2, (handlers) => {
  const inner = handlers[FFA_MSG_SEND2 & 0xff] as Handler;
  return (hypervisor, pe, vcpu) => {
    const tx = vcpu.domain.ffa?.txFrame ?? 0;
    const sender = new Uint8Array([vcpu.domain.vmId & 0xff, vcpu.domain.vmId >>> 8]);
    hypervisor.machine.frames.contents.write(tx * PAGE_SIZE_BYTES + MESSAGE_SENDER_OFFSET, sender, 0, 2);
    return inner(hypervisor, pe, vcpu);
  };
});

export const OTHER_CALL_MUTANTS: readonly Mutant[] = [
  { world: 'notifications', takesOut: 'clearing what was given', fires: 'P16', parts: givenTwice() },
  { world: 'notifications', takesOut: 'the schedule-receiver interrupt', fires: 'P16', parts: deaf },
  { world: 'lend-and-donate', takesOut: 'the flags of a reclaim', fires: 'P14', parts: unzeroed },
  {
    world: 'more-fragments-than-the-spmc-keeps',
    takesOut: 'what a handle that is issued anew proves',
    fires: 'expect',
    parts: lifecycle(unbelieving),
  },
  { world: 'many-fragments', takesOut: 'which pages a fragment has', fires: 'P1b', parts: lifecycle(nextPage) },
  { world: 'fragments-both-ways', takesOut: 'which pages a fragment has', fires: 'P1b', parts: lifecycle(nextPage) },
  { world: 'impersonation', takesOut: 'whom FFA_RUN reaches', fires: 'P11', parts: handler(FFA_RUN, () => run) },
  {
    world: 'impersonation',
    takesOut: 'whose handle it is',
    fires: 'P11',
    parts: handler(FFA_MEM_RECLAIM, () => anybodys),
  },
  { world: 'indirect-messages', takesOut: "the check of a header's sender", fires: 'expect', parts: believing },
  { world: 'indirect-messages', takesOut: 'the wait until RX is read', fires: 'P9', parts: overwriting },
];
