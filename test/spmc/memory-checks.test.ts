// A memory call that fails changes nothing: every check that there is (memory-checks.ts lists them) is driven to fail,
// and everything that the SPMC remembers is compared before and after. A send in fragments is one call in this: what
// was before its first fragment is what is after the one that fails.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { errorName, type FfaErrorCode } from '../../src/abi/errors.ts';
import {
  FFA_MEM_DONATE_32,
  FFA_MEM_FRAG_RX,
  FFA_MEM_FRAG_TX,
  FFA_MEM_LEND_32,
  FFA_MEM_RECLAIM,
  FFA_MEM_RELINQUISH,
  FFA_MEM_RETRIEVE_REQ_32,
  FFA_MEM_SHARE_32,
  FFA_RX_RELEASE,
  FFA_RXTX_UNMAP,
} from '../../src/abi/function-ids.ts';
import { FFA_VERSION_1_0 } from '../../src/abi/versions.ts';
import { lastRefusal, MEMORY_CHECKS, type MemoryCheck } from '../../src/spmc/memory-checks.ts';
import type { SpmcOptions } from '../../src/spmc/options.ts';
import type { PartitionManifest } from '../../src/spmc/partition-setup.ts';
import { REGION_NON_SECURE, REGION_READ, REGION_WRITE } from '../../src/spmc/partition-setup.ts';
import { OPTEE_PERSONALITY } from '../../src/spmc/personalities/optee.ts';
import { TFA_EL3_PERSONALITY } from '../../src/spmc/personalities/tfa-el3.ts';
import { relinquishDescriptor } from './descriptors.ts';
import { apart, descriptor, GUEST_PAGE, type Memory, MemoryWorld, PAGE, VM } from './memory-world.ts';
import { GUEST_MEMORY, HYPERVISOR_RX, HYPERVISOR_TX, ids, SP1, SP2, SP3, said } from './small-world.ts';
import { snapshotOf } from './spmc-snapshot.ts';

const RW = 2;
const RO = 1;
const RW_NX = 6;
const SP1_IMAGE = 0x5000_0000;
/** Regions of the partitions' manifests. */
const READ_ONLY = SP1_IMAGE + 48 * PAGE;
const DEVICE = 0x6000_0000;
const NON_SECURE = 0x4200_0000;

/** A small normal world, so that all of its pages are soon compared. */
const NORMAL_END = NON_SECURE + 16 * PAGE;
const NORMAL_WORLD = [{ baseAddress: HYPERVISOR_TX, pageCount: (NORMAL_END - HYPERVISOR_TX) / PAGE, attributes: 7 }];

const MANIFESTS: readonly Partial<PartitionManifest>[] = [
  {
    memoryRegions: [
      { baseAddress: READ_ONLY, pageCount: 2, attributes: REGION_READ },
      { baseAddress: NON_SECURE, pageCount: 2, attributes: REGION_READ | REGION_WRITE | REGION_NON_SECURE },
    ],
    deviceRegions: [{ baseAddress: DEVICE, pageCount: 2, attributes: REGION_READ | REGION_WRITE }],
  },
  {
    memoryRegions: [
      { baseAddress: NON_SECURE, pageCount: 2, attributes: REGION_READ | REGION_WRITE | REGION_NON_SECURE },
    ],
  },
  {},
];

interface Row {
  readonly check: MemoryCheck;
  readonly how: string;
  readonly error?: FfaErrorCode;
  readonly options?: Partial<SpmcOptions>;
  /** Leads to where the check fails; then the call that fails, after which nothing may have changed. */
  readonly lead: (world: MemoryWorld) => () => readonly number[];
}

/** Header 48, access descriptors from there, 32 bytes each, then the composite. */
const EMAD = 48;
const COMPOSITE = 80;

/** A share of one page by the normal world, with bytes changed. */
function send(memory: Memory, functionId = FFA_MEM_SHARE_32, from = 0, fragment = -1, total = -1) {
  return (world: MemoryWorld) => {
    const bytes = descriptor({ at: [[GUEST_MEMORY, 1]], ...memory });
    world.write(world.txOf(from), bytes.subarray(0, PAGE));
    const length = fragment < 0 ? bytes.length : fragment;
    return () => world.from(from, functionId, total < 0 ? bytes.length : total, length);
  };
}

function bytesAt(at: number, value: number): Memory {
  return { patch: (view) => view.setUint8(at, value) };
}

function wordAt(at: number, value: number): Memory {
  return { patch: (view) => view.setUint32(at, value, true) };
}

/** A partition's send of its own memory to another one. */
const OWN: Memory = { sender: SP1, to: [[SP2, RW]], at: [[SP1_IMAGE, 1]] };
const LEND: Memory = { attributes: 0 };
const BOTH: Memory = {
  to: [
    [SP1, RW],
    [SP2, RW],
  ],
};

