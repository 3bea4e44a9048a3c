// FFA_FEATURES: every function id and every feature id, asked by everybody who can ask.

import { describe, expect, test } from 'vitest';
import {
  FFA_ERROR,
  FFA_FEATURES,
  FFA_RXTX_MAP_64,
  FFA_SUCCESS_32,
  FUNCTION_NAMES,
} from '../../src/abi/function-ids.ts';
import { FFA_VERSION_1_0, FFA_VERSION_1_1, FFA_VERSION_1_2 } from '../../src/abi/versions.ts';
import { SmallWorld, SP1, SP2, SP3, said } from './small-world.ts';

const NOT_SUPPORTED = 'FFA_ERROR NOT_SUPPORTED';

/** Who asks: the normal world; a partition with one context, with several, at S-EL0. */
const CALLERS = ['normal world', 'one context', 'two contexts', 'S-EL0'] as const;
const ALL = [1, 1, 1, 1];
const NONE = [0, 0, 0, 0];
const PARTITIONS = [0, 1, 1, 1];
const NORMAL_WORLD = [1, 0, 0, 0];

/** Each call that has a name, and who is told that it is there. */
const ROWS: readonly (readonly [name: string, told: readonly number[]])[] = [
  ['FFA_ERROR', ALL],
  ['FFA_SUCCESS_32', ALL],
  ['FFA_SUCCESS_64', ALL],
  ['FFA_INTERRUPT', ALL],
  ['FFA_VERSION', ALL],
  ['FFA_FEATURES', ALL],
  ['FFA_RX_RELEASE', ALL],
  ['FFA_RXTX_MAP_32', NONE],
  ['FFA_RXTX_MAP_64', ALL],
  ['FFA_RXTX_UNMAP', ALL],
  ['FFA_PARTITION_INFO_GET', ALL],
  ['FFA_ID_GET', ALL],
  ['FFA_MSG_POLL', NONE],
  ['FFA_MSG_WAIT', ALL],
  ['FFA_YIELD', PARTITIONS],
  ['FFA_RUN', ALL],
  ['FFA_MSG_SEND', NONE],
  ['FFA_MSG_SEND_DIRECT_REQ_32', ALL],
  ['FFA_MSG_SEND_DIRECT_REQ_64', ALL],
  ['FFA_MSG_SEND_DIRECT_RESP_32', ALL],
  ['FFA_MSG_SEND_DIRECT_RESP_64', ALL],
  ['FFA_MEM_DONATE_32', ALL],
  ['FFA_MEM_DONATE_64', ALL],
  ['FFA_MEM_LEND_32', ALL],
  ['FFA_MEM_LEND_64', ALL],
  ['FFA_MEM_SHARE_32', ALL],
  ['FFA_MEM_SHARE_64', ALL],
  ['FFA_MEM_RETRIEVE_REQ_32', ALL],
  ['FFA_MEM_RETRIEVE_REQ_64', ALL],
  ['FFA_MEM_RETRIEVE_RESP', ALL],
  ['FFA_MEM_RELINQUISH', ALL],
  ['FFA_MEM_RECLAIM', ALL],
  ['FFA_MEM_OP_PAUSE', NONE],
  ['FFA_MEM_OP_RESUME', NONE],
  ['FFA_MEM_FRAG_RX', ALL],
  ['FFA_MEM_FRAG_TX', ALL],
  ['FFA_NORMAL_WORLD_RESUME', NONE],
  ['FFA_NOTIFICATION_BITMAP_CREATE', ALL],
  ['FFA_NOTIFICATION_BITMAP_DESTROY', ALL],
  ['FFA_NOTIFICATION_BIND', ALL],
  ['FFA_NOTIFICATION_UNBIND', ALL],
  ['FFA_NOTIFICATION_SET', ALL],
  ['FFA_NOTIFICATION_GET', ALL],
  ['FFA_NOTIFICATION_INFO_GET_32', NONE],
  ['FFA_NOTIFICATION_INFO_GET_64', NORMAL_WORLD],
  ['FFA_RX_ACQUIRE', NORMAL_WORLD],
  ['FFA_SPM_ID_GET', ALL],
  ['FFA_MSG_SEND2', ALL],
  ['FFA_SECONDARY_EP_REGISTER', [0, 0, 1, 0]],
  ['FFA_MEM_PERM_GET_32', [0, 0, 0, 1]],
  ['FFA_MEM_PERM_GET_64', [0, 0, 0, 1]],
  ['FFA_MEM_PERM_SET_32', [0, 0, 0, 1]],
  ['FFA_MEM_PERM_SET_64', [0, 0, 0, 1]],
  ['FFA_CONSOLE_LOG_32', ALL],
  ['FFA_CONSOLE_LOG_64', ALL],
  ['FFA_PARTITION_INFO_GET_REGS', ALL],
  ['FFA_EL3_INTR_HANDLE', NONE],
  ['FFA_MSG_SEND_DIRECT_REQ2', ALL],
  ['FFA_MSG_SEND_DIRECT_RESP2', ALL],
  ['FFA_NS_RES_INFO_GET', NONE],
  ['FFA_ABORT_32', NONE],
  ['FFA_ABORT_64', NONE],
  ['FFA_NOTIFICATION_BIND2', NONE],
  ['FFA_NOTIFICATION_UNBIND2', NONE],
  ['FFA_NOTIFICATION_SET2', NONE],
  ['FFA_NOTIFICATION_GET2', NONE],
];

