// Walks the answer table of the default profile cell by cell: for each class of reply, several replies of that class;
// for each call, a guest's life in which the secure world gives that reply; what comes of it must be the cell's
// treatment.

import { describe, expect, it } from 'vitest';
import * as error from '../../src/abi/errors.ts';
import * as id from '../../src/abi/function-ids.ts';
import {
  ANSWER_TABLE,
  CALL_BITMAP_DESTROY,
  CALL_MEM_RECLAIM,
  CALL_MEM_SEND,
  CALL_RXTX_MAP,
  CALL_RXTX_UNMAP,
  CALL_VM_CREATED,
  CALL_VM_DESTROYED,
  OWN_CALL_NAMES,
  REPLY_CLASS_NAMES,
  type Treatment,
} from '../../src/hypervisor/answer-table.ts';
import { ROUNDS_MAX } from '../../src/hypervisor/teardown-worker.ts';
import { RAM_BASE, ScriptedMachine, swap } from './scripted-machine.ts';

const SP = 0x8001;
const OTHER = 0x8002;
/** Takes direct requests, is told of VMs created and destroyed. */
const TOLD = 0x1c1;
const PARTITIONS = [
  { id: SP, properties: TOLD },
  { id: OTHER, properties: TOLD },
];
const SHARED_PAGES = 3;

type Reply = (words: readonly number[]) => readonly number[];

function fail(code: number): Reply {
  return () => [id.FFA_ERROR, 0, code >>> 0];
}

/** The right response to a framework message, with a status. */
function respond(status: number): Reply {
  return (words) => [id.FFA_MSG_SEND_DIRECT_RESP_32, swap(words[1]), words[2] + 1, status >>> 0];
}

const GARBAGE: readonly Reply[] = [
  () => [0x1234_5678],
  fail(error.FFA_NO_DATA),
  fail(7),
  () => [id.FFA_MEM_FRAG_RX, 1, 2, 3],
  () => [id.FFA_MSG_WAIT],
  (words) => [id.FFA_MSG_SEND_DIRECT_RESP_32, words[1], words[2], 0],
];

/** Replies by class. The first class depends on the call: a success, or the right response. */
const REPLIES: readonly (readonly Reply[])[] = [
  [],
  [respond(error.FFA_RETRY), respond(error.FFA_INTERRUPTED), respond(error.FFA_BUSY)],
  [respond(error.FFA_INVALID_PARAMETERS)],
  [respond(error.FFA_DENIED), respond(error.FFA_NO_MEMORY), respond(error.FFA_NOT_SUPPORTED)],
  [error.FFA_BUSY, error.FFA_RETRY, error.FFA_INTERRUPTED, error.FFA_NOT_READY].map(fail),
  [fail(error.FFA_NO_MEMORY)],
  [fail(error.FFA_DENIED)],
  [fail(error.FFA_INVALID_PARAMETERS)],
  [fail(error.FFA_NOT_SUPPORTED), () => [0xffff_ffff]],
  [fail(error.FFA_ABORTED)],
  [() => [id.FFA_INTERRUPT, SP << 16], () => [id.FFA_YIELD, SP << 16]],
  GARBAGE,
];

const SUCCESS: Reply = () => [id.FFA_SUCCESS_32];
const ACCEPTED = respond(0);

/** Calls of an item that is tried in every round: the first, and one at each timer. */
const TICKS = ROUNDS_MAX + 4;

