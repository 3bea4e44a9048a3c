import { describe, expect, it } from 'vitest';
import { FFA_BUSY, FFA_DENIED, FFA_INVALID_PARAMETERS, FFA_NO_MEMORY } from '../../src/abi/errors.ts';
import {
  FFA_ERROR,
  FFA_MSG_SEND2,
  FFA_PARTITION_INFO_GET,
  FFA_RX_ACQUIRE,
  FFA_RX_RELEASE,
  FFA_RXTX_MAP_32,
  FFA_RXTX_MAP_64,
  FFA_RXTX_UNMAP,
  FFA_VERSION,
} from '../../src/abi/function-ids.ts';
import { FFA_VERSION_1_1 } from '../../src/abi/versions.ts';
import { STAGE2_READ } from '../../src/hardware/stage2.ts';
import type { Domain } from '../../src/hypervisor/domain.ts';
import { contextOf, DATA, errorAnswer, Mediator, RAM, RX, successAnswer, TX, XEN_2024, XEN_2026 } from './mediator.ts';

function fresh(profile: typeof XEN_2024, lacks: readonly number[] = []): { mediator: Mediator; guest: Domain } {
  const mediator = new Mediator({ profile, lacks });
  const guest = mediator.guest();
  mediator.call(guest, FFA_VERSION, FFA_VERSION_1_1);
  return { mediator, guest };
}

/** An SPMC that cannot tell who owns an RX buffer. */
const NO_OWNERSHIP = [FFA_RX_ACQUIRE, FFA_MSG_SEND2];

describe('FFA_RXTX_MAP', () => {
  const rows: readonly (readonly [string, readonly number[], number, number])[] = [
    ['one page each', [FFA_RXTX_MAP_64, TX, RX, 1], 0, 0],
    ['the 32-bit form', [FFA_RXTX_MAP_32, TX, RX, 1], 0, 0],
    ['the same page twice', [FFA_RXTX_MAP_64, TX, TX, 1], 0, 0],
    ['no page', [FFA_RXTX_MAP_64, TX, RX, 0], 0, FFA_INVALID_PARAMETERS],
    ['two pages', [FFA_RXTX_MAP_64, TX, RX, 2], FFA_INVALID_PARAMETERS, FFA_INVALID_PARAMETERS],
    ['TX inside a page', [FFA_RXTX_MAP_64, TX + 8, RX, 1], 0, FFA_INVALID_PARAMETERS],
    ['RX inside a page', [FFA_RXTX_MAP_64, TX, RX + 0x800, 1], 0, FFA_INVALID_PARAMETERS],
    ['TX where nothing is', [FFA_RXTX_MAP_64, RAM - 0x1000, RX, 1], FFA_INVALID_PARAMETERS, FFA_INVALID_PARAMETERS],
    ['RX where nothing is', [FFA_RXTX_MAP_64, TX, RAM - 0x1000, 1], FFA_INVALID_PARAMETERS, FFA_INVALID_PARAMETERS],
    ['RX read-only', [FFA_RXTX_MAP_64, TX, DATA, 1], FFA_INVALID_PARAMETERS, FFA_INVALID_PARAMETERS],
  ];

  for (const [name, words, code2024, code2026] of rows) {
    it.each([
      [XEN_2024.name, XEN_2024, code2024],
      [XEN_2026.name, XEN_2026, code2026],
    ] as const)(`${name} (%s)`, (_name, profile, code) => {
      const { mediator, guest } = fresh(profile);
      guest.stage2.map(DATA / 4096, guest.stage2.translate(DATA / 4096), 1, STAGE2_READ);
      expect(mediator.call(guest, ...words)).toEqual(code === 0 ? successAnswer() : errorAnswer(code));
      expect(contextOf(guest).buffersMapped).toBe(code === 0);
      const pins = mediator.references(guest, TX) + mediator.references(guest, RX) - 2;
      expect(pins).toBe(code === 0 ? 2 : 0);
      expect(mediator.pe.heldCount).toBe(0);
    });
  }

  it.each([XEN_2024, XEN_2026])('is refused while buffers are mapped ($name)', (profile) => {
    const { mediator, guest } = fresh(profile);
    mediator.call(guest, FFA_RXTX_MAP_64, TX, RX, 1);
    expect(mediator.call(guest, FFA_RXTX_MAP_64, DATA, DATA, 1)).toEqual(errorAnswer(FFA_DENIED));
    expect(mediator.references(guest, DATA)).toBe(1);
  });

  it('tells an SPMC that keeps RX ownership, with a descriptor in the hypervisor’s TX', () => {
    const { mediator, guest } = fresh(XEN_2026);
    mediator.call(guest, FFA_RXTX_MAP_64, TX, RX, 1);
    expect(mediator.spmc.smcs).toEqual([[FFA_RXTX_MAP_64, 0, 0, 0, 0, 0, 0, 0]]);
    const words = mediator.machine.frames.contents.words(mediator.hypervisor.secure.txFrame);
    const [tx, rx] = [mediator.physical(guest, TX), mediator.physical(guest, RX)];
    expect([...words.subarray(0, 20)]).toEqual([2, 16, 48, 0, 1, 1, 0, 0, rx, 0, 1, 0, 1, 1, 0, 0, tx, 0, 1, 0]);
  });

  it('gives everything back when the SPMC refuses', () => {
    const { mediator, guest } = fresh(XEN_2026);
    mediator.spmc.answers.set(FFA_RXTX_MAP_64, [FFA_ERROR, 0, FFA_NO_MEMORY]);
    expect(mediator.call(guest, FFA_RXTX_MAP_64, TX, RX, 1)).toEqual(errorAnswer(FFA_NO_MEMORY));
    expect([mediator.heldPages(guest), contextOf(guest).buffersMapped]).toEqual([0, false]);
  });

  it.each([
    ['the first generation', XEN_2024, []],
    ['an SPMC that cannot own RX', XEN_2026, NO_OWNERSHIP],
  ])('keeps them to itself with %s', (_name, profile, lacks) => {
    const { mediator, guest } = fresh(profile, lacks);
    expect(mediator.call(guest, FFA_RXTX_MAP_64, TX, RX, 1)).toEqual(successAnswer());
    expect(mediator.call(guest, FFA_RXTX_UNMAP)).toEqual(successAnswer());
    expect(mediator.spmc.smcs).toEqual([]);
    expect(mediator.heldPages(guest)).toBe(0);
  });
});

