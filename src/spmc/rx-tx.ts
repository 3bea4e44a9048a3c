// RX and TX buffers: FFA_RXTX_MAP (a partition's own, the hypervisor's own, or a VM's that the hypervisor forwards),
// FFA_RXTX_UNMAP, FFA_RX_ACQUIRE, FFA_RX_RELEASE. RX has one owner at a time: the SPMC, the hypervisor on the SPMC's
// behalf, or the endpoint that reads it.

import { FFA_HYPERVISOR_ID, isSecureEndpoint } from '../abi/endpoint-ids.ts';
import { FFA_DENIED, FFA_INVALID_PARAMETERS, FFA_NOT_SUPPORTED, FFA_OK } from '../abi/errors.ts';
import { isSmc64 } from '../abi/function-ids.ts';
import {
  RX_RELEASE_ENDPOINT_MASK,
  RXTX_DESCRIPTOR_ENDPOINT_OFFSET,
  RXTX_DESCRIPTOR_RX_OFFSET,
  RXTX_DESCRIPTOR_SIZE_BYTES,
  RXTX_DESCRIPTOR_TX_OFFSET,
  RXTX_MAP_PAGE_COUNT_MASK,
  RXTX_UNMAP_ENDPOINT_SHIFT,
} from '../abi/layout/buffers.ts';
import {
  COMPOSITE_CONSTITUENT_COUNT_OFFSET,
  COMPOSITE_PAGE_COUNT_OFFSET,
  COMPOSITE_SIZE_BYTES,
  CONSTITUENT_PAGE_COUNT_OFFSET,
  CONSTITUENT_SIZE_BYTES,
} from '../abi/layout/memory-transaction.ts';
import { PAGE_SIZE_BYTES } from '../base/units.ts';
import type { RegisterFile } from '../hardware/registers.ts';
import {
  STAGE2_DEVICE,
  STAGE2_NON_SECURE,
  STAGE2_READ,
  STAGE2_RW,
  STAGE2_RWX,
  STAGE2_SHARED,
  STAGE2_UNOWNED,
} from '../hardware/stage2.ts';
import { answerSuccess, type Result } from './answers.ts';
import { type Endpoint, RX_EMPTY, RX_FULL, RX_HYPERVISOR } from './endpoint.ts';
import { readU16, readU32 } from './little-endian.ts';
import { NOT_UNIFORM, OWNERSHIP_BITS, uniformAttributes } from './page-states.ts';
import type { Spmc } from './spmc.ts';
import type { Staging } from './staging.ts';

/** No page number: an address that is not page aligned, or beyond what a page number holds. */
const NO_PAGE = -1;

/** The hypervisor forwards a VM's buffers when it states none of its own. */
function isForwarded(caller: Endpoint, r: RegisterFile): boolean {
  return !caller.secure && (r.w(1) | r.high(1) | r.w(2) | r.high(2) | r.w(3)) === 0 && caller.mapped;
}

export function fetchForwardedBuffers(spmc: Spmc, caller: Endpoint, r: RegisterFile, staging: Staging): Result {
  staging.length = 0;
  if (!isForwarded(caller, r)) return FFA_OK;
  staging.fetch(spmc.contents, caller, caller.bufferPages * PAGE_SIZE_BYTES);
  return FFA_OK;
}

/** FFA_RXTX_MAP. */
export function mapRxTx(spmc: Spmc, caller: Endpoint, r: RegisterFile, staging: Staging): Result {
  const wide = isSmc64(r.w(0));
  if (!wide && !spmc.personality.narrowForms) return FFA_NOT_SUPPORTED;
  if (staging.length !== 0) return mapForwarded(spmc, r, staging);
  const tx = pageOf(r.w(1), wide ? r.high(1) : 0);
  const rx = pageOf(r.w(2), wide ? r.high(2) : 0);
  const pages = r.w(3);
  if ((pages & ~RXTX_MAP_PAGE_COUNT_MASK) !== 0) return FFA_INVALID_PARAMETERS;
  const result = mapChecked(spmc, caller, tx, rx, pages);
  return result === FFA_OK ? answerSuccess(r) : result;
}

