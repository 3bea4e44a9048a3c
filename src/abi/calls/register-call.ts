// Decodes and encodes calls and answers in registers by the call table.
//
// Registers are 36 words: x[n] = words[2n] (low), words[2n + 1] (high).

import { formatEndpointId } from '../endpoint-ids.ts';
import { errorName, FFA_OK } from '../errors.ts';
import type { Decoded, DecodeOptions, Fault, FieldSpan } from '../fault.ts';
import { featureName } from '../features.ts';
import { FFA_ERROR, FFA_SUCCESS_32, FFA_SUCCESS_64, functionName, isFfaFunctionId } from '../function-ids.ts';
import { formatUuid, type Uuid } from '../uuid.ts';
import { FFA_VERSION_1_2, formatVersion } from '../versions.ts';
import { formatWords, type Words64 } from '../words.ts';
import type { Argument, Call } from './call.ts';
import { callOf } from './call-table.ts';

/** A number up to 53 bits, 64 bits as words, or a UUID. */
export type ArgumentValue = number | Words64 | Uuid;
export type ArgumentValues = Readonly<Record<string, ArgumentValue>>;

export interface RegisterOptions extends DecodeOptions {
  /** Decides which arguments there are; 1.2 if absent. */
  readonly version?: number;
}

export interface CallReading {
  readonly call: Call;
  readonly values: ArgumentValues;
}

export interface AnswerReading {
  /** The row of the function id in w0; the request's own where the answer is in w0 (FFA_VERSION). */
  readonly call: Call;
  /** 0, or the code that FFA_ERROR carries. */
  readonly error: number;
  readonly values: ArgumentValues;
}

const REGISTER_BYTES = 8;
const LAST_COMMON_REGISTER = 7;
const WORD_COUNT = 36;
const RESERVED_RULE = 'reserved, must be zero';

/** Decodes what a caller put into registers. */
export function decodeCall(words: Uint32Array, options: RegisterOptions = {}): Decoded<CallReading> {
  const call = callOf(words[0]);
  if (call === undefined) return unknownFunction(words[0]);
  const read = readRegisters(words, call.arguments, call.isSmc64, false, options);
  const fields = options.fields === true ? [functionSpan(words[0]), ...read.fields] : read.fields;
  if (read.fault !== null) return { ok: false, fault: read.fault, fields };
  return { ok: true, value: { call, values: read.values }, fields };
}

/** Decodes what answers `request`. */
export function decodeAnswer(words: Uint32Array, request: Call, options: RegisterOptions = {}): Decoded<AnswerReading> {
  const answersInW0 = request.results.length > 0 && request.results[0].register === 0;
  const answer = answersInW0 ? request : callOf(words[0]);
  if (answer === undefined) return unknownFunction(words[0]);
  const isSuccess = answersInW0 || answer.fid === FFA_SUCCESS_32 || answer.fid === FFA_SUCCESS_64;
  const list = isSuccess ? request.results : answer.arguments;
  const read = readRegisters(words, list, answer.isSmc64, true, options);
  const head = answersInW0 || options.fields !== true ? [] : [functionSpan(words[0])];
  const fields = [...head, ...read.fields];
  if (read.fault !== null) return { ok: false, fault: read.fault, fields };
  const error = answer.fid === FFA_ERROR ? words[4] | 0 : FFA_OK;
  return { ok: true, value: { call: answer, error, values: read.values }, fields };
}

/** Writes a call: function id, arguments, zero elsewhere. An argument that is not given is zero. */
export function encodeCall(call: Call, values: ArgumentValues, words: Uint32Array): void {
  words.fill(0);
  words[0] = call.fid;
  writeRegisters(words, call.arguments, values);
}

/** Writes FFA_SUCCESS (in the form `success`) with the results of `request`. */
export function encodeSuccess(request: Call, success: number, values: ArgumentValues, words: Uint32Array): void {
  words.fill(0);
  words[0] = success;
  writeRegisters(words, request.results, values);
}

