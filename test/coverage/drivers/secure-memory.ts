// Drivers: memory management at the SPMC.

import * as f from '../../../src/abi/function-ids.ts';
import { FFA_VERSION_1_0 } from '../../../src/abi/versions.ts';
import { GUEST_MEMORY, HYPERVISOR_TX, PAGE, SP1, SP2, SP3 } from '../../spmc/small-world.ts';
import { type Described, type DescribedReceiver, type DescribeOptions, describe } from '../descriptor.ts';
import { type Driver, secureDrivers } from '../driver.ts';
import { type SecureBench, VM } from '../secure-bench.ts';

const FILE = 'secure-memory';
const SPMC = ['hypervisor', 'partition'] as const;
const SHARE = [f.FFA_MEM_SHARE_32, f.FFA_MEM_SHARE_64];
const LEND = [f.FFA_MEM_LEND_32, f.FFA_MEM_LEND_64];
const DONATE = [f.FFA_MEM_DONATE_32, f.FFA_MEM_DONATE_64];
const SENDS = [...SHARE, ...LEND, ...DONATE];
const RETRIEVE = [f.FFA_MEM_RETRIEVE_REQ_32, f.FFA_MEM_RETRIEVE_REQ_64];
/** The VM that shares with others, and one more. */
const LENDER = 9;
const OTHER_VM = 11;
const UNKNOWN_HANDLE: readonly [number, number] = [0x77, 0];
/** Normal memory, write-back, inner shareable; the same without caches; a device. */
const NORMAL = 0x2f;
const UNCACHED = 0x27;
const DEVICE = 0x13;
const RO = 1;
const RW = 2;
const RW_NX = 6;
const RW_X = 10;
/** Where special memory is put. */
const NORMAL_WORLD_SPECIAL = 0x4180_0000;
const PARTITION_SPECIAL = 0x5030_0000;
const REGION_READ = 1;
const REGION_ALL = 7;

function isDonate(fid: number): boolean {
  return (fid & 0xff) === (f.FFA_MEM_DONATE_32 & 0xff);
}

function isShare(fid: number): boolean {
  return (fid & 0xff) === (f.FFA_MEM_SHARE_32 & 0xff);
}

/** A descriptor that is right for the bench's call: one page to SP2. */
function right(b: SecureBench, options: Partial<DescribeOptions> = {}): Described {
  const several = (options.receivers?.length ?? 1) > 1;
  return b.describe({
    receivers: [{ id: SP2, permissions: isDonate(b.fid) ? 0 : RW }],
    ranges: [[b.page(0), 1]],
    attributes: isShare(b.fid) || several ? NORMAL : 0,
    ...options,
  });
}

/** Sends it, as a whole. */
function send(b: SecureBench, described: Described): number[] {
  b.send(described.bytes);
  return b.call(described.length, described.length);
}

/** The same with one 32-bit field changed. */
function sendWith(b: SecureBench, at: (described: Described) => number, value: number): void {
  const described = right(b);
  send(b, described.set(at(described), value));
}

/** A share of the caller's before the call; its handle. */
function shared(
  b: SecureBench,
  page = 0,
  receiver = SP3,
  permissions = RW,
  address = b.page(page),
): readonly [number, number] {
  const described = b.describe({
    receivers: [{ id: receiver, permissions }],
    ranges: [[address, 1]],
    attributes: NORMAL,
  });
  b.send(described.bytes);
  const answer = b.as(f.FFA_MEM_SHARE_32, described.length, described.length);
  return [answer[2], answer[3]];
}

/** Memory that the caller may only read. */
function readOnly(b: SecureBench): number {
  return special(b, REGION_READ, false);
}

function device(b: SecureBench): number {
  return special(b, REGION_ALL & ~4, true);
}

function special(b: SecureBench, attributes: number, isDevice: boolean): number {
  if (b.side === 'hypervisor') {
    b.given({
      normalWorldMemory: [
        { baseAddress: 0x4000_0000, pageCount: 0x1800, attributes: REGION_ALL },
        { baseAddress: NORMAL_WORLD_SPECIAL, pageCount: 4, attributes, device: isDevice },
      ],
    });
    return NORMAL_WORLD_SPECIAL;
  }
  const region = [{ baseAddress: PARTITION_SPECIAL, pageCount: 4, attributes }];
  b.given({ manifests: [isDevice ? { deviceRegions: region } : { memoryRegions: region }] });
  return PARTITION_SPECIAL;
}

