// Teardown records of the default profile, beyond single answers: the guard of an unclear reclaim, ends that bring
// other ends with them, fairness, bounds, ids.

import { describe, expect, it } from 'vitest';
import { FFA_ABORTED, FFA_DENIED, FFA_INVALID_PARAMETERS } from '../../src/abi/errors.ts';
import * as id from '../../src/abi/function-ids.ts';
import { NS_PER_S, PAGE_SIZE_BYTES } from '../../src/base/units.ts';
import { OWNER_QUARANTINE } from '../../src/hardware/frames.ts';
import { ROUNDS_MAX } from '../../src/hypervisor/teardown-worker.ts';
import { RAM_BASE, ScriptedMachine } from './scripted-machine.ts';

const SP = 0x8001;
const OTHER = 0x8002;
const TOLD = 0x1c1;
const PARTITIONS = [
  { id: SP, properties: TOLD },
  { id: OTHER, properties: TOLD },
];

function error(code: number): readonly number[] {
  return [id.FFA_ERROR, 0, code >>> 0];
}

describe('the guard of an unclear reclaim', () => {
  it('sends nothing while another live share has the handle, and takes that for proof', () => {
    const world = new ScriptedMachine(PARTITIONS);
    const dead = world.ready();
    const other = world.ready();
    const answer = world.share(dead, SP, 16, 2);
    world.spmc.answer = (name) => (name === 'FFA_MEM_RECLAIM' ? error(FFA_ABORTED) : null);
    world.destroy(dead);
    expect(world.records.records.size).toBe(1);
    expect(world.missingPages).toBe(64 + 2);
    // The SPMC issues the same handle again, to somebody else.
    world.spmc.answer = (name) => (name === 'FFA_MEM_SHARE_64' ? [id.FFA_SUCCESS_32, 0, answer[2], answer[3]] : null);
    expect(world.share(other, SP, 16, 2).slice(0, 4)).toEqual([id.FFA_SUCCESS_32, 0, answer[2], answer[3]]);
    world.spmc.calls.length = 0;
    world.tick();
    expect(world.spmc.named('FFA_MEM_RECLAIM')).toEqual([]);
    expect(world.records.records.size, 'the old share has ended').toBe(0);
    expect(world.missingPages, 'its pages are free, the other guest lives').toBe(64);
    expect(other.ffa?.shares).toHaveLength(1);
  });

  it('sends nothing while a share is under way', () => {
    const world = new ScriptedMachine(PARTITIONS);
    const dead = world.ready();
    world.share(dead, SP);
    world.spmc.answer = (name) => (name === 'FFA_MEM_RECLAIM' ? error(FFA_INVALID_PARAMETERS) : null);
    world.destroy(dead);
    world.spmc.calls.length = 0;
    world.records.sharesInFlight++;
    world.tick();
    expect(world.spmc.named('FFA_MEM_RECLAIM')).toEqual([]);
    world.records.sharesInFlight--;
    world.tick();
    expect(world.spmc.named('FFA_MEM_RECLAIM')).toHaveLength(1);
  });

  it('holds for a living guest too', () => {
    const world = new ScriptedMachine(PARTITIONS);
    const guest = world.ready();
    const [, , low, high] = world.share(guest, SP);
    world.spmc.answer = (name) => (name === 'FFA_MEM_RECLAIM' ? error(FFA_ABORTED) : null);
    expect(world.call(guest.vcpus[0], id.FFA_MEM_RECLAIM, low, high)[2] | 0).toBe(FFA_ABORTED);
    world.records.sharesInFlight++;
    world.spmc.calls.length = 0;
    expect(world.call(guest.vcpus[0], id.FFA_MEM_RECLAIM, low, high)[0]).toBe(id.FFA_ERROR);
    expect(world.spmc.calls).toEqual([]);
    world.records.sharesInFlight--;
    world.spmc.answer = () => null;
    expect(world.call(guest.vcpus[0], id.FFA_MEM_RECLAIM, low, high)[0]).toBe(id.FFA_SUCCESS_32);
  });
});

