// A partition's manifest in words: what it asks for, and what in it breaks the binding.

import { decodeDeviceTree } from '../../abi/device-tree.ts';
import { formatEndpointId } from '../../abi/endpoint-ids.ts';
import type { Fault } from '../../abi/fault.ts';
import {
  type DmaAccess,
  MANIFEST_VM_CREATED,
  MANIFEST_VM_DESTROYED,
  type ManifestDeviceRegion,
  type ManifestMemoryRegion,
  MESSAGING_INDIRECT,
  MESSAGING_RECEIVES_DIRECT_REQ,
  MESSAGING_RECEIVES_DIRECT_REQ2,
  MESSAGING_SENDS_DIRECT_REQ,
  MESSAGING_SENDS_DIRECT_REQ2,
  type PartitionManifest,
  REGION_EXECUTE,
  REGION_NON_SECURE,
  REGION_READ,
  REGION_WRITE,
} from '../../abi/partition-manifest.ts';
import { readPartitionManifest } from '../../abi/partition-manifest-reader.ts';
import { formatUuid } from '../../abi/uuid.ts';
import { formatVersion } from '../../abi/versions.ts';
import { LineBuilder, line, type StyledLine } from '../../export/styled-text.ts';

const DEVICE_TREE_MAGIC = [0xd0, 0x0d, 0xfe, 0xed];

const MESSAGING: readonly (readonly [bit: number, name: string])[] = [
  [MESSAGING_RECEIVES_DIRECT_REQ, 'receives direct requests'],
  [MESSAGING_SENDS_DIRECT_REQ, 'sends direct requests'],
  [MESSAGING_INDIRECT, 'indirect messages'],
  [MESSAGING_RECEIVES_DIRECT_REQ2, 'receives direct requests 2'],
  [MESSAGING_SENDS_DIRECT_REQ2, 'sends direct requests 2'],
];

export interface DecodedManifest {
  /** Null when something in it is wrong. */
  readonly manifest: PartitionManifest | null;
  readonly faults: readonly Fault<string>[];
  /** Properties and nodes that the binding does not know: no mistake, perhaps a typing error. */
  readonly unknown: readonly string[];
}

/** Whether the bytes begin as a device-tree blob does. */
export function isDeviceTree(bytes: Uint8Array): boolean {
  return DEVICE_TREE_MAGIC.every((byte, n) => bytes[n] === byte);
}

export function decodeManifest(bytes: Uint8Array): DecodedManifest {
  const tree = decodeDeviceTree(bytes);
  if (!tree.ok) return { manifest: null, faults: [tree.fault], unknown: [] };
  const reading = readPartitionManifest(tree.value);
  if (!reading.ok) return { manifest: null, faults: reading.faults, unknown: reading.unknown };
  return { manifest: reading.manifest, faults: [], unknown: reading.unknown };
}

/** The picture. */
export function describeManifest(decoded: DecodedManifest): StyledLine[] {
  const { faults, manifest, unknown } = decoded;
  const lines: StyledLine[] = [];
  if (manifest !== null) lines.push(...manifestLines(manifest));
  if (faults.length > 0) {
    lines.push(
      line(faults.length === 1 ? 'A manifest with a mistake:' : `A manifest with ${faults.length} mistakes:`, 'wrong'),
    );
    for (const { found, offset, path, rule } of faults) {
      lines.push(
        new LineBuilder()
          .add(`! ${path}`, 'wrong')
          .add(` at 0x${offset.toString(16)}`, 'dim')
          .add(` is ${found}: ${rule}`, 'wrong')
          .done(),
      );
    }
  }
  if (unknown.length > 0) lines.push(line(`The binding does not know ${unknown.join(', ')}.`, 'warning'));
  return lines;
}

function manifestLines(manifest: PartitionManifest): StyledLine[] {
  const title = new LineBuilder()
    .add('partition manifest', 'strong')
    .add(` ${manifest.manifestVersion}`)
    .add(manifest.description === undefined ? '' : `, ${manifest.description}`)
    .done();
  const rows = scalarRows(manifest);
  const width = rows.reduce((most, [name]) => Math.max(most, name.length), 0);
  const lines: StyledLine[] = [title];
  for (const [name, text] of rows) lines.push(rowLine(name, text, width));
  for (const region of manifest.memoryRegions) lines.push(rowLine('memory', memoryText(region, manifest), width));
  for (const region of manifest.deviceRegions) lines.push(rowLine('device', deviceText(region), width));
  return lines;
}

