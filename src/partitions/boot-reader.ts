// What a partition finds in memory when it starts: the SPMC's boot information, in the form of 1.0 or of 1.1 and later,
// and the contents that it names. [Hafnium boot_info.c], [OP-TEE spmc_sp_handler.c]
//
// Contents that are values, or offsets in the blob, are passed over: nobody here gives them.

import { decodeBootInformation, decodeBootInformation10 } from '../abi/boot-information.ts';
import { decodeDeviceTree } from '../abi/device-tree.ts';
import { propertyOf, readText } from '../abi/device-tree-values.ts';
import * as layout from '../abi/layout/boot-information.ts';
import { numberOf } from '../abi/words.ts';
import { type Ipa, PAGE_SIZE_BYTES } from '../base/units.ts';
import type { PartitionMemory } from '../hardware/partition-entry.ts';

export interface BootContent {
  readonly kind: 'manifest' | 'hob-list' | 'other';
  readonly bytes: Uint8Array;
}

export interface BootFindings {
  readonly form: '1.0' | '1.1';
  readonly contents: readonly BootContent[];
}

/** Longer contents are not read. */
const CONTENT_BYTES_MAX = 0x10_0000;

/** Reads what lies at the address in the boot register; null when that is no boot information. */
export function readBootInformation(memory: PartitionMemory, address: Ipa): BootFindings | null {
  const page = read(memory, address, PAGE_SIZE_BYTES);
  if (address === 0 || page === null) return null;
  const view = new DataView(page.buffer);
  const found = decodeBootInformation(view);
  if (found.ok) {
    const contents: BootContent[] = [];
    for (const { content, contentSizeBytes, flags, type } of found.value.descriptors) {
      if ((flags & layout.BOOT_FLAG_CONTENT_MASK) !== layout.BOOT_FLAG_CONTENT_ADDRESS) continue;
      const bytes = read(memory, numberOf(content), contentSizeBytes);
      if (bytes !== null) contents.push({ kind: kindOf(type), bytes });
    }
    return { form: '1.1', contents };
  }
  const old = decodeBootInformation10(view);
  if (!old.ok) return null;
  const contents: BootContent[] = [];
  for (const { size, value } of old.value) {
    const bytes = read(memory, numberOf(value), numberOf(size));
    if (bytes !== null) contents.push({ kind: 'manifest', bytes });
  }
  return { form: '1.0', contents };
}

/** A text property of a manifest's root node, or undefined. */
export function manifestText(manifest: Uint8Array, property: string): string | undefined {
  const tree = decodeDeviceTree(manifest);
  const found = tree.ok ? propertyOf(tree.value.root, property) : undefined;
  return found === undefined ? undefined : readText(found.value);
}

function kindOf(type: number): BootContent['kind'] {
  switch (type) {
    case layout.BOOT_TYPE_FDT:
      return 'manifest';
    case layout.BOOT_TYPE_HOB:
      return 'hob-list';
    default:
      return 'other';
  }
}

function read(memory: PartitionMemory, address: Ipa, length: number): Uint8Array | null {
  if (length > CONTENT_BYTES_MAX) return null;
  const bytes = new Uint8Array(length);
  return memory.read(address, bytes, 0, length) ? bytes : null;
}
