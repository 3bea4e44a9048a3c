// Drivers: memory management at the guest's door.

import * as f from '../../../src/abi/function-ids.ts';
import { FFA_VERSION_1_2 } from '../../../src/abi/versions.ts';
import { SP1, SP2 } from '../../spmc/small-world.ts';
import { type Described, type DescribedReceiver, type DescribeOptions, describe } from '../descriptor.ts';
import { type Driver, guestDrivers } from '../driver.ts';
import { type GuestBench, RAM } from '../guest-bench.ts';

const FILE = 'guest-memory';
const SENDS = [
  f.FFA_MEM_SHARE_32,
  f.FFA_MEM_SHARE_64,
  f.FFA_MEM_LEND_32,
  f.FFA_MEM_LEND_64,
  f.FFA_MEM_DONATE_32,
  f.FFA_MEM_DONATE_64,
];
const RETRIEVE = [f.FFA_MEM_RETRIEVE_REQ_32, f.FFA_MEM_RETRIEVE_REQ_64];
const NORMAL = 0x2f;
const RW = 2;
const NONSENSE = 0x1234_5678;
const UNKNOWN_HANDLE: readonly [number, number] = [0x77, 0];
const NOT_RAM = 0x9000_0000;
const SHARES = 32;
const PAGES_PER_SHARE = 256;

function isShare(fid: number): boolean {
  return (fid & 0xff) === (f.FFA_MEM_SHARE_32 & 0xff);
}

function isDonate(fid: number): boolean {
  return (fid & 0xff) === (f.FFA_MEM_DONATE_32 & 0xff);
}

/** The 64-bit form in which the mediator passes a call on. */
function passedOn(fid: number): number {
  return fid >= 0xc0000000 ? fid : fid + 0x4000_0000;
}

/** A descriptor that is right for the call: one page to SP1. */
function right(b: GuestBench, fid: number, options: Partial<DescribeOptions> = {}): Described {
  return b.describe({
    receivers: [{ id: SP1, permissions: isDonate(fid) ? 0 : RW }],
    ranges: [[b.page(0), 1]],
    attributes: isShare(fid) ? NORMAL : 0,
    ...options,
  });
}

function send(b: GuestBench, described: Described): number[] {
  b.send(described.bytes);
  return b.call(described.length, described.length);
}

function sendWith(b: GuestBench, at: (described: Described) => number, value: number): void {
  const described = right(b, b.fid);
  send(b, described.set(at(described), value));
}

/** A share before the call; its handle. */
function shared(b: GuestBench, page = 0): readonly [number, number] {
  const described = right(b, f.FFA_MEM_SHARE_32, { ranges: [[b.page(page), 1]] });
  b.send(described.bytes);
  const answer = b.as(f.FFA_MEM_SHARE_32, described.length, described.length);
  return [answer[2], answer[3]];
}

/** The first fragment of a share of these ranges; its handle and the rest. */
function begun(
  b: GuestBench,
  ranges: readonly (readonly [number, number])[],
): { handle: readonly [number, number]; rest: Uint8Array } {
  const described = right(b, f.FFA_MEM_SHARE_32, { ranges });
  const first = described.rangesAt + 16;
  b.send(described.bytes.subarray(0, first));
  const answer = b.as(f.FFA_MEM_SHARE_32, described.length, first);
  return { handle: [answer[1], answer[2]], rest: described.bytes.subarray(first) };
}

function pages(b: GuestBench, count: number): (readonly [number, number])[] {
  return Array.from({ length: count }, (_, n) => [b.page(2 * n), 1] as const);
}

function next(b: GuestBench, handle: readonly [number, number], bytes: Uint8Array, length = 16): void {
  b.send(bytes.subarray(0, 16));
  b.call(...handle, length);
}

interface Loan {
  readonly sender: number;
  readonly handle: readonly [number, number];
  readonly receivers: readonly DescribedReceiver[];
}

