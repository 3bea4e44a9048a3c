// The mediator's calls with a check taken out.

import {
  FFA_ERROR,
  FFA_MEM_SHARE_64,
  FFA_MSG_SEND_DIRECT_REQ_32,
  FFA_RX_ACQUIRE,
} from '../../../src/abi/function-ids.ts';
import { FFA_VERSION_1_2 } from '../../../src/abi/versions.ts';
import type { Coroutine } from '../../../src/base/coroutine.ts';
import { PAGE_SIZE_BYTES } from '../../../src/base/units.ts';
import type { Pe } from '../../../src/hardware/pe.ts';
import { STAGE2_INVALID } from '../../../src/hardware/stage2.ts';
import type { Domain, Vcpu } from '../../../src/hypervisor/domain.ts';
import type { Hypervisor } from '../../../src/hypervisor/hypervisor.ts';
import type { Handler } from '../../../src/hypervisor/profile.ts';
import { RecordLifecycle } from '../../../src/hypervisor/record-lifecycle.ts';
import { handler, lifecycle, type Mutant } from './mutant.ts';

/** Direct requests that lie about their sender go out as they come in. */
const unchecked =
  (handlers: readonly (Handler | null)[]): Handler =>
  (hypervisor, pe, vcpu) => {
    const { registers, domain } = vcpu;
    const isHonest = registers.w(1) >>> 16 === domain.vmId && registers.w(2) === 0;
    if (isHonest) return (handlers[FFA_MSG_SEND_DIRECT_REQ_32 & 0xff] as Handler)(hypervisor, pe, vcpu);
    return relayed(hypervisor, pe, vcpu);
  };

function* relayed(hypervisor: Hypervisor, pe: Pe, vcpu: Vcpu): Coroutine {
  pe.smc.words.set(vcpu.registers.words);
  const pending = hypervisor.secure.call(pe, vcpu.domain.vmId);
  if (pending !== null) yield* pending;
  vcpu.registers.words.set(pe.smc.words);
}

/** RX is always free, and the SPMC is not asked. */
class Careless extends RecordLifecycle {
  override *domainInit(hypervisor: Hypervisor, pe: Pe, domain: Domain): Coroutine<number> {
    const error = yield* super.domainInit(hypervisor, pe, domain);
    const { functions } = hypervisor.secure;
    const has = functions.has.bind(functions);
    functions.has = (id) => id !== FFA_RX_ACQUIRE && has(id);
    if (domain.ffa !== null) Object.defineProperty(domain.ffa, 'rxFree', { get: () => true, set: () => undefined });
    return error;
  }
}

/** A range is read from the guest's TX a second time, after the checks. */
function fetchingTwice(hypervisor: Hypervisor): RecordLifecycle {
  const { machine, secure } = hypervisor;
  const call = secure.call.bind(secure);
  secure.call = (pe, vmId) => {
    const tx = hypervisor.domains.findVm(vmId)?.ffa?.txFrame ?? -1;
    if (pe.smc.w(0) === FFA_MEM_SHARE_64 && tx >= 0) {
      const range = machine.frames.contents.page(tx).slice(96, 112);
      const accessSize = machine.frames.contents.page(secure.txFrame)[24];
      machine.frames.contents.write(secure.txFrame * PAGE_SIZE_BYTES + 64 + accessSize, range, 0, range.length);
    }
    return call(pe, vmId);
  };
  return new RecordLifecycle(hypervisor);
}

/** What a refused share had pinned stays pinned. */
function keepingPins(hypervisor: Hypervisor): RecordLifecycle {
  const { machine, secure } = hypervisor;
  const call = secure.call.bind(secure);
  const put = machine.frames.putRange.bind(machine.frames);
  let refused = false;
  secure.call = (pe, vmId) => {
    const isShare = pe.smc.w(0) === FFA_MEM_SHARE_64;
    const pending = call(pe, vmId);
    refused = isShare && pe.smc.w(0) === FFA_ERROR;
    return pending;
  };
  machine.frames.putRange = (frame, count) => (refused ? undefined : put(frame, count));
  return new RecordLifecycle(hypervisor);
}

/** Every guest speaks 1.2, whatever it asked for. */
class OneVersion extends RecordLifecycle {
  override *domainInit(hypervisor: Hypervisor, pe: Pe, domain: Domain): Coroutine<number> {
    const error = yield* super.domainInit(hypervisor, pe, domain);
    const version = { get: () => FFA_VERSION_1_2, set: () => undefined };
    if (domain.ffa !== null) Object.defineProperty(domain.ffa, 'version', version);
    return error;
  }
}

/** A guest still reaches what it has lent. */
class Generous extends RecordLifecycle {
  override *domainInit(hypervisor: Hypervisor, pe: Pe, domain: Domain): Coroutine<number> {
    const { stage2 } = domain;
    const map = stage2.map.bind(stage2);
    stage2.map = (gfn, frame, count, attributes) => map(gfn, frame, count, attributes & ~STAGE2_INVALID);
    return yield* super.domainInit(hypervisor, pe, domain);
  }
}

const unasked = handler(FFA_MSG_SEND_DIRECT_REQ_32, unchecked);

export const MEDIATOR_MUTANTS: readonly Mutant[] = [
  { world: 'impersonation', takesOut: 'the check of the sender', fires: 'P11', parts: unasked },
  { world: 'indirect-messages', takesOut: "RX's owner", fires: 'expect', parts: lifecycle((h) => new Careless(h)) },
  { world: 'hostile-tx', takesOut: 'the copy of TX', fires: 'P10', parts: lifecycle(fetchingTwice) },
  { world: 'spmc-out-of-slots', takesOut: 'undoing a refused share', fires: 'P8', parts: lifecycle(keepingPins) },
  {
    world: 'versions-and-partitions',
    takesOut: 'its version',
    fires: 'P17',
    parts: lifecycle((h) => new OneVersion(h)),
  },
  { world: 'lend-and-donate', takesOut: 'the loss of access', fires: 'P2', parts: lifecycle((h) => new Generous(h)) },
];
