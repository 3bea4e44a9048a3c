// The numbers of a script: registers and words that may exceed 2^53, may be negative, may be named, or may come from
// what the script learnt. A number, or text:
//
//   `0xc400006600000001`, `12`, `-1`   hexadecimal or decimal, up to 64 bits
//   `FFA_MEM_SHARE_32`                 a function id
//   `DENIED`                           an FF-A error code, as 32 bits
//   `@crypto`                          an endpoint's id
//   `$buf`, `$buf.low`, `$buf.high`    the handle of a region
//   `$buf.address`                     where its first page is
//   `$answer.w2`, `$answer.x2`         a register that a step saved
//
// Parsed once, when a script is made; evaluated into two words.

import { errorName, FFA_ERROR_CODES } from '../abi/errors.ts';
import { functionIdOf } from '../abi/function-ids.ts';
import { TWO_POW_32 } from '../base/units.ts';
import { REGISTER_COUNT } from '../hardware/registers.ts';

export type WordExpression = number | string;

/** A parsed expression: either two words, or something to look up. */
export type ParsedWord =
  | { readonly kind: 'literal'; readonly low: number; readonly high: number }
  | { readonly kind: 'endpoint'; readonly name: string }
  | { readonly kind: 'region'; readonly name: string; readonly part: 'handle' | 'low' | 'high' | 'address' }
  | { readonly kind: 'register'; readonly name: string; readonly register: number; readonly wide: boolean };

/** What an expression may be, for messages. */
export const WORD_EXPRESSION_FORM =
  'a number, 0x..., FFA_..., an FF-A error, @endpoint, $region, $region.low, $region.high, $region.address, ' +
  '$saved.w2 or $saved.x2';

/** Parses an expression; undefined when it has another form or does not fit 64 bits. */
export function parseWord(expression: WordExpression): ParsedWord | undefined {
  if (typeof expression === 'number') return literalOf(expression);
  const text = expression.trim();
  if (/^0x[0-9a-f]{1,16}$/i.test(text)) return literalOfHex(text.slice(2));
  if (/^-?\d{1,15}$/.test(text)) return literalOf(Number(text));
  if (/^@[\w-]+$/.test(text)) return { kind: 'endpoint', name: text.slice(1) };
  if (text.startsWith('$')) return parseReference(text.slice(1));
  const functionId = functionIdOf(text);
  if (functionId !== undefined) return { kind: 'literal', low: functionId, high: 0 };
  const code = FFA_ERROR_CODES.find((known) => errorName(known) === text);
  return code === undefined ? undefined : { kind: 'literal', low: code >>> 0, high: 0 };
}

function literalOf(value: number): ParsedWord | undefined {
  if (!Number.isSafeInteger(value)) return undefined;
  const high = Math.floor(value / TWO_POW_32);
  return { kind: 'literal', low: value >>> 0, high: high >>> 0 };
}

function literalOfHex(digits: string): ParsedWord {
  const padded = digits.padStart(16, '0');
  const high = Number.parseInt(padded.slice(0, 8), 16);
  return { kind: 'literal', low: Number.parseInt(padded.slice(8), 16), high };
}

function parseReference(text: string): ParsedWord | undefined {
  const match = /^([\w#:-]+)(?:\.(low|high|address|[wx]\d{1,2}))?$/.exec(text);
  if (match === null) return undefined;
  const [, name, part] = match;
  if (part === undefined) return { kind: 'region', name, part: 'handle' };
  if (part === 'low' || part === 'high' || part === 'address') return { kind: 'region', name, part };
  const register = Number(part.slice(1));
  if (register >= REGISTER_COUNT) return undefined;
  return { kind: 'register', name, register, wide: part.startsWith('x') };
}
