import { expect, test } from 'vitest';
import {
  EVENT_FAULT,
  EVENT_GUEST_CALL,
  EVENT_GUEST_RETURN,
  EVENT_SP_CALL,
  EVENT_SP_ENTER,
  EVENT_SP_EXIT,
  EVENT_SP_RETURN,
} from '../../src/base/event-kinds.ts';
import { emitRegisters } from '../../src/hardware/emit-registers.ts';
import { RegisterFile } from '../../src/hardware/registers.ts';
import {
  DENIED,
  DIRECT_REQ,
  DIRECT_RESP,
  ERROR,
  ID_GET,
  INTERRUPT,
  MEM_RECLAIM,
  MEM_SHARE,
  NOT_SUPPORTED,
  PARTITION_INFO_GET,
  RETRY,
  Rig,
  RX_RELEASE,
  refused,
  SP,
  SUCCESS,
  VERSION,
  type Words,
} from './rig.ts';

const FROM_SP = 0x80010001;

const ANSWERS: readonly (readonly [
  name: string,
  call: Words,
  answer: Words,
  anomaly: string | null,
  facts: unknown,
])[] = [
  ['FFA_ID_GET', [ID_GET], [SUCCESS, 0, 1], null, null],
  ['FFA_VERSION', [VERSION, 0x10002], [0x10002], null, null],
  ['FFA_VERSION refused', [VERSION, 0x80000000], [0xffffffff], null, null],
  ['a direct response', [DIRECT_REQ, 0x18001], [DIRECT_RESP, FROM_SP, 0, 9, 9, 9, 9, 9], null, null],
  ['a documented error', [RX_RELEASE], refused(DENIED), null, null],
  ['a function that does not exist', [0x84000096], refused(NOT_SUPPORTED), null, null],
  ['what is none of FF-A', [0x84000001], [0x1234, 5, 6, 7], null, null],
  [
    'an error that nobody documents',
    [MEM_RECLAIM, 5],
    refused(RETRY),
    'FFA_MEM_RECLAIM fails with RETRY, which nobody documents for it',
    { vm: 1, code: -7 },
  ],
  [
    'an error that does not exist',
    [MEM_SHARE],
    [ERROR, 0, 112],
    'FFA_MEM_SHARE_32 fails with 112, which is no FF-A error',
    { vm: 1, code: 112 },
  ],
  [
    'an answer to something else',
    [ID_GET],
    [DIRECT_RESP, 0x80010001],
    'FFA_ID_GET is answered by FFA_MSG_SEND_DIRECT_RESP_32',
    { vm: 1 },
  ],
  [
    'a register that nothing defines',
    [ID_GET],
    [SUCCESS, 0, 1, 0, 0, 7],
    'the answer to FFA_ID_GET has reserved bits set in x5',
    { vm: 1, register: 5, found: 7 },
  ],
  [
    'an upper half in a 32-bit answer',
    [PARTITION_INFO_GET],
    [SUCCESS, 0, 1, 0x1_0000_0018],
    'the answer to FFA_PARTITION_INFO_GET has reserved bits set in x3',
    { vm: 1, register: 3, found: 0x1_0000_0018 },
  ],
];

test.each(ANSWERS)('P13: %s', (_name, call, answer, anomaly, facts) => {
  const rig = new Rig({ off: ['P9', 'P11'] });
  rig.call(1, call, answer);
  const found = rig.found.filter(({ property }) => property === 'P13');
  if (anomaly === null) expect(found).toEqual([]);
  else expect(found[0]).toEqual({ property: 'P13', anomaly, facts });
});

test('P13: an error that the SPMC gave is not held against the hypervisor', () => {
  const rig = new Rig();
  rig.call(1, [MEM_RECLAIM, 5], refused(RETRY), () => rig.smc(1, [MEM_RECLAIM, 5], refused(RETRY)));
  expect(rig.found).toEqual([]);
});

test('P13: profiles may be known to be lax', () => {
  const rig = new Rig({ relax: ['undocumented-errors', 'reserved-not-zero'] });
  rig.call(1, [MEM_RECLAIM, 5], [ERROR, 0, RETRY, 1]);
  expect(rig.found).toEqual([]);
});

