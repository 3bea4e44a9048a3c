// What `decode` was given, as registers, bytes, a manifest or an event file. Takes hex as people have it at hand:
// run together, as bytes, as a C array, as a dump of xxd or hexdump, as words that gdb prints; registers as kernels,
// gdb and vectors write them.

import { readFileSync, statSync } from 'node:fs';
import { extname, resolve } from 'node:path';
import { type Place, UserError } from '../../base/user-error.ts';
import { compileDeviceTree } from '../device-tree-compiler.ts';
import type { Host } from '../host.ts';
import { isDeviceTree } from './decode-manifest.ts';
import { parseHex } from './hex-text.ts';
import { parseRegisters, type RegisterSet } from './register-text.ts';

export type DecodeInput =
  | { readonly kind: 'registers'; readonly sets: readonly RegisterSet[] }
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  | { readonly kind: 'device-tree'; readonly bytes: Uint8Array }
  | { readonly kind: 'events'; readonly file: string; readonly text: string };

/** What the caller of a decoder expects, when `--as` says it. */
export type Expected = 'registers' | 'bytes' | null;

const BYTES_MAX = 64 * 1024 * 1024;
const STANDARD_INPUT = 'standard input';

/** Reads the arguments of `decode`: one file, `-`, or hex or registers in any number of words. */
export function readDecodeInput(words: readonly string[], host: Host, expected: Expected): DecodeInput {
  if (words.length === 1 && words[0] === '-') return classify(host.readInput(), STANDARD_INPUT, expected);
  if (words.length === 1) {
    const path = resolve(host.directory, words[0]);
    const size = fileSize(path);
    if (size !== null) {
      if (size > BYTES_MAX)
        throw new UserError(`${size} bytes is too much`, at(words[0]), `at most ${BYTES_MAX} bytes`);
      if (extname(words[0]) === '.dts') {
        return { kind: 'device-tree', bytes: compileDeviceTree(path, words[0], host.env) };
      }
      return classify(readFileSync(path), words[0], expected);
    }
    if (looksLikePath(words[0])) {
      throw new UserError('no such file', at(words[0]), 'decode takes a file, hex, or registers such as x0=0x84000073');
    }
  }
  return classifyText(words.join(' '), null, expected);
}

function classify(content: Uint8Array, file: string, expected: Expected): DecodeInput {
  if (content.length === 0)
    throw new UserError('nothing in it', at(file), 'decode takes hex, registers, bytes or events');
  if (isDeviceTree(content)) return { kind: 'device-tree', bytes: content };
  if (!isText(content)) return { kind: 'bytes', bytes: content };
  return classifyText(new TextDecoder().decode(content), file, expected);
}

function classifyText(text: string, file: string | null, expected: Expected): DecodeInput {
  if (/^\s*\{/.test(text)) return { kind: 'events', file: file ?? 'argument', text };
  if (expected !== 'bytes') {
    const sets = parseRegisters(text, file, expected === 'registers');
    if (sets !== null) return { kind: 'registers', sets };
  }
  return { kind: 'bytes', bytes: parseHex(text, file) };
}

/** Text is ASCII, line breaks and tabs; anything else is a binary file. */
function isText(content: Uint8Array): boolean {
  return content.every((byte) => (byte >= 0x20 && byte < 0x7f) || byte === 0x0a || byte === 0x0d || byte === 0x09);
}

function looksLikePath(word: string): boolean {
  return /[/\\]|\.[a-z]+$/i.test(word);
}

/** Size of a readable file; null if there is none of that name. */
function fileSize(path: string): number | null {
  try {
    const found = statSync(path);
    return found.isFile() ? found.size : null;
  } catch {
    return null;
  }
}

function at(file: string): Place {
  return { file, line: 0, column: 0 };
}