/** What another guest shares with SP2 and this one. */
function lent(b: GuestBench): Loan {
  const lender = b.another();
  const receivers = [
    { id: SP2, permissions: RW },
    { id: b.me, permissions: RW },
  ];
  // A guest that has made no call but FFA_VERSION can be named by nobody.
  b.as(f.FFA_ID_GET);
  const described = describe(FFA_VERSION_1_2, {
    sender: lender.vmId,
    receivers,
    ranges: [[b.page(0), 1]],
    attributes: NORMAL,
  });
  b.sendOf(lender, described.bytes);
  const answer = b.of(lender, b.otherPe, f.FFA_MEM_SHARE_32, described.length, described.length);
  return { sender: lender.vmId, handle: [answer[2], answer[3]], receivers };
}

function request(
  b: GuestBench,
  { sender, handle, receivers }: Loan,
  options: Partial<DescribeOptions> = {},
): Described {
  return b.describe({ sender, handle, receivers, ...options });
}

function retrieved(b: GuestBench, loan: Loan): void {
  const described = request(b, loan);
  b.send(described.bytes);
  b.as(f.FFA_MEM_RETRIEVE_REQ_32, described.length, described.length);
  b.as(f.FFA_RX_RELEASE);
}

function relinquish(handle: readonly [number, number], id: number): Uint8Array {
  const bytes = new Uint8Array(18);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, handle[0], true);
  view.setUint32(4, handle[1], true);
  view.setUint32(12, 1, true);
  view.setUint16(16, id, true);
  return bytes;
}

function txTaken(b: GuestBench): void {
  b.as(f.FFA_ID_GET);
  b.context.txLock.tryAcquire(b.otherPe);
}

