// Whether the memory of a world's parts fits together: nothing lies on top of anything else, nobody has more than there
// is.

import { PAGE_SIZE_BYTES } from '../base/units.ts';
import type { Path } from './step-reader.ts';
import type { WorldFile } from './world-schema.ts';

interface Range {
  readonly name: string;
  readonly first: number;
  readonly end: number;
}

/** Calls `fail` for the first mistake. */
export function checkMemory(file: WorldFile, fail: (path: Path, what: string, hint: string) => never): void {
  const { base, pages } = file.memory;
  const taken: Range[] = [{ name: 'the memory of the normal world', first: base, end: base + pages * PAGE_SIZE_BYTES }];
  for (const [index, partition] of file.partitions.entries()) {
    if (partition.base === undefined) continue;
    const end = partition.base + partition.pages * PAGE_SIZE_BYTES;
    const other = taken.find(
      (range) => partition.base !== undefined && partition.base < range.end && end > range.first,
    );
    if (other !== undefined) {
      const found = `${rangeText(partition.base, end)} overlaps ${other.name} (${rangeText(other.first, other.end)})`;
      fail(['partitions', index, 'base'], found, `leave 'base' out, or begin at ${hex(other.end)}`);
    }
    if (partition.base < base) {
      const found = `${hex(partition.base)} lies below the memory of the normal world`;
      fail(['partitions', index, 'base'], found, `at ${hex(taken[0].end)} or above`);
    }
    taken.push({ name: `'${partition.name}'`, first: partition.base, end });
  }
  for (const [index, guest] of file.guests.entries()) {
    if (guest.pages > pages) {
      fail(['guests', index, 'pages'], `${guest.pages} pages`, `the whole memory has ${pages}: see memory.pages`);
    }
  }
}

function rangeText(first: number, end: number): string {
  return `${hex(first)} to ${hex(end - 1)}`;
}

function hex(value: number): string {
  return `0x${value.toString(16)}`;
}
