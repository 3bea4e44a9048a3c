// Reads a partition manifest from a device tree. Every property that is wrong gives a fault of its own; one that the
// binding does not know is listed, not refused. Where the binding says nothing, the rules are Hafnium's.
//
// Not checked: what needs the whole system, such as ids and boot orders of other partitions, and memory that exists.
// Sources: the binding document of TF-A, [Hafnium manifest.c].

import type { DeviceTree } from './device-tree.ts';
import { propertyOf, readText } from './device-tree-values.ts';
import { type ManifestFault, ManifestProperties, ManifestReport } from './manifest-properties.ts';
import { checkRegions, readDeviceRegions, readMemoryRegions, readRegionName } from './manifest-regions.ts';
import {
  ABORT_ACTIONS,
  type AbortAction,
  BOOT_INFO_COMPATIBLE,
  BUFFERS_COMPATIBLE,
  EXCEPTION_LEVELS,
  GRANULES,
  LIVE_STATE_BUFFER_COMPATIBLE,
  type LiveActivation,
  MANIFEST_1_0_COMPATIBLE,
  MANIFEST_1_1_COMPATIBLE,
  type ManifestMemoryRegion,
  type ManifestService,
  MESSAGING_METHOD_MASK,
  MESSAGING_RECEIVES_DIRECT_REQ2,
  MESSAGING_SENDS_DIRECT_REQ2,
  NS_INTERRUPTS_ACTIONS,
  type NsInterruptsAction,
  OTHER_SECURE_INTERRUPTS_ACTIONS,
  type PartitionManifest,
  REGION_READ,
  REGION_WRITE,
  SERVICES_COMPATIBLE,
} from './partition-manifest.ts';
import { formatUuid, isNilUuid, NIL_UUID, parseUuid, sameUuid, type Uuid } from './uuid.ts';
import { FFA_VERSION_1_2, formatVersion, versionMajor } from './versions.ts';

export type ManifestReading =
  | { readonly ok: true; readonly manifest: PartitionManifest; readonly unknown: readonly string[] }
  | { readonly ok: false; readonly faults: readonly ManifestFault[]; readonly unknown: readonly string[] };

const SERVICE_COUNT_MAX = 16;
const EXECUTION_CONTEXT_COUNT_MAX = 0xffff;
const BOOT_REGISTER_MAX = 3;
const LIVE_ACTIVATION_REGISTER_MAX = 7;
/** x4 carries the linear vCPU index. */
const VCPU_INDEX_REGISTER = 4;
const ADDRESS_MAX = Number.MAX_SAFE_INTEGER;

