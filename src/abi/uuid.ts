// UUIDs as four 32-bit words in the order and endianness in which registers carry them: byte 0 of the UUID is the low
// byte of word 0. Memory holds the words little-endian, that is, the UUID's bytes in order. A manifest 1.0 holds the
// same words.

/** Four unsigned 32-bit words. */
export type Uuid = readonly [w0: number, w1: number, w2: number, w3: number];

export const NIL_UUID: Uuid = [0, 0, 0, 0];

/** Whether all 128 bits are zero. */
export function isNilUuid(uuid: Uuid): boolean {
  return (uuid[0] | uuid[1] | uuid[2] | uuid[3]) === 0;
}

/** Whether both are the same 128 bits. */
export function sameUuid(a: Uuid, b: Uuid): boolean {
  return a[0] === b[0] && a[1] === b[1] && a[2] === b[2] && a[3] === b[3];
}

/** Canonical text: `b4b5671e-4a90-4fe1-b81f-fb13dae1dacb` for words 0x1e67b5b4 0xe14f904a 0x13fb1fb8 0xcbdae1da. */
export function formatUuid(uuid: Uuid): string {
  const hex = uuid.map(formatWord).join('');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

/** Words of a canonical text (either case), or undefined for any other shape. */
export function parseUuid(text: string): Uuid | undefined {
  if (!/^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i.test(text)) return undefined;
  const hex = text.replaceAll('-', '');
  return [parseWord(hex, 0), parseWord(hex, 8), parseWord(hex, 16), parseWord(hex, 24)];
}

function formatWord(word: number): string {
  return swapBytes(word).toString(16).padStart(8, '0');
}

function parseWord(hex: string, at: number): number {
  return swapBytes(Number.parseInt(hex.slice(at, at + 8), 16));
}

function swapBytes(word: number): number {
  return (((word & 0xff) << 24) | ((word & 0xff00) << 8) | ((word >>> 8) & 0xff00) | (word >>> 24)) >>> 0;
}
