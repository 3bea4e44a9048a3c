// Writes a partition manifest as a device tree that `readPartitionManifest` reads back to the same values.
//
// What has its default is left out. Regions that something points to get phandles, counted from 1.

import { assert } from '../base/assert.ts';
import type { DeviceTree, DeviceTreeNode, DeviceTreeProperty } from './device-tree.ts';
import { cellsProperty, emptyProperty, number64Property, textProperty } from './device-tree-values.ts';
import * as m from './partition-manifest.ts';
import { formatUuid } from './uuid.ts';

/** The tree of a manifest, in the binding of its `manifestVersion`. */
export function writePartitionManifest(manifest: m.PartitionManifest): DeviceTree {
  const isVersion11 = manifest.manifestVersion === '1.1';
  const compatible = isVersion11 ? m.MANIFEST_1_1_COMPATIBLE : m.MANIFEST_1_0_COMPATIBLE;
  const properties: DeviceTreeProperty[] = [
    textProperty('compatible', compatible),
    cellsProperty('ffa-version', manifest.ffaVersion),
    ...(isVersion11 ? [] : servicesOf10(manifest)),
    ...identity(manifest),
    ...image(manifest),
    ...interruptActions(manifest),
    ...features(manifest),
  ];
  const children: DeviceTreeNode[] = isVersion11 ? [servicesNode(manifest)] : [];
  const phandles = phandlesOf(manifest);
  if (manifest.buffers !== undefined) {
    children.push(
      node('rx_tx-info', [
        textProperty('compatible', m.BUFFERS_COMPATIBLE),
        cellsProperty('rx-buffer', phandleOf(phandles, manifest.buffers.rx)),
        cellsProperty('tx-buffer', phandleOf(phandles, manifest.buffers.tx)),
      ]),
    );
  }
  const stateBuffer = manifest.liveActivation?.stateBuffer;
  if (stateBuffer !== undefined) {
    children.push(
      node('live-state-buffer-info', [
        textProperty('compatible', m.LIVE_STATE_BUFFER_COMPATIBLE),
        cellsProperty('live-state-buffer', phandleOf(phandles, stateBuffer)),
      ]),
    );
  }
  if (manifest.memoryRegions.length > 0) {
    const regions = manifest.memoryRegions.map((region) => memoryRegion(region, phandles.get(region.name)));
    children.push(node('memory-regions', [textProperty('compatible', m.MEMORY_REGIONS_COMPATIBLE)], regions));
  }
  if (manifest.deviceRegions.length > 0) {
    const regions = manifest.deviceRegions.map(deviceRegion);
    children.push(node('device-regions', [textProperty('compatible', m.DEVICE_REGIONS_COMPATIBLE)], regions));
  }
  if (manifest.bootInformation.length > 0) {
    const wanted = manifest.bootInformation.map(emptyProperty);
    children.push(node('boot-info', [textProperty('compatible', m.BOOT_INFO_COMPATIBLE), ...wanted]));
  }
  return { bootCpu: 0, reservations: [], root: node('', properties, children) };
}

function node(
  name: string,
  properties: readonly DeviceTreeProperty[],
  children: readonly DeviceTreeNode[] = [],
): DeviceTreeNode {
  return { name, properties, children };
}

function servicesOf10(manifest: m.PartitionManifest): DeviceTreeProperty[] {
  const methods = manifest.services.map((service) => service.messagingMethod);
  const isSame = methods.every((method) => method === methods[0]);
  return [
    cellsProperty('uuid', ...manifest.services.flatMap((service) => [...service.uuid])),
    cellsProperty('messaging-method', ...(isSame ? methods.slice(0, 1) : methods)),
  ];
}

function servicesNode(manifest: m.PartitionManifest): DeviceTreeNode {
  const services = manifest.services.map((service, n) =>
    node(`service-${n}`, [
      textProperty('uuid', formatUuid(service.uuid)),
      cellsProperty('messaging-method', service.messagingMethod),
    ]),
  );
  return node('services', [textProperty('compatible', m.SERVICES_COMPATIBLE)], services);
}

function identity(manifest: m.PartitionManifest): DeviceTreeProperty[] {
  const { auxiliaryId, description, id } = manifest;
  return [
    ...(id === undefined ? [] : [cellsProperty('id', id)]),
    ...(auxiliaryId === undefined ? [] : [cellsProperty('auxiliary-id', auxiliaryId)]),
    ...(description === undefined ? [] : [textProperty('description', description)]),
    cellsProperty('execution-ctx-count', manifest.executionContextCount),
    cellsProperty('exception-level', m.EXCEPTION_LEVELS.indexOf(manifest.exceptionLevel)),
    cellsProperty('execution-state', manifest.isAarch32 ? 1 : 0),
  ];
}

function image(manifest: m.PartitionManifest): DeviceTreeProperty[] {
  const { bootOrder, bootRegister, entrypointOffset, loadAddress } = manifest;
  return [
    ...(loadAddress === undefined ? [] : [number64Property('load-address', loadAddress)]),
    ...(entrypointOffset === 0 ? [] : [number64Property('entrypoint-offset', entrypointOffset)]),
    cellsProperty('xlat-granule', m.GRANULES.indexOf(manifest.granuleBytes)),
    ...(bootOrder === undefined ? [] : [cellsProperty('boot-order', bootOrder)]),
    ...(bootRegister === undefined ? [] : [cellsProperty('gp-register-num', bootRegister)]),
  ];
}

