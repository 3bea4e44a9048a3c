import { describe, expect, it } from 'vitest';
import {
  FFA_ABORTED,
  FFA_BUSY,
  FFA_DENIED,
  FFA_INVALID_PARAMETERS,
  FFA_NO_MEMORY,
  FFA_NOT_SUPPORTED,
} from '../../src/abi/errors.ts';
import {
  FFA_ERROR,
  FFA_MEM_FRAG_RX,
  FFA_MEM_RECLAIM,
  FFA_MEM_SHARE_32,
  FFA_MEM_SHARE_64,
  FFA_SUCCESS_64,
  FFA_VERSION,
} from '../../src/abi/function-ids.ts';
import { FFA_VERSION_1_0, FFA_VERSION_1_1, FFA_VERSION_1_2 } from '../../src/abi/versions.ts';
import { STAGE2_DEVICE, STAGE2_FOREIGN, STAGE2_READ, STAGE2_RW } from '../../src/hardware/stage2.ts';
import type { Domain } from '../../src/hypervisor/domain.ts';
import {
  contextOf,
  DATA,
  drive,
  errorAnswer,
  lowWords,
  Mediator,
  RAM,
  SP1,
  successAnswer,
  TX,
  XEN_2024,
  XEN_2026,
} from './mediator.ts';
import { type ShareFields, shareBytes, shareBytes10, shareFields } from './share-bytes.ts';

const PROFILES = [XEN_2024, XEN_2026];

function share(mediator: Mediator, guest: Domain, bytes: Uint8Array): number[] {
  mediator.write(guest, TX, bytes);
  return mediator.call(guest, FFA_MEM_SHARE_32, bytes.length, bytes.length);
}