function rowLine(name: string, text: string, width: number): StyledLine {
  return new LineBuilder()
    .add(`  ${name.padEnd(width)}  `, 'hue0')
    .add(text)
    .done();
}

function scalarRows(manifest: PartitionManifest): (readonly [name: string, text: string])[] {
  const rows: (readonly [string, string])[] = [['FF-A version', formatVersion(manifest.ffaVersion)]];
  const add = (name: string, text: string | undefined) => {
    if (text !== undefined) rows.push([name, text]);
  };
  add('id', manifest.id === undefined ? undefined : formatEndpointId(manifest.id));
  add('auxiliary id', manifest.auxiliaryId === undefined ? undefined : formatEndpointId(manifest.auxiliaryId));
  for (const { messagingMethod, uuid } of manifest.services) {
    add('service', `${formatUuid(uuid)}: ${namesOf(messagingMethod, MESSAGING)}`);
  }
  add('vCPUs', String(manifest.executionContextCount));
  add('runs at', `${manifest.exceptionLevel}, ${manifest.isAarch32 ? 'AArch32' : 'AArch64'}`);
  add('load address', manifest.loadAddress === undefined ? undefined : hex(manifest.loadAddress));
  add('entry point', `load address + ${hex(manifest.entrypointOffset)}`);
  add('granule', `${manifest.granuleBytes / 1024} KiB`);
  add('boot order', manifest.bootOrder?.toString());
  add('boot register', manifest.bootRegister === undefined ? undefined : `x${manifest.bootRegister}`);
  add('boot information', manifest.bootInformation.length === 0 ? undefined : manifest.bootInformation.join(', '));
  add(
    'normal-world interrupts',
    `${manifest.nsInterruptsAction}${manifest.isManagedExitVirq ? ', as a virtual IRQ' : ''}`,
  );
  add('other interrupts', manifest.otherSecureInterruptsAction);
  add('VM availability', availabilityText(manifest.vmAvailabilityMessages));
  add('notifications', manifest.hasNotifications ? 'yes' : 'no');
  add('abort', manifest.abortAction);
  return rows;
}

function availabilityText(bits: number): string {
  return namesOf(bits, [
    [MANIFEST_VM_CREATED, 'told of VMs created'],
    [MANIFEST_VM_DESTROYED, 'told of VMs destroyed'],
  ]);
}

function memoryText(region: ManifestMemoryRegion, manifest: PartitionManifest): string {
  const { attributes, baseAddress, dma, loadAddressRelativeOffset, name, pageCount } = region;
  const where =
    baseAddress !== undefined
      ? `at ${hex(baseAddress)}`
      : loadAddressRelativeOffset !== undefined
        ? `at load address + ${hex(loadAddressRelativeOffset)}`
        : 'anywhere';
  const buffer = manifest.buffers?.rx === name ? ', RX buffer' : manifest.buffers?.tx === name ? ', TX buffer' : '';
  return `${name}: ${pages(pageCount)} ${where}, ${accessText(attributes)}${buffer}${dmaText(dma)}`;
}

function deviceText(region: ManifestDeviceRegion): string {
  const { attributes, baseAddress, dma, interrupts, isExclusive, name, pageCount } = region;
  const ids = interrupts.length === 0 ? '' : `, interrupts ${interrupts.map((one) => one.id).join(', ')}`;
  const more = `${ids}${isExclusive ? ', exclusive' : ''}${dmaText(dma)}`;
  return `${name}: ${pages(pageCount)} at ${hex(baseAddress)}, ${accessText(attributes)}${more}`;
}

function accessText(attributes: number): string {
  const letters = [
    [REGION_READ, 'R'],
    [REGION_WRITE, 'W'],
    [REGION_EXECUTE, 'X'],
  ] as const;
  const access = letters.map(([bit, letter]) => ((attributes & bit) === 0 ? '' : letter)).join('');
  const state = (attributes & REGION_NON_SECURE) === 0 ? 'secure' : 'non-secure';
  return `${access === '' ? 'no access' : access} ${state}`;
}

function dmaText(dma: DmaAccess | undefined): string {
  return dma === undefined ? '' : `, DMA by SMMU ${dma.smmuId} streams ${dma.streamIds.join(', ')}`;
}

function namesOf(bits: number, names: readonly (readonly [bit: number, name: string])[]): string {
  const set = names.filter(([bit]) => (bits & bit) !== 0).map(([, name]) => name);
  return set.length === 0 ? 'none' : set.join(', ');
}

function pages(pageCount: number): string {
  return `${pageCount} page${pageCount === 1 ? '' : 's'}`;
}

function hex(value: number): string {
  return `0x${value.toString(16)}`;
}