/** A retrieve by SP1 of what `sent` sends, with bytes changed. */
function retrieve(sent: Memory, request: Memory, functionId = FFA_MEM_SHARE_32, borrower = SP1) {
  return (world: MemoryWorld) => {
    const handle = world.sent(sent, functionId, sent.sender === undefined ? 0 : sent.sender);
    const bytes = descriptor({ handle, to: [[borrower, RW]], sender: sent.sender ?? VM, ...request });
    world.write(world.txOf(borrower), bytes);
    return () => world.from(borrower, FFA_MEM_RETRIEVE_REQ_32, bytes.length, bytes.length);
  };
}

/** 300 constituents: more than one page of descriptor. */
const LONG: Memory = { at: apart(GUEST_MEMORY, 300) };

/** Sends the first page of a long descriptor; the handle. */
function begin(world: MemoryWorld, memory: Memory = LONG, from = 0): { handle: number; rest: Uint8Array } {
  const bytes = descriptor(memory);
  world.write(world.txOf(from), bytes.subarray(0, PAGE));
  const answer = world.from(from, FFA_MEM_SHARE_32, bytes.length, PAGE);
  expect(said(answer)).toBe('FFA_MEM_FRAG_RX');
  return { handle: answer[1] + answer[2] * 2 ** 32, rest: bytes.subarray(PAGE) };
}

/** Sends a long descriptor whole; the handle. */
function sendLong(world: MemoryWorld, memory: Memory = LONG): number {
  const { handle, rest } = begin(world, memory);
  world.write(HYPERVISOR_TX, rest);
  const answer = world.call(FFA_MEM_FRAG_TX, handle, 0, rest.length, ids(VM, 0));
  expect(said(answer)).toBe('FFA_SUCCESS_32');
  return handle;
}

function fragment(lead: (world: MemoryWorld) => void, from: number, ...words: readonly number[]) {
  return (world: MemoryWorld) => {
    lead(world);
    return () => world.from(from, FFA_MEM_FRAG_TX, ...words);
  };
}

function withoutBuffers(...words: readonly number[]) {
  return (world: MemoryWorld) => {
    expect(said(world.call(FFA_RXTX_UNMAP))).toBe('FFA_SUCCESS_32');
    return () => world.call(...words);
  };
}

function held(world: MemoryWorld, memory: Memory, functionId: number, permissions: number): number {
  const handle = world.sent(memory, functionId);
  expect(world.retrieve(SP1, { handle, to: [[SP1, permissions]] })).toBe('FFA_MEM_RETRIEVE_RESP');
  return handle;
}

function relinquish(handle: number, id: number, flags = 0, caller = id) {
  return (world: MemoryWorld) => {
    world.write(world.txOf(caller), relinquishDescriptor(handle, id, flags));
    return () => world.from(caller, FFA_MEM_RELINQUISH);
  };
}

function reclaim(world: MemoryWorld, handle: number, flags = 0, from = 0) {
  return () => world.from(from, FFA_MEM_RECLAIM, handle, 0, flags);
}

const TFA = { personality: TFA_EL3_PERSONALITY };
const OPTEE = { personality: OPTEE_PERSONALITY };