/** A world with one partition of each kind of caller, all at `version`. */
function worldAt(version: number, spmcVersion = FFA_VERSION_1_2): SmallWorld {
  const world = new SmallWorld(
    [
      { ffaVersion: version },
      { ffaVersion: version, executionContextCount: 2 },
      { ffaVersion: version, exceptionLevel: 'S-EL0' },
    ],
    { version: spmcVersion },
  );
  world.spmc.normalWorld.version = version;
  return world;
}

/** w0 to w7 of FFA_FEATURES(`asked`, `input`) to each of CALLERS. */
function answers(world: SmallWorld, asked: number, input = 0): number[][] {
  const call = [FFA_FEATURES, asked, input];
  return [world.call(...call), ...[SP1, SP2, SP3].map((id) => world.callAs(id, ...call))];
}

/** `w2` of a success whose other registers are zero, or the error. */
function seen(answer: readonly number[]): string {
  if (answer[0] === FFA_ERROR) return said(answer);
  expect([answer[1], ...answer.slice(3)]).toEqual([0, 0, 0, 0, 0, 0]);
  return `${answer[0] === FFA_SUCCESS_32 ? '' : said(answer)}${answer[2].toString(16)}`;
}

describe('FFA_FEATURES of a function id', () => {
  test('the table has a row for each call that has a name', () => {
    expect(ROWS.map(([name]) => name)).toEqual(FUNCTION_NAMES.map(([, name]) => name));
  });

  const worlds = new Map([FFA_VERSION_1_0, FFA_VERSION_1_1, FFA_VERSION_1_2].map((v) => [v, worldAt(v)]));

  test.each(ROWS)('%s', (name, told) => {
    const row = FUNCTION_NAMES.find(([, one]) => one === name);
    const id = row?.[0] ?? 0;
    for (const world of worlds.values()) {
      // What a call's own row below says of its properties is left out here.
      const got = answers(world, id, 2).map((answer) => (answer[0] === FFA_ERROR ? said(answer) : 'there'));
      expect(got).toEqual(told.map((one) => (one === 1 ? 'there' : NOT_SUPPORTED)));
    }
  });

  test('no properties but those of RXTX_MAP and RETRIEVE_REQ', () => {
    for (const [id, name] of FUNCTION_NAMES) {
      if (name.startsWith('FFA_RXTX_MAP') || name.startsWith('FFA_MEM_RETRIEVE_REQ')) continue;
      const got = answers(worlds.get(FFA_VERSION_1_2) as SmallWorld, id).map(seen);
      expect(got.filter((one) => one !== '0' && one !== NOT_SUPPORTED)).toEqual([]);
    }
  });

  test.each([
    [FFA_VERSION_1_0, '0'],
    [FFA_VERSION_1_1, '0'],
    [FFA_VERSION_1_2, '10000'],
  ])('RXTX_MAP to a caller of version %i: granule and pages are %s', (version, w2) => {
    expect(answers(worldAt(version), FFA_RXTX_MAP_64).map(seen)).toEqual([w2, w2, w2, w2]);
  });

  test('RXTX_MAP states as many pages as a buffer may have', () => {
    const world = new SmallWorld([{}], { limits: { bufferPages: 4 } });
    expect(seen(world.call(FFA_FEATURES, FFA_RXTX_MAP_64))).toBe('40000');
  });

  test.each([
    [FFA_VERSION_1_0, 0, '6'],
    [FFA_VERSION_1_0, 2, '6'],
    [FFA_VERSION_1_1, 0, NOT_SUPPORTED],
    [FFA_VERSION_1_1, 2, '6'],
    [FFA_VERSION_1_2, 0, NOT_SUPPORTED],
    [FFA_VERSION_1_2, 1, NOT_SUPPORTED],
    [FFA_VERSION_1_2, 2, '6'],
    [FFA_VERSION_1_2, 0xffff_ffff, '6'],
  ])('MEM_RETRIEVE_REQ to version %i with input %i: %s', (version, input, expected) => {
    const all = CALLERS.map(() => expected);
    expect(answers(worldAt(version), 0x84000074, input).map(seen)).toEqual(all);
    expect(answers(worldAt(version), 0xc4000074, input).map(seen)).toEqual(all);
  });

  test.each([
    [FFA_VERSION_1_0, ['FFA_SPM_ID_GET', 'FFA_RX_ACQUIRE', 'FFA_MSG_SEND_DIRECT_REQ2', 'FFA_CONSOLE_LOG_32']],
    [FFA_VERSION_1_1, ['FFA_MSG_SEND_DIRECT_REQ2', 'FFA_CONSOLE_LOG_32', 'FFA_PARTITION_INFO_GET_REGS']],
  ])('an SPMC of version %i has nothing of later ones', (version, names) => {
    const world = worldAt(version, version);
    for (const name of names) {
      const [id] = FUNCTION_NAMES.find(([, one]) => one === name) ?? [0];
      expect(answers(world, id).map(seen)).toEqual(CALLERS.map(() => NOT_SUPPORTED));
    }
    expect(said(world.call(FFA_FEATURES, FFA_FEATURES))).toBe('FFA_SUCCESS_32');
  });

  test.each([0x8400_0000, 0x8400_00ff, 0xc400_0064, 0xffff_ffff, 0x8000_0064])('%i is no call', (id) => {
    expect(answers(worldAt(FFA_VERSION_1_2), id).map(seen)).toEqual(CALLERS.map(() => NOT_SUPPORTED));
  });
});

