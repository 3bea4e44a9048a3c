// Boot: the partitions' memory is taken out of the machine and mapped, the rest becomes the normal world's, and each
// execution context runs until its first FFA_MSG_WAIT.

import type { Coroutine } from '../base/coroutine.ts';
import { PAGE_SIZE_BYTES } from '../base/units.ts';
import { UserError } from '../base/user-error.ts';
import { OWNER_SECURE } from '../hardware/frames.ts';
import type { Pe } from '../hardware/pe.ts';
import {
  STAGE2_DEVICE,
  STAGE2_EXECUTE,
  STAGE2_NON_SECURE,
  STAGE2_READ,
  STAGE2_RWX,
  STAGE2_WRITE,
} from '../hardware/stage2.ts';
import { prepareStart } from './boot-information.ts';
import { type Partition, RUNTIME_INIT } from './partition.ts';
import { REGION_EXECUTE, REGION_NON_SECURE, REGION_READ, REGION_WRITE } from './partition-setup.ts';
import { runVcpu } from './run-loop.ts';
import { mapBuffers } from './rx-tx.ts';
import type { Spmc } from './spmc.ts';

interface FrameRange {
  readonly first: number;
  readonly count: number;
}

export function* bootPartitions(spmc: Spmc, pe: Pe): Coroutine {
  const taken: FrameRange[] = [];
  for (const partition of spmc.partitions) mapPartition(spmc, partition, taken);
  mapNormalWorld(spmc, taken);
  for (const partition of spmc.partitions) {
    const buffers = partition.setup.manifest.buffers;
    if (buffers === undefined) continue;
    const rx = buffers.rxAddress / PAGE_SIZE_BYTES;
    const tx = buffers.txAddress / PAGE_SIZE_BYTES;
    if (!mapBuffers(spmc, partition, tx, rx, buffers.pageCount)) {
      throw new UserError(`${name(partition)}: its RX and TX buffers do not lie in readable and writable memory`);
    }
  }
  spmc.booted = true;
  const order = [...spmc.partitions].sort((a, b) => bootOrder(a) - bootOrder(b) || a.id - b.id);
  for (const partition of order) {
    for (const vcpu of partition.vcpus) {
      vcpu.runtime = RUNTIME_INIT;
      prepareStart(vcpu, spmc.contents);
      const pending = runVcpu(spmc, pe, vcpu);
      if (pending !== null) yield* pending;
    }
  }
  pe.smc.clear();
}

function bootOrder(partition: Partition): number {
  return partition.setup.manifest.bootOrder ?? 0;
}

/** Maps a partition's image and the regions of its manifest at their own addresses; a region may lie in the image. */
function mapPartition(spmc: Spmc, partition: Partition, taken: FrameRange[]): void {
  const { image, manifest } = partition.setup;
  const add = (baseAddress: number, count: number, attributes: number): void => {
    const first = baseAddress / PAGE_SIZE_BYTES;
    if (!Number.isInteger(first) || count <= 0 || first + count > spmc.pageLimit) {
      throw new UserError(`${name(partition)}: ${hex(baseAddress)}, ${count} pages, is no range of whole pages`);
    }
    if (partition.pages.translate(first) >= 0 && partition.pages.translate(first + count - 1) >= 0) {
      partition.pages.map(first, first, count, attributes);
      return;
    }
    if ((attributes & STAGE2_NON_SECURE) === 0) claim(spmc, partition, first, count, taken);
    partition.pages.addRegion(first, first, count, attributes);
  };
  add(image.baseAddress, image.pageCount, partition.sEl0 ? STAGE2_READ | STAGE2_EXECUTE : STAGE2_RWX);
  for (const region of manifest.memoryRegions ?? []) {
    add(region.baseAddress, region.pageCount, attributesOf(region.attributes));
  }
  for (const region of manifest.deviceRegions ?? []) {
    add(region.baseAddress, region.pageCount, attributesOf(region.attributes) | STAGE2_DEVICE);
  }
}

/** Takes secure memory out of the machine's free frames. What the machine does not have (a device) is not taken. */
function claim(spmc: Spmc, partition: Partition, first: number, count: number, taken: FrameRange[]): void {
  for (const range of taken) {
    if (first < range.first + range.count && range.first < first + count) {
      throw new UserError(`${name(partition)}: the memory at ${hex(first * PAGE_SIZE_BYTES)} is another partition's`);
    }
  }
  taken.push({ first, count });
  if (!spmc.frames.has(first)) return;
  if (!spmc.frames.allocateAt(first, count, OWNER_SECURE)) {
    throw new UserError(`${name(partition)}: the memory at ${hex(first * PAGE_SIZE_BYTES)} is not free`);
  }
}

function mapNormalWorld(spmc: Spmc, taken: FrameRange[]): void {
  const pages = spmc.normalWorld.pages;
  const given = spmc.options.normalWorldMemory;
  if (given !== undefined) {
    for (const region of given) {
      const first = region.baseAddress / PAGE_SIZE_BYTES;
      const device = region.device === true ? STAGE2_DEVICE : 0;
      pages.addRegion(first, first, region.pageCount, attributesOf(region.attributes) | STAGE2_NON_SECURE | device);
    }
    return;
  }
  const sorted = [...taken].sort((a, b) => a.first - b.first);
  let at: number = spmc.frames.firstFrame;
  const end = at + spmc.frames.count;
  for (const range of sorted) {
    const stop = Math.min(range.first, end);
    if (stop > at) pages.addRegion(at, at, stop - at, STAGE2_RWX | STAGE2_NON_SECURE);
    at = Math.max(at, range.first + range.count);
  }
  if (end > at) pages.addRegion(at, at, end - at, STAGE2_RWX | STAGE2_NON_SECURE);
}

function attributesOf(region: number): number {
  let attributes = 0;
  if ((region & REGION_READ) !== 0) attributes |= STAGE2_READ;
  if ((region & REGION_WRITE) !== 0) attributes |= STAGE2_WRITE;
  if ((region & REGION_EXECUTE) !== 0) attributes |= STAGE2_EXECUTE;
  if ((region & REGION_NON_SECURE) !== 0) attributes |= STAGE2_NON_SECURE;
  return attributes;
}

function name(partition: Partition): string {
  return `partition ${hex(partition.id)}`;
}

function hex(value: number): string {
  return `0x${value.toString(16)}`;
}
