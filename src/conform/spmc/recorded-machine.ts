// The system that the SPMC's recordings were made on, around our SPMC: three partitions that do nothing but call, the
// normal world's memory, and which page of it holds the pattern that tells when a page is zeroed.
//
// The layout is the same in every file and is described in README-spmc.md of the vectors. A header says the versions
// of the endpoints and the SPMC's limits.

import { FFA_MSG_WAIT, FFA_RXTX_MAP_64, FFA_SUCCESS_32 } from '../../abi/function-ids.ts';
import { assert, present } from '../../base/assert.ts';
import { PAGE_SIZE_BYTES } from '../../base/units.ts';
import { Machine } from '../../hardware/machine.ts';
import { EXIT_CALL, type PartitionEntry } from '../../hardware/partition-entry.ts';
import { Pe } from '../../hardware/pe.ts';
import type { RegisterFile } from '../../hardware/registers.ts';
import type { Endpoint } from '../../spmc/endpoint.ts';
import type { SpmcLimits } from '../../spmc/limits.ts';
import { callFromPartition } from '../../spmc/partition-door.ts';
import {
  type PartitionSetup,
  REGION_EXECUTE,
  REGION_NON_SECURE,
  REGION_READ,
  REGION_WRITE,
} from '../../spmc/partition-setup.ts';
import { Spmc } from '../../spmc/spmc.ts';

const PARTITION_COUNT = 3;
/** Endpoint n of the recording, from 1, is partition 0x8000 + n. */
const PARTITION_ID_BASE = 0x8000;

const FIRST_FRAME = 0x10000;
const FRAME_COUNT = 0x12000;
const PARTITION_FRAME = 0x10100;
const PARTITION_STRIDE = 0x100;
const IMAGE_PAGES = 56;
const RAM_PAGES = 64;
const TX_PAGE = 62;
const RX_PAGE = 63;
const DEVICE_PAGE = 0x80;
const NON_SECURE_PAGE = 0x90;
const SMALL_REGION_PAGES = 4;
const NORMAL_FRAME = 0x20000;
const NORMAL_PAGES = 256;
const NORMAL_TX_PAGE = 254;
const NORMAL_RX_PAGE = 255;
const NORMAL_DEVICE_FRAME = 0x21000;

const REGION_RW = REGION_READ | REGION_WRITE;
const REGION_RX = REGION_READ | REGION_EXECUTE;
/** Receives and sends every kind of message. */
const ALL_MESSAGING = 0x607;
const PATTERN = new Uint8Array(PAGE_SIZE_BYTES).fill(0xa5);

/** What a header says of the machine. */
export interface RecordedConfig {
  /** Versions of the normal world (first) and of the partitions. */
  readonly versions: readonly number[];
  readonly limits: Partial<SpmcLimits>;
}

/** The pages that recordings tell of, as ranges [first, count], in rising order. */
export const WATCHED: readonly (readonly [first: number, count: number])[] = [
  ...[0, 1, 2].map((n) => [PARTITION_FRAME + n * PARTITION_STRIDE, NON_SECURE_PAGE + SMALL_REGION_PAGES] as const),
  [NORMAL_FRAME, NORMAL_PAGES],
  [NORMAL_DEVICE_FRAME, SMALL_REGION_PAGES],
];

/** A partition's program: it waits, and somebody else makes its calls. */
const IDLE: PartitionEntry = {
  run({ registers }) {
    registers.clear();
    registers.setW(0, FFA_MSG_WAIT);
    return EXIT_CALL;
  },
  reset() {},
};

export class RecordedMachine {
  readonly machine = new Machine({ firstFrame: FIRST_FRAME, frameCount: FRAME_COUNT });
  readonly spmc: Spmc;
  /** The normal world, then the partitions. */
  readonly endpoints: readonly Endpoint[];
  private readonly pe = new Pe(0);
  private readonly normalVersion: number;

  constructor(config: RecordedConfig) {
    const [normal, ...versions] = config.versions;
    assert(versions.length === PARTITION_COUNT, 'each partition has a version');
    this.normalVersion = normal;
    this.spmc = new Spmc(this.machine, {
      partitions: versions.map(partitionSetup),
      interrupts: { raise() {} },
      version: Math.max(...config.versions),
      limits: config.limits,
      normalWorldMemory: [
        { baseAddress: bytes(NORMAL_FRAME), pageCount: NORMAL_PAGES, attributes: REGION_RW | REGION_EXECUTE },
        {
          baseAddress: bytes(NORMAL_DEVICE_FRAME),
          pageCount: SMALL_REGION_PAGES,
          attributes: REGION_RW,
          device: true,
        },
      ],
    });
    this.endpoints = [this.spmc.normalWorld, ...this.spmc.partitions];
  }

