// The default profile behind firmware without a usable SPMC: guests see each other, and nothing goes to the secure
// world.

import { expect, it } from 'vitest';
import { FFA_NOT_SUPPORTED } from '../../src/abi/errors.ts';
import * as id from '../../src/abi/function-ids.ts';
import { FFA_VERSION_1_1 } from '../../src/abi/versions.ts';
import { WAIT_TIME } from '../../src/base/coroutine.ts';
import { PAGE_SIZE_BYTES } from '../../src/base/units.ts';
import { Machine } from '../../src/hardware/machine.ts';
import { Pe } from '../../src/hardware/pe.ts';
import { TEE_FFA } from '../../src/hypervisor/domain.ts';
import { Hypervisor } from '../../src/hypervisor/hypervisor.ts';
import { FFABRIC } from '../../src/hypervisor/profiles/ffabric.ts';
import { FRAMES, RAM_BASE, ScriptedSpmc } from './scripted-machine.ts';

const NO_VERSION = 0xffff_ffff;

it('asks an SPMC of an unknown version for nothing, and sends it no memory', () => {
  const machine = new Machine({ firstFrame: RAM_BASE / PAGE_SIZE_BYTES, frameCount: FRAMES });
  const spmc = new ScriptedSpmc(machine, [{ id: 0x8001, properties: 1 }]);
  spmc.answer = (name) => (name === 'FFA_VERSION' ? [NO_VERSION] : null);
  const hypervisor = new Hypervisor(machine, FFABRIC, spmc);
  const pe = new Pe(0);
  const drive = <T>(coroutine: Generator<number, T, void>): T => {
    for (;;) {
      const { value, done } = coroutine.next();
      if (done === true) return value;
      if (value !== WAIT_TIME) throw new Error(`nothing can end the wait ${String(value)}`);
      machine.time.advanceTo(pe.wakeNs);
    }
  };
  expect(drive(hypervisor.boot(pe))).toBe(true);
  expect(spmc.calls.map((call) => call.name)).toEqual(['FFA_VERSION']);

  const config = { vcpuCount: 1, bits: 64, pageCount: 64, ramBase: RAM_BASE, tee: TEE_FFA } as const;
  const { domain } = drive(hypervisor.createDomain(pe, config));
  const [vcpu] = domain?.vcpus ?? [];
  const call = (...words: readonly [number, ...number[]]): readonly number[] => {
    vcpu.registers.set8(...(words as [number, number, number]));
    const pending = hypervisor.guestCall(pe, vcpu);
    if (pending !== null) drive(pending);
    return [vcpu.registers.w(0), vcpu.registers.w(1), vcpu.registers.w(2)];
  };
  call(id.FFA_VERSION, FFA_VERSION_1_1, 0);
  expect(call(id.FFA_RXTX_MAP_64, RAM_BASE, RAM_BASE + PAGE_SIZE_BYTES, 1)[0]).toBe(id.FFA_SUCCESS_32);
  for (const functionId of [id.FFA_MEM_SHARE_32, id.FFA_MEM_LEND_32, id.FFA_MEM_DONATE_32, id.FFA_MEM_RECLAIM]) {
    expect(call(functionId, 96, 96)).toEqual([id.FFA_ERROR, 0, FFA_NOT_SUPPORTED >>> 0]);
  }
  expect(spmc.calls).toHaveLength(1);
});