/** The first fragment of the caller's share of `count` pages; its handle. */
function begun(b: SecureBench, count: number, options: Partial<DescribeOptions> = {}): readonly [number, number] {
  return beginning(b, count, options).handle;
}

function beginning(
  b: SecureBench,
  count: number,
  options: Partial<DescribeOptions> = {},
): { handle: readonly [number, number]; rest: Uint8Array } {
  const ranges = Array.from({ length: count }, (_, n) => [b.page(2 * n), 1] as const);
  const described = b.describe({
    receivers: [{ id: SP2, permissions: RW }],
    ranges,
    attributes: NORMAL,
    ...options,
  });
  const first = described.rangesAt + 16;
  b.send(described.bytes.subarray(0, first));
  const answer = b.as(f.FFA_MEM_SHARE_32, described.length, first);
  return { handle: [answer[1], answer[2]], rest: described.bytes.subarray(first) };
}

/** The next constituent of a send that has begun, by the bench's call. */
function next(b: SecureBench, handle: readonly [number, number], bytes: Uint8Array, length = 16): number[] {
  b.send(bytes.subarray(0, 16));
  return b.call(...handle, length, b.side === 'hypervisor' ? (b.me << 16) >>> 0 : 0);
}

interface Loan {
  readonly handle: readonly [number, number];
  readonly receivers: readonly DescribedReceiver[];
}

/** Who may retrieve what `lent` shares: the caller; for a VM, with a partition beside it. */
function borrowers(b: SecureBench, permissions = RW): DescribedReceiver[] {
  if (b.side === 'partition') return [{ id: SP1, permissions }];
  return [
    { id: SP2, permissions },
    { id: VM, permissions },
  ];
}

/** The version in which the hypervisor speaks. */
function hypervisorVersion(b: SecureBench): number {
  return b.spmc.normalWorld.version;
}

/** A transaction of another VM that the caller may retrieve. */
function lent(b: SecureBench, fid: number = f.FFA_MEM_SHARE_32, options: Partial<DescribeOptions> = {}): Loan {
  const receivers = options.receivers ?? borrowers(b);
  const described = describe(hypervisorVersion(b), {
    sender: LENDER,
    receivers,
    ranges: [[GUEST_MEMORY + 64 * PAGE, 1]],
    attributes: isShare(fid) ? NORMAL : 0,
    ...options,
  });
  b.write(HYPERVISOR_TX, described.bytes);
  const answer = b.hyp(fid, described.length, described.length);
  return { handle: [answer[2], answer[3]], receivers };
}

/** A share of so many pages that its description needs more than one RX buffer. */
function lentMuch(b: SecureBench, receiver: number): readonly [number, number] {
  const described = describe(hypervisorVersion(b), {
    sender: LENDER,
    receivers: [{ id: receiver, permissions: RW }],
    ranges: Array.from({ length: 300 }, (_, n) => [GUEST_MEMORY + (64 + 2 * n) * PAGE, 1] as const),
    attributes: NORMAL,
  });
  const first = 4000;
  b.write(HYPERVISOR_TX, described.bytes.subarray(0, first));
  const begunWith = b.hyp(f.FFA_MEM_SHARE_32, described.length, first);
  b.write(HYPERVISOR_TX, described.bytes.subarray(first));
  b.hyp(f.FFA_MEM_FRAG_TX, begunWith[1], begunWith[2], described.length - first, LENDER << 16);
  return [begunWith[1], begunWith[2]];
}

/** The request that fits a loan. */
function request(b: SecureBench, loan: Loan, options: Partial<DescribeOptions> = {}): Described {
  return b.describe({ sender: LENDER, receivers: loan.receivers, handle: loan.handle, ...options });
}

/** Retrieves by another call of the caller's, and gives RX back. */
function retrieved(b: SecureBench, loan: Loan, options: Partial<DescribeOptions> = {}): void {
  const described = request(b, loan, options);
  b.send(described.bytes);
  b.as(f.FFA_MEM_RETRIEVE_REQ_32, described.length, described.length);
  b.as(f.FFA_RX_RELEASE);
}