/** Reads the manifest at the root of a tree. */
export function readPartitionManifest(tree: DeviceTree): ManifestReading {
  const report = new ManifestReport();
  const root = new ManifestProperties(tree.root, '/', report);
  const compatible = root.compatible([MANIFEST_1_0_COMPATIBLE, MANIFEST_1_1_COMPATIBLE]);
  if (compatible === undefined) return { ok: false, faults: report.faults, unknown: [] };

  const isVersion11 = compatible === MANIFEST_1_1_COMPATIBLE;
  const ffaVersion = readVersion(root);
  const services = isVersion11 ? readServices(root) : readServices10(root);
  checkMessaging(root, services, ffaVersion);
  const exceptionLevel = root.choice('exception-level', EXCEPTION_LEVELS, undefined);
  if (!root.has('exception-level')) root.missing('exception-level');
  const executionContextCount = root.requiredNumber('execution-ctx-count', EXECUTION_CONTEXT_COUNT_MAX, 1);
  if (exceptionLevel === 'S-EL0' && executionContextCount > 1) {
    root.fail('conflict', 'execution-ctx-count', String(executionContextCount), 'must be 1 for a partition at S-EL0');
  }
  if (!root.has('execution-state')) root.missing('execution-state');
  const executionState = root.choice('execution-state', ['AArch64', 'AArch32'], 'AArch64');
  const granuleBytes = root.choice('xlat-granule', GRANULES, 4096);
  const memoryRegions = readMemoryRegions(root, granuleBytes);
  const deviceRegions = readDeviceRegions(root, granuleBytes);
  checkRegions(root, memoryRegions, deviceRegions, granuleBytes, exceptionLevel === 'S-EL0');
  const nsInterruptsAction = readNsInterruptsAction(root, exceptionLevel);
  const manifest = {
    manifestVersion: isVersion11 ? '1.1' : '1.0',
    ffaVersion,
    services,
    executionContextCount,
    exceptionLevel: exceptionLevel ?? 'S-EL1',
    isAarch32: executionState === 'AArch32',
    entrypointOffset: root.number('entrypoint-offset', ADDRESS_MAX, 0),
    granuleBytes,
    nsInterruptsAction,
    isManagedExitVirq: root.flag('managed-exit-virq'),
    otherSecureInterruptsAction: readOtherAction(root, nsInterruptsAction),
    sriInterruptsPolicy: readSriPolicy(root, exceptionLevel),
    hasNotifications: root.flag('notification-support'),
    hasPrimaryScheduler: root.flag('has-primary-scheduler'),
    isMemoryNotTimeSliced: root.flag('time-slice-mem'),
    powerManagementMessages: root.number('power-management-messages', 7, 0),
    vmAvailabilityMessages: root.number('vm-availability-messages', 3, 0),
    hasLifecycle: readLifecycle(root, executionContextCount),
    memoryRegions,
    deviceRegions,
    bootInformation: readBootInformation(root),
    ...optional('id', root.number('id', 0xffff, undefined)),
    ...optional('auxiliaryId', root.number('auxiliary-id', 0xffff, undefined)),
    ...optional('description', root.text('description')),
    ...optional('loadAddress', readLoadAddress(root, granuleBytes)),
    ...optional('bootOrder', root.number('boot-order', 0xffff, undefined)),
    ...optional('bootRegister', root.number('gp-register-num', BOOT_REGISTER_MAX, undefined)),
    ...optional('buffers', readBuffers(root, memoryRegions)),
    ...optional('abortAction', readAbortAction(root)),
    ...optional('liveActivation', readLiveActivation(root, services, memoryRegions, executionContextCount)),
  } satisfies PartitionManifest;
  root.done();
  const { faults, unknown } = report;
  return faults.length > 0 ? { ok: false, faults, unknown } : { ok: true, manifest, unknown };
}

/** A property only if it has a value. */
function optional<K extends string, T>(name: K, value: T | undefined): { [P in K]?: T } {
  return value === undefined ? {} : ({ [name]: value } as { [P in K]?: T });
}

function readVersion(root: ManifestProperties): number {
  if (!root.has('ffa-version')) root.missing('ffa-version');
  const version = root.number('ffa-version', 0xffffffff, undefined);
  if (version !== undefined && versionMajor(version) !== 1) {
    root.fail('range', 'ffa-version', formatVersion(version), 'must have major version 1');
  }
  return version ?? 0;
}

/** 1.0: `uuid` has four cells for each service, `messaging-method` one for all or one for each. */
function readServices10(root: ManifestProperties): ManifestService[] {
  if (!root.has('uuid')) root.missing('uuid');
  if (!root.has('messaging-method')) root.missing('messaging-method');
  const cells = root.cells('uuid', 4, SERVICE_COUNT_MAX);
  const methods = root.cells('messaging-method', 1, SERVICE_COUNT_MAX);
  const count = cells.length / 4;
  if (count > 0 && methods.length > 1 && methods.length !== count) {
    root.fail('conflict', 'messaging-method', `${methods.length} methods`, `must be 1 or ${count}, as there are UUIDs`);
  }
  const services: ManifestService[] = [];
  for (let n = 0; n < count; n++) {
    const uuid: Uuid = [cells[4 * n], cells[4 * n + 1], cells[4 * n + 2], cells[4 * n + 3]];
    checkUuid(root, 'uuid', uuid, services);
    services.push({ uuid, messagingMethod: (methods.length === 1 ? methods[0] : methods[n]) ?? 0 });
  }
  for (const method of methods) checkMethod(root, method);
  return services;
}