/** What is to be seen when a guest with a share was destroyed and `call` got `reply` each time. */
function expectTeardown(call: string, quarantinedPages: number, treatment: Treatment, reply: Reply): void {
  const world = new ScriptedMachine(PARTITIONS);
  const domain = world.ready();
  world.share(domain, SP, 16, SHARED_PAGES);
  world.spmc.answer = (name, words) => {
    if (name === call && (call !== 'VM_DESTROYED' || words[1] === SP)) return reply(words);
    // Whatever was preempted has not answered yet.
    return name === 'FFA_RUN' ? [id.FFA_INTERRUPT, SP << 16] : null;
  };
  world.spmc.calls.length = 0;
  world.destroy(domain);
  world.ticks(TICKS);
  const calls = world.spmc.named(call).filter(({ words }) => call !== 'VM_DESTROYED' || words[1] === SP).length;
  const records = world.records.records.size;
  const retired = world.records.retired.get(domain.vmId) ?? '-';
  const quarantined = world.records.quarantine.pageCount;
  const buffers = call === 'FFA_RXTX_UNMAP' ? 'quarantine' : '-';
  const done = { calls: 1, records: 0, quarantined: 0, retired: '-' };
  const expected: Partial<Record<Treatment, typeof done>> = {
    done,
    'done-flagged': done,
    again: { ...done, calls: TICKS + 1, records: 1 },
    'rounds-then-quarantine': { ...done, calls: ROUNDS_MAX, quarantined: quarantinedPages, retired: buffers },
    quarantine: { ...done, quarantined: quarantinedPages, retired: buffers },
    'rounds-then-stop': { ...done, calls: ROUNDS_MAX, retired: 'believer' },
    stop: { ...done, retired: 'believer' },
    run: { ...done, records: 1 },
    retire: { ...done, retired: 'bitmap' },
    'drain-then-retire': { ...done, calls: 2, retired: 'bitmap' },
  };
  expect({ calls, records, quarantined, retired }, treatment).toEqual(expected[treatment]);
  expect(world.spmc.named('FFA_NOTIFICATION_GET').length).toBe(treatment === 'drain-then-retire' ? 1 : 0);
  if (treatment === 'run') expect(world.spmc.named('FFA_RUN').length).toBeGreaterThan(TICKS);
  let held = quarantined;
  for (const record of world.records.records.values()) held += record.pagesHeld;
  expect(world.missingPages, 'all other pages are free').toBe(held);
  if (records === 0) return;
  world.spmc.answer = (name) => {
    if (name !== 'FFA_RUN') return null;
    return call === 'VM_DESTROYED' ? [id.FFA_MSG_SEND_DIRECT_RESP_32, SP << 16, 0x8000_0007] : [id.FFA_SUCCESS_32];
  };
  world.tick();
  expect([world.records.records.size, world.missingPages], 'a record ends when the answers change').toEqual([0, 0]);
}

function expectCreation(treatment: Treatment, reply: Reply): void {
  const world = new ScriptedMachine(PARTITIONS);
  world.spmc.answer = (name, words) => {
    if (name === 'VM_CREATED' && words[1] === OTHER) return reply(words);
    return name === 'FFA_RUN' ? [id.FFA_MSG_SEND_DIRECT_RESP_32, OTHER * 0x1_0000, 0x8000_0005] : null;
  };
  const { error: result, domain } = world.create();
  const told = world.spmc
    .named('VM_DESTROYED')
    .map((call) => call.words[1])
    .sort();
  const created = world.spmc.named('VM_CREATED').filter((call) => call.words[1] === OTHER).length;
  const retired = [...world.records.retired.values()];
  const fits: Partial<Record<Treatment, unknown>> = {
    done: { result: 0, told: [], created: 1, retired: [] },
    'skip-dead': { result: 0, told: [], created: 1, retired: [] },
    run: { result: 0, told: [], created: 1, retired: [] },
    'again-then-undo': { result: -5, told: [SP], created: 11, retired: [] },
    undo: { result: -5, told: [SP], created: 1, retired: [] },
    'undo-tell': { result: -5, told: [SP, OTHER], created: 1, retired: [] },
    'undo-tell-retire': { result: -5, told: [SP, OTHER], created: 1, retired: ['created-twice'] },
  };
  expect({ result, told, created, retired }, treatment).toEqual(fits[treatment]);
  expect(domain === null).toBe(result !== 0);
  if (domain === null) {
    expect(world.missingPages).toBe(0);
    return;
  }
  world.destroy(domain);
  const toldEnd = world.spmc.named('VM_DESTROYED').map((call) => call.words[1]);
  expect(toldEnd, `who hears of the end after ${treatment}`).toEqual([SP, OTHER]);
}

function expectSend(treatment: Treatment, reply: Reply): void {
  const world = new ScriptedMachine(PARTITIONS);
  const domain = world.ready();
  const frame = domain.stage2.translate(0x40010);
  world.spmc.answer = (name, words) => {
    if (name === 'FFA_MEM_SHARE_64') return reply(words);
    return name === 'FFA_RUN' ? [id.FFA_SUCCESS_32, 0, 0x77, 0] : null;
  };
  const answer = world.share(domain, SP, 16, 2);
  const pinned = world.machine.frames.references(frame) - 1;
  const code = answer[0] === id.FFA_ERROR ? answer[2] | 0 : 0;
  const quarantined = world.records.quarantine.pageCount;
  if (treatment === 'done' || treatment === 'run') {
    expect({ code, pinned, quarantined }).toEqual({ code: 0, pinned: 1, quarantined: 0 });
  } else if (treatment === 'refuse') {
    expect({ pinned, quarantined }).toEqual({ pinned: 0, quarantined: 0 });
    expect(code).toBeLessThan(0);
  } else {
    const aborted = { treatment: 'quarantine-aborted', code: error.FFA_ABORTED, pinned: 1, quarantined: 2 };
    expect({ treatment, code, pinned, quarantined }).toEqual(aborted);
  }
}