const ROWS: readonly Row[] = [
  {
    check: 'descriptor: no buffer of its own',
    how: 'w3 and w4 name a buffer',
    lead: (world) => () => world.call(FFA_MEM_SHARE_32, 112, 112, GUEST_MEMORY, 1),
  },
  {
    check: 'descriptor: its own buffer holds it',
    how: 'a buffer of no pages, where buffers are taken',
    options: OPTEE,
    lead: (world) => () => world.call(FFA_MEM_SHARE_32, 112, 112, GUEST_MEMORY, 0),
  },
  {
    check: 'descriptor: its own buffer holds it',
    how: "a partition's memory as buffer",
    options: OPTEE,
    lead: (world) => () => world.call(FFA_MEM_SHARE_32, 112, 112, SP1_IMAGE, 1),
  },
  {
    check: 'descriptor: fragment within total',
    how: 'longer than the whole',
    lead: send({}, FFA_MEM_SHARE_32, 0, 112, 96),
  },
  {
    check: 'descriptor: TX is mapped',
    how: 'no buffers',
    lead: withoutBuffers(FFA_MEM_SHARE_32, 112, 112),
  },
  {
    check: 'descriptor: fragment fits TX',
    how: 'one byte too long',
    lead: send({}, FFA_MEM_SHARE_32, 0, 4097, 8192),
  },
  { check: 'header: complete', how: '47 bytes', lead: send({}, FFA_MEM_SHARE_32, 0, 47) },
  {
    check: 'header: complete',
    how: '31 bytes of a retrieve of 1.0',
    lead: (world) => {
      world.speak(SP1, FFA_VERSION_1_0);
      return () => world.callAs(SP1, FFA_MEM_RETRIEVE_REQ_32, 31, 31);
    },
  },
  { check: 'header: reserved is zero', how: 'byte 40', lead: send(bytesAt(40, 1)) },
  { check: 'header: access descriptor size', how: '24', lead: send(wordAt(24, 24)) },
  { check: 'header: access descriptors behind it', how: 'at 32', lead: send(wordAt(32, 32)) },
  {
    check: 'send: sender may',
    how: 'a partition, at EL3',
    options: TFA,
    error: -2,
    lead: send(OWN, FFA_MEM_SHARE_32, SP1),
  },
  {
    check: 'send: sender may',
    how: 'a partition lends, in OP-TEE',
    options: OPTEE,
    error: -1,
    lead: send({ ...OWN, ...LEND }, FFA_MEM_LEND_32, SP1),
  },
  {
    check: 'send: in one piece',
    how: 'a partition in fragments, in OP-TEE',
    options: OPTEE,
    lead: send(OWN, FFA_MEM_SHARE_32, SP1, 96),
  },
  { check: 'send: has a receiver', how: 'count 0', lead: send(wordAt(28, 0)) },
  { check: 'send: not too many receivers', how: 'count 3', lead: send(wordAt(28, 3)) },
  {
    check: 'send: access descriptors within fragment',
    how: 'the second lies beyond it',
    lead: send(wordAt(28, 2), FFA_MEM_SHARE_32, 0, 96),
  },
  { check: 'send: access descriptor reserved is zero', how: 'its byte 24', lead: send(bytesAt(EMAD + 24, 1)) },
  { check: 'send: one composite', how: 'two offsets', lead: send({ ...BOTH, ...wordAt(EMAD + 32 + 4, 128) }) },
  {
    check: 'send: composite behind access descriptors',
    how: 'in the middle of one',
    lead: send(wordAt(EMAD + 4, 64)),
  },
  { check: 'send: composite within fragment', how: 'half out', lead: send(wordAt(EMAD + 4, 104)) },
  {
    check: 'send: fits a page as 1.1',
    how: '4096 bytes of 1.0',
    lead: (world) => {
      world.speak(0, FFA_VERSION_1_0);
      return send({ ...LONG, version: FFA_VERSION_1_0 }, FFA_MEM_SHARE_32, 0, PAGE)(world);
    },
  },
  { check: 'send: flags', how: 'bit 2', lead: send({ flags: 4 }) },
  { check: 'send: flags', how: 'a share to be zeroed', lead: send({ flags: 1 }) },
  {
    check: 'send: donated to one',
    how: 'to two',
    lead: send(
      {
        ...LEND,
        to: [
          [SP1, 0],
          [SP2, 0],
        ],
      },
      FFA_MEM_DONATE_32,
    ),
  },
  { check: 'send: receiver exists', how: 'an id that nobody has', lead: send({ to: [[0x8009, RW]] }) },
  {
    check: 'send: direction',
    how: 'a partition to a VM',
    lead: send({ ...OWN, to: [[VM, RW]] }, FFA_MEM_SHARE_32, SP1),
  },
  { check: 'send: direction', how: 'a VM lends to a VM', lead: send({ ...LEND, to: [[9, RW]] }, FFA_MEM_LEND_32) },
  { check: 'send: length is whole', how: '104 bytes', lead: send({}, FFA_MEM_SHARE_32, 0, 104) },
  { check: 'send: total is whole', how: '120 bytes', lead: send({}, FFA_MEM_SHARE_32, 0, 112, 120) },
  { check: 'send: sender is the caller', how: 'as a partition', lead: send({ sender: SP2 }) },
  {
    check: 'send: sender is the caller',
    how: 'a partition as another',
    lead: send({ ...OWN, sender: SP3 }, FFA_MEM_SHARE_32, SP1),
  },
  {
    check: 'send: sender receives nothing',
    how: 'a partition to itself',
    lead: send({ ...OWN, to: [[SP1, RW]] }, FFA_MEM_SHARE_32, SP1),
  },
  {
    check: 'send: sender receives nothing',
    how: 'a VM to itself and a partition',
    lead: send({
      to: [
        [SP1, RW],
        [VM, RW],
      ],
    }),
  },
  { check: 'send: composite alignment', how: 'at 88', lead: send(wordAt(EMAD + 4, 88)) },
  { check: 'send: constituents match length', how: 'one more than there are', lead: send(wordAt(COMPOSITE + 4, 2)) },
  { check: 'send: constituents match length', how: '2^32 - 1 of them', lead: send(wordAt(COMPOSITE + 4, 0xffff_ffff)) },
  { check: 'send: no time slice', how: 'bit 1', lead: send({ flags: 2 }) },
  {
    check: 'send: receivers differ',
    how: 'one twice',
    lead: send({
      to: [
        [SP1, RW],
        [SP1, RO],
      ],
    }),
  },
  { check: 'send: data access exists', how: '3', lead: send({ to: [[SP1, 3]] }) },
  { check: 'send: instruction access is open', how: 'not executable', lead: send({ to: [[SP1, RW_NX]] }) },
  { check: 'send: data access of the kind', how: 'a share that states none', lead: send({ to: [[SP1, 0]] }) },
  {
    check: 'send: data access of the kind',
    how: 'a donation that states one',
    lead: send(LEND, FFA_MEM_DONATE_32),
  },
  { check: 'send: no NS bit', how: 'set', lead: send({ attributes: 0x6f }) },
  { check: 'send: no memory type', how: 'a lend that states one', lead: send({}, FFA_MEM_LEND_32) },
  { check: 'send: memory type allowed', how: 'outer shareable', lead: send({ attributes: 0x2e }) },
  {
    check: 'send: a slot is free',
    how: 'all are used',
    options: { limits: { slots: 1 } },
    lead: (world) => {
      world.sent({});
      return send({ at: [[GUEST_MEMORY + PAGE, 1]] })(world);
    },
  },
  { check: 'pages: aligned', how: '16 bytes off', lead: send({ at: [[GUEST_MEMORY + 16, 1]] }) },
  { check: 'pages: as many as stated', how: 'one more stated', lead: send(wordAt(COMPOSITE, 2)) },
  {
    check: 'pages: first fragment has some',
    how: 'its only one comes in the second',
    lead: (world) => {
      const bytes = descriptor({ at: [[GUEST_MEMORY, 1]] });
      world.write(HYPERVISOR_TX, bytes);
      return () => {
        expect(said(world.call(FFA_MEM_SHARE_32, 112, 96))).toBe('FFA_MEM_FRAG_RX');
        world.write(HYPERVISOR_TX, bytes.subarray(96));
        return world.call(FFA_MEM_FRAG_TX, 0, 0, 16, ids(VM, 0));
      };
    },
  },
  {
    check: 'pages: each once',
    how: 'a page twice',
    lead: send({
      at: [
        [GUEST_MEMORY, 2],
        [GUEST_MEMORY + PAGE, 1],
      ],
    }),
  },
  { check: 'pages: of one kind, and mapped', how: 'no memory there', lead: send({ at: [[0x9000_0000, 1]] }) },
  {
    check: 'pages: of one kind, and mapped',
    how: 'the last is not mapped',
    lead: send({ at: [[NORMAL_END - PAGE, 2]] }),
  },
  { check: 'pages: of one kind, and mapped', how: 'beyond all addresses', lead: send({ at: [[2 ** 40, 1]] }) },
  { check: 'pages: of one kind, and mapped', how: 'no page', lead: send({ at: [[GUEST_MEMORY, 0]] }) },
  {
    check: "pages: the sender's alone",
    how: 'shared already, behind one that is not',
    lead: (world) => {
      world.sent({});
      return send({
        at: [
          [GUEST_MEMORY + PAGE, 1],
          [GUEST_MEMORY, 1],
        ],
      })(world);
    },
  },
  {
    check: "pages: the sender's alone",
    how: 'shared already, and a send that stopped long ago would have made room',
    options: { limits: { slots: 2 } },
    lead: (world) => {
      world.sent({});
      begin(world, { at: apart(GUEST_MEMORY + 10 * PAGE, 300) });
      world.machine.time.advanceTo(world.machine.time.nowNs + 10_000_000_000);
      return send({})(world);
    },
  },
  {
    check: "pages: the sender's alone",
    how: 'shared already, at EL3',
    options: TFA,
    error: -2,
    lead: (world) => {
      world.sent({});
      return send({})(world);
    },
  },
  {
    check: 'pages: of one world',
    how: "a partition's secure and non-secure page",
    lead: send(
      {
        ...OWN,
        at: [
          [SP1_IMAGE, 1],
          [NON_SECURE, 1],
        ],
      },
      FFA_MEM_SHARE_32,
      SP1,
    ),
  },
  { check: 'pages: device as device', how: 'shared', lead: send({ ...OWN, at: [[DEVICE, 1]] }, FFA_MEM_SHARE_32, SP1) },
  {
    check: 'pages: writable to be zeroed',
    how: 'read-only memory',
    lead: send({ ...OWN, ...LEND, flags: 1, to: [[SP2, RO]], at: [[READ_ONLY, 1]] }, FFA_MEM_LEND_32, SP1),
  },
  {
    check: 'pages: writable to be given so',
    how: 'read-only memory',
    lead: send({ ...OWN, at: [[READ_ONLY, 1]] }, FFA_MEM_SHARE_32, SP1),
  },
  {
    check: 'pages: page tables for the sender',
    how: 'all are used',
    options: { limits: { pageTables: 1 } },
    lead: send({}),
  },
  {
    check: 'fragment: sender is at its own door',
    how: 'a partition that names one',
    lead: fragment((world) => void begin(world), SP1, 0, 0, 16, ids(VM, 0)),
  },
  { check: 'fragment: TX is mapped', how: 'no buffers', lead: withoutBuffers(FFA_MEM_FRAG_TX, 0, 0, 16) },
  { check: 'fragment: not empty', how: '0 bytes', lead: fragment((world) => void begin(world), 0, 0, 0, 0) },
  {
    check: 'fragment: whole constituents',
    how: '24 bytes',
    lead: fragment((world) => void begin(world), 0, 0, 0, 24),
  },
  { check: 'fragment: fits TX', how: '4112 bytes', lead: fragment((world) => void begin(world), 0, 0, 0, 4112) },
  { check: 'fragment: handle is known', how: '77', lead: fragment(() => {}, 0, 77, 0, 16) },
  {
    check: 'fragment: something is missing',
    how: 'a send that is complete',
    lead: fragment((world) => void world.sent({}), 0, 0, 0, 16),
  },
  {
    check: "fragment: of the caller's send",
    how: "a partition continues a VM's",
    lead: fragment((world) => void begin(world), SP1, 0, 0, 16),
  },
  {
    check: 'fragment: no VM receives',
    how: 'a partition and a VM',
    lead: fragment(
      (world) =>
        void begin(world, {
          ...LONG,
          to: [
            [SP1, RW],
            [9, RW],
          ],
        }),
      0,
      0,
      0,
      16,
    ),
  },
  {
    check: 'fragment: not too many',
    how: 'the third of two',
    options: { limits: { fragments: 2 } },
    lead: (world) => () => {
      begin(world);
      expect(said(world.call(FFA_MEM_FRAG_TX, 0, 0, 16, ids(VM, 0)))).toBe('FFA_MEM_FRAG_RX');
      return world.call(FFA_MEM_FRAG_TX, 0, 0, 16, ids(VM, 0));
    },
  },
  {
    check: 'retrieve: in one piece',
    how: 'a fragment',
    lead: (world) => {
      world.sent({});
      return () => world.callAs(SP1, FFA_MEM_RETRIEVE_REQ_32, 80, 48);
    },
  },
  {
    check: 'retrieve: RX is free',
    how: 'it holds the answer before',
    lead: (world) => {
      const handle = world.sent({});
      world.retrieveFull(SP1, { handle });
      return retrieve({ at: [[GUEST_MEMORY + PAGE, 1]] }, {})(world);
    },
  },
  {
    check: 'retrieve: RX is free',
    how: 'it holds the answer before, at EL3',
    options: TFA,
    error: -6,
    lead: (world) => {
      const handle = world.sent({});
      world.retrieveFull(SP1, { handle });
      return () => world.callAs(SP1, FFA_MEM_RETRIEVE_REQ_32, 80, 80);
    },
  },
  { check: 'retrieve: handle is known', how: '55', lead: retrieve({}, { handle: 55 }) },
  {
    check: 'retrieve: handle is known',
    how: '55, in OP-TEE',
    options: OPTEE,
    error: -6,
    lead: retrieve({}, { handle: 55 }),
  },
  {
    check: 'retrieve: completely sent',
    how: 'a fragment is missing',
    lead: (world) => {
      const { handle } = begin(world);
      const bytes = descriptor({ handle });
      world.write(world.txOf(SP1), bytes);
      return () => world.callAs(SP1, FFA_MEM_RETRIEVE_REQ_32, bytes.length, bytes.length);
    },
  },
  {
    check: 'retrieve: one VM at most',
    how: 'two VMs',
    lead: (world) => {
      const to = [
        [9, RW],
        [10, RW],
      ] as const;
      const handle = world.sent({ to });
      const bytes = descriptor({ handle, to });
      world.write(HYPERVISOR_TX, bytes);
      return () => world.call(FFA_MEM_RETRIEVE_REQ_32, bytes.length, bytes.length);
    },
  },
  {
    check: 'retrieve: length',
    how: '16 bytes more',
    lead: (world) => {
      const handle = world.sent({});
      const bytes = descriptor({ handle });
      world.write(world.txOf(SP1), bytes);
      return () => world.callAs(SP1, FFA_MEM_RETRIEVE_REQ_32, bytes.length + 16, bytes.length + 16);
    },
  },
  { check: 'retrieve: sender', how: 'another VM', lead: retrieve({}, { sender: 4 }) },
  {
    check: 'retrieve: sender',
    how: 'another VM, at EL3',
    options: TFA,
    error: -2,
    lead: retrieve({}, { sender: 4, handle: 0xffffffc0 }),
  },
  { check: 'retrieve: kind', how: 'a lend that was a share', lead: retrieve({}, { flags: 0x10 }) },
  { check: 'retrieve: tag', how: 'another', lead: retrieve({ tag: 5 }, { tag: 6 }) },
  { check: 'retrieve: caller was listed', how: 'it was not', lead: retrieve({}, {}, FFA_MEM_SHARE_32, SP2) },
  { check: 'retrieve: caller lists itself', how: 'only another', lead: retrieve(BOTH, { to: [[SP2, RW]] }) },
  { check: 'retrieve: flags exist', how: 'bit 11', lead: retrieve({}, { flags: 0x800 }) },
  { check: 'retrieve: no alignment hint', how: 'one', lead: retrieve({}, { flags: 0x200 }) },
  { check: 'retrieve: no zeroing of a share', how: 'the zero flag', lead: retrieve({}, { flags: 1 }) },
  {
    check: 'retrieve: no zeroing when read-only',
    how: 'given read-only',
    lead: retrieve({ ...LEND, to: [[SP1, RO]] }, { flags: 4, to: [[SP1, RO | 4]] }, FFA_MEM_LEND_32),
  },
  {
    check: 'retrieve: zeroed only as sent',
    how: 'not sent so',
    lead: retrieve(LEND, { flags: 1, to: [[SP1, RW_NX]] }, FFA_MEM_LEND_32),
  },
  { check: 'retrieve: no NS bit', how: 'set', lead: retrieve({}, { attributes: 0x40 }) },
  { check: 'retrieve: memory type allowed', how: 'outer shareable', lead: retrieve({}, { attributes: 0x2e }) },
  { check: 'retrieve: bypass with one of several', how: 'there is one', lead: retrieve({}, { flags: 0x400 }) },
  { check: 'retrieve: all receivers', how: 'one of two', lead: retrieve(BOTH, {}) },
  { check: 'retrieve: no addresses', how: 'an offset', lead: retrieve({}, wordAt(EMAD + 4, 80)) },
  {
    check: 'retrieve: receiver was listed',
    how: 'another than the sender listed',
    lead: retrieve(BOTH, {
      to: [
        [SP1, RW],
        [SP3, RW],
      ],
    }),
  },
  { check: 'retrieve: data access exists', how: '3', lead: retrieve({}, { to: [[SP1, 3]] }) },
  { check: 'retrieve: data access given', how: 'more', lead: retrieve({ to: [[SP1, RO]] }, {}) },
  {
    check: 'retrieve: instruction access is open',
    how: 'stated of a share',
    lead: retrieve({}, { to: [[SP1, RW_NX]] }),
  },
  { check: 'retrieve: instruction access stated', how: 'not of a lend', lead: retrieve(LEND, {}, FFA_MEM_LEND_32) },
  {
    check: 'retrieve: instruction access exists',
    how: '3',
    lead: retrieve(LEND, { to: [[SP1, RW | 12]] }, FFA_MEM_LEND_32),
  },
  {
    check: 'retrieve: no execution of non-secure memory',
    how: "a VM's page",
    lead: retrieve(LEND, { to: [[SP1, RW | 8]] }, FFA_MEM_LEND_32),
  },
  {
    check: 'retrieve: no zeroing when asked read-only',
    how: 'given writable',
    lead: retrieve(LEND, { flags: 4, to: [[SP1, RO | 4]] }, FFA_MEM_LEND_32),
  },
  { check: 'retrieve: implementation defined value', how: 'another', lead: retrieve({}, bytesAt(EMAD + 8, 1)) },
  {
    check: 'retrieve: device as device',
    how: 'as normal memory',
    lead: retrieve(
      { ...OWN, ...LEND, at: [[DEVICE, 1]] },
      { attributes: 0x2f, to: [[SP2, RW_NX]] },
      FFA_MEM_LEND_32,
      SP2,
    ),
  },
  {
    check: 'retrieve: once',
    how: 'twice',
    lead: (world) => {
      const handle = world.sent({});
      world.retrieve(SP1, { handle });
      return () => world.callAs(SP1, FFA_MEM_RETRIEVE_REQ_32, 80, 80);
    },
  },
  {
    check: 'retrieve: response fits RX',
    how: 'it does not, in OP-TEE',
    options: OPTEE,
    lead: (world) => {
      const bytes = descriptor(LONG);
      world.write(GUEST_MEMORY + 700 * PAGE, bytes);
      // In OP-TEE the descriptor is in a buffer of the sender's own, and in two fragments all the same.
      const first = world.call(FFA_MEM_SHARE_32, bytes.length, PAGE, GUEST_MEMORY + 700 * PAGE, 1);
      world.write(HYPERVISOR_TX, bytes.subarray(PAGE));
      const answer = world.call(FFA_MEM_FRAG_TX, first[1], first[2], bytes.length - PAGE, ids(VM, 0));
      expect(said(answer)).toBe('FFA_SUCCESS_32');
      const request = descriptor({ handle: answer[2] + answer[3] * 2 ** 32 });
      world.write(world.txOf(SP1), request);
      return () => world.callAs(SP1, FFA_MEM_RETRIEVE_REQ_32, request.length, request.length);
    },
  },
  {
    check: 'retrieve: nothing is there',
    how: 'the page is mapped already',
    lead: retrieve({ at: [[NON_SECURE, 1]] }, {}),
  },
  {
    check: 'retrieve: page tables for the borrower',
    how: 'all are used',
    options: { limits: { pageTables: 2 } },
    lead: (world) => {
      // The hypervisor's buffers and the first share lie in one table, the second share in another.
      const handle = world.sent({ at: [[HYPERVISOR_RX + 8 * PAGE, 1]] });
      expect(world.retrieve(SP1, { handle })).toBe('FFA_MEM_RETRIEVE_RESP');
      return retrieve({}, {})(world);
    },
  },
  {
    check: 'retrieve: owner lives',
    how: 'it crashed while another borrower holds',
    lead: (world) => {
      const to = [
        [SP2, RW],
        [SP3, RW],
      ] as const;
      const handle = world.sent({ ...OWN, to }, FFA_MEM_SHARE_32, SP1);
      expect(world.retrieve(SP2, { handle, sender: SP1, to })).toBe('FFA_MEM_RETRIEVE_RESP');
      world.spmc.crash(SP1);
      const bytes = descriptor({ handle, sender: SP1, to });
      world.write(world.txOf(SP3), bytes);
      return () => world.callAs(SP3, FFA_MEM_RETRIEVE_REQ_32, bytes.length, bytes.length);
    },
  },
  {
    check: 'retrieve: hypervisor names the handle alone',
    how: 'a flag too',
    lead: (world) => {
      const handle = world.sent({});
      world.write(HYPERVISOR_TX, descriptor({ sender: 0, handle, flags: 1, to: [] }));
      return () => world.call(FFA_MEM_RETRIEVE_REQ_32, 48, 48);
    },
  },
  {
    check: 'retrieve: hypervisor has read the last',
    how: 'fragments are left',
    lead: (world) => {
      const handle = sendLong(world);
      world.write(HYPERVISOR_TX, descriptor({ sender: 0, handle, to: [] }));
      expect(said(world.call(FFA_MEM_RETRIEVE_REQ_32, 48, 48))).toBe('FFA_MEM_RETRIEVE_RESP');
      world.call(FFA_RX_RELEASE);
      return () => world.call(FFA_MEM_RETRIEVE_REQ_32, 48, 48);
    },
  },
  {
    check: 'response: borrower is at its own door',
    how: 'a partition that names one',
    lead: (world) => () => world.callAs(SP1, FFA_MEM_FRAG_RX, 0, 0, PAGE, ids(SP1, 0)),
  },
  { check: 'response: RX is mapped', how: 'no buffers', lead: withoutBuffers(FFA_MEM_FRAG_RX, 0, 0, PAGE) },
  {
    check: 'response: RX is free',
    how: 'it holds the first fragment',
    lead: (world) => {
      world.retrieveFull(SP1, { handle: sendLong(world) });
      return () => world.callAs(SP1, FFA_MEM_FRAG_RX, 0, 0, PAGE);
    },
  },
  {
    check: 'response: handle is known',
    how: '33',
    lead: (world) => () => world.callAs(SP1, FFA_MEM_FRAG_RX, 33, 0, PAGE),
  },
  {
    check: 'response: completely sent',
    how: 'a fragment is missing',
    lead: (world) => {
      begin(world);
      return () => world.callAs(SP1, FFA_MEM_FRAG_RX, 0, 0, PAGE);
    },
  },
  {
    check: 'response: hypervisor has begun',
    how: 'it has not',
    lead: (world) => {
      sendLong(world);
      return () => world.call(FFA_MEM_FRAG_RX, 0, 0, PAGE);
    },
  },
  {
    check: 'response: caller borrows',
    how: 'it has not retrieved',
    lead: (world) => {
      sendLong(world);
      return () => world.callAs(SP1, FFA_MEM_FRAG_RX, 0, 0, PAGE);
    },
  },
  {
    check: 'response: something is left',
    how: 'all was read',
    lead: (world) => {
      world.retrieve(SP1, { handle: world.sent({}) });
      return () => world.callAs(SP1, FFA_MEM_FRAG_RX, 0, 0, 112);
    },
  },
  {
    check: 'response: offset',
    how: '16 bytes early',
    lead: (world) => {
      world.retrieve(SP1, { handle: sendLong(world) });
      return () => world.callAs(SP1, FFA_MEM_FRAG_RX, 0, 0, PAGE - 16);
    },
  },
  { check: 'relinquish: TX is mapped', how: 'no buffers', lead: withoutBuffers(FFA_MEM_RELINQUISH) },
  { check: 'relinquish: sender may', how: 'the normal world, at EL3', options: TFA, lead: relinquish(0, 9, 0, 0) },
  {
    check: 'relinquish: one endpoint',
    how: 'two',
    lead: (world) => {
      held(world, {}, FFA_MEM_SHARE_32, RW);
      const bytes = relinquishDescriptor(0, SP1);
      bytes[12] = 2;
      world.write(world.txOf(SP1), bytes);
      return () => world.callAs(SP1, FFA_MEM_RELINQUISH);
    },
  },
  {
    check: 'relinquish: of the caller',
    how: 'of another',
    lead: (world) => {
      held(world, {}, FFA_MEM_SHARE_32, RW);
      return relinquish(0, SP1, 0, SP2)(world);
    },
  },
  {
    check: 'relinquish: flags',
    how: 'one, at EL3',
    options: TFA,
    lead: (world) => relinquish(held(world, {}, FFA_MEM_SHARE_32, RW), SP1, 1)(world),
  },
  { check: 'relinquish: handle is known', how: '44', lead: relinquish(44, SP1) },
  {
    check: 'relinquish: completely sent',
    how: 'a fragment is missing',
    lead: (world) => relinquish(begin(world).handle, SP1)(world),
  },
  {
    check: 'relinquish: caller borrows',
    how: 'not retrieved',
    lead: (world) => relinquish(world.sent({}), SP1)(world),
  },
  {
    check: 'relinquish: response is read',
    how: 'a fragment is left',
    lead: (world) => {
      const handle = sendLong(world);
      world.retrieve(SP1, { handle });
      return relinquish(handle, SP1)(world);
    },
  },
  {
    check: 'relinquish: no zeroing of a share',
    how: 'the zero flag',
    lead: (world) => relinquish(held(world, {}, FFA_MEM_SHARE_32, RW), SP1, 1)(world),
  },
  {
    check: 'relinquish: no zeroing when read-only',
    how: 'the zero flag',
    lead: (world) => relinquish(held(world, { ...LEND, to: [[SP1, RO]] }, FFA_MEM_LEND_32, RO | 4), SP1, 1)(world),
  },
  {
    check: 'reclaim: caller may',
    how: 'a partition, at EL3',
    options: TFA,
    lead: (world) => reclaim(world, world.sent({}), 0, SP1),
  },
  { check: 'reclaim: flags', how: 'one, at EL3', options: TFA, lead: (world) => reclaim(world, world.sent({}), 1) },
  { check: 'reclaim: handle is known', how: '22', lead: (world) => reclaim(world, 22) },
  {
    check: 'reclaim: completely sent',
    how: 'a fragment is missing',
    lead: (world) => reclaim(world, begin(world).handle),
  },
  {
    check: 'reclaim: caller owns',
    how: 'a partition, of a VM',
    lead: (world) => reclaim(world, world.sent({}), 0, SP1),
  },
  {
    check: 'reclaim: nobody holds',
    how: 'a borrower does',
    lead: (world) => reclaim(world, held(world, {}, FFA_MEM_SHARE_32, RW)),
  },
  {
    check: 'reclaim: within its world',
    how: 'the normal world, of a partition',
    lead: (world) => reclaim(world, world.sent(OWN, FFA_MEM_SHARE_32, SP1)),
  },
  {
    check: 'reclaim: writable to be zeroed',
    how: 'read-only memory',
    lead: (world) => {
      const memory = { ...OWN, to: [[SP2, RO]] as const, at: [[READ_ONLY, 1]] as const };
      return reclaim(world, world.sent(memory, FFA_MEM_SHARE_32, SP1), 1, SP1);
    },
  },
];