describe('quarantine', () => {
  function quarantined(): { world: ScriptedMachine; frame: number } {
    const world = new ScriptedMachine(PARTITIONS);
    const guest = world.ready();
    const frame = guest.stage2.translate(0x40010);
    world.share(guest, SP, 16, 2);
    world.spmc.answer = (name) => (name === 'FFA_MEM_RECLAIM' ? [0xffff_ffff] : null);
    world.destroy(guest);
    return { world, frame };
  }

  it('ends the timer, hands the pages to the system, and lists them with their reason', () => {
    const { world, frame } = quarantined();
    expect(world.machine.time.next).toBeNull();
    expect(world.machine.frames.owner(frame)).toBe(OWNER_QUARANTINE);
    const [entry] = [...world.records.quarantine.list()];
    expect(entry).toMatchObject({
      vmId: 2,
      reason: 'reclaim-refused-for-good',
      pageCount: 2,
      answer: [0xffff_ffff, 0],
    });
    expect(world.missingPages).toBe(2);
  });

  it('lets an operator retry it, and gives the pages back scrubbed', () => {
    const { world, frame } = quarantined();
    world.machine.frames.contents.page(frame)[0] = 1;
    const [entry] = [...world.records.quarantine.list()];
    expect(world.drive(world.records.retryQuarantine(world.hypervisor, world.pe, entry))).toBe('still-held');
    world.spmc.answer = () => null;
    expect(world.drive(world.records.retryQuarantine(world.hypervisor, world.pe, entry))).toBe('released');
    expect(world.missingPages).toBe(0);
    expect(world.machine.frames.contents.isZero(frame)).toBe(true);
  });

  it('never frees what was written off', () => {
    const { world } = quarantined();
    const [entry] = [...world.records.quarantine.list()];
    world.records.quarantine.writeOff(entry);
    world.spmc.answer = () => null;
    expect(world.drive(world.records.retryQuarantine(world.hypervisor, world.pe, entry))).toBe('written-off');
    expect(world.missingPages).toBe(2);
  });

  it('counts against the limit of a living guest, and outlives it', () => {
    const world = new ScriptedMachine(PARTITIONS, { sharesPerGuest: 2 });
    const guest = world.ready();
    world.spmc.answer = (name) => (name === 'FFA_MEM_SHARE_64' ? [0x1234] : null);
    expect(world.share(guest, SP, 16)[2] | 0).toBe(FFA_ABORTED);
    world.spmc.answer = () => null;
    expect(world.share(guest, SP, 18)[0]).toBe(id.FFA_SUCCESS_32);
    expect(world.share(guest, SP, 20)[0]).toBe(id.FFA_ERROR);
    world.destroy(guest);
    expect([world.missingPages, world.records.records.size]).toEqual([1, 0]);
  });
});

describe('a page in quarantine', () => {
  it('counts once, however often it was given: in one send, and in two', () => {
    const world = new ScriptedMachine(PARTITIONS);
    const guest = world.ready();
    world.spmc.answer = (name) => (name === 'FFA_MEM_SHARE_64' ? [0x1234] : null);
    // Pages 16 and 17, and 17 again as a range of its own.
    world.describe(guest, SP, 16, 2, 3);
    const frame = guest.stage2.translate(RAM_BASE / PAGE_SIZE_BYTES);
    const view = new DataView(world.machine.frames.contents.page(frame).buffer);
    const offset = world.machine.frames.contents.page(frame).byteOffset;
    view.setUint32(offset + 68, 2, true);
    view.setUint32(offset + 96, RAM_BASE + 17 * PAGE_SIZE_BYTES, true);
    view.setUint32(offset + 104, 1, true);
    expect(world.call(guest.vcpus[0], id.FFA_MEM_SHARE_32, 112, 112)[2] | 0).toBe(FFA_ABORTED);
    expect(world.share(guest, SP, 17, 2)[2] | 0).toBe(FFA_ABORTED);
    expect([...world.records.quarantine.list()].map((entry) => entry.pageCount)).toEqual([2, 2]);
    expect(world.records.quarantine.pageCount).toBe(3);
    // Held by something that ends later, too: the record must count down to nothing.
    world.spmc.answer = (name) => (name === 'FFA_MEM_RECLAIM' ? error(FFA_DENIED) : null);
    world.share(guest, SP, 16, 4);
    world.destroy(guest);
    const [record] = [...world.records.records.values()];
    expect([record.pagesHeld, world.missingPages], 'one page beside those in quarantine').toEqual([1, 4]);
    world.spmc.answer = () => null;
    world.tick();
    expect([record.pagesHeld, world.records.records.size, world.missingPages]).toEqual([0, 0, 3]);
  });

  it('is scrubbed when the last that held it ends after its quarantine', () => {
    const world = new ScriptedMachine(PARTITIONS);
    const guest = world.ready();
    const frame = guest.stage2.translate(0x40010);
    const first = world.share(guest, SP, 16, 1)[2];
    world.share(guest, SP, 16, 1);
    world.spmc.answer = (name, words) =>
      name === 'FFA_MEM_RECLAIM' ? (words[1] === first ? [0xffff_ffff] : error(FFA_DENIED)) : null;
    world.destroy(guest);
    world.spmc.answer = () => null;
    const [entry] = [...world.records.quarantine.list()];
    expect(world.drive(world.records.retryQuarantine(world.hypervisor, world.pe, entry))).toBe('released');
    world.machine.frames.contents.page(frame)[3] = 0x77;
    world.tick();
    expect([world.missingPages, world.machine.frames.contents.isZero(frame)]).toEqual([0, true]);
  });
});