/** Buffers of a VM, as the hypervisor described them in its TX. */
function mapForwarded(spmc: Spmc, r: RegisterFile, staging: Staging): Result {
  const bytes = staging.bytes;
  const id = readU16(bytes, RXTX_DESCRIPTOR_ENDPOINT_OFFSET);
  if (isSecureEndpoint(id) || id === FFA_HYPERVISOR_ID) return FFA_INVALID_PARAMETERS;
  const rxAt = readU32(bytes, RXTX_DESCRIPTOR_RX_OFFSET);
  const txAt = readU32(bytes, RXTX_DESCRIPTOR_TX_OFFSET);
  const pages = compositePages(bytes, rxAt, staging.length);
  if (pages === 0 || compositePages(bytes, txAt, staging.length) !== pages) {
    return FFA_INVALID_PARAMETERS;
  }
  const rx = compositeFirst(bytes, rxAt);
  const tx = compositeFirst(bytes, txAt);
  const machine = spmc.makeVirtualMachine(id);
  if (machine === undefined) return FFA_DENIED;
  const result = mapChecked(spmc, machine, tx, rx, pages);
  spmc.forgetVirtualMachine(machine);
  return result === FFA_OK ? answerSuccess(r) : result;
}

/** Pages of a buffer's composite, which has one constituent; 0 when it is malformed. */
function compositePages(bytes: Uint8Array, at: number, length: number): number {
  if (at < RXTX_DESCRIPTOR_SIZE_BYTES || at % 8 !== 0) return 0;
  if (at + COMPOSITE_SIZE_BYTES + CONSTITUENT_SIZE_BYTES > length) return 0;
  if (readU32(bytes, at + COMPOSITE_CONSTITUENT_COUNT_OFFSET) !== 1) return 0;
  const pages = readU32(bytes, at + COMPOSITE_PAGE_COUNT_OFFSET);
  return readU32(bytes, at + COMPOSITE_SIZE_BYTES + CONSTITUENT_PAGE_COUNT_OFFSET) === pages ? pages : 0;
}

function compositeFirst(bytes: Uint8Array, at: number): number {
  const from = at + COMPOSITE_SIZE_BYTES;
  return pageOf(readU32(bytes, from), readU32(bytes, from + 4));
}

function pageOf(low: number, high: number): number {
  return (low & 0xfff) !== 0 ? NO_PAGE : high * 0x10_0000 + (low >>> 12);
}

function mapChecked(spmc: Spmc, endpoint: Endpoint, tx: number, rx: number, pages: number): Result {
  if (endpoint.mapped) return FFA_DENIED;
  if (pages === 0 || pages > spmc.limits.bufferPages) return FFA_INVALID_PARAMETERS;
  if (tx === NO_PAGE || rx === NO_PAGE) return FFA_INVALID_PARAMETERS;
  if (tx < rx + pages && rx < tx + pages) return FFA_INVALID_PARAMETERS;
  if (mapBuffers(spmc, endpoint, tx, rx, pages)) return FFA_OK;
  // Pages that are not the caller's own: a partition's mistake, or what the normal world may not use [Hafnium api.c].
  return endpoint.secure ? FFA_INVALID_PARAMETERS : FFA_DENIED;
}

/** Gives the pages to the buffers; false, and nothing changed, when they are not the endpoint's own, alone. */
export function mapBuffers(spmc: Spmc, endpoint: Endpoint, tx: number, rx: number, pageCount: number): boolean {
  const pages = endpoint.pages;
  const txAttributes = uniformAttributes(pages, tx, pageCount, spmc.pageLimit);
  if (!suitsBuffer(txAttributes, endpoint.secure ? STAGE2_RW : STAGE2_RWX)) return false;
  const rxAttributes = uniformAttributes(pages, rx, pageCount, spmc.pageLimit);
  if (!suitsBuffer(rxAttributes, endpoint.secure ? STAGE2_READ : STAGE2_RWX)) return false;
  endpoint.txFrame = tx;
  endpoint.rxFrame = rx;
  endpoint.bufferPages = pageCount;
  endpoint.txAttributes = txAttributes;
  endpoint.rxAttributes = rxAttributes;
  endpoint.rx = RX_EMPTY;
  if (endpoint.secure) {
    const kept = STAGE2_UNOWNED | STAGE2_SHARED;
    pages.map(tx, tx, pageCount, STAGE2_RW | kept | (txAttributes & STAGE2_NON_SECURE));
    pages.map(rx, rx, pageCount, STAGE2_READ | kept | (rxAttributes & STAGE2_NON_SECURE));
  } else {
    pages.unmap(tx, pageCount);
    pages.unmap(rx, pageCount);
  }
  return true;
}