describe('FFA_MEM_SHARE', () => {
  it.each(PROFILES)('tells the SPMC of the pages, merged, and keeps them pinned ($name)', (profile) => {
    const mediator = new Mediator({ profile, spmcVersion: FFA_VERSION_1_1 });
    const guest = mediator.readyGuest(FFA_VERSION_1_1);
    const before = guest.references;
    // Two ranges that touch, one that does not.
    const ranges = [
      [DATA, 2],
      [DATA + 0x2000, 1],
      [DATA + 0x8000, 1],
    ] as const;
    expect(share(mediator, guest, shareBytes(shareFields({ ranges, flags: 1 })))).toEqual(
      successAnswer(1, 0x8000_0000),
    );
    expect(mediator.spmc.smcs).toEqual([[FFA_MEM_SHARE_64, 112, 112, 0, 0, 0, 0, 0]]);
    const physical = mediator.physical(guest, DATA);
    const expected = new Uint8Array(112);
    const view = new DataView(expected.buffer);
    view.setUint32(0, 0x2f0002, true);
    view.setUint32(24, 16, true);
    view.setUint32(28, 1, true);
    view.setUint32(32, 48, true);
    view.setUint32(48, 0x28001, true);
    view.setUint32(52, 64, true);
    view.setUint32(64, 4, true);
    view.setUint32(68, 2, true);
    view.setUint32(80, physical, true);
    view.setUint32(88, 3, true);
    view.setUint32(96, physical + 0x8000, true);
    view.setUint32(104, 1, true);
    expect(mediator.spmc.descriptors).toEqual([expected]);
    expect(mediator.heldPages(guest)).toBe(2 + 4);
    expect(guest.references).toBe(before + 1);
    expect(contextOf(guest).shares.map((held) => [held.handleLow, held.handleHigh, held.pageCount])).toEqual([
      [1, 0x8000_0000, 4],
    ]);
  });

  it('passes the implementation defined value on to an SPMC of 1.2', () => {
    const mediator = new Mediator({ profile: XEN_2026, spmcVersion: FFA_VERSION_1_2 });
    const guest = mediator.readyGuest(FFA_VERSION_1_2);
    const bytes = shareBytes(shareFields({ accessSize: 32, compositeOffset: 80 }));
    const long = new Uint8Array(bytes.length + 16);
    long.set(bytes.subarray(0, 56));
    for (let n = 0; n < 16; n++) long[56 + n] = n + 1;
    new DataView(long.buffer).setUint32(80, 2, true);
    new DataView(long.buffer).setUint32(84, 1, true);
    long.set(bytes.subarray(96), 96);
    new DataView(long.buffer).setUint32(96, DATA, true);
    new DataView(long.buffer).setUint32(104, 2, true);
    expect(share(mediator, guest, long)).toEqual(successAnswer(1, 0x8000_0000));
    const sent = mediator.spmc.descriptors[0];
    expect(sent?.length).toBe(112);
    expect(sent?.subarray(24, 28)).toEqual(new Uint8Array([32, 0, 0, 0]));
    expect([...(sent?.subarray(56, 72) ?? [])]).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]);
  });

  it('reads the layout of 1.0 for a guest of 1.0', () => {
    const mediator = new Mediator({ profile: XEN_2024 });
    const guest = mediator.readyGuest(FFA_VERSION_1_0);
    expect(share(mediator, guest, shareBytes10(shareFields()))).toEqual(successAnswer(1, 0x8000_0000));
    expect(mediator.heldPages(guest)).toBe(2 + 2);
  });

  // What one wrong field is answered: by the patch's mediator, by today's.
  const wrong: readonly (readonly [string, Partial<ShareFields>, number, number])[] = [
    ['attributes above a byte', { attributes: 0x12f }, FFA_INVALID_PARAMETERS, FFA_INVALID_PARAMETERS],
    ['flags above a byte', { flags: 0x100 }, FFA_INVALID_PARAMETERS, FFA_INVALID_PARAMETERS],
    ['access size above a byte', { accessSize: 0x100 }, FFA_INVALID_PARAMETERS, FFA_INVALID_PARAMETERS],
    ['access size too small', { accessSize: 8 }, 0, FFA_INVALID_PARAMETERS],
    ['access count above a byte', { accessCount: 0x100 }, FFA_INVALID_PARAMETERS, FFA_INVALID_PARAMETERS],
    ['access array beyond the fragment', { accessOffset: 96 }, FFA_INVALID_PARAMETERS, FFA_INVALID_PARAMETERS],
    ['access offset above 16 bits', { accessOffset: 0x10000 }, FFA_INVALID_PARAMETERS, FFA_INVALID_PARAMETERS],
    ['attribute non-secure', { attributes: 0x6f }, FFA_NOT_SUPPORTED, FFA_INVALID_PARAMETERS],
    ['attribute device', { attributes: 0x1f }, FFA_NOT_SUPPORTED, FFA_NOT_SUPPORTED],
    ['no receiver', { accessCount: 0 }, FFA_NOT_SUPPORTED, FFA_NOT_SUPPORTED],
    ['two receivers', { accessCount: 2 }, FFA_NOT_SUPPORTED, FFA_NOT_SUPPORTED],
    ['another sender', { sender: 3 }, FFA_INVALID_PARAMETERS, FFA_INVALID_PARAMETERS],
    ['receiver a VM', { receiver: 3 }, 0, FFA_NOT_SUPPORTED],
    ['read-only', { permissions: 1 }, FFA_NOT_SUPPORTED, FFA_NOT_SUPPORTED],
    ['read-write and executable', { permissions: 0xa }, FFA_NOT_SUPPORTED, FFA_NOT_SUPPORTED],
    ['composite beyond the fragment', { compositeOffset: 84 }, FFA_NOT_SUPPORTED, FFA_NOT_SUPPORTED],
    ['composite offset that wraps', { compositeOffset: 0xffff_fff0 }, FFA_NOT_SUPPORTED, FFA_NOT_SUPPORTED],
    ['no pages', { pageCount: 0 }, FFA_INVALID_PARAMETERS, FFA_INVALID_PARAMETERS],
    ['too many pages', { pageCount: 257 }, FFA_NO_MEMORY, FFA_NO_MEMORY],
    ['as many pages as fit', { ranges: [[DATA, 256]] }, FFA_NO_MEMORY, 0],
    ['ranges beyond the fragment', { rangeCount: 2 }, FFA_INVALID_PARAMETERS, FFA_INVALID_PARAMETERS],
    ['range count that wraps', { rangeCount: 0x1000_0001 }, FFA_INVALID_PARAMETERS, FFA_INVALID_PARAMETERS],
    ['fewer pages than announced', { pageCount: 3 }, FFA_INVALID_PARAMETERS, FFA_INVALID_PARAMETERS],
    ['more pages than announced', { pageCount: 1 }, FFA_INVALID_PARAMETERS, FFA_INVALID_PARAMETERS],
    ['an address inside a page', { ranges: [[DATA + 0x800, 2]] }, 0, FFA_INVALID_PARAMETERS],
    ['an address where nothing is', { ranges: [[RAM - 0x1000, 2]] }, FFA_DENIED, FFA_DENIED],
    ['a range that leaves the RAM', { ranges: [[RAM + 511 * 4096, 2]] }, FFA_DENIED, FFA_DENIED],
    ['an address beyond 4 GiB', { ranges: [[2 ** 40, 1]] }, FFA_DENIED, FFA_DENIED],
  ];

  for (const [name, changes, error2024, error2026] of wrong) {
    it.each([
      [XEN_2024.name, XEN_2024, error2024],
      [XEN_2026.name, XEN_2026, error2026],
    ] as const)(`${name}: %s`, (_name, profile, error) => {
      const mediator = new Mediator({ profile, spmcVersion: FFA_VERSION_1_1 });
      const guest = mediator.readyGuest(FFA_VERSION_1_1);
      const answer = share(mediator, guest, shareBytes(shareFields(changes)));
      if (error === 0) {
        expect(answer).toEqual(successAnswer(1, 0x8000_0000));
        return;
      }
      expect(answer).toEqual(errorAnswer(error));
      expect(mediator.spmc.smcs).toEqual([]);
      expect(mediator.heldPages(guest)).toBe(2);
      expect(contextOf(guest).shareCount).toBe(0);
      expect(guest.references).toBe(2);
    });
  }

  it.each([
    ['total 0x60, fragment 0x61', [0x60, 0x61], FFA_INVALID_PARAMETERS],
    ['a first fragment', [0x70, 0x60], FFA_NOT_SUPPORTED],
    ['a buffer of its own', [0x60, 0x60, 0x1000], FFA_NOT_SUPPORTED],
    ['shorter than a header', [0x2f, 0x2f], FFA_INVALID_PARAMETERS],
  ])('%s', (_name, words, error) => {
    for (const profile of PROFILES) {
      const mediator = new Mediator({ profile });
      const guest = mediator.readyGuest(FFA_VERSION_1_1);
      mediator.write(guest, TX, shareBytes(shareFields()));
      expect(mediator.call(guest, FFA_MEM_SHARE_64, ...words)).toEqual(errorAnswer(error));
    }
  });

  it('counts the upper half of the address also in the 32-bit form', () => {
    const mediator = new Mediator({ profile: XEN_2026 });
    const guest = mediator.readyGuest(FFA_VERSION_1_1);
    mediator.write(guest, TX, shareBytes(shareFields()));
    const vcpu = guest.vcpus[0];
    vcpu?.registers.set8(FFA_MEM_SHARE_32, 0x60, 0x60);
    vcpu?.registers.setWords(3, 0, 1);
    expect(mediator.hypervisor.guestCall(mediator.pe, vcpu as never)).toBeNull();
    expect(lowWords(vcpu?.registers as never)).toEqual(errorAnswer(FFA_NOT_SUPPORTED));
  });

  it('answers a fragment that exceeds the buffer: refused then, success of nothing now', () => {
    const length = 0x1001;
    const before = new Mediator({ profile: XEN_2024 });
    expect(before.call(before.readyGuest(FFA_VERSION_1_1), FFA_MEM_SHARE_32, length, length)).toEqual(
      errorAnswer(FFA_DENIED),
    );
    const now = new Mediator({ profile: XEN_2026 });
    const guest = now.readyGuest(FFA_VERSION_1_1);
    expect(now.call(guest, FFA_MEM_SHARE_32, length, length)).toEqual(successAnswer());
    expect(now.spmc.smcs).toEqual([]);
    expect(contextOf(guest).shares).toEqual([]);
  });

  it.each(PROFILES)('refuses a guest without buffers ($name)', (profile) => {
    const mediator = new Mediator({ profile });
    const guest = mediator.guest();
    mediator.call(guest, FFA_VERSION, FFA_VERSION_1_1);
    expect(mediator.call(guest, FFA_MEM_SHARE_32, 0x60, 0x60)).toEqual(errorAnswer(FFA_DENIED));
  });

  it.each([
    ['read-only', STAGE2_READ],
    ['device memory', STAGE2_RW | STAGE2_DEVICE],
    ['another domain’s', STAGE2_RW | STAGE2_FOREIGN],
  ])('refuses pages that are %s', (_name, attributes) => {
    for (const profile of PROFILES) {
      const mediator = new Mediator({ profile });
      const guest = mediator.readyGuest(FFA_VERSION_1_1);
      const gfn = DATA / 4096;
      guest.stage2.map(gfn + 1, guest.stage2.translate(gfn + 1), 1, attributes);
      expect(share(mediator, guest, shareBytes(shareFields()))).toEqual(errorAnswer(FFA_DENIED));
      expect(mediator.heldPages(guest)).toBe(2);
    }
  });

  it('refuses pages of another guest, however they came into stage 2', () => {
    const mediator = new Mediator({ profile: XEN_2026 });
    const guest = mediator.readyGuest(FFA_VERSION_1_1);
    const victim = mediator.guest();
    guest.stage2.map(DATA / 4096, victim.stage2.translate(DATA / 4096), 1, STAGE2_RW);
    expect(share(mediator, guest, shareBytes(shareFields()))).toEqual(errorAnswer(FFA_DENIED));
    expect(mediator.heldPages(victim)).toBe(0);
  });

  it.each([
    ['an error', [FFA_ERROR, 0, FFA_BUSY], FFA_BUSY],
    ['an error without a code', [FFA_ERROR], FFA_NOT_SUPPORTED],
    ['the 64-bit success', [FFA_SUCCESS_64, 0, 1], FFA_NOT_SUPPORTED],
    ['a wish for more: its byte count', [FFA_MEM_FRAG_RX, 1, 0, 64], 64],
    ['a wish for an impossible offset', [FFA_MEM_FRAG_RX, 1, 0, 0x8000_0000], FFA_ABORTED],
    ['an unknown function', [0xffff_ffff], FFA_NOT_SUPPORTED],
  ])('undoes everything when the SPMC answers %s', (_name, answer, error) => {
    for (const profile of PROFILES) {
      const mediator = new Mediator({ profile });
      const guest = mediator.readyGuest(FFA_VERSION_1_1);
      mediator.spmc.answers.set(FFA_MEM_SHARE_64, answer);
      expect(share(mediator, guest, shareBytes(shareFields()))).toEqual(errorAnswer(error));
      expect(mediator.heldPages(guest)).toBe(2);
      expect([contextOf(guest).shareCount, contextOf(guest).shares.length, guest.references]).toEqual([0, 0, 2]);
      expect(mediator.pe.heldCount).toBe(0);
    }
  });

  it('refuses what does not fit its descriptor to the SPMC, and the share after the last', () => {
    const ranges: [number, number][] = [];
    for (let n = 0; n < 251; n++) ranges.push([RAM + (4 + 2 * (n % 250)) * 4096, 1]);
    const mediator = new Mediator({ profile: XEN_2026, spmcVersion: FFA_VERSION_1_1 });
    const guest = mediator.readyGuest(FFA_VERSION_1_1);
    expect(share(mediator, guest, shareBytes(shareFields({ ranges })))).toEqual(successAnswer(1, 0x8000_0000));
    for (let n = 2; n <= 32; n++) {
      expect(share(mediator, guest, shareBytes(shareFields()))).toEqual(successAnswer(n, 0x8000_0000));
    }
    expect(share(mediator, guest, shareBytes(shareFields()))).toEqual(errorAnswer(FFA_NO_MEMORY));
    const longer = new Mediator({ profile: XEN_2026, spmcVersion: FFA_VERSION_1_2 });
    const other = longer.readyGuest(FFA_VERSION_1_1);
    expect(share(longer, other, shareBytes(shareFields({ ranges })))).toEqual(errorAnswer(FFA_NOT_SUPPORTED));
    expect(longer.heldPages(other)).toBe(2);
  });

  it.each(PROFILES)('does not wait for the TX buffer of a share under way ($name)', (profile) => {
    const mediator = new Mediator({ profile });
    const guest = mediator.readyGuest(FFA_VERSION_1_1);
    let inner: number[] = [];
    mediator.spmc.meanwhile.set(FFA_MEM_SHARE_64, () => {
      inner = mediator.otherCall(guest, FFA_MEM_SHARE_32, 0x60, 0x60);
    });
    expect(share(mediator, guest, shareBytes(shareFields()))).toEqual(successAnswer(1, 0x8000_0000));
    expect(inner).toEqual(errorAnswer(FFA_BUSY));
  });
});