describe('a donation that was retrieved', () => {
  it('may have its handle issued anew; its pages are never the host\u2019s again', () => {
    const world = new ScriptedMachine(PARTITIONS);
    const guest = world.ready();
    world.describe(guest, SP, 16, 2);
    world.spmc.answer = (name) => (name === 'FFA_MEM_DONATE_64' ? [id.FFA_SUCCESS_32, 0, 0x10, 0] : null);
    expect(world.call(guest.vcpus[0], id.FFA_MEM_DONATE_32, 96, 96)[0]).toBe(id.FFA_SUCCESS_32);
    expect(world.share(guest, SP, 20)[2], 'the same handle').toBe(0x10);
    const [entry] = [...world.records.quarantine.list()];
    expect(entry).toMatchObject({ reason: 'donated', pageCount: 2, vmId: guest.vmId });
    expect(world.call(guest.vcpus[0], id.FFA_MEM_RECLAIM, 0x10, 0)[0]).toBe(id.FFA_SUCCESS_32);
    world.destroy(guest);
    expect([world.missingPages, world.records.records.size]).toEqual([2, 0]);
  });

  it('is quarantined when its giver is dead and another gets its handle', () => {
    const world = new ScriptedMachine(PARTITIONS);
    const guest = world.ready();
    const other = world.ready();
    world.describe(guest, SP, 16, 2);
    world.spmc.answer = (name) => (name === 'FFA_MEM_DONATE_64' ? [id.FFA_SUCCESS_32, 0, 0x10, 0] : null);
    world.call(guest.vcpus[0], id.FFA_MEM_DONATE_32, 96, 96);
    world.spmc.answer = (name) => (name === 'FFA_MEM_RECLAIM' ? error(FFA_INVALID_PARAMETERS) : null);
    world.destroy(guest);
    expect(world.share(other, SP, 20)[2]).toBe(0x10);
    world.tick();
    const [entry] = [...world.records.quarantine.list()];
    expect(entry).toMatchObject({ reason: 'donated', pageCount: 2, vmId: guest.vmId });
    expect(other.ffa?.shares).toHaveLength(1);
  });
});