/** The hypervisor's own request: nothing but the handle. */
function ownRequest(b: SecureBench, handle: readonly [number, number], options: Partial<DescribeOptions> = {}): void {
  send(b, b.describe({ sender: 0, receivers: [], handle, ...options }));
}

function relinquish(handle: readonly [number, number], id: number, flags = 0, count = 1): Uint8Array {
  const bytes = new Uint8Array(18);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, handle[0], true);
  view.setUint32(4, handle[1], true);
  view.setUint32(8, flags, true);
  view.setUint32(12, count, true);
  view.setUint16(16, id, true);
  return bytes;
}

/** SP2 retrieves what the caller shared with it. */
function retrievedBySp2(b: SecureBench, handle: readonly [number, number]): void {
  const described = describe(0x10002, {
    sender: b.me,
    receivers: [{ id: SP2, permissions: RW }],
    ranges: [],
    handle,
  });
  b.write(b.txOf(SP2), described.bytes);
  b.sp(SP2, f.FFA_MEM_RETRIEVE_REQ_32, described.length, described.length);
}

const SEND_DRIVERS: readonly Driver[] = [
  ...secureDrivers(FILE, SPMC, SENDS, {
    'the whole descriptor': (b) => send(b, right(b)),
    'a first fragment': (b) => {
      const described = right(b, {
        ranges: [
          [b.page(0), 1],
          [b.page(2), 1],
        ],
      });
      b.send(described.bytes);
      b.call(described.length, described.length - 16);
    },
    'a descriptor elsewhere than in TX': (b) => b.call(96, 96, b.page(0), 1),
    'a fragment longer than the whole': (b) => b.call(96, 112),
    'no buffers are mapped': (b) => b.given({ unmapped: true }).call(96, 96),
    'a fragment longer than TX': (b) => b.call(5008, 5008),
    'a header that is wrong': (b) => sendWith(b, () => (b.version === FFA_VERSION_1_0 ? 24 : 36), 1),
    'more than fits a page in the layout of 1.1': (b) => {
      send(b, right(b, { ranges: Array.from({ length: 252 }, (_, n) => [b.page(2 * n), 1] as const) }));
    },
    'no receiver, or too many': (b) => sendWith(b, () => 28, 0),
    'a composite that is not where it can be': (b) => sendWith(b, ({ emadAt }) => emadAt + 4, 16),
    'flags that do not exist': (b) => sendWith(b, () => 4, 0x10),
    'the time slice flag': (b) => sendWith(b, () => 4, 2),
    'a receiver that there is not, or itself': (b) => {
      send(b, right(b, { receivers: [{ id: 0x8077, permissions: isDonate(b.fid) ? 0 : RW }] }));
    },
    'a direction that is not allowed': (b) => {
      send(b, right(b, { receivers: [{ id: LENDER, permissions: isDonate(b.fid) ? 0 : RW }] }));
    },
    'a sender that the caller is not': (b) => send(b, right(b, { sender: SP3 })),
    'a length that does not match the constituents': (b) => sendWith(b, ({ compositeAt }) => compositeAt + 4, 2),
    'permissions that a sender may not state': (b) => {
      send(b, right(b, { receivers: [{ id: SP2, permissions: RW_X }] }));
    },
    'the NS bit': (b) => send(b, right(b, { attributes: isShare(b.fid) ? NORMAL | 0x40 : 0x40 })),
    'no free handle': (b) => {
      b.given({ limits: { slots: 1 } });
      shared(b, 8);
      send(b, right(b));
    },
    'constituents that overlap': (b) => {
      send(
        b,
        right(b, {
          ranges: [
            [b.page(0), 2],
            [b.page(1), 1],
          ],
        }),
      );
    },
    'other pages in all than announced': (b) => sendWith(b, ({ compositeAt }) => compositeAt, 9),
    'an address that is not aligned': (b) => send(b, right(b, { ranges: [[b.page(0) + 8, 1]] })),
    "pages that are not the sender's alone": (b) => {
      shared(b);
      send(b, right(b));
    },
    'a constituent without pages': (b) => {
      send(
        b,
        right(b, {
          ranges: [
            [b.page(0), 1],
            [b.page(2), 0],
          ],
        }),
      );
    },
    'pages of several kinds': (b) => {
      shared(b, 2);
      send(
        b,
        right(b, {
          ranges: [
            [b.page(0), 1],
            [b.page(2), 1],
          ],
        }),
      );
    },
  }),
  ...secureDrivers(FILE, SPMC, [...SHARE, ...LEND], {
    'a receiver twice': (b) => {
      send(
        b,
        right(b, {
          receivers: [
            { id: SP2, permissions: RW },
            { id: SP2, permissions: RW },
          ],
        }),
      );
    },
    'more access than the sender has': (b) => {
      const address = readOnly(b);
      send(b, right(b, { ranges: [[address, 1]] }));
    },
  }),
  ...secureDrivers(FILE, SPMC, SHARE, {
    'the zero flag': (b) => sendWith(b, () => 4, 1),
    'attributes that are not allowed': (b) => send(b, right(b, { attributes: UNCACHED })),
  }),
  ...secureDrivers(FILE, SPMC, LEND, {
    'attributes that are not allowed, for several receivers': (b) => {
      send(
        b,
        right(b, {
          receivers: [
            { id: SP2, permissions: RW },
            { id: SP3, permissions: RW },
          ],
          attributes: UNCACHED,
        }),
      );
    },
  }),
  ...secureDrivers(FILE, SPMC, [...LEND, ...DONATE], {
    'a memory type for one receiver': (b) => send(b, right(b, { attributes: NORMAL })),
    'the zero flag for pages that the sender may not write': (b) => {
      const address = readOnly(b);
      const permissions = isDonate(b.fid) ? 0 : RO;
      send(b, right(b, { ranges: [[address, 1]], flags: 1, receivers: [{ id: SP2, permissions }] }));
    },
  }),
  ...secureDrivers(FILE, SPMC, DONATE, {
    'several receivers': (b) => {
      send(
        b,
        right(b, {
          receivers: [
            { id: SP2, permissions: 0 },
            { id: SP3, permissions: 0 },
          ],
        }),
      );
    },
  }),
  ...secureDrivers(FILE, SPMC, [...SHARE, ...DONATE], {
    'device memory': (b) => {
      const address = device(b);
      send(b, right(b, { ranges: [[address, 1]], attributes: isDonate(b.fid) ? 0 : DEVICE }));
    },
  }),
];