function expectMap(treatment: Treatment, reply: Reply): void {
  const world = new ScriptedMachine(PARTITIONS);
  const { domain } = world.create();
  if (domain === null) throw new Error('no guest');
  const [vcpu] = domain.vcpus;
  world.call(vcpu, id.FFA_VERSION, 0x1_0001);
  const frames = [0x40000, 0x40001].map((gfn) => domain.stage2.translate(gfn));
  world.spmc.answer = (name, words) => (name === 'FFA_RXTX_MAP_64' ? reply(words) : null);
  const answer = world.call(vcpu, id.FFA_RXTX_MAP_64, RAM_BASE, RAM_BASE + 0x1000, 1);
  const pinned = frames.map((frame) => world.machine.frames.references(frame) - 1);
  const code = answer[0] === id.FFA_ERROR ? answer[2] | 0 : 0;
  const quarantined = world.records.quarantine.pageCount;
  world.spmc.answer = () => null;
  world.destroy(domain);
  const retired = world.records.retired.get(domain.vmId) ?? '-';
  const outcome = { code, pinned, quarantined, retired, missing: world.missingPages };
  const none = { quarantined: 0, retired: '-', missing: 0 };
  if (treatment === 'done' || treatment === 'run') {
    expect(outcome, treatment).toEqual({ ...none, code: 0, pinned: [1, 1] });
  } else if (treatment === 'refuse') {
    expect(outcome, treatment).toEqual({ ...none, code, pinned: [0, 0] });
    expect(code).toBeLessThan(0);
  } else {
    const kept = { quarantined: 2, retired: 'quarantine', missing: 2 };
    expect({ treatment, ...outcome }).toEqual({
      treatment: 'quarantine-aborted',
      ...kept,
      code: error.FFA_ABORTED,
      pinned: [1, 1],
    });
  }
}

describe('the answer table', () => {
  it('has a row for each class and a column for each call', () => {
    expect(ANSWER_TABLE.map((row) => row.length)).toEqual(REPLY_CLASS_NAMES.map(() => OWN_CALL_NAMES.length));
  });

  type Check = (treatment: Treatment, reply: Reply) => void;
  const checks: readonly [call: number, successes: readonly Reply[], check: Check][] = [
    [CALL_MEM_RECLAIM, [SUCCESS], (t, r) => expectTeardown('FFA_MEM_RECLAIM', SHARED_PAGES, t, r)],
    [CALL_VM_CREATED, [ACCEPTED], expectCreation],
    [CALL_VM_DESTROYED, [ACCEPTED], (t, r) => expectTeardown('VM_DESTROYED', 0, t, r)],
    [CALL_MEM_SEND, [() => [id.FFA_SUCCESS_32, 0, 0x55, 0]], expectSend],
    [CALL_RXTX_UNMAP, [SUCCESS], (t, r) => expectTeardown('FFA_RXTX_UNMAP', 2, t, r)],
    [CALL_RXTX_MAP, [SUCCESS], expectMap],
    [CALL_BITMAP_DESTROY, [SUCCESS], (t, r) => expectTeardown('FFA_NOTIFICATION_BITMAP_DESTROY', 0, t, r)],
  ];
  for (const [row, className] of REPLY_CLASS_NAMES.entries()) {
    for (const [call, successes, check] of checks) {
      const treatment = ANSWER_TABLE[row][call];
      it(`${OWN_CALL_NAMES[call]}: ${className} -> ${treatment}`, () => {
        for (const reply of row === 0 ? successes : REPLIES[row]) check(treatment, reply);
      });
    }
  }
});

describe('a handle that cannot be', () => {
  const impossible: readonly [name: string, low: number, high: number][] = [
    ['all ones', 0xffff_ffff, 0xffff_ffff],
    ['allocated by a hypervisor', 5, 0x8000_0000],
    ['live already', 0x10, 0],
  ];
  for (const [name, low, high] of impossible) {
    it(`${name}: quarantine, no handle, ABORTED`, () => {
      const world = new ScriptedMachine(PARTITIONS);
      const domain = world.ready();
      expect(world.share(domain, SP, 16, 1).slice(0, 4)).toEqual([id.FFA_SUCCESS_32, 0, 0x10, 0]);
      world.spmc.answer = (call) => (call === 'FFA_MEM_SHARE_64' ? [id.FFA_SUCCESS_32, 0, low, high] : null);
      const answer = world.share(domain, SP, 20, 1);
      expect([answer[0], answer[2] | 0]).toEqual([id.FFA_ERROR, error.FFA_ABORTED]);
      expect(world.records.quarantine.pageCount).toBe(1);
    });
  }
});
