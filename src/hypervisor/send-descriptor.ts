// The SPMC's descriptor of a send: the same transaction in physical addresses, with tag, flags, attributes, permissions
// and the implementation defined value as the guest wrote them.

import {
  COMPOSITE_SIZE_BYTES,
  CONSTITUENT_SIZE_BYTES,
  EMAD_1_0_SIZE_BYTES,
  EMAD_1_2_SIZE_BYTES,
  EMAD_COMPOSITE_OFFSET,
  MTD_1_1_SIZE_BYTES,
  MTD_TAG_OFFSET,
} from '../abi/layout/memory-transaction.ts';
import { FFA_VERSION_1_2 } from '../abi/versions.ts';

import type { Share } from './ffa-context.ts';
import type { Hypervisor } from './hypervisor.ts';

import { spmcTxWords } from './spmc-buffers.ts';
import { type ConstituentCursor, writeConstituents } from './spmc-constituents.ts';
import type { Staging } from './staging.ts';

function spmcAccessSize(hypervisor: Hypervisor, staging: Staging): number {
  const asked = staging.header.accessSizeBytes;
  return asked === EMAD_1_2_SIZE_BYTES && hypervisor.secure.version >= FFA_VERSION_1_2 ? asked : EMAD_1_0_SIZE_BYTES;
}

/** Length of the SPMC's descriptor: with a constituent for each run, or for each page of the whole transaction. */
export function spmcLength(hypervisor: Hypervisor, made: Share, staging: Staging, pageByPage: boolean): number {
  const constituents = pageByPage ? staging.pageCount : made.runCount;
  const access = spmcAccessSize(hypervisor, staging) * staging.header.receiverCount;
  return MTD_1_1_SIZE_BYTES + access + COMPOSITE_SIZE_BYTES + constituents * CONSTITUENT_SIZE_BYTES;
}

/** Writes the header, the access entries, the composite and what fits of the constituents. Returns the length. */
export function writeFirst(
  hypervisor: Hypervisor,
  made: Share,
  staging: Staging,
  sender: number,
  constituentCount: number,
  cursor: ConstituentCursor,
  pageByPage: boolean,
): number {
  const words = spmcTxWords(hypervisor.secure);
  const from = staging.words;
  const header = staging.header;
  const accessSize = spmcAccessSize(hypervisor, staging);
  const composite = MTD_1_1_SIZE_BYTES + accessSize * header.receiverCount;
  words[0] = sender | (header.attributes << 16);
  words[1] = header.flags;
  words[2] = 0;
  words[3] = 0;
  words[4] = from[MTD_TAG_OFFSET / 4];
  words[5] = from[MTD_TAG_OFFSET / 4 + 1];
  words[6] = accessSize;
  words[7] = header.receiverCount;
  words[8] = MTD_1_1_SIZE_BYTES;
  words[9] = 0;
  words[10] = 0;
  words[11] = 0;
  let at = MTD_1_1_SIZE_BYTES / 4;
  for (let n = 0; n < header.receiverCount; n++) {
    const entry = (header.accessOffset + n * header.accessSizeBytes) >> 2;
    words[at] = from[entry];
    words[at + EMAD_COMPOSITE_OFFSET / 4] = composite;
    for (let word = EMAD_COMPOSITE_OFFSET / 4 + 1; word < accessSize / 4; word++) words[at + word] = from[entry + word];
    at += accessSize / 4;
  }
  words[at] = staging.pageCount;
  words[at + 1] = constituentCount;
  words[at + 2] = 0;
  words[at + 3] = 0;
  return writeConstituents(words, made, cursor, composite + COMPOSITE_SIZE_BYTES, pageByPage);
}