const FRAGMENT_DRIVERS: readonly Driver[] = [
  ...secureDrivers(FILE, SPMC, [f.FFA_MEM_FRAG_TX], {
    'the last fragment': (b) => {
      const { handle, rest } = beginning(b, 2);
      next(b, handle, rest);
    },
    'another fragment': (b) => {
      const { handle, rest } = beginning(b, 3);
      next(b, handle, rest);
    },
    'a handle that is not known': (b) => b.call(...UNKNOWN_HANDLE, 16),
    'a descriptor that is complete': (b) => next(b, shared(b), new Uint8Array(16)),
    'a length that is wrong': (b) => {
      const { handle, rest } = beginning(b, 2);
      next(b, handle, rest, 8);
    },
    'other pages in all than announced': (b) => {
      const { handle } = beginning(b, 2);
      const last = new Uint8Array(16);
      const view = new DataView(last.buffer);
      view.setUint32(0, b.page(2), true);
      view.setUint32(8, 2, true);
      next(b, handle, last);
    },
    "pages that are not the sender's alone": (b) => {
      shared(b, 2);
      const { handle, rest } = beginning(b, 2);
      next(b, handle, rest);
    },
    'more fragments than there may be': (b) => {
      b.given({ limits: { fragments: 2 } });
      const { handle, rest } = beginning(b, 4);
      next(b, handle, rest);
      next(b, handle, rest.subarray(16));
    },
  }),
  ...secureDrivers(FILE, ['partition'], [f.FFA_MEM_FRAG_TX], {
    'an endpoint is named': (b) => {
      const handle = begun(b, 2);
      b.call(...handle, 16, SP1 << 16);
    },
  }),
  ...secureDrivers(FILE, ['partition'], [f.FFA_MEM_FRAG_RX], {
    'an endpoint is named': (b) => b.call(...UNKNOWN_HANDLE, 0, SP1 << 16),
    'the rest of a response': (b) => {
      const handle = lentMuch(b, SP1);
      retrieved(b, { handle, receivers: borrowers(b) });
      b.call(...handle, responseBytes(b));
    },
    'another offset than the next': (b) => {
      const handle = lentMuch(b, SP1);
      retrieved(b, { handle, receivers: borrowers(b) });
      b.call(...handle, 16);
    },
    'RX is not free': (b) => {
      const handle = lentMuch(b, SP1);
      const described = request(b, { handle, receivers: borrowers(b) });
      b.send(described.bytes);
      b.as(f.FFA_MEM_RETRIEVE_REQ_32, described.length, described.length);
      b.call(...handle, responseBytes(b));
    },
    'nothing was retrieved': (b) => b.call(...lent(b).handle, 0),
  }),
  ...secureDrivers(FILE, ['hypervisor'], [f.FFA_MEM_FRAG_RX], {
    'the rest of a response': (b) => {
      const handle = lentMuch(b, SP2);
      retrievedByHypervisor(b, handle);
      b.as(f.FFA_RX_RELEASE);
      b.call(...handle, responseBytes(b));
    },
    'another offset than the next': (b) => {
      const handle = lentMuch(b, SP2);
      retrievedByHypervisor(b, handle);
      b.as(f.FFA_RX_RELEASE);
      b.call(...handle, 16);
    },
    'RX is not free': (b) => {
      const handle = lentMuch(b, SP2);
      retrievedByHypervisor(b, handle);
      b.call(...handle, responseBytes(b));
    },
    'nothing was retrieved': (b) => b.call(...shared(b), 0),
  }),
  ...secureDrivers(FILE, SPMC, [f.FFA_MEM_FRAG_RX], {
    'a handle that is not known': (b) => b.call(...UNKNOWN_HANDLE, 0),
  }),
];

