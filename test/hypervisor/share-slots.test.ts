// The host's policy on the SPMC's slots: what is kept for guests with few, and how much one borrower may have.

import { describe, expect, it } from 'vitest';
import { FFA_DENIED, FFA_NO_MEMORY } from '../../src/abi/errors.ts';
import * as id from '../../src/abi/function-ids.ts';
import type { Domain } from '../../src/hypervisor/domain.ts';
import { ScriptedMachine } from './scripted-machine.ts';

const SP = 0x8001;
const OTHER = 0x8002;
const PARTITIONS = [
  { id: SP, properties: 1 },
  { id: OTHER, properties: 1 },
];

function code(answer: readonly number[]): number {
  return answer[0] === id.FFA_SUCCESS_32 ? 0 : answer[2] | 0;
}

/** Shares pages of its own one by one until it is refused; returns how many went. */
function shareMany(world: ScriptedMachine, guest: Domain, receiver: number): number {
  for (let n = 0; n < 40; n++) {
    const refused = code(world.share(guest, receiver, 10 + n));
    if (refused === 0) continue;
    expect(refused).toBe(FFA_NO_MEMORY);
    return n;
  }
  throw new Error('never refused');
}

describe('shares of the whole host', () => {
  it('leave each guest its first ones, whatever another one takes', () => {
    const world = new ScriptedMachine(PARTITIONS, { sharesPerHost: 10, sharesReserved: 4, sharesAssured: 2 });
    const [greedy, second, third] = [world.ready(), world.ready(), world.ready()];
    expect(shareMany(world, greedy, SP)).toBe(6);
    expect(shareMany(world, second, SP)).toBe(2);
    expect(shareMany(world, third, SP)).toBe(2);
    expect(world.hypervisor.slots.total).toBe(10);
    const fourth = world.ready();
    expect(shareMany(world, fourth, SP), 'more than the host has: nobody').toBe(0);
  });

  it('are free again after a reclaim, a refusal and a death, and not while a dead guest\u2019s are held', () => {
    const world = new ScriptedMachine(PARTITIONS, { sharesPerHost: 3 });
    const guest = world.ready();
    const [, , low] = world.share(guest, SP, 10);
    world.share(guest, SP, 11);
    world.spmc.answer = (name) => (name === 'FFA_MEM_SHARE_64' ? [id.FFA_ERROR, 0, FFA_DENIED >>> 0] : null);
    world.share(guest, SP, 12);
    world.spmc.answer = () => null;
    expect(world.hypervisor.slots.total).toBe(2);
    world.call(guest.vcpus[0], id.FFA_MEM_RECLAIM, low);
    expect(world.hypervisor.slots.total).toBe(1);
    world.share(guest, SP, 10);
    world.spmc.answer = (name) => (name === 'FFA_MEM_RECLAIM' ? [id.FFA_ERROR, 0, FFA_DENIED >>> 0] : null);
    world.destroy(guest);
    const other = world.ready();
    expect(shareMany(world, other, OTHER)).toBe(1);
    world.spmc.answer = () => null;
    world.tick();
    expect(shareMany(world, other, OTHER)).toBe(2);
  });

  it('count what is in quarantine until an operator has it back', () => {
    const world = new ScriptedMachine(PARTITIONS, { sharesPerHost: 1 });
    const guest = world.ready();
    world.share(guest, SP, 10);
    world.spmc.answer = (name) => (name === 'FFA_MEM_RECLAIM' ? [0xffff_ffff] : null);
    world.destroy(guest);
    const other = world.ready();
    expect(shareMany(world, other, OTHER)).toBe(0);
    world.spmc.answer = () => null;
    const [entry] = [...world.records.quarantine.list()];
    expect(world.drive(world.records.retryQuarantine(world.hypervisor, world.pe, entry))).toBe('released');
    expect(shareMany(world, other, OTHER)).toBe(1);
  });
});

describe('shares of one borrower', () => {
  it('leave room for others, also when it keeps what dead guests gave it', () => {
    const world = new ScriptedMachine(PARTITIONS, { sharesPerHost: 8, sharesPerBorrower: 3 });
    world.spmc.answer = (name) => (name === 'FFA_MEM_RECLAIM' ? [id.FFA_ERROR, 0, FFA_DENIED >>> 0] : null);
    const first = world.ready();
    expect(shareMany(world, first, SP)).toBe(3);
    world.destroy(first);
    const second = world.ready();
    expect(shareMany(world, second, SP), 'the stubborn one').toBe(0);
    expect(shareMany(world, second, OTHER)).toBe(3);
  });

  it('count each borrower of a share with several', () => {
    const world = new ScriptedMachine(PARTITIONS, { sharesPerBorrower: 1 });
    const guest = world.ready();
    world.share(guest, OTHER, 10);
    const bytes = new Uint8Array(112);
    const view = new DataView(bytes.buffer);
    view.setUint16(0, guest.vmId, true);
    view.setUint16(2, 0x2f, true);
    view.setUint32(24, 16, true);
    view.setUint32(28, 2, true);
    view.setUint32(32, 48, true);
    for (const [n, receiver] of [SP, OTHER].entries()) {
      view.setUint16(48 + 16 * n, receiver, true);
      view.setUint8(50 + 16 * n, 2);
      view.setUint32(52 + 16 * n, 80, true);
    }
    view.setUint32(80, 1, true);
    view.setUint32(84, 1, true);
    view.setUint32(96, 0x4000_0000 + 11 * 0x1000, true);
    view.setUint32(104, 1, true);
    world.writeTx(guest, bytes);
    expect(code(world.call(guest.vcpus[0], id.FFA_MEM_SHARE_32, 112, 112))).toBe(FFA_NO_MEMORY);
    world.call(guest.vcpus[0], id.FFA_MEM_RECLAIM, 0x10);
    world.writeTx(guest, bytes);
    expect(code(world.call(guest.vcpus[0], id.FFA_MEM_SHARE_32, 112, 112))).toBe(0);
    expect([world.hypervisor.slots.mayBorrow(SP), world.hypervisor.slots.mayBorrow(OTHER)]).toEqual([false, false]);
  });
});