/** Which bits of the 36 words these arguments carry. */
export function carriedBits(list: readonly Argument[], version: number): Uint32Array {
  const carried = new Uint32Array(WORD_COUNT);
  for (const argument of list) {
    if (argument.since > version) continue;
    const at = 2 * argument.register;
    if (argument.form === 'pair') carried[at] = carried[at + 2] = 0xffffffff;
    else if (argument.form === 'uuid32') for (let n = 0; n < 4; n++) carried[at + 2 * n] = 0xffffffff;
    else if (argument.form === 'uuid64') for (let n = 0; n < 4; n++) carried[at + n] = 0xffffffff;
    else {
      carried[at] |= maskOf(argument.high, argument.low, 0);
      carried[at + 1] |= maskOf(argument.high, argument.low, 32);
    }
  }
  return carried;
}

/**
 * The first of x1..x7 that has a bit set which nothing carries, or -1. `isWhole`: upper halves count (a 64-bit call,
 * and any answer); otherwise they are ignored, as in a 32-bit call [SMCCC].
 */
export function reservedRegister(words: Uint32Array, carried: Uint32Array, isWhole: boolean): number {
  for (let n = 1; n <= LAST_COMMON_REGISTER; n++) {
    if ((words[2 * n] & ~carried[2 * n]) !== 0) return n;
    if (isWhole && (words[2 * n + 1] & ~carried[2 * n + 1]) !== 0) return n;
  }
  return -1;
}

interface RegisterReading {
  readonly values: Record<string, ArgumentValue>;
  readonly fields: readonly FieldSpan[];
  readonly fault: Fault | null;
}

function readRegisters(
  words: Uint32Array,
  list: readonly Argument[],
  isSmc64: boolean,
  isAnswer: boolean,
  options: RegisterOptions,
): RegisterReading {
  const version = options.version ?? FFA_VERSION_1_2;
  const fields: FieldSpan[] = [];
  const values: Record<string, ArgumentValue> = {};
  for (const argument of list) {
    if (argument.since > version) continue;
    const value = readArgument(words, argument);
    values[argument.name] = value;
    if (options.fields === true) fields.push(argumentSpan(argument, value));
  }
  const carried = carriedBits(list, version);
  const reserved = reservedRegister(words, carried, isSmc64 || isAnswer);
  if (reserved < 0) return { values, fields, fault: null };
  const found = formatWords({ low: words[2 * reserved], high: words[2 * reserved + 1] });
  const name = `${isSmc64 ? 'x' : 'w'}${reserved}`;
  const offset = REGISTER_BYTES * reserved;
  if (options.fields === true) markReserved(fields, name, offset, found);
  if (options.strict !== true) return { values, fields, fault: null };
  return { values, fields, fault: { kind: 'reserved-not-zero', path: name, offset, found, rule: RESERVED_RULE } };
}

function readArgument(words: Uint32Array, argument: Argument): ArgumentValue {
  const at = 2 * argument.register;
  switch (argument.form) {
    case 'pair':
      return { low: words[at], high: words[at + 2] };
    case 'uuid32':
      return [words[at], words[at + 2], words[at + 4], words[at + 6]];
    case 'uuid64':
      return [words[at], words[at + 1], words[at + 2], words[at + 3]];
    default:
      return readBits(words[at], words[at + 1], argument.high, argument.low);
  }
}

/** Bits [high:low] of a register: a number if they are 32 or fewer, else words. */
function readBits(lowWord: number, highWord: number, high: number, low: number): number | Words64 {
  const shiftedLow = low >= 32 ? highWord >>> (low - 32) : shiftRight(lowWord, highWord, low);
  const width = high - low + 1;
  if (width <= 32) return (shiftedLow & widthMask(width)) >>> 0;
  return { low: shiftedLow >>> 0, high: ((low === 0 ? highWord : highWord >>> low) & widthMask(width - 32)) >>> 0 };
}

function shiftRight(lowWord: number, highWord: number, count: number): number {
  return count === 0 ? lowWord : ((lowWord >>> count) | (highWord << (32 - count))) >>> 0;
}

function writeRegisters(words: Uint32Array, list: readonly Argument[], values: ArgumentValues): void {
  for (const argument of list) {
    const value = values[argument.name];
    if (value !== undefined) writeArgument(words, argument, value);
  }
}

