// FFA_MEM_PERM_GET and FFA_MEM_PERM_SET: a partition at S-EL0, which has no translation tables of its own, sets the
// permissions of its pages while it initialises, and at no other time. Of a range, GET tells the permissions of the
// first page and how many pages from there on have the same; SET changes all or nothing [Hafnium api.c].
//
// Not covered: FF-A says since when a caller may ask for several pages at once (1.3); here, as at Hafnium, every caller
// may. One who knows nothing of it leaves w2 zero, and asks for one page.

import { FFA_DENIED, FFA_INVALID_PARAMETERS } from '../abi/errors.ts';
import { isSmc64 } from '../abi/function-ids.ts';
import { MEM_PERM_RO_X, MEM_PERM_RO_XN, MEM_PERM_RW_XN } from '../abi/layout/memory-bits.ts';
import { TWO_POW_32 } from '../base/units.ts';
import type { RegisterFile } from '../hardware/registers.ts';
import {
  STAGE2_DEVICE,
  STAGE2_EXECUTE,
  STAGE2_INVALID,
  STAGE2_READ,
  STAGE2_RW,
  STAGE2_RWX,
  STAGE2_WRITE,
  type Stage2,
  type Stage2Attributes,
} from '../hardware/stage2.ts';
import { answerSuccess, type Result } from './answers.ts';
import { currentVcpu } from './current-vcpu.ts';
import type { Endpoint } from './endpoint.ts';
import { Partition, RUNTIME_INIT } from './partition.ts';
import type { Spmc } from './spmc.ts';
import type { Staging } from './staging.ts';

const PAGES_IN_4_GIB = TWO_POW_32 / 4096;
/** First page that no 64-bit address reaches. */
const PAGE_END = 2 ** 52;
/** No such page: nothing is mapped, or nobody may use it. */
const UNMAPPED = 0;

/** FFA_MEM_PERM_GET: w1 base, w2 pages less one. Answer: w2 permissions, w3 pages that have them, less one. */
export function getMemoryPermissions(
  _spmc: Spmc,
  caller: Endpoint,
  r: RegisterFile,
  _staging: Staging,
  peIndex: number,
): Result {
  const first = firstPage(r);
  const count = r.w(2) + 1;
  if (count === TWO_POW_32 || first + count > PAGE_END) return FFA_INVALID_PARAMETERS;
  if (!maySetPermissions(caller, peIndex)) return FFA_DENIED;
  if (!isAligned(r)) return FFA_INVALID_PARAMETERS;
  const attributes = attributesOf(caller.pages, first);
  if (attributes === UNMAPPED) return FFA_INVALID_PARAMETERS;
  let same = 1;
  while (same < count && attributesOf(caller.pages, first + same) === attributes) same++;
  return answerSuccess(r, permissionsOf(attributes), same - 1);
}

/** FFA_MEM_PERM_SET: w1 base, w2 pages, w3 permissions. */
export function setMemoryPermissions(
  _spmc: Spmc,
  caller: Endpoint,
  r: RegisterFile,
  _staging: Staging,
  peIndex: number,
): Result {
  const first = firstPage(r);
  const count = r.w(2);
  if (!maySetPermissions(caller, peIndex)) return FFA_DENIED;
  if (!isAligned(r) || count === 0 || first + count > PAGE_END) return FFA_INVALID_PARAMETERS;
  const access = accessOf(r.w(3));
  if (access === undefined) return FFA_INVALID_PARAMETERS;
  const pages = caller.pages;
  const attributes = attributesOf(pages, first);
  if (attributes === UNMAPPED) return FFA_INVALID_PARAMETERS;
  if ((attributes & STAGE2_DEVICE) !== 0 && (access & STAGE2_EXECUTE) !== 0) return FFA_INVALID_PARAMETERS;
  const kept = attributes & ~STAGE2_RWX;
  for (let n = 1; n < count; n++) {
    const other = attributesOf(pages, first + n);
    if (other === UNMAPPED || (other & ~STAGE2_RWX) !== kept) return FFA_INVALID_PARAMETERS;
  }
  for (let n = 0; n < count; n++) pages.map(first + n, pages.translate(first + n), 1, kept | access);
  return answerSuccess(r);
}

function maySetPermissions(caller: Endpoint, peIndex: number): boolean {
  return caller instanceof Partition && caller.sEl0 && currentVcpu(caller, peIndex)?.runtime === RUNTIME_INIT;
}

/** The page of the base address; the 32-bit form has an address of 32 bits. */
function firstPage(r: RegisterFile): number {
  const high = isSmc64(r.w(0)) ? r.high(1) : 0;
  return high * PAGES_IN_4_GIB + (r.w(1) >>> 12);
}

function isAligned(r: RegisterFile): boolean {
  return (r.w(1) & 0xfff) === 0;
}

function attributesOf(pages: Stage2, page: number): Stage2Attributes {
  if (pages.translate(page) < 0 || (pages.attributes & STAGE2_INVALID) !== 0) return UNMAPPED;
  return pages.attributes;
}

/** What is both written and executed, which no partition at S-EL0 begins with, would read as writable. */
function permissionsOf(attributes: Stage2Attributes): number {
  if ((attributes & STAGE2_WRITE) !== 0) return MEM_PERM_RW_XN;
  return (attributes & STAGE2_EXECUTE) !== 0 ? MEM_PERM_RO_X : MEM_PERM_RO_XN;
}

/** No access at all, and write with execute, cannot be asked for. */
function accessOf(permissions: number): Stage2Attributes | undefined {
  switch (permissions) {
    case MEM_PERM_RO_XN:
      return STAGE2_READ;
    case MEM_PERM_RW_XN:
      return STAGE2_RW;
    case MEM_PERM_RO_X:
      return STAGE2_READ | STAGE2_EXECUTE;
    default:
      return undefined;
  }
}