describe('a guest that rewrites its TX buffer while it is read', () => {
  /** The guest's other vCPU: every word that is read becomes something else right after. */
  function spoilAfterReads(mediator: Mediator, guest: Domain, spoil: () => void): void {
    const contents = mediator.machine.frames.contents;
    const read = contents.read.bind(contents);
    contents.read = (address, into, at, length) => {
      read(address, into, at, length);
      spoil();
    };
    const words = contents.words.bind(contents);
    const txFrame = contextOf(guest).txFrame;
    contents.words = (frame) => {
      const page = words(frame);
      if (frame !== txFrame) return page;
      return new Proxy(page, {
        get(target, key) {
          const value = Reflect.get(target, key, target);
          if (typeof key !== 'string' || !/^\d+$/.test(key)) return value;
          target[Number(key)] = 0xffff_ffff;
          return value;
        },
      });
    };
  }

  for (const ranges of [1, 60]) {
    it.each(PROFILES)(`changes nothing that was checked (${ranges} ranges, $name)`, (profile) => {
      const mediator = new Mediator({ profile, spmcVersion: FFA_VERSION_1_1 });
      const guest = mediator.readyGuest(FFA_VERSION_1_1);
      const wanted: [number, number][] = [];
      for (let n = 0; n < ranges; n++) wanted.push([DATA + 0x2000 * n, 1]);
      const bytes = shareBytes(shareFields({ ranges: wanted }));
      mediator.write(guest, TX, bytes);
      const hostile = new Uint8Array(4096).fill(0xff);
      const tx = mediator.physical(guest, TX);
      spoilAfterReads(mediator, guest, () => mediator.machine.frames.contents.write(tx, hostile, 0, 4096));
      expect(mediator.call(guest, FFA_MEM_SHARE_32, bytes.length, bytes.length)).toEqual(successAnswer(1, 0x8000_0000));
      expect(mediator.heldPages(guest)).toBe(2 + ranges);
      const sent = new DataView((mediator.spmc.descriptors[0] as Uint8Array).buffer);
      expect([sent.getUint16(48, true), sent.getUint32(64, true), sent.getUint32(68, true)]).toEqual([
        SP1,
        ranges,
        ranges,
      ]);
      expect(sent.getUint32(80, true)).toBe(mediator.physical(guest, DATA));
    });
  }

  it.each(PROFILES)('changes nothing at any step of an exploration ($name)', (profile) => {
    // At the n-th yield the other vCPU spoils the page: what is shared is what was there, or the call is refused.
    let yields = 0;
    for (let at = 0; at <= yields; at++) {
      const mediator = new Mediator({ profile, spmcVersion: FFA_VERSION_1_1 });
      const guest = mediator.readyGuest(FFA_VERSION_1_1);
      mediator.write(guest, TX, shareBytes(shareFields()));
      mediator.pe.stepping = true;
      const vcpu = guest.vcpus[0] as (typeof guest.vcpus)[0];
      vcpu.registers.set8(FFA_MEM_SHARE_32, 0x60, 0x60);
      const pending = mediator.hypervisor.guestCall(mediator.pe, vcpu);
      let seen = 0;
      for (;;) {
        if (seen === at) mediator.write(guest, TX, shareBytes(shareFields({ ranges: [[DATA + 0x20000, 2]] })));
        const step = pending?.next();
        if (step === undefined || step.done === true) break;
        seen++;
      }
      yields = Math.max(yields, seen);
      expect(lowWords(vcpu.registers)).toEqual(successAnswer(1, 0x8000_0000));
      const shared = contextOf(guest).shares[0];
      const sent = new DataView((mediator.spmc.descriptors[0] as Uint8Array).buffer);
      expect(sent.getUint32(80, true)).toBe((shared?.runs[0] ?? 0) * 4096);
      expect([shared?.runs[1], mediator.heldPages(guest)]).toEqual([2, 2 + 2]);
      expect(mediator.machine.frames.references(shared?.runs[0] ?? 0)).toBe(2);
      expect(mediator.pe.heldCount).toBe(0);
    }
    expect(yields).toBeGreaterThan(5);
  });
});