describe('a send that stops half-way', () => {
  const HANDLE = 0x99;

  /** A guest that has sent the first of two fragments: one page of two. */
  function halfSent(): { world: ScriptedMachine; guest: ReturnType<ScriptedMachine['ready']> } {
    const world = new ScriptedMachine(PARTITIONS);
    const guest = world.ready();
    const bytes = new Uint8Array(96);
    world.describe(guest, SP, 16, 1, 2);
    const frame = guest.stage2.translate(RAM_BASE / PAGE_SIZE_BYTES);
    world.machine.frames.contents.read(frame * PAGE_SIZE_BYTES, bytes, 0, 96);
    new DataView(bytes.buffer).setUint32(68, 2, true);
    world.writeTx(guest, bytes);
    world.spmc.answer = (name, words) =>
      name === 'FFA_MEM_SHARE_64' ? [id.FFA_MEM_FRAG_RX, HANDLE, 0, words[2]] : null;
    const answer = world.call(guest.vcpus[0], id.FFA_MEM_SHARE_32, 112, 96);
    expect(answer.slice(0, 4)).toEqual([id.FFA_MEM_FRAG_RX, HANDLE, 0, 96]);
    return { world, guest };
  }

  it('does not begin under a handle that is live', () => {
    const { world, guest } = halfSent();
    const other = world.ready();
    world.describe(other, SP, 16, 1, 2);
    const answer = world.call(other.vcpus[0], id.FFA_MEM_SHARE_32, 96, 96);
    expect([answer[0], answer[2] | 0], 'announces two pages, brings one').toEqual([
      id.FFA_ERROR,
      FFA_INVALID_PARAMETERS,
    ]);
    world.spmc.answer = (name, words) =>
      name === 'FFA_MEM_SHARE_64' ? [id.FFA_MEM_FRAG_RX, HANDLE, 0, words[2]] : null;
    const frame = other.stage2.translate(RAM_BASE / PAGE_SIZE_BYTES);
    world.machine.frames.contents.page(frame)[68] = 2;
    const second = world.call(other.vcpus[0], id.FFA_MEM_SHARE_32, 112, 96);
    expect([second[0], second[2] | 0]).toEqual([id.FFA_ERROR, FFA_ABORTED]);
    expect(world.records.quarantine.pageCount).toBe(1);
    expect(guest.ffa?.partial).toHaveLength(1);
  });

  it('is ended with constituents that the SPMC refuses, and its pages come back', () => {
    const { world, guest } = halfSent();
    world.spmc.answer = (name) => (name === 'FFA_MEM_FRAG_TX' ? error(FFA_INVALID_PARAMETERS) : null);
    world.spmc.calls.length = 0;
    world.destroy(guest);
    expect(world.spmc.named('FFA_MEM_FRAG_TX').map((call) => call.words.slice(1, 5))).toEqual([
      [HANDLE, 0, 16, guest.vmId << 16],
    ]);
    expect([world.missingPages, world.records.records.size]).toEqual([0, 0]);
  });

  it('is reclaimed when the SPMC takes them all the same', () => {
    const { world, guest } = halfSent();
    world.spmc.answer = (name) => (name === 'FFA_MEM_FRAG_TX' ? [id.FFA_SUCCESS_32, 0, HANDLE, 0] : null);
    world.spmc.calls.length = 0;
    world.destroy(guest);
    expect(world.spmc.named('FFA_MEM_RECLAIM').map((call) => call.words.slice(1, 3))).toEqual([[HANDLE, 0]]);
    expect([world.missingPages, world.records.records.size]).toEqual([0, 0]);
  });

  it('goes on when the guest sends the rest', () => {
    const { world, guest } = halfSent();
    const bytes = new Uint8Array(16);
    const view = new DataView(bytes.buffer);
    view.setUint32(0, RAM_BASE + 30 * PAGE_SIZE_BYTES, true);
    view.setUint32(8, 1, true);
    world.writeTx(guest, bytes);
    world.spmc.answer = (name) => (name === 'FFA_MEM_FRAG_TX' ? [id.FFA_SUCCESS_32, 0, HANDLE, 0] : null);
    const answer = world.call(guest.vcpus[0], id.FFA_MEM_FRAG_TX, HANDLE, 0, 16);
    expect(answer.slice(0, 4)).toEqual([id.FFA_SUCCESS_32, 0, HANDLE, 0]);
    expect(world.machine.frames.references(guest.stage2.translate(0x4001e))).toBe(2);
  });

  it('stays open, and pins no more, when a fragment is refused', () => {
    const { world, guest } = halfSent();
    const bytes = new Uint8Array(16);
    const view = new DataView(bytes.buffer);
    view.setUint32(0, RAM_BASE + 30 * PAGE_SIZE_BYTES, true);
    view.setUint32(8, 5, true);
    world.writeTx(guest, bytes);
    world.spmc.calls.length = 0;
    const answer = world.call(guest.vcpus[0], id.FFA_MEM_FRAG_TX, HANDLE, 0, 16);
    expect([answer[0], answer[2] | 0]).toEqual([id.FFA_ERROR, FFA_INVALID_PARAMETERS]);
    expect(world.spmc.calls).toEqual([]);
    expect(world.machine.frames.references(guest.stage2.translate(0x4001e))).toBe(1);
  });
});