function suitsBuffer(attributes: number, access: number): boolean {
  if (attributes === NOT_UNIFORM || (attributes & (OWNERSHIP_BITS | STAGE2_DEVICE)) !== 0) return false;
  return (attributes & access) === access;
}

/** FFA_RXTX_UNMAP. */
export function unmapRxTx(spmc: Spmc, caller: Endpoint, r: RegisterFile): Result {
  const id = r.w(1) >>> RXTX_UNMAP_ENDPOINT_SHIFT;
  const endpoint = namedEndpoint(spmc, caller, id);
  if (endpoint === undefined || !endpoint.mapped) return FFA_INVALID_PARAMETERS;
  const { pages, txFrame, rxFrame, bufferPages } = endpoint;
  pages.map(txFrame, txFrame, bufferPages, endpoint.txAttributes);
  pages.map(rxFrame, rxFrame, bufferPages, endpoint.rxAttributes);
  endpoint.forgetBuffers();
  endpoint.notifications.takeFramework();
  if (endpoint !== caller) spmc.forgetVirtualMachine(endpoint);
  return answerSuccess(r);
}

/** FFA_RX_RELEASE: the reader has finished. DENIED when there is nothing to read, or its notification is pending. */
export function releaseRx(spmc: Spmc, caller: Endpoint, r: RegisterFile): Result {
  const endpoint = namedEndpoint(spmc, caller, r.w(1) & RX_RELEASE_ENDPOINT_MASK);
  if (endpoint === undefined) return FFA_INVALID_PARAMETERS;
  if (!endpoint.mapped || endpoint.rx === RX_EMPTY) return FFA_DENIED;
  if (endpoint.rx === RX_FULL && endpoint.notifications.framework !== 0) return FFA_DENIED;
  endpoint.rx = RX_EMPTY;
  return answerSuccess(r);
}

/** FFA_RX_ACQUIRE: the hypervisor wants to write a VM's RX. */
export function acquireRx(spmc: Spmc, caller: Endpoint, r: RegisterFile): Result {
  const id = r.w(1) & RX_RELEASE_ENDPOINT_MASK;
  if (caller.secure || isSecureEndpoint(id)) return FFA_NOT_SUPPORTED;
  const endpoint = spmc.endpoint(id);
  if (endpoint === undefined || !endpoint.mapped) return FFA_INVALID_PARAMETERS;
  if (endpoint.rx !== RX_EMPTY) return FFA_DENIED;
  endpoint.rx = RX_HYPERVISOR;
  // The hypervisor may fill all of it: the next answer clears what it leaves.
  endpoint.rxUsedBytes = Number.POSITIVE_INFINITY;
  return answerSuccess(r);
}

/** The caller itself, or the VM that the hypervisor names; a partition names nobody. */
function namedEndpoint(spmc: Spmc, caller: Endpoint, id: number): Endpoint | undefined {
  if (caller.secure) return id === 0 ? caller : undefined;
  return isSecureEndpoint(id) ? undefined : spmc.endpoint(id);
}

/** FFA_MSG_WAIT gives RX back too, unless the caller keeps it, or has not been told yet that something is in it. */
export function releaseRxOnWait(endpoint: Endpoint): void {
  if (endpoint.rx === RX_FULL && endpoint.notifications.framework === 0) endpoint.rx = RX_EMPTY;
}