/** 1.1: each service is a node under `services`. */
function readServices(root: ManifestProperties): ManifestService[] {
  const parent = root.child('services', SERVICES_COMPATIBLE);
  const nodes = parent?.children() ?? [];
  parent?.done();
  if (nodes.length === 0) root.fail('missing', 'services', 'nothing', 'must have a node for each service');
  if (nodes.length > SERVICE_COUNT_MAX) {
    root.fail('range', 'services', `${nodes.length} services`, `must be ${SERVICE_COUNT_MAX} or fewer`);
  }
  const services: ManifestService[] = [];
  for (const node of nodes.slice(0, SERVICE_COUNT_MAX)) {
    const text = node.text('uuid');
    const uuid = text === undefined ? undefined : parseUuid(text);
    if (!node.has('uuid')) node.missing('uuid');
    else if (text !== undefined && uuid === undefined) {
      node.fail('type', 'uuid', `"${text}"`, 'must be a UUID such as "b4b5671e-4a90-4fe1-b81f-fb13dae1dacb"');
    }
    if (uuid !== undefined) checkUuid(node, 'uuid', uuid, services);
    const messagingMethod = node.requiredNumber('messaging-method', 0xffffffff);
    checkMethod(node, messagingMethod);
    node.done();
    services.push({ uuid: uuid ?? NIL_UUID, messagingMethod });
  }
  return services;
}

function checkUuid(node: ManifestProperties, name: string, uuid: Uuid, before: readonly ManifestService[]): void {
  if (isNilUuid(uuid)) node.fail('range', name, formatUuid(uuid), 'must not be nil');
  else if (before.some((service) => sameUuid(service.uuid, uuid))) {
    node.fail('duplicate', name, formatUuid(uuid), 'no other service may have the same UUID');
  }
}

function checkMethod(node: ManifestProperties, method: number): void {
  if ((method & ~MESSAGING_METHOD_MASK) === 0) return;
  node.fail('range', 'messaging-method', hex(method), `must have no bits but those of ${hex(MESSAGING_METHOD_MASK)}`);
}

function checkMessaging(root: ManifestProperties, services: readonly ManifestService[], version: number): void {
  const direct2 = MESSAGING_RECEIVES_DIRECT_REQ2 | MESSAGING_SENDS_DIRECT_REQ2;
  const first = services.find((service) => (service.messagingMethod & direct2) !== 0);
  if (first === undefined || version >= FFA_VERSION_1_2) return;
  const rule = `must not have direct messages 2 (${hex(direct2)}) in version ${formatVersion(version)}`;
  root.fail('conflict', 'messaging-method', hex(first.messagingMethod), rule);
}

function readNsInterruptsAction(root: ManifestProperties, level: string | undefined): NsInterruptsAction {
  const isManagedExit = root.flag('managed-exit');
  const action = root.choice(
    'ns-interrupts-action',
    NS_INTERRUPTS_ACTIONS,
    isManagedExit ? 'managed-exit' : 'signaled',
  );
  const effective = isManagedExit ? 'managed-exit' : action;
  if (effective === 'managed-exit' && level !== undefined && level !== 'S-EL1') {
    const name = isManagedExit ? 'managed-exit' : 'ns-interrupts-action';
    root.fail('conflict', name, 'managed exit', `must not be asked for by a partition at ${level}`);
  }
  return effective;
}

function readOtherAction(root: ManifestProperties, nsAction: NsInterruptsAction): 'queued' | 'signaled' {
  const action = root.choice('other-s-interrupts-action', OTHER_SECURE_INTERRUPTS_ACTIONS, 'signaled');
  if (action === 'queued' && nsAction !== 'queued') {
    root.fail('conflict', 'other-s-interrupts-action', 'queued', 'must go with ns-interrupts-action queued');
  }
  return action;
}

function readSriPolicy(root: ManifestProperties, level: string | undefined): number {
  const policy = root.number('sri-interrupts-policy', 3, 0);
  if (policy !== 0 && level === 'S-EL0') {
    root.fail('conflict', 'sri-interrupts-policy', String(policy), 'must be 0 for a partition at S-EL0');
  }
  return policy;
}

function readLifecycle(root: ManifestProperties, executionContextCount: number): boolean {
  const hasLifecycle = root.flag('lifecycle-support');
  if (hasLifecycle && executionContextCount > 1) {
    const found = `${executionContextCount} execution contexts`;
    root.fail('conflict', 'lifecycle-support', found, 'must have one execution context');
  }
  return hasLifecycle;
}

function readLoadAddress(root: ManifestProperties, granuleBytes: number): number | undefined {
  const address = root.number('load-address', ADDRESS_MAX, undefined);
  if (address !== undefined && address % granuleBytes !== 0) {
    root.fail('alignment', 'load-address', hex(address), `must be a multiple of ${granuleBytes}`);
  }
  return address;
}