export const GUEST_MEMORY_DRIVERS: readonly Driver[] = [
  ...guestDrivers(FILE, SENDS, {
    'the whole descriptor': (b) => send(b, right(b, b.fid)),
    'a first fragment': (b) => {
      const described = right(b, b.fid, { ranges: pages(b, 2) });
      b.send(described.bytes);
      b.call(described.length, described.length - 16);
    },
    'the SPMC lacks the function': (b) => {
      b.given({ lacks: [passedOn(b.fid)] });
      send(b, right(b, b.fid));
    },
    'a descriptor elsewhere than in TX': (b) => b.call(96, 96, RAM, 1),
    'a fragment longer than the whole': (b) => b.call(96, 112),
    'no buffers are mapped': (b) => b.given({ unmapped: true }).call(96, 96),
    'a fragment longer than TX': (b) => b.call(5008, 5008),
    'another vCPU uses TX': (b) => {
      txTaken(b);
      b.call(96, 96);
    },
    'a header that is wrong': (b) => b.call(16, 16),
    'no receiver, or too many': (b) => sendWith(b, () => 28, 0),
    'itself as receiver': (b) => send(b, right(b, b.fid, { receivers: [{ id: b.me, permissions: RW }] })),
    'a VM that there is not': (b) => send(b, right(b, b.fid, { receivers: [{ id: 77, permissions: RW }] })),
    'a sender that is not the caller': (b) => send(b, right(b, b.fid, { sender: b.me + 1 })),
    'a composite that is not where it can be': (b) => sendWith(b, ({ emadAt }) => emadAt + 4, 16),
    'a length that does not match the constituents': (b) => sendWith(b, ({ compositeAt }) => compositeAt + 4, 2),
    'other pages in all than announced': (b) => sendWith(b, ({ compositeAt }) => compositeAt, 2),
    'an address that is not aligned': (b) => send(b, right(b, b.fid, { ranges: [[b.page(0) + 8, 1]] })),
    'more pages than a share may have': (b) => {
      send(b, right(b, b.fid, { ranges: [[b.page(0), PAGES_PER_SHARE + 1]] }));
    },
    'more shares than a guest may have': (b) => {
      for (let n = 1; n <= SHARES; n++) shared(b, n);
      send(b, right(b, b.fid));
    },
    "pages that are not the guest's RAM": (b) => send(b, right(b, b.fid, { ranges: [[NOT_RAM, 1]] })),
    'nobody knows what became of it': (b) => {
      b.answers(passedOn(b.fid), NONSENSE);
      send(b, right(b, b.fid));
    },
  }),

  ...guestDrivers(FILE, [f.FFA_MEM_FRAG_TX], {
    'the last fragment': (b) => {
      const { handle, rest } = begun(b, pages(b, 2));
      next(b, handle, rest);
    },
    'another fragment': (b) => {
      const { handle, rest } = begun(b, pages(b, 3));
      next(b, handle, rest);
    },
    'a handle that waits for none': (b) => b.call(...UNKNOWN_HANDLE, 16),
    'a length that is wrong': (b) => {
      const { handle, rest } = begun(b, pages(b, 2));
      next(b, handle, rest, 8);
    },
    'other pages in all than announced': (b) => {
      const { handle, rest } = begun(b, pages(b, 2));
      rest[8] = 2;
      next(b, handle, rest);
    },
    "pages that are not the guest's RAM": (b) => {
      const { handle, rest } = begun(b, [
        [b.page(0), 1],
        [NOT_RAM, 1],
      ]);
      next(b, handle, rest);
    },
    'another vCPU uses TX': (b) => {
      const { handle, rest } = begun(b, pages(b, 2));
      txTaken(b);
      next(b, handle, rest);
    },
    'nobody knows what became of it': (b) => {
      const { handle, rest } = begun(b, pages(b, 2));
      b.answers(f.FFA_MEM_FRAG_TX, NONSENSE);
      next(b, handle, rest);
    },
  }),

  ...guestDrivers(FILE, RETRIEVE, {
    'as borrower': (b) => send(b, request(b, lent(b))),
    'the SPMC lacks the function': (b) => b.given({ lacks: [f.FFA_MEM_RETRIEVE_REQ_64] }).call(80, 80),
    'a descriptor elsewhere than in TX, or in fragments': (b) => b.call(80, 64),
    'no buffers are mapped': (b) => b.given({ unmapped: true }).call(80, 80),
    'a header that is wrong': (b) => b.call(16, 16),
    'the guest is not among the receivers': (b) => {
      const loan = lent(b);
      send(b, request(b, loan, { receivers: [{ id: SP2, permissions: RW }] }));
    },
    'the guest owns RX': (b) => {
      const loan = lent(b);
      b.as(f.FFA_PARTITION_INFO_GET);
      send(b, request(b, loan));
    },
    'another vCPU uses TX': (b) => {
      txTaken(b);
      b.call(80, 80);
    },
    'it was retrieved already': (b) => {
      const loan = lent(b);
      retrieved(b, loan);
      send(b, request(b, loan));
    },
  }),
  ...guestDrivers(FILE, [f.FFA_MEM_RELINQUISH], {
    'what was retrieved': (b) => {
      const loan = lent(b);
      retrieved(b, loan);
      b.send(relinquish(loan.handle, b.me));
      b.call();
    },
    'no buffers are mapped': (b) => b.given({ unmapped: true }).call(),
    'other endpoints than the caller': (b) => {
      b.as(f.FFA_ID_GET);
      b.send(relinquish(UNKNOWN_HANDLE, SP2));
      b.call();
    },
    'a handle that was not retrieved': (b) => {
      b.as(f.FFA_ID_GET);
      b.send(relinquish(UNKNOWN_HANDLE, b.me));
      b.call();
    },
    'another vCPU uses TX': (b) => {
      txTaken(b);
      b.call();
    },
  }),

  ...guestDrivers(FILE, [f.FFA_MEM_RECLAIM], {
    'nobody holds it': (b) => b.call(...shared(b)),
    'the SPMC lacks the function': (b) => b.given({ lacks: [f.FFA_MEM_RECLAIM] }).call(...UNKNOWN_HANDLE),
    "a handle that is not the guest's": (b) => b.call(...UNKNOWN_HANDLE),
    'a send is under way that may get the same handle': (b) => {
      const handle = shared(b);
      b.answers(f.FFA_MEM_RECLAIM, NONSENSE);
      b.call(...handle);
      b.meanwhile(f.FFA_MEM_SHARE_64, () => b.of(b.guest, b.otherPe, f.FFA_MEM_RECLAIM, ...handle));
      shared(b, 4);
    },
    'an answer that is none': (b) => {
      const handle = shared(b);
      b.answers(f.FFA_MEM_RECLAIM, NONSENSE);
      b.call(...handle);
    },
  }),
];
