// How much RAM a machine needs.

import { PAGE_SIZE_BYTES } from '../base/units.ts';
import { UserError } from '../base/user-error.ts';
import type { WorldDescription } from '../world/description.ts';
import { RAM_BASE, SYSTEM_ADDRESS } from './layout.ts';

/**
 * Bytes from QEMU's base to the end of what the description gives away, in whole MiB. Memory that begins where the shim
 * is is a UserError.
 */
export function ramSizeOf(description: WorldDescription): number {
  if (description.memoryBase < SYSTEM_ADDRESS) {
    const from = `0x${SYSTEM_ADDRESS.toString(16)}`;
    const found = `memory.base is 0x${description.memoryBase.toString(16)}`;
    throw new UserError(found, null, `a machine's memory begins at ${from} or above: what lies below is the shim's`);
  }
  let end = description.memoryBase + description.memoryPages * PAGE_SIZE_BYTES;
  for (const { baseAddress, pages } of description.partitions) {
    end = Math.max(
      end,
      baseAddress === undefined ? end + pages * PAGE_SIZE_BYTES : baseAddress + pages * PAGE_SIZE_BYTES,
    );
  }
  const mebibyte = 2 ** 20;
  return Math.ceil((end - RAM_BASE) / mebibyte) * mebibyte;
}