function retrievedByHypervisor(b: SecureBench, handle: readonly [number, number]): void {
  const described = b.describe({ sender: 0, receivers: [], handle });
  b.send(described.bytes);
  b.as(f.FFA_MEM_RETRIEVE_REQ_32, described.length, described.length);
}

/** Bytes of a response to the caller that holds what `lentMuch` sent in its first fragment. */
function responseBytes(b: SecureBench): number {
  const sent = describe(hypervisorVersion(b), {
    sender: LENDER,
    receivers: [{ id: SP1, permissions: RW }],
    ranges: [[0, 1]],
  });
  const received = describe(b.version, { sender: LENDER, receivers: [{ id: SP1, permissions: RW }], ranges: [[0, 1]] });
  return received.rangesAt + (4000 - sent.rangesAt);
}

const BORROWER_DRIVERS: readonly Driver[] = [
  ...secureDrivers(FILE, SPMC, RETRIEVE, {
    'as borrower': (b) => send(b, request(b, lent(b))),
    'RX is not free': (b) => {
      const loan = lent(b);
      b.as(f.FFA_PARTITION_INFO_GET);
      send(b, request(b, loan));
    },
    'no buffers are mapped': (b) => b.given({ unmapped: true }).call(80, 80),
    'a descriptor elsewhere than in TX, or in fragments': (b) => {
      const described = request(b, lent(b));
      b.send(described.bytes);
      b.call(described.length, described.length - 16);
    },
    'a handle that is not known': (b) => send(b, request(b, { handle: UNKNOWN_HANDLE, receivers: borrowers(b) })),
    'a transaction that has not been sent whole': (b) => {
      const described = describe(hypervisorVersion(b), {
        sender: LENDER,
        receivers: borrowers(b),
        ranges: [
          [GUEST_MEMORY + 64 * PAGE, 1],
          [GUEST_MEMORY + 66 * PAGE, 1],
        ],
        attributes: NORMAL,
      });
      b.write(HYPERVISOR_TX, described.bytes);
      const answer = b.hyp(f.FFA_MEM_SHARE_32, described.length, described.length - 16);
      send(b, request(b, { handle: [answer[1], answer[2]], receivers: borrowers(b) }));
    },
    'a length that is wrong': (b) => {
      const described = request(b, lent(b));
      b.send(described.bytes);
      b.call(described.length - 8, described.length - 8);
    },
    'another sender than the transaction has': (b) => send(b, request(b, lent(b), { sender: 5 })),
    'another kind of transaction': (b) => send(b, request(b, lent(b), { flags: 2 << 3 })),
    'another tag': (b) => send(b, request(b, lent(b), { tag: 5 })),
    'the caller is no receiver': (b) => {
      const receivers =
        b.side === 'partition'
          ? [{ id: SP2, permissions: RW }]
          : [
              { id: SP2, permissions: RW },
              { id: OTHER_VM, permissions: RW },
            ];
      const { handle } = lent(b, f.FFA_MEM_SHARE_32, { receivers });
      send(b, request(b, { handle, receivers: borrowers(b) }));
    },
    'flags that do not exist': (b) => send(b, request(b, lent(b), { flags: 0x800 })),
    'an alignment hint': (b) => send(b, request(b, lent(b), { flags: 0x200 })),
    'zeroing of what is shared': (b) => send(b, request(b, lent(b), { flags: 1 })),
    'the NS bit': (b) => send(b, request(b, lent(b), { attributes: 0x40 })),
    'attributes that are not allowed': (b) => send(b, request(b, lent(b), { attributes: UNCACHED })),
    'other receivers in number': (b) => {
      const { handle } = lent(b);
      const receivers =
        b.side === 'partition' ? [...borrowers(b), { id: SP2, permissions: RW }] : [{ id: VM, permissions: RW }];
      send(b, request(b, { handle, receivers }));
    },
    'another receiver that the sender did not name': (b) => {
      const named = [
        { id: SP2, permissions: RW },
        { id: b.me, permissions: RW },
      ];
      const { handle } = lent(b, f.FFA_MEM_SHARE_32, { receivers: named });
      const receivers = [
        { id: SP3, permissions: RW },
        { id: b.me, permissions: RW },
      ];
      send(b, request(b, { handle, receivers }));
    },
    'address ranges': (b) => {
      const described = request(b, lent(b));
      send(b, described.set(described.emadAt + 4, 0x60));
    },
    'more access than the sender gave': (b) => {
      const { handle } = lent(b, f.FFA_MEM_SHARE_32, { receivers: borrowers(b, RO) });
      send(b, request(b, { handle, receivers: borrowers(b) }));
    },
    'instruction access to what is shared': (b) => {
      const { handle } = lent(b);
      send(b, request(b, { handle, receivers: borrowers(b, RW_NX) }));
    },
    'another implementation defined value': (b) => {
      const described = request(b, lent(b));
      const own = described.emadAt + (borrowers(b).length - 1) * described.emadSize;
      send(b, described.set(own + 8, 5));
    },
  }),
  ...secureDrivers(FILE, ['partition'], RETRIEVE, {
    'zeroing that the sender did not state': (b) => {
      const { handle } = lent(b, f.FFA_MEM_LEND_32);
      send(b, request(b, { handle, receivers: borrowers(b, RW_NX) }, { flags: 1 }));
    },
    'it was retrieved already': (b) => {
      const loan = lent(b);
      retrieved(b, loan);
      send(b, request(b, loan));
    },
    'normal memory of what is a device': (b) => {
      b.given({
        normalWorldMemory: [
          { baseAddress: 0x4000_0000, pageCount: 0x1800, attributes: REGION_ALL },
          { baseAddress: NORMAL_WORLD_SPECIAL, pageCount: 4, attributes: 3, device: true },
        ],
      });
      const { handle } = lent(b, f.FFA_MEM_LEND_32, { ranges: [[NORMAL_WORLD_SPECIAL, 1]] });
      send(b, request(b, { handle, receivers: borrowers(b, RW_NX) }, { attributes: NORMAL }));
    },
    'no instruction access stated by the one borrower': (b) => send(b, request(b, lent(b, f.FFA_MEM_LEND_32))),
    'execution of non-secure memory': (b) => {
      const { handle } = lent(b, f.FFA_MEM_LEND_32);
      send(b, request(b, { handle, receivers: borrowers(b, RW_X) }));
    },
  }),
  ...secureDrivers(FILE, ['hypervisor'], RETRIEVE, {
    'by the hypervisor itself': (b) => ownRequest(b, shared(b)),
    'by the hypervisor itself, with a field that is not zero': (b) => ownRequest(b, shared(b), { tag: 5 }),
    'by the hypervisor itself, before the first response was read whole': (b) => {
      const handle = lentMuch(b, SP2);
      retrievedByHypervisor(b, handle);
      b.as(f.FFA_RX_RELEASE);
      ownRequest(b, handle);
    },
    'several borrowers in the normal world': (b) => {
      const receivers = [
        { id: VM, permissions: RW },
        { id: OTHER_VM, permissions: RW },
      ];
      send(b, request(b, lent(b, f.FFA_MEM_SHARE_32, { receivers })));
    },
  }),

  ...secureDrivers(FILE, SPMC, [f.FFA_MEM_RELINQUISH], {
    'what was retrieved': (b) => {
      const loan = lent(b);
      retrieved(b, loan);
      b.send(relinquish(loan.handle, b.me));
      b.call();
    },
    'no buffers are mapped': (b) => b.given({ unmapped: true }).call(),
    'other endpoints than the caller': (b) => {
      const loan = lent(b);
      retrieved(b, loan);
      b.send(relinquish(loan.handle, SP3));
      b.call();
    },
    'a handle that is not known': (b) => {
      b.send(relinquish(UNKNOWN_HANDLE, b.me));
      b.call();
    },
    'nothing was retrieved': (b) => {
      const { handle } = lent(b);
      b.send(relinquish(handle, b.me));
      b.call();
    },
  }),
  ...secureDrivers(FILE, ['partition'], [f.FFA_MEM_RELINQUISH], {
    'the response was not read whole': (b) => {
      const handle = lentMuch(b, SP1);
      retrieved(b, { handle, receivers: borrowers(b) });
      b.send(relinquish(handle, SP1));
      b.call();
    },
    'zeroing of what is shared': (b) => {
      const loan = lent(b);
      retrieved(b, loan);
      b.send(relinquish(loan.handle, SP1, 1));
      b.call();
    },
    'zeroing by a borrower that may only read': (b) => {
      const { handle } = lent(b, f.FFA_MEM_LEND_32, { receivers: borrowers(b, RO) });
      retrieved(b, { handle, receivers: borrowers(b, RO | 4) });
      b.send(relinquish(handle, SP1, 1));
      b.call();
    },
  }),
];