describe('pages that come back late', () => {
  it('are scrubbed and counted although their domain is gone', () => {
    const world = new ScriptedMachine(PARTITIONS);
    const guest = world.ready();
    const frame = guest.stage2.translate(0x40010);
    world.share(guest, SP, 16, 2);
    world.spmc.answer = (name) => (name === 'FFA_MEM_RECLAIM' ? error(FFA_DENIED) : null);
    world.destroy(guest);
    const record = world.records.records.get(guest.vmId);
    expect([record?.pagesHeld, guest.references]).toEqual([2, 0]);
    world.machine.frames.contents.page(frame)[7] = 0x5a;
    world.spmc.answer = () => null;
    world.tick();
    expect(record?.pagesHeld).toBe(0);
    expect(world.machine.frames.contents.isZero(frame)).toBe(true);
    expect(world.missingPages).toBe(0);
  });
});

describe('rounds', () => {
  it('double their delay from one second', () => {
    const world = new ScriptedMachine(PARTITIONS);
    const guest = world.ready();
    world.share(guest, SP);
    world.spmc.answer = (name) => (name === 'FFA_MEM_RECLAIM' ? error(FFA_DENIED) : null);
    const times: number[] = [];
    world.destroy(guest);
    for (let n = 0; n < 8; n++) {
      world.tick();
      times.push(world.machine.time.nowNs / NS_PER_S);
    }
    expect(times).toEqual([1, 3, 7, 15, 31, 63, 123, 183]);
  });

  it('are bounded by SMCs a tick, and let every record have its turn', () => {
    const world = new ScriptedMachine(PARTITIONS, { sharesPerGuest: 40 });
    const guests = [world.ready(), world.ready(), world.ready(), world.ready()];
    for (const guest of guests) for (let n = 0; n < 30; n++) world.share(guest, SP, 16 + n);
    world.spmc.answer = (name) => (name === 'FFA_MEM_RECLAIM' ? error(FFA_DENIED) : null);
    for (const guest of guests) world.destroy(guest);
    const perTick: number[] = [];
    for (let n = 0; n < 2 * guests.length; n++) {
      world.spmc.calls.length = 0;
      world.tick();
      perTick.push(world.spmc.calls.length);
    }
    expect(Math.max(...perTick)).toBeLessThanOrEqual(64);
    const rounds = [...world.records.records.values()].map((record) => record.round);
    expect(Math.min(...rounds)).toBeGreaterThan(1);
  });

  it('of a partition that refuses for good delay no page of another', () => {
    const world = new ScriptedMachine(PARTITIONS);
    const guest = world.ready();
    world.share(guest, OTHER);
    world.spmc.answer = (name, words) =>
      name === 'VM_DESTROYED' && words[1] === SP ? [id.FFA_INTERRUPT, SP * 0x1_0000] : null;
    world.destroy(guest);
    expect(world.missingPages, 'the share with the other is back').toBe(0);
    expect(world.records.records.size).toBe(1);
  });
});

describe('ids', () => {
  it('are not used again while anything is owed under them, and never when somebody may believe in them', () => {
    const world = new ScriptedMachine(PARTITIONS, { vmIdMax: 0x7ff0 });
    const first = world.ready();
    world.spmc.answer = (name) => (name === 'VM_DESTROYED' ? error(FFA_DENIED) : null);
    world.destroy(first);
    const ids = new Set<number>();
    for (let n = 0; n < 0x7ff0; n++) {
      const { domain } = world.create(0);
      if (domain === null) break;
      ids.add(domain.vmId);
      world.spmc.answer = () => null;
      world.destroy(domain);
    }
    expect(ids.has(first.vmId)).toBe(false);
    world.spmc.answer = (name) => (name === 'VM_DESTROYED' ? error(FFA_DENIED) : null);
    world.ticks(ROUNDS_MAX);
    expect(world.records.retired.get(first.vmId)).toBe('believer');
  });
});