function interruptActions(manifest: m.PartitionManifest): DeviceTreeProperty[] {
  const { nsInterruptsAction, otherSecureInterruptsAction, sriInterruptsPolicy } = manifest;
  const other = m.OTHER_SECURE_INTERRUPTS_ACTIONS.indexOf(otherSecureInterruptsAction);
  return [
    cellsProperty('ns-interrupts-action', m.NS_INTERRUPTS_ACTIONS.indexOf(nsInterruptsAction)),
    ...(otherSecureInterruptsAction === 'signaled' ? [] : [cellsProperty('other-s-interrupts-action', other)]),
    ...(sriInterruptsPolicy === 0 ? [] : [cellsProperty('sri-interrupts-policy', sriInterruptsPolicy)]),
    ...flag('managed-exit-virq', manifest.isManagedExitVirq),
  ];
}

function features(manifest: m.PartitionManifest): DeviceTreeProperty[] {
  const { abortAction, liveActivation, powerManagementMessages, vmAvailabilityMessages } = manifest;
  return [
    ...flag('notification-support', manifest.hasNotifications),
    ...flag('has-primary-scheduler', manifest.hasPrimaryScheduler),
    ...flag('time-slice-mem', manifest.isMemoryNotTimeSliced),
    ...(powerManagementMessages === 0 ? [] : [cellsProperty('power-management-messages', powerManagementMessages)]),
    ...(vmAvailabilityMessages === 0 ? [] : [cellsProperty('vm-availability-messages', vmAvailabilityMessages)]),
    ...flag('lifecycle-support', manifest.hasLifecycle),
    ...(abortAction === undefined ? [] : [cellsProperty('abort-action', m.ABORT_ACTIONS.indexOf(abortAction))]),
    ...(liveActivation === undefined ? [] : liveActivationProperties(liveActivation)),
  ];
}

function liveActivationProperties(live: m.LiveActivation): DeviceTreeProperty[] {
  return [
    emptyProperty('live-activation-support'),
    ...(live.register === undefined ? [] : [cellsProperty('live-activation-register', live.register)]),
    cellsProperty('image-uuid', ...live.imageUuid),
  ];
}

function memoryRegion(region: m.ManifestMemoryRegion, phandle: number | undefined): DeviceTreeNode {
  const { baseAddress, loadAddressRelativeOffset: offset } = region;
  return node(region.name, [
    ...regionProperties(region),
    ...(baseAddress === undefined ? [] : [number64Property('base-address', baseAddress)]),
    ...(offset === undefined ? [] : [number64Property('load-address-relative-offset', offset)]),
    ...dmaProperties(region.dma),
    ...(phandle === undefined ? [] : [cellsProperty('phandle', phandle)]),
  ]);
}

function deviceRegion(region: m.ManifestDeviceRegion): DeviceTreeNode {
  const { interrupts } = region;
  const targets = interrupts.flatMap(({ id, targetMpidr }) =>
    targetMpidr === undefined ? [] : [id, targetMpidr.high, targetMpidr.low],
  );
  const pairs = interrupts.flatMap(({ attributes, id }) => [id, attributes]);
  return node(region.name, [
    ...regionProperties(region),
    number64Property('base-address', region.baseAddress),
    ...dmaProperties(region.dma),
    ...(pairs.length === 0 ? [] : [cellsProperty('interrupts', ...pairs)]),
    ...(targets.length === 0 ? [] : [cellsProperty('interrupts-target', ...targets)]),
    ...flag('exclusive-access', region.isExclusive),
  ]);
}

function regionProperties(region: m.ManifestMemoryRegion | m.ManifestDeviceRegion): DeviceTreeProperty[] {
  return [
    ...(region.description === undefined ? [] : [textProperty('description', region.description)]),
    cellsProperty('pages-count', region.pageCount),
    cellsProperty('attributes', region.attributes),
  ];
}

function dmaProperties(dma: m.DmaAccess | undefined): DeviceTreeProperty[] {
  if (dma === undefined) return [];
  const { accessPermissions, smmuId, streamIds } = dma;
  return [
    cellsProperty('smmu-id', smmuId),
    ...(streamIds.length === 0 ? [] : [cellsProperty('stream-ids', ...streamIds)]),
    ...(accessPermissions.length === 0 ? [] : [cellsProperty('stream-ids-access-permissions', ...accessPermissions)]),
  ];
}

function flag(name: string, isSet: boolean): DeviceTreeProperty[] {
  return isSet ? [emptyProperty(name)] : [];
}

/** Regions that are pointed to, numbered from 1. */
function phandlesOf(manifest: m.PartitionManifest): ReadonlyMap<string, number> {
  const { buffers, liveActivation } = manifest;
  const names = [buffers?.rx, buffers?.tx, liveActivation?.stateBuffer];
  const phandles = new Map<string, number>();
  for (const name of names) {
    if (name !== undefined && !phandles.has(name)) phandles.set(name, phandles.size + 1);
  }
  return phandles;
}

function phandleOf(phandles: ReadonlyMap<string, number>, name: string): number {
  const phandle = phandles.get(name);
  assert(phandle !== undefined, 'a region that is pointed to has a phandle');
  return phandle;
}