const OWNER_DRIVERS: readonly Driver[] = [
  ...secureDrivers(FILE, SPMC, [f.FFA_MEM_RECLAIM], {
    'nobody holds it': (b) => b.call(...shared(b)),
    'a handle that is not known': (b) => b.call(...UNKNOWN_HANDLE),
    'a transaction that has not been sent whole': (b) => b.call(...begun(b, 2)),
    'a borrower holds it': (b) => {
      const handle = shared(b, 0, SP2);
      retrievedBySp2(b, handle);
      b.call(...handle);
    },
    'zeroing of what the owner may not write': (b) => {
      const address = readOnly(b);
      b.call(...shared(b, 0, SP2, RO, address), 1);
    },
  }),
  ...secureDrivers(FILE, ['partition'], [f.FFA_MEM_RECLAIM], { 'not the owner': (b) => b.call(...lent(b).handle) }),
  ...secureDrivers(FILE, ['hypervisor'], [f.FFA_MEM_RECLAIM], {
    'a partition owns it': (b) => {
      b.as(f.FFA_ID_GET);
      const described = describe(0x10002, {
        sender: SP2,
        receivers: [{ id: SP3, permissions: RW }],
        ranges: [[0x5010_0000, 1]],
        attributes: NORMAL,
      });
      b.write(b.txOf(SP2), described.bytes);
      const answer = b.sp(SP2, f.FFA_MEM_SHARE_32, described.length, described.length);
      b.call(answer[2], answer[3]);
    },
  }),
];

export const SECURE_MEMORY_DRIVERS: readonly Driver[] = [
  ...SEND_DRIVERS,
  ...FRAGMENT_DRIVERS,
  ...BORROWER_DRIVERS,
  ...OWNER_DRIVERS,
];