describe('FFA_RXTX_UNMAP', () => {
  it.each([XEN_2024, XEN_2026])('needs buffers ($name)', (profile) => {
    const { mediator, guest } = fresh(profile);
    expect(mediator.call(guest, FFA_RXTX_UNMAP)).toEqual(errorAnswer(FFA_INVALID_PARAMETERS));
  });

  it('does not mind who owns RX in the first generation, but does in the second', () => {
    for (const [profile, answer, held] of [
      [XEN_2024, successAnswer(), 0],
      [XEN_2026, errorAnswer(FFA_DENIED), 2],
    ] as const) {
      const { mediator, guest } = fresh(profile);
      mediator.call(guest, FFA_RXTX_MAP_64, TX, RX, 1);
      mediator.call(guest, FFA_PARTITION_INFO_GET);
      expect(mediator.call(guest, FFA_RXTX_UNMAP)).toEqual(answer);
      expect(mediator.heldPages(guest)).toBe(held);
    }
  });

  it('leaves the buffers mapped when the SPMC refuses', () => {
    const { mediator, guest } = fresh(XEN_2026);
    mediator.call(guest, FFA_RXTX_MAP_64, TX, RX, 1);
    mediator.spmc.forget();
    mediator.spmc.answers.set(FFA_RXTX_UNMAP, [FFA_ERROR, 0, FFA_BUSY]);
    expect(mediator.call(guest, FFA_RXTX_UNMAP, 0x30000)).toEqual(errorAnswer(FFA_BUSY));
    expect(mediator.spmc.smcs).toEqual([[FFA_RXTX_UNMAP, 0x20000, 0, 0, 0, 0, 0, 0]]);
    expect([mediator.heldPages(guest), contextOf(guest).buffersMapped]).toEqual([2, true]);
  });
});

describe('FFA_RX_RELEASE', () => {
  it.each([XEN_2024, XEN_2026])('is refused unless the guest owns RX ($name)', (profile) => {
    const { mediator, guest } = fresh(profile);
    expect(mediator.call(guest, FFA_RX_RELEASE)).toEqual(errorAnswer(FFA_DENIED));
    mediator.call(guest, FFA_RXTX_MAP_64, TX, RX, 1);
    expect(mediator.call(guest, FFA_RX_RELEASE)).toEqual(errorAnswer(FFA_DENIED));
    mediator.call(guest, FFA_PARTITION_INFO_GET);
    expect(mediator.call(guest, FFA_RX_RELEASE)).toEqual(successAnswer());
    expect(mediator.call(guest, FFA_RX_RELEASE)).toEqual(errorAnswer(FFA_DENIED));
  });

  it('leaves RX with the guest when the SPMC refuses', () => {
    const { mediator, guest } = fresh(XEN_2026);
    mediator.call(guest, FFA_RXTX_MAP_64, TX, RX, 1);
    mediator.call(guest, FFA_PARTITION_INFO_GET);
    mediator.spmc.answers.set(FFA_RX_RELEASE, [FFA_ERROR, 0, FFA_BUSY]);
    expect(mediator.call(guest, FFA_RX_RELEASE)).toEqual(errorAnswer(FFA_BUSY));
    expect([contextOf(guest).rxFree, mediator.pe.heldCount]).toEqual([false, 0]);
  });

  it('does not wait for a listing of another vCPU in the first generation', () => {
    const { mediator, guest } = fresh(XEN_2024);
    mediator.call(guest, FFA_RXTX_MAP_64, TX, RX, 1);
    let inner: number[] = [];
    mediator.spmc.meanwhile.set(FFA_PARTITION_INFO_GET, () => {
      inner = mediator.otherCall(guest, FFA_RX_RELEASE);
    });
    mediator.call(guest, FFA_PARTITION_INFO_GET);
    expect(inner).toEqual(errorAnswer(FFA_BUSY));
  });
});
