// Memory and device regions of a partition manifest: reading, and the rules that hold between them.
//
// Sources: the binding document of TF-A, [Hafnium manifest.c].

import type { ManifestProperties } from './manifest-properties.ts';
import {
  DEVICE_REGIONS_COMPATIBLE,
  type DmaAccess,
  type ManifestDeviceRegion,
  type ManifestInterrupt,
  type ManifestMemoryRegion,
  MEMORY_REGIONS_COMPATIBLE,
  REGION_EXECUTE,
  REGION_READ,
  REGION_WRITE,
} from './partition-manifest.ts';

const REGION_COUNT_MAX = 256;
const PAGE_COUNT_MAX = 0xffffffff;
const ATTRIBUTES_MAX = 0xf;
const ADDRESS_MAX = Number.MAX_SAFE_INTEGER;
const INTERRUPT_COUNT_MAX = 64;
const STREAM_COUNT_MAX = 64;
const ACCESS_MASK = REGION_READ | REGION_WRITE | REGION_EXECUTE;

/** The regions of `memory-regions`; none if there is no such node. */
export function readMemoryRegions(root: ManifestProperties, granuleBytes: number): ManifestMemoryRegion[] {
  return regionNodes(root, 'memory-regions', MEMORY_REGIONS_COMPATIBLE).map((node) =>
    readMemoryRegion(node, granuleBytes),
  );
}

/** The regions of `device-regions`; none if there is no such node. */
export function readDeviceRegions(root: ManifestProperties, granuleBytes: number): ManifestDeviceRegion[] {
  return regionNodes(root, 'device-regions', DEVICE_REGIONS_COMPATIBLE).map((node) =>
    readDeviceRegion(node, granuleBytes),
  );
}

/** Name of the memory region that a phandle property of `node` points to. */
export function readRegionName(root: ManifestProperties, node: ManifestProperties, name: string): string | undefined {
  const phandle = node.requiredNumber(name, 0xffffffff, 1);
  if (phandle === 0) return undefined;
  const parent = root.node.children.find((child) => child.name === 'memory-regions');
  const region = parent?.children.find((child) =>
    child.properties.some((one) => one.name === 'phandle' && cellOf(one.value) === phandle),
  );
  if (region === undefined) node.fail('reference', name, `phandle ${phandle}`, 'must point to a memory region');
  return region?.name;
}

/** Overlaps between regions, stream ids that no device has, interrupts that two devices have. */
export function checkRegions(
  root: ManifestProperties,
  memory: readonly ManifestMemoryRegion[],
  devices: readonly ManifestDeviceRegion[],
  granuleBytes: number,
  isSEl0: boolean,
): void {
  const placed: { path: string; first: number; end: number }[] = [];
  for (const [parent, regions] of [
    ['memory-regions', memory],
    ['device-regions', devices],
  ] as const) {
    for (const region of regions) {
      if (region.baseAddress === undefined || region.pageCount === 0) continue;
      const path = `${parent}/${region.name}`;
      const end = region.baseAddress + region.pageCount * granuleBytes;
      const other = placed.find(
        (one) => one.first < end && region.baseAddress !== undefined && region.baseAddress < one.end,
      );
      if (other !== undefined) {
        const found = `${hex(region.baseAddress)} to ${hex(end)}`;
        root.fail('overlap', `${path}/base-address`, found, `must not overlap ${other.path}`);
      }
      placed.push({ path, first: region.baseAddress, end });
    }
  }
  checkStreams(root, memory, devices);
  checkInterrupts(root, devices);
  if (!isSEl0) return;
  for (const region of memory) {
    if ((region.attributes & ACCESS_MASK) !== ACCESS_MASK) continue;
    const path = `memory-regions/${region.name}/attributes`;
    root.fail('conflict', path, hex(region.attributes), 'must not be both written and executed at S-EL0');
  }
}

function regionNodes(root: ManifestProperties, name: string, compatible: string): ManifestProperties[] {
  const parent = root.child(name, compatible);
  if (parent === undefined) return [];
  const nodes = parent.children();
  parent.done();
  if (nodes.length === 0) root.fail('missing', name, 'no region', 'must have a node for each region');
  if (nodes.length <= REGION_COUNT_MAX) return nodes;
  root.fail('range', name, `${nodes.length} regions`, `must be ${REGION_COUNT_MAX} or fewer`);
  return [];
}

function readMemoryRegion(node: ManifestProperties, granuleBytes: number): ManifestMemoryRegion {
  const attributes = readAttributes(node, false);
  const baseAddress = readAddress(node, granuleBytes);
  const offset = node.number('load-address-relative-offset', ADDRESS_MAX, undefined);
  if (baseAddress !== undefined && offset !== undefined) {
    node.fail('conflict', 'load-address-relative-offset', hex(offset), 'must not go with base-address');
  }
  if (offset !== undefined && offset % granuleBytes !== 0) {
    const rule = `must be a multiple of ${granuleBytes}`;
    node.fail('alignment', 'load-address-relative-offset', hex(offset), rule);
  }
  const description = node.text('description');
  const dma = readDma(node);
  const region = {
    name: node.node.name,
    pageCount: node.requiredNumber('pages-count', PAGE_COUNT_MAX, 1),
    attributes,
    ...(description === undefined ? {} : { description }),
    ...(baseAddress === undefined ? {} : { baseAddress }),
    ...(offset === undefined ? {} : { loadAddressRelativeOffset: offset }),
    ...(dma === undefined ? {} : { dma }),
  };
  node.done();
  return region;
}