function readAbortAction(root: ManifestProperties): AbortAction | undefined {
  const action = root.choice('abort-action', ABORT_ACTIONS, undefined);
  if (action !== undefined && !root.has('lifecycle-support')) {
    root.fail('conflict', 'abort-action', action, 'must go with lifecycle-support');
  }
  return action;
}

function readBuffers(
  root: ManifestProperties,
  regions: readonly ManifestMemoryRegion[],
): { rx: string; tx: string } | undefined {
  const node = root.child('rx_tx-info', BUFFERS_COMPATIBLE);
  if (node === undefined) return undefined;
  const rx = readRegionName(root, node, 'rx-buffer');
  const tx = readRegionName(root, node, 'tx-buffer');
  node.done();
  if (rx === undefined || tx === undefined) return undefined;
  const pages = [rx, tx].map((name) => regions.find((region) => region.name === name)?.pageCount ?? 0);
  if (rx === tx) node.fail('conflict', 'tx-buffer', tx, 'must not be the same region as rx-buffer');
  else if (pages[0] !== pages[1]) {
    node.fail('conflict', 'tx-buffer', `${pages[1]} pages`, `must have ${pages[0]} pages, as rx-buffer has`);
  }
  return { rx, tx };
}

/** What the partition wants is named by properties without a value; some manifests use child nodes. */
function readBootInformation(root: ManifestProperties): string[] {
  const node = root.child('boot-info', BOOT_INFO_COMPATIBLE);
  if (node === undefined) return [];
  const names = node.node.properties.map((property) => property.name).filter((name) => name !== 'compatible');
  for (const name of names) node.flag(name);
  names.push(...node.children().map((child) => child.node.name));
  node.done();
  return names;
}

function readLiveActivation(
  root: ManifestProperties,
  services: readonly ManifestService[],
  regions: readonly ManifestMemoryRegion[],
  executionContextCount: number,
): LiveActivation | undefined {
  const isSupported = root.flag('live-activation-support');
  const register = root.number('live-activation-register', LIVE_ACTIVATION_REGISTER_MAX, undefined);
  const imageUuid = readImageUuid(root);
  const bufferNode = root.child('live-state-buffer-info', LIVE_STATE_BUFFER_COMPATIBLE);
  const stateBuffer = bufferNode && readRegionName(root, bufferNode, 'live-state-buffer');
  bufferNode?.done();
  if (!isSupported) return undefined;
  if (!root.has('lifecycle-support')) {
    root.fail('conflict', 'live-activation-support', 'no lifecycle-support', 'must go with lifecycle-support');
  }
  if (executionContextCount > 1) {
    const found = `${executionContextCount} execution contexts`;
    root.fail('conflict', 'live-activation-support', found, 'must have one execution context');
  }
  if (
    register === VCPU_INDEX_REGISTER ||
    (register !== undefined && register === root.number('gp-register-num', 3, -1))
  ) {
    root.fail('conflict', 'live-activation-register', String(register), 'must be neither 4 nor gp-register-num');
  }
  if (!root.has('image-uuid')) root.missing('image-uuid');
  else if (imageUuid !== undefined) checkUuid(root, 'image-uuid', imageUuid, services);
  const region = regions.find((one) => one.name === stateBuffer);
  if (bufferNode !== undefined && region !== undefined) checkStateBuffer(bufferNode, region);
  return {
    imageUuid: imageUuid ?? NIL_UUID,
    ...optional('register', register),
    ...optional('stateBuffer', stateBuffer),
  };
}

/** Four cells, or, as services of 1.1 are named, canonical text. */
function readImageUuid(root: ManifestProperties): Uuid | undefined {
  const property = propertyOf(root.node, 'image-uuid');
  const text = property === undefined ? undefined : readText(property.value);
  const parsed = text === undefined ? undefined : parseUuid(text);
  if (parsed !== undefined) {
    root.text('image-uuid');
    return parsed;
  }
  const cells = root.cells('image-uuid', 4, 1);
  return cells.length === 4 ? [cells[0], cells[1], cells[2], cells[3]] : undefined;
}

function checkStateBuffer(node: ManifestProperties, region: ManifestMemoryRegion): void {
  const access = region.attributes & 7;
  if (access === (REGION_READ | REGION_WRITE)) return;
  node.fail('conflict', 'live-state-buffer', hex(region.attributes), 'must be a region that is read and written only');
}

function hex(value: number): string {
  return `0x${value.toString(16)}`;
}