test('P13: an error that fills the upper half of its register', () => {
  const rig = new Rig();
  const registers = new RegisterFile();
  registers.set8(ERROR, 0, DENIED);
  rig.emit(EVENT_GUEST_CALL, 0, 1, RX_RELEASE);
  emitRegisters(rig.machine.events, EVENT_GUEST_RETURN, 0, 1, registers);
  expect(rig.found).toEqual([]);
  registers.setWords(2, DENIED, 0xffffffff);
  rig.emit(EVENT_GUEST_CALL, 0, 1, RX_RELEASE);
  emitRegisters(rig.machine.events, EVENT_GUEST_RETURN, 0, 1, registers);
  expect(rig.found).toEqual([
    {
      property: 'P13',
      anomaly: 'the answer to FFA_RX_RELEASE has reserved bits set in x2',
      facts: { vm: 1, register: 2, found: DENIED + 0xffffffff * 0x1_0000_0000 },
    },
  ]);
});

const MSG_WAIT = 0x8400006b;
const RX_ACQUIRE = 0x84000084;
const PARTITION_INFO_GET_REGS = 0xc400008b;

/** Calls at the SPMC's doors: who calls, call, answer, what is wrong with it (null: nothing). */
const SPMC_ANSWERS: readonly [string, 'hypervisor' | 'partition', Words, Words, string | null][] = [
  ['a documented error', 'hypervisor', [MEM_RECLAIM, 5], refused(DENIED), null],
  ['success', 'partition', [ID_GET], [SUCCESS, 0, SP], null],
  ['an interrupt for a partition that waits', 'partition', [MSG_WAIT], [INTERRUPT, 0, 40], null],
  [
    'an error that nobody documents',
    'hypervisor',
    [MEM_RECLAIM, 5],
    refused(RETRY),
    'the SPMC answers FFA_MEM_RECLAIM of the hypervisor with RETRY, which nobody documents for it',
  ],
  [
    'an error of the other side',
    'partition',
    [RX_ACQUIRE],
    refused(DENIED),
    'the SPMC answers FFA_RX_ACQUIRE of the partition with DENIED, which nobody documents for it',
  ],
  [
    'a register that nothing defines',
    'partition',
    [ID_GET],
    [SUCCESS, 0, SP, 0, 7],
    "the SPMC's answer to FFA_ID_GET of the partition has reserved bits set in x4",
  ],
  [
    'an answer that is none',
    'hypervisor',
    [PARTITION_INFO_GET_REGS],
    [0x12345678],
    'the SPMC answers FFA_PARTITION_INFO_GET_REGS of the hypervisor with 0x12345678, which nobody documents for it',
  ],
];

test.each(SPMC_ANSWERS)('P13 at the SPMC: %s', (_name, side, call, answer, anomaly) => {
  const rig = new Rig({ off: ['P9', 'P11'], spmcJudged: true });
  if (side === 'hypervisor') rig.smc(0, call, answer);
  else partitionCall(rig, call, answer);
  const found = rig.found.filter(({ property }) => property === 'P13').map((one) => one.anomaly);
  expect(found).toEqual(anomaly === null ? [] : [anomaly]);
});

test("P13: a fault between the SPMC and the hypervisor is nobody's answer", () => {
  const rig = new Rig({ spmcJudged: true });
  rig.smc(0, [MEM_RECLAIM, 5], refused(RETRY), () => rig.emit(EVENT_FAULT, 0, 0, MEM_RECLAIM, ERROR));
  expect(rig.found).toEqual([]);
});

test('P13: what the SPMC answers is judged only where that is asked for', () => {
  const rig = new Rig();
  rig.smc(0, [MEM_RECLAIM, 5], refused(RETRY));
  expect(rig.found).toEqual([]);
});

/** As the SPMC tells of it: the context leaves with the call, and is entered with the answer. */
function partitionCall(rig: Rig, call: Words, answer: Words): void {
  rig.emit(EVENT_SP_EXIT, 0, SP, 0, 1);
  rig.emit(EVENT_SP_CALL, 0, SP, ...call);
  rig.emit(EVENT_SP_RETURN, 0, SP, ...answer);
  rig.emit(EVENT_SP_ENTER, 0, SP, 0);
}
