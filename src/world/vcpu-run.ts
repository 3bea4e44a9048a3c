// A guest's vCPU on its PE: enters the guest's program, takes its calls to the hypervisor, until the guest ends.

import { ACCESS_READ, ACCESS_WRITE, TOUCH_DOMAIN, TOUCH_PARTITION } from '../base/announcement.ts';
import { assert } from '../base/assert.ts';
import type { Coroutine } from '../base/coroutine.ts';
import { EXIT_CALL, EXIT_CRASH, EXIT_IDLE, EXIT_WORK, type VcpuContext } from '../hardware/partition-entry.ts';
import type { Pe } from '../hardware/pe.ts';
import { DOMAIN_ALIVE, type Domain } from '../hypervisor/domain.ts';
import type { Hypervisor } from '../hypervisor/hypervisor.ts';
import { GuestMemory } from './guest-memory.ts';
import type { WorldGuest } from './world-parts.ts';

/**
 * Runs the vCPU to its end; true when it crashed. Begun while the vCPU is asleep in its own code, it goes on as it does
 * when such a sleep ends.
 */
export function* runVcpu(
  hypervisor: Hypervisor,
  pe: Pe,
  guest: WorldGuest,
  domain: Domain,
  index: number,
): Coroutine<boolean> {
  const { machine } = hypervisor;
  const { time } = machine;
  const vcpu = domain.vcpus[index];
  const context: VcpuContext = {
    endpoint: domain.vmId,
    vcpu: index,
    registers: vcpu.registers,
    memory: new GuestMemory(domain.stage2, machine.frames.contents),
    get nowNs() {
      return time.nowNs;
    },
    workNs: 0,
    interrupts: vcpu.interrupts,
  };
  guest.asleep.delete(pe.index);
  machine.touches?.touch(TOUCH_DOMAIN, domain.vmId, ACCESS_READ);
  while (domain.life === DOMAIN_ALIVE) {
    machine.touches?.touch(TOUCH_PARTITION, domain.vmId, ACCESS_WRITE);
    switch (guest.program.run(context)) {
      case EXIT_CALL:
        yield* hypervisor.serve(pe, vcpu);
        break;
      case EXIT_WORK:
        guest.asleep.add(pe.index);
        yield pe.sleepUntil(time.nowNs + context.workNs);
        guest.asleep.delete(pe.index);
        break;
      case EXIT_IDLE:
        if (vcpu.interrupts.length === 0) {
          if (guest.program === guest.script && guest.script.vcpus[index].ended) return false;
          guest.asleep.add(pe.index);
          yield pe.suspend();
          guest.asleep.delete(pe.index);
        }
        break;
      case EXIT_CRASH:
        return true;
      default:
        assert(false, 'a script leaves with a known exit');
    }
    machine.touches?.touch(TOUCH_DOMAIN, domain.vmId, ACCESS_READ);
  }
  return false;
}