const WATCHED = [
  [HYPERVISOR_TX / PAGE, 16],
  [GUEST_PAGE, 1024],
  [NON_SECURE / PAGE, 2],
  [SP1_IMAGE / PAGE, 3 * 256],
] as const;

describe('a memory call that fails changes nothing', () => {
  test.each(ROWS.map((row) => [row.check, row.how, row] as const))('%s (%s)', (check, _how, row) => {
    const world = new MemoryWorld(MANIFESTS, { normalWorldMemory: NORMAL_WORLD, ...row.options });
    for (const [first, count] of WATCHED) {
      for (let n = 0; n < count; n += 7) world.write((first + n) * PAGE + 8, new Uint8Array([0xa5, n]));
    }
    const call = row.lead(world);
    const before = snapshotOf(world.spmc, WATCHED);
    const answer = call();
    expect(said(answer)).toBe(`FFA_ERROR ${errorName(row.error ?? MEMORY_CHECKS[check])}`);
    expect(lastRefusal()).toBe(check);
    expect(snapshotOf(world.spmc, WATCHED)).toEqual(before);
  });

  test('and there is no check without a row', () => {
    const rows = new Set(ROWS.map((row) => row.check));
    const missing = (Object.keys(MEMORY_CHECKS) as MemoryCheck[]).filter((check) => !rows.has(check));
    expect(missing).toEqual([]);
  });

  test('and no check is made that is not listed', () => {
    const folder = join(import.meta.dirname, '../../src/spmc');
    const files = readdirSync(folder).filter((name) =>
      /^(memory-(send|retrieve|reclaim)|fragments|retrieve-|send-checks)/.test(name),
    );
    const unlisted = files.flatMap((name) =>
      readFileSync(join(folder, name), 'utf8')
        .split('\n')
        .filter((line) => /(return|[?:]) FFA_(?!OK)[A-Z_]+;/.test(line))
        .map((line) => `${name}: ${line.trim()}`),
    );
    expect(unlisted).toEqual([]);
    expect(files.length).toBe(7);
  });
});

test('a snapshot tells every page, slot and buffer that changes', () => {
  const world = new MemoryWorld(MANIFESTS, { normalWorldMemory: NORMAL_WORLD });
  const seen = [snapshotOf(world.spmc, WATCHED)];
  const differs = (): void => {
    const now = snapshotOf(world.spmc, WATCHED);
    expect(now).not.toEqual(seen.at(-1));
    seen.push(now);
  };
  const handle = world.sent({});
  differs();
  world.retrieveFull(SP1, { handle });
  differs();
  world.release(SP1);
  differs();
  world.relinquish(SP1, handle);
  differs();
  world.reclaim(handle);
  differs();
  world.write(GUEST_MEMORY, new Uint8Array([1]));
  differs();
});
