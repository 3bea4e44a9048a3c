// A small world whose endpoints send, retrieve, relinquish and reclaim memory; descriptors in all three layouts,
// written byte by byte. Endpoint 0 is the normal world.

import { expect } from 'vitest';
import {
  FFA_MEM_RECLAIM,
  FFA_MEM_RELINQUISH,
  FFA_MEM_RETRIEVE_REQ_32,
  FFA_MEM_SHARE_32,
  FFA_RX_RELEASE,
} from '../../src/abi/function-ids.ts';
import { FFA_VERSION_1_0, FFA_VERSION_1_1, FFA_VERSION_1_2 } from '../../src/abi/versions.ts';
import { relinquishDescriptor } from './descriptors.ts';
import { GUEST_MEMORY, HYPERVISOR_RX, HYPERVISOR_TX, PAGE, SmallWorld, SP1, said } from './small-world.ts';

export { PAGE };

/** A VM that owns the guest memory. */
export const VM = 3;
export const GUEST_PAGE = GUEST_MEMORY / PAGE;

export interface Memory {
  readonly version?: number;
  /** Size of access descriptors; default the version's. */
  readonly emadSize?: number;
  readonly sender?: number;
  /** Id and permissions of each. */
  readonly to?: readonly (readonly [id: number, permissions: number])[];
  /** Address and pages of each; none: a request. */
  readonly at?: readonly (readonly [address: number, pageCount: number])[];
  readonly attributes?: number;
  readonly flags?: number;
  readonly handle?: number;
  readonly tag?: number;
  /** Changes bytes at the end. */
  readonly patch?: (view: DataView) => void;
}

export function headerBytes(version: number): number {
  return version >= FFA_VERSION_1_1 ? 48 : 32;
}

function emadBytes(version: number): number {
  return version >= FFA_VERSION_1_2 ? 32 : 16;
}

/** A descriptor; with `at` absent the request of a borrower. */
export function descriptor(memory: Memory): Uint8Array {
  const version = memory.version ?? FFA_VERSION_1_2;
  const emadSize = memory.emadSize ?? emadBytes(version);
  const header = headerBytes(version);
  const to = memory.to ?? [[SP1, 2]];
  const composite = header + emadSize * to.length;
  const at = memory.at ?? [];
  const bytes = new Uint8Array(memory.at === undefined ? composite : composite + 16 + 16 * at.length);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, memory.sender ?? VM, true);
  view.setUint16(2, memory.attributes ?? (memory.at === undefined ? 0 : 0x2f), true);
  view.setUint32(4, memory.flags ?? 0, true);
  writeHandle(view, 8, memory.handle ?? 0);
  view.setUint32(16, memory.tag ?? 0, true);
  if (version >= FFA_VERSION_1_1) {
    view.setUint32(24, emadSize, true);
    view.setUint32(32, header, true);
  }
  view.setUint32(28, to.length, true);
  for (const [n, [id, permissions]] of to.entries()) {
    view.setUint16(header + emadSize * n, id, true);
    bytes[header + emadSize * n + 2] = permissions;
    if (memory.at !== undefined) view.setUint32(header + emadSize * n + 4, composite, true);
  }
  if (memory.at !== undefined) {
    view.setUint32(composite, at.reduce((sum, [, pages]) => sum + pages, 0) >>> 0, true);
    view.setUint32(composite + 4, at.length, true);
    for (const [n, [address, pages]] of at.entries()) {
      writeHandle(view, composite + 16 + 16 * n, address);
      view.setUint32(composite + 24 + 16 * n, pages, true);
    }
  }
  memory.patch?.(view);
  return bytes;
}

function writeHandle(view: DataView, at: number, value: number): void {
  view.setUint32(at, value % 2 ** 32, true);
  view.setUint32(at + 4, Math.floor(value / 2 ** 32), true);
}

function low(handle: number): number {
  return handle % 2 ** 32;
}

function high(handle: number): number {
  return Math.floor(handle / 2 ** 32);
}

/** `count` pages from `base`, no two of which touch, each a constituent. */
export function apart(base: number, count: number): (readonly [number, number])[] {
  return Array.from({ length: count }, (_, n) => [base + 2 * n * PAGE, 1] as const);
}

export class MemoryWorld extends SmallWorld {
  txOf(id: number): number {
    return id === 0 ? HYPERVISOR_TX : this.endpoint(id).txFrame * PAGE;
  }

  rxOf(id: number): number {
    return id === 0 ? HYPERVISOR_RX : this.endpoint(id).rxFrame * PAGE;
  }

  rx(id: number, length: number): Uint8Array {
    return this.read(this.rxOf(id), length);
  }

  rxView(id: number, length = PAGE): DataView {
    return new DataView(this.rx(id, length).buffer);
  }

  endpoint(id: number) {
    const endpoint = this.spmc.endpoint(id);
    if (endpoint === undefined) throw new Error(`no endpoint ${id}`);
    return endpoint;
  }

  /** The version that decides an endpoint's layouts. */
  speak(id: number, version: number): void {
    this.endpoint(id).version = version;
  }

  /** A call of the endpoint. */
  from(id: number, ...words: number[]): number[] {
    return id === 0 ? this.call(...words) : this.callAs(id, ...words);
  }

  /** A call that carries bytes in the caller's TX, whole. */
  carry(id: number, functionId: number, bytes: Uint8Array): number[] {
    this.write(this.txOf(id), bytes);
    return this.from(id, functionId, bytes.length, bytes.length);
  }

  /** A send that succeeds; the handle. */
  sent(memory: Memory, functionId = FFA_MEM_SHARE_32, id = 0): number {
    const answer = this.carry(id, functionId, descriptor({ at: [[GUEST_MEMORY, 1]], ...memory }));
    expect(said(answer)).toBe('FFA_SUCCESS_32');
    return answer[2] + answer[3] * 2 ** 32;
  }

  /** A retrieve; RX stays full when it succeeds. */
  retrieveFull(id: number, memory: Memory): number[] {
    return this.carry(id, FFA_MEM_RETRIEVE_REQ_32, descriptor({ to: [[id, 2]], ...memory }));
  }

  /** A retrieve, and RX given back. */
  retrieve(id: number, memory: Memory): string {
    const answer = said(this.retrieveFull(id, memory));
    this.release(id);
    return answer;
  }

  release(id: number): string {
    return said(this.from(id, FFA_RX_RELEASE));
  }

  relinquish(id: number, handle: number, flags = 0, caller = id): string {
    this.write(this.txOf(caller), relinquishDescriptor(handle, id, flags));
    return said(this.from(caller, FFA_MEM_RELINQUISH));
  }

  reclaim(handle: number, flags = 0, id = 0): string {
    return said(this.from(id, FFA_MEM_RECLAIM, low(handle), high(handle), flags));
  }

  /** Attributes of a page in an endpoint's table; 0: it is not there. */
  page(id: number, page = GUEST_PAGE): number {
    const { pages } = this.endpoint(id);
    return pages.translate(page) < 0 ? 0 : pages.attributes;
  }
}

export const VERSIONS = [
  ['1.0', FFA_VERSION_1_0],
  ['1.1', FFA_VERSION_1_1],
  ['1.2', FFA_VERSION_1_2],
] as const;