describe('FFA_FEATURES of a feature id', () => {
  test.each([
    [0, 0, [NOT_SUPPORTED, NOT_SUPPORTED, NOT_SUPPORTED, NOT_SUPPORTED]],
    // The notification pending interrupt, and the managed exit interrupt: of whom takes interrupts.
    [1, 0, [NOT_SUPPORTED, '5', '5', NOT_SUPPORTED]],
    [3, 0, [NOT_SUPPORTED, '4', '4', NOT_SUPPORTED]],
    // The schedule receiver interrupt: the hypervisor's.
    [2, 0, ['8', NOT_SUPPORTED, NOT_SUPPORTED, NOT_SUPPORTED]],
    // Notifications of 1.3.
    [4, 0, [NOT_SUPPORTED, NOT_SUPPORTED, NOT_SUPPORTED, NOT_SUPPORTED]],
    [5, 0, [NOT_SUPPORTED, NOT_SUPPORTED, NOT_SUPPORTED, NOT_SUPPORTED]],
    // Input, and bits beyond the id, must be zero.
    [1, 1, [NOT_SUPPORTED, NOT_SUPPORTED, NOT_SUPPORTED, NOT_SUPPORTED]],
    [2, 2, [NOT_SUPPORTED, NOT_SUPPORTED, NOT_SUPPORTED, NOT_SUPPORTED]],
    [0x101, 0, [NOT_SUPPORTED, NOT_SUPPORTED, NOT_SUPPORTED, NOT_SUPPORTED]],
    [0x4000_0002, 0, [NOT_SUPPORTED, NOT_SUPPORTED, NOT_SUPPORTED, NOT_SUPPORTED]],
  ])('%i with input %i', (id, input, expected) => {
    for (const version of [FFA_VERSION_1_0, FFA_VERSION_1_1, FFA_VERSION_1_2]) {
      expect(answers(worldAt(version), id, input).map(seen)).toEqual(expected);
    }
  });

  test('an SPMC of 1.0 has none', () => {
    const world = worldAt(FFA_VERSION_1_0, FFA_VERSION_1_0);
    for (const id of [1, 2, 3]) expect(answers(world, id).map(seen)).toEqual(CALLERS.map(() => NOT_SUPPORTED));
  });
});