function readDeviceRegion(node: ManifestProperties, granuleBytes: number): ManifestDeviceRegion {
  if (!node.has('base-address')) node.missing('base-address');
  const description = node.text('description');
  const dma = readDma(node);
  const region = {
    name: node.node.name,
    pageCount: node.requiredNumber('pages-count', PAGE_COUNT_MAX, 1),
    attributes: readAttributes(node, true),
    baseAddress: readAddress(node, granuleBytes) ?? 0,
    interrupts: readInterrupts(node),
    isExclusive: node.flag('exclusive-access'),
    ...(description === undefined ? {} : { description }),
    ...(dma === undefined ? {} : { dma }),
  };
  node.done();
  return region;
}

function readAddress(node: ManifestProperties, granuleBytes: number): number | undefined {
  const address = node.number('base-address', ADDRESS_MAX, undefined);
  if (address !== undefined && address % granuleBytes !== 0) {
    node.fail('alignment', 'base-address', hex(address), `must be a multiple of ${granuleBytes}`);
  }
  return address;
}

function readAttributes(node: ManifestProperties, isDevice: boolean): number {
  if (!node.has('attributes')) node.missing('attributes');
  const attributes = node.number('attributes', ATTRIBUTES_MAX, undefined);
  if (attributes === undefined) return 0;
  const isWrong = (attributes & REGION_READ) === 0 || (isDevice && (attributes & REGION_EXECUTE) !== 0);
  if (isWrong) {
    const rule = isDevice ? 'must be read (1) or read and write (3)' : 'must be readable (1)';
    node.fail('range', 'attributes', hex(attributes), rule);
  }
  return attributes;
}

function readDma(node: ManifestProperties): DmaAccess | undefined {
  const streamIds = node.cells('stream-ids', 1, STREAM_COUNT_MAX);
  const accessPermissions = node.cells('stream-ids-access-permissions', 1, STREAM_COUNT_MAX);
  const smmuId = node.number('smmu-id', 0xffffffff, undefined);
  if (accessPermissions.length > 0 && accessPermissions.length !== streamIds.length) {
    const found = `${accessPermissions.length} permissions`;
    node.fail(
      'conflict',
      'stream-ids-access-permissions',
      found,
      `must be ${streamIds.length}, one for each stream id`,
    );
  }
  const other = accessPermissions.find((one) => one !== accessPermissions[0]);
  if (other !== undefined) {
    const found = `${hex(accessPermissions[0])} and ${hex(other)}`;
    node.fail('conflict', 'stream-ids-access-permissions', found, 'must be the same for every stream id of a device');
  }
  if (streamIds.length > 0 && smmuId === undefined) {
    node.fail('conflict', 'stream-ids', `${streamIds.length} stream ids`, 'must go with smmu-id');
  }
  if (smmuId === undefined) return undefined;
  return { smmuId, streamIds, accessPermissions };
}

function readInterrupts(node: ManifestProperties): ManifestInterrupt[] {
  const cells = node.cells('interrupts', 2, INTERRUPT_COUNT_MAX);
  const targets = node.cells('interrupts-target', 3, INTERRUPT_COUNT_MAX);
  const interrupts: ManifestInterrupt[] = [];
  for (let n = 0; n < cells.length; n += 2) {
    const id = cells[n];
    const target = targets.findIndex((one, at) => at % 3 === 0 && one === id);
    const interrupt = { id, attributes: cells[n + 1] };
    if (target < 0) interrupts.push(interrupt);
    else interrupts.push({ ...interrupt, targetMpidr: { high: targets[target + 1], low: targets[target + 2] } });
  }
  const isUnreadable = cells.length === 0 && node.has('interrupts');
  for (let n = 0; n < targets.length && !isUnreadable; n += 3) {
    if (interrupts.some((interrupt) => interrupt.id === targets[n])) continue;
    node.fail('reference', 'interrupts-target', `interrupt ${targets[n]}`, 'must be one of interrupts');
  }
  return interrupts;
}

function checkStreams(
  root: ManifestProperties,
  memory: readonly ManifestMemoryRegion[],
  devices: readonly ManifestDeviceRegion[],
): void {
  const owners = new Map<number, string>();
  for (const device of devices) {
    for (const stream of device.dma?.streamIds ?? []) {
      const other = owners.get(stream);
      if (other !== undefined) {
        const path = `device-regions/${device.name}/stream-ids`;
        root.fail('duplicate', path, `stream ${stream}`, `must not be of device ${other} too`);
      }
      owners.set(stream, device.name);
    }
  }
  for (const region of memory) {
    const stranger = region.dma?.streamIds.find((stream) => !owners.has(stream));
    if (stranger === undefined) continue;
    root.fail(
      'reference',
      `memory-regions/${region.name}/stream-ids`,
      `stream ${stranger}`,
      'must be of a device region',
    );
  }
}

function checkInterrupts(root: ManifestProperties, devices: readonly ManifestDeviceRegion[]): void {
  const owners = new Map<number, string>();
  for (const device of devices) {
    for (const { id } of device.interrupts) {
      const other = owners.get(id);
      if (other !== undefined) {
        const path = `device-regions/${device.name}/interrupts`;
        root.fail('duplicate', path, `interrupt ${id}`, `must not be of device ${other} too`);
      }
      owners.set(id, device.name);
    }
  }
}

function cellOf(value: Uint8Array): number {
  if (value.length !== 4) return 0;
  return new DataView(value.buffer, value.byteOffset, 4).getUint32(0);
}

function hex(value: number): string {
  return `0x${value.toString(16)}`;
}
