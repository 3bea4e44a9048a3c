// Bytes as people write them: `01002f00`, `01 00 2f 00`, `0x01, 0x00`, a dump of xxd or `hexdump -C`, or words of 32
// or 64 bits as gdb prints them (`0x40000000: 0x002f0001 0x00000000`; little-endian, as they lie in memory).

import { UserError } from '../../base/user-error.ts';
import { placeIn } from './text-place.ts';

interface Token {
  readonly text: string;
  /** Where it begins in the whole text. */
  readonly index: number;
}

const HEX_FITS = 'hex is two digits a byte, such as 01002f00 or 01 00 2f 00';

/** The bytes of `text`. `file`: where it came from; null for the command line. */
export function parseHex(text: string, file: string | null): Uint8Array {
  const bytes: number[] = [];
  for (const token of tokens(text, file)) addToken(bytes, token, text, file);
  if (bytes.length === 0) throw new UserError('no hex digits', placeIn(text, 0, file), HEX_FITS);
  return Uint8Array.from(bytes);
}

function addToken(bytes: number[], token: Token, text: string, file: string | null): void {
  const isPrefixed = /^0x/i.test(token.text);
  const digits = isPrefixed ? token.text.slice(2) : token.text;
  const digitsAt = token.index + (isPrefixed ? 2 : 0);
  const bad = /[^0-9a-f]/i.exec(digits);
  if (bad !== null || digits === '') {
    const found = bad === null ? token.text : bad[0];
    const where = bad === null ? '' : ` in '${shorten(token.text)}'`;
    throw new UserError(
      `'${found}'${where} is no hex digit`,
      placeIn(text, digitsAt + (bad?.index ?? 0), file),
      HEX_FITS,
    );
  }
  if (isPrefixed && digits.length === 1) {
    bytes.push(Number.parseInt(digits, 16));
    return;
  }
  if (digits.length % 2 !== 0) {
    const what = `'${shorten(token.text)}' has ${digits.length} hex digits, an odd number`;
    throw new UserError(what, placeIn(text, token.index, file), HEX_FITS);
  }
  const isWord = isPrefixed && (digits.length === 8 || digits.length === 16);
  for (let n = 0; n < digits.length; n += 2) {
    const from = isWord ? digits.length - 2 - n : n;
    bytes.push(Number.parseInt(digits.slice(from, from + 2), 16));
  }
}

/** The words of `text` that hold bytes: offsets, gutters, quotes and commas are left out. */
function tokens(text: string, file: string | null): Token[] {
  const found: Token[] = [];
  let lineAt = 0;
  for (const whole of text.split('\n')) {
    if (whole.trim() === '*') {
      const fits = 'dump again with every row (hexdump -v -C, xxd)';
      throw new UserError('rows were squeezed out of this dump', placeIn(text, lineAt, file), fits);
    }
    const offset = /^\s*(?:0x)?[0-9a-f]{4,16}(?::\s*|(?=\s\s)\s+)/i.exec(whole)?.[0] ?? '';
    let end = whole.indexOf('|');
    const gutter = offset.trimEnd().endsWith(':') ? /\S {2,}\S/.exec(whole.slice(offset.length)) : null;
    if (end < 0) end = gutter === null ? whole.length : offset.length + gutter.index + 1;
    // The last row of `hexdump -C` is an offset alone.
    const isEndOfDump = found.length > 0 && /^[0-9a-f]{7,8}\s*$/i.test(whole) && text.includes('|');
    const body = isEndOfDump ? '' : whole.slice(offset.length, end);
    for (const match of body.matchAll(/[^\s,;{}[\]()"'<>]+/g)) {
      found.push({ text: match[0], index: lineAt + offset.length + match.index });
    }
    lineAt += whole.length + 1;
  }
  return found;
}

function shorten(text: string): string {
  return text.length <= 24 ? text : `${text.slice(0, 20)}…`;
}