function writeArgument(words: Uint32Array, argument: Argument, value: ArgumentValue): void {
  const at = 2 * argument.register;
  if (isUuid(value)) {
    const step = argument.form === 'uuid32' ? 2 : 1;
    for (let n = 0; n < 4; n++) words[at + step * n] = value[n];
    return;
  }
  const low = typeof value === 'number' ? value >>> 0 : value.low;
  const high = typeof value === 'number' ? 0 : value.high;
  if (argument.form === 'pair') {
    words[at] = low;
    words[at + 2] = high;
    return;
  }
  const shift = argument.low;
  const lowMask = maskOf(argument.high, shift, 0);
  const highMask = maskOf(argument.high, shift, 32);
  words[at] |= (shift < 32 ? low << shift : 0) & lowMask;
  words[at + 1] |= shiftIntoHigh(low, high, shift) & highMask;
}

function shiftIntoHigh(low: number, high: number, shift: number): number {
  if (shift >= 32) return low << (shift - 32);
  return shift === 0 ? high : (high << shift) | (low >>> (32 - shift));
}

function isUuid(value: ArgumentValue): value is Uuid {
  return Array.isArray(value);
}

/** Mask of bits [high:low] inside the 32-bit word that begins at bit `base`. */
function maskOf(high: number, low: number, base: number): number {
  const first = Math.max(low, base) - base;
  const last = Math.min(high, base + 31) - base;
  return last < first || last < 0 ? 0 : (widthMask(last - first + 1) << first) >>> 0;
}

function widthMask(width: number): number {
  return width >= 32 ? 0xffffffff : (1 << width) - 1;
}

function unknownFunction(fid: number): Decoded<never> {
  const found = `0x${(fid >>> 0).toString(16).padStart(8, '0')}`;
  const fault: Fault = { kind: 'function', path: 'w0', offset: 0, found, rule: 'must be a function id of FF-A' };
  return { ok: false, fault, fields: [] };
}

function functionSpan(fid: number): FieldSpan {
  return { path: 'w0 function', offset: 0, length: 4, text: functionName(fid) };
}

function argumentSpan(argument: Argument, value: ArgumentValue): FieldSpan {
  const { form, high, low, name, register } = argument;
  const text = formatArgument(argument, value);
  const offset = REGISTER_BYTES * register;
  if (form === 'pair') return { path: `w${register}:w${register + 1} ${name}`, offset, length: 12, text };
  if (form === 'uuid32') return { path: `w${register}-w${register + 3} ${name}`, offset, length: 28, text };
  if (form === 'uuid64') return { path: `x${register}:x${register + 1} ${name}`, offset, length: 16, text };
  const first = low >>> 3;
  const length = (high >>> 3) - first + 1;
  const letter = high > 31 ? 'x' : 'w';
  const isAll = low === 0 && (high === 31 || high === 63);
  const place = isAll ? `${letter}${register}` : `${letter}${register}[${high === low ? low : `${high}:${low}`}]`;
  return { path: `${place} ${name}`, offset: offset + first, length, text };
}

/** The value as its form reads. */
export function formatArgument(argument: Argument, value: ArgumentValue): string {
  if (isUuid(value)) return formatUuid(value);
  if (typeof value !== 'number') return formatWords(value);
  switch (argument.form) {
    case 'decimal':
      return String(value);
    case 'endpoint':
      return formatEndpointId(value);
    case 'error':
      return `${errorName(value)} (${value | 0})`;
    case 'version':
      return value >>> 31 === 1 ? `${errorName(value)} (${value | 0})` : formatVersion(value);
    case 'function':
      return isFfaFunctionId(value) ? functionName(value) : featureName(value);
    default:
      return `0x${value.toString(16)}`;
  }
}

function markReserved(fields: FieldSpan[], name: string, offset: number, found: string): void {
  const at = fields.findIndex((field) => field.offset >= offset && field.offset < offset + REGISTER_BYTES);
  if (at >= 0) fields[at] = { ...fields[at], rule: `other bits of the register are ${RESERVED_RULE}` };
  else fields.push({ path: name, offset, length: REGISTER_BYTES, text: found, rule: RESERVED_RULE });
}