describe('FFA_MEM_RECLAIM', () => {
  function shared(profile = XEN_2026): { mediator: Mediator; guest: Domain } {
    const mediator = new Mediator({ profile, spmcVersion: FFA_VERSION_1_1 });
    const guest = mediator.readyGuest(FFA_VERSION_1_1);
    share(mediator, guest, shareBytes(shareFields()));
    share(mediator, guest, shareBytes(shareFields({ ranges: [[DATA + 0x8000, 1]] })));
    mediator.spmc.forget();
    return { mediator, guest };
  }

  it.each(PROFILES)('passes handle and flags on, and returns the pages ($name)', (profile) => {
    const { mediator, guest } = shared(profile);
    expect(mediator.call(guest, FFA_MEM_RECLAIM, 1, 0x8000_0000, 3)).toEqual(successAnswer());
    expect(mediator.spmc.smcs).toEqual([[FFA_MEM_RECLAIM, 1, 0x8000_0000, 3, 0, 0, 0, 0]]);
    expect([mediator.heldPages(guest), guest.references]).toEqual([2 + 1, 3]);
    expect(mediator.call(guest, FFA_MEM_RECLAIM, 2, 0x8000_0000)).toEqual(successAnswer());
    expect([mediator.heldPages(guest), guest.references]).toEqual([2, 2]);
  });

  it('knows only the handles of the caller', () => {
    const { mediator, guest } = shared();
    const other = mediator.readyGuest(FFA_VERSION_1_1);
    expect(mediator.call(other, FFA_MEM_RECLAIM, 1, 0x8000_0000)).toEqual(errorAnswer(FFA_INVALID_PARAMETERS));
    expect(mediator.call(guest, FFA_MEM_RECLAIM, 1, 0)).toEqual(errorAnswer(FFA_INVALID_PARAMETERS));
    expect(mediator.spmc.smcs).toEqual([]);
  });

  it('keeps a share that the SPMC does not give back, at the end of the list', () => {
    const { mediator, guest } = shared();
    mediator.spmc.answers.set(FFA_MEM_RECLAIM, [FFA_ERROR, 0, FFA_DENIED]);
    expect(mediator.call(guest, FFA_MEM_RECLAIM, 1, 0x8000_0000)).toEqual(errorAnswer(FFA_DENIED));
    expect(contextOf(guest).shares.map((held) => held.handleLow)).toEqual([2, 1]);
    expect(mediator.heldPages(guest)).toBe(2 + 3);
  });

  it.each(PROFILES)('lets no second vCPU reclaim the same handle meanwhile ($name)', (profile) => {
    const { mediator, guest } = shared(profile);
    let inner: number[] = [];
    mediator.spmc.meanwhile.set(FFA_MEM_RECLAIM, () => {
      mediator.spmc.meanwhile.clear();
      inner = mediator.otherCall(guest, FFA_MEM_RECLAIM, 1, 0x8000_0000);
    });
    expect(mediator.call(guest, FFA_MEM_RECLAIM, 1, 0x8000_0000)).toEqual(successAnswer());
    expect(inner).toEqual(errorAnswer(FFA_INVALID_PARAMETERS));
  });

  it('is not supported where the SPMC lacks it', () => {
    const mediator = new Mediator({ profile: XEN_2026, lacks: [FFA_MEM_RECLAIM, FFA_MEM_SHARE_64] });
    const guest = mediator.readyGuest(FFA_VERSION_1_1);
    expect(mediator.call(guest, FFA_MEM_RECLAIM, 1)).toEqual(errorAnswer(FFA_NOT_SUPPORTED));
    expect(mediator.call(guest, FFA_MEM_SHARE_32, 0x60, 0x60)).toEqual(errorAnswer(FFA_NOT_SUPPORTED));
  });

  it('waits for the hypervisor’s TX buffer when another PE has it', () => {
    const mediator = new Mediator({ profile: XEN_2026 });
    const guest = mediator.readyGuest(FFA_VERSION_1_1);
    const { txLock } = mediator.hypervisor.secure;
    mediator.write(guest, TX, shareBytes(shareFields()));
    expect(txLock.tryAcquire(mediator.otherPe)).toBe(true);
    const vcpu = guest.vcpus[0] as (typeof guest.vcpus)[0];
    vcpu.registers.set8(FFA_MEM_SHARE_32, 0x60, 0x60);
    const pending = mediator.hypervisor.guestCall(mediator.pe, vcpu);
    expect(pending?.next().done).toBe(false);
    expect(mediator.spmc.smcs).toEqual([]);
    txLock.release(mediator.otherPe);
    if (pending !== null) drive(pending);
    expect(lowWords(vcpu.registers)).toEqual(successAnswer(1, 0x8000_0000));
  });
});