  /** Where each recording begins: booted, the normal world's buffers mapped, every other page full of the pattern. */
  reset(): void {
    const { machine, spmc, pe } = this;
    machine.frames.reset();
    spmc.reset();
    const boot = spmc.boot(pe);
    while (boot.next().done !== true);
    spmc.normalWorld.version = this.normalVersion;
    pe.smc.set4(FFA_RXTX_MAP_64, bytes(NORMAL_FRAME + NORMAL_TX_PAGE), bytes(NORMAL_FRAME + NORMAL_RX_PAGE), 1);
    const pending = spmc.smc(pe);
    assert(pending === null && pe.smc.w(0) === FFA_SUCCESS_32, 'the normal world has buffers');
    for (const [first, count] of WATCHED) {
      for (let page = first; page < first + count; page++) {
        if (this.holdsContent(page)) machine.frames.contents.write(bytes(page), PATTERN, 0, PAGE_SIZE_BYTES);
      }
    }
  }

  /** Whether somebody has the page, and not as a buffer. */
  private holdsContent(page: number): boolean {
    let mapped = false;
    for (const { pages, txFrame, rxFrame } of this.endpoints) {
      if (page === txFrame || page === rxFrame) return false;
      if (pages.translate(page) >= 0) mapped = true;
    }
    return mapped;
  }

  /** The registers in which endpoint `index` (0: the normal world) makes its calls and gets its answers. */
  registers(index: number): RegisterFile {
    return index === 0 ? this.pe.smc : this.spmc.partitions[index - 1].vcpus[0].registers;
  }

  /** Makes the call that is in the registers of endpoint `index`; it must be one that keeps the PE. */
  call(index: number): void {
    if (index > 0) {
      const vcpu = this.spmc.partitions[index - 1].vcpus[0];
      const next = callFromPartition(this.spmc, this.pe, vcpu);
      assert(next === vcpu, 'the call keeps the PE');
      return;
    }
    const pending = this.spmc.smc(this.pe);
    assert(pending === null, 'the call keeps the PE');
  }

  writeTx(index: number, content: Uint8Array, length: number): void {
    this.machine.frames.contents.write(bytes(txPage(index)), content, 0, length);
  }

  readTx(index: number, into: Uint8Array, length: number): void {
    this.machine.frames.contents.read(bytes(txPage(index)), into, 0, length);
  }

  readRx(index: number, into: Uint8Array, length: number): void {
    this.machine.frames.contents.read(bytes(rxPage(index)), into, 0, length);
  }
}

/** Index of an endpoint among the machine's; undefined when there is none of that id. */
export function endpointIndex(id: number): number | undefined {
  if (id === 0) return 0;
  const index = id - PARTITION_ID_BASE;
  return index >= 1 && index <= PARTITION_COUNT ? index : undefined;
}

/** Its id, from its index. */
export function endpointId(index: number): number {
  return index === 0 ? 0 : PARTITION_ID_BASE + index;
}

function txPage(index: number): number {
  return index === 0 ? NORMAL_FRAME + NORMAL_TX_PAGE : partitionFrame(index) + TX_PAGE;
}

function rxPage(index: number): number {
  return index === 0 ? NORMAL_FRAME + NORMAL_RX_PAGE : partitionFrame(index) + RX_PAGE;
}

function partitionFrame(index: number): number {
  return present(WATCHED[index - 1], 'a partition')[0];
}

function bytes(page: number): number {
  return page * PAGE_SIZE_BYTES;
}

function partitionSetup(ffaVersion: number, n: number): PartitionSetup {
  const frame = partitionFrame(n + 1);
  const region = (page: number, pageCount: number, attributes: number) => ({
    baseAddress: bytes(frame + page),
    pageCount,
    attributes,
  });
  return {
    id: endpointId(n + 1),
    program: IDLE,
    image: { baseAddress: bytes(frame), pageCount: IMAGE_PAGES },
    manifest: {
      ffaVersion,
      services: [{ uuid: [n + 1, 0, 0, 0], messagingMethod: ALL_MESSAGING }],
      memoryRegions: [
        region(IMAGE_PAGES, 2, REGION_RX),
        region(IMAGE_PAGES + 2, 2, REGION_RW),
        region(IMAGE_PAGES + 4, 2, REGION_READ),
        region(TX_PAGE, RAM_PAGES - TX_PAGE, REGION_RW | REGION_EXECUTE),
        region(NON_SECURE_PAGE, SMALL_REGION_PAGES, REGION_RW | REGION_NON_SECURE),
      ],
      deviceRegions: [region(DEVICE_PAGE, SMALL_REGION_PAGES, REGION_RW)],
      buffers: { txAddress: bytes(frame + TX_PAGE), rxAddress: bytes(frame + RX_PAGE), pageCount: 1 },
    },
  };
}
