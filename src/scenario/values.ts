// The values that a world file's fields hold: each has a form in words, for messages and documentation, and reads what
// YAML gave.

import { NS_PER_MS, NS_PER_S, NS_PER_US, PAGE_SIZE_BYTES } from '../base/units.ts';

export interface ValueType<T> {
  /** What fits, e.g. `a time with its unit, such as 250ms`. */
  readonly fits: string;
  /** The value, or undefined when it does not fit. */
  read(value: unknown): T | undefined;
}

const TIME_UNITS: Readonly<Record<string, number>> = {
  ns: 1,
  us: NS_PER_US,
  ms: NS_PER_MS,
  s: NS_PER_S,
  min: 60 * NS_PER_S,
};
const SIZE_UNITS: Readonly<Record<string, number>> = { KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30, TiB: 2 ** 40 };
const PHYSICAL_ADDRESS_END = 2 ** 48;
const NAME = /^[A-Za-z_][\w-]*$/;

/** A number with one of the units; whole in the least of them. */
function quantity(value: unknown, units: Readonly<Record<string, number>>): number | undefined {
  if (value === 0) return 0;
  const match = typeof value === 'string' ? /^(\d+(?:\.\d+)?)\s*([A-Za-z]+)$/.exec(value.trim()) : null;
  if (match === null || !Object.hasOwn(units, match[2])) return undefined;
  const result = Number((Number(match[1]) * units[match[2]]).toFixed(6));
  return Number.isSafeInteger(result) ? result : undefined;
}

/** Nanoseconds. */
export const TIME: ValueType<number> = {
  fits: 'a time with its unit, such as 1s, 250ms, 10us or 5ns',
  read: (value) => quantity(value, TIME_UNITS),
};

/** Pages of 4 KiB. */
export const PAGES: ValueType<number> = {
  fits: 'a number of pages of 4 KiB, or a size in whole pages, such as 64KiB, 1MiB or 2GiB',
  read: (value) => {
    const bytes = typeof value === 'number' ? value * PAGE_SIZE_BYTES : quantity(value, SIZE_UNITS);
    if (bytes === undefined || !Number.isSafeInteger(bytes) || bytes % PAGE_SIZE_BYTES !== 0) return undefined;
    return bytes >= PAGE_SIZE_BYTES && bytes <= PHYSICAL_ADDRESS_END ? bytes / PAGE_SIZE_BYTES : undefined;
  },
};

/** An address of a whole page. */
export const ADDRESS: ValueType<number> = {
  fits: 'an address at the start of a page, such as 0x40000000',
  read: (value) => {
    const fits = Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) < PHYSICAL_ADDRESS_END;
    return fits && (value as number) % PAGE_SIZE_BYTES === 0 ? (value as number) : undefined;
  },
};

/** A name: of the world's own things. */
export const NAME_VALUE: ValueType<string> = {
  fits: 'a name: letters, digits, _ and -, a letter first',
  read: (value) => (typeof value === 'string' && NAME.test(value) ? value : undefined),
};

export const TEXT: ValueType<string> = {
  fits: 'a text',
  read: (value) => (typeof value === 'string' ? value : undefined),
};

export const FLAG: ValueType<boolean> = {
  fits: 'true or false',
  read: (value) => (typeof value === 'boolean' ? value : undefined),
};

/** An FF-A version as its 32-bit word. YAML reads 1.1 as a number, '1.1' as a text: both will do. */
export const VERSION: ValueType<number> = {
  fits: "an FF-A version: '1.0', '1.1' or '1.2'",
  read: (value) => {
    if (value !== 1 && value !== '1.0' && value !== 1.1 && value !== '1.1' && value !== 1.2 && value !== '1.2') {
      return undefined;
    }
    return 0x1_0000 + Math.round((Number(value) - 1) * 10);
  },
};

/** A secure partition's id. */
export const PARTITION_ID: ValueType<number> = {
  fits: 'an id from 0x8001 to 0xfffe',
  read: (value) => integer(0x8001, 0xfffe).read(value),
};

/** Any non-negative number, or all of them. */
export const TIMES: ValueType<number> = {
  fits: "a number from 1, or 'all'",
  read: (value) => (value === 'all' ? Number.POSITIVE_INFINITY : integer(1, 1_000_000).read(value)),
};

export function integer(min: number, max: number): ValueType<number> {
  return {
    fits: `a whole number from ${min} to ${max}`,
    read: (value) => {
      const fits = Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max;
      return fits ? (value as number) : undefined;
    },
  };
}

export function oneOf<const T extends string>(...choices: readonly T[]): ValueType<T> {
  return {
    fits: choices.length === 1 ? `'${choices[0]}'` : `one of ${choices.join(', ')}`,
    read: (value) => choices.find((choice) => choice === value),
  };
}
