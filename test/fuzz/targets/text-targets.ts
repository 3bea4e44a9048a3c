// Targets for readers of text: vector lines, event files, world files, what `decode` is given. Whatever the text,
// nothing but a UserError may come out, which names what was found.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../../../src/base/user-error.ts';
import { parseHex } from '../../../src/cli/decode/hex-text.ts';
import { parseRegisters } from '../../../src/cli/decode/register-text.ts';
import { VectorReader } from '../../../src/conform/vector-reader.ts';
import { readEventFile } from '../../../src/export/event-file.ts';
import { loadWorld } from '../../../src/scenario/load-world.ts';
import { Finding, type Target } from '../target.ts';

/** The fuzzers run in the project's root. */
const WORLDS = join(process.cwd(), 'worlds');
const WORLD_SEEDS_MAX = 12;

function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function target(
  name: string,
  bytesMax: number,
  seeds: readonly string[],
  words: readonly string[],
  read: (text: string) => void,
): Target {
  return {
    name,
    bytesMax,
    recordBytes: 0,
    headerBytes: 0,
    seeds: seeds.map(bytes),
    dictionary: words.map(bytes),
    run: (input) => {
      const text = new TextDecoder().decode(input);
      try {
        read(text);
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        // A message may quote what was found: only what the input does not say is ours.
        const slip = /undefined|NaN|\[object/.exec(error.message)?.[0];
        if (slip !== undefined && !text.includes(slip)) throw new Finding(`a message says "${error.message}"`);
      }
    },
  };
}

const JSON_WORDS = ['{', '}', '[', ']', ',', ':', 'null', 'true', '""', '0', '-1', '1e99', '[[', '{}', '\n', '\\u0000'];
const VECTOR_SEEDS = [
  '{"format":"ffabric-vectors/1","profile":"ffabric","category":"x"}\n{"setup":"s","steps":[[["a"],{"x":1}]]}\n' +
    '{"name":"one","setup":"s","steps":[[["call",{"w0":"0x84000063"}],["ok"]]]}',
];
const EVENT_SEEDS = [
  '{"format":"ffabric-events/1","world":"w","names":{"vms":[{"id":1,"name":"g1"}],"sps":[]}}\n' +
    '{"ns":0,"pe":0,"event":"guest-call","vm":1,"x":["0x84000063","0x10002"]}\n' +
    '{"ns":5,"pe":1,"event":"frame-free","frame":"0x40000","count":2,"owner":1}\n',
];
const DECODE_SEEDS = ['x0=0x84000073 x1=96', '84000073 00000060', '00000000: 0100 2f00 0000', '{0x01, 0x02}'];

function worldTexts(): string[] {
  if (!existsSync(WORLDS)) return [];
  const files = readdirSync(WORLDS).filter((file) => file.endsWith('.yaml'));
  return files.slice(0, WORLD_SEEDS_MAX).map((file) => readFileSync(join(WORLDS, file), 'utf8'));
}

export const TEXT_TARGETS: readonly Target[] = [
  target(
    'vector-lines',
    2048,
    VECTOR_SEEDS,
    [...JSON_WORDS, '"name"', '"setup"', '"steps"', '"format"', '"profile"'],
    (text) => {
      const reader = new VectorReader('fuzz.jsonl');
      for (const [n, line] of text.split('\n').entries()) reader.line(line, n + 1);
      reader.header;
    },
  ),
  target('event-file', 4096, EVENT_SEEDS, [...JSON_WORDS, '"vm"', '"x"', '"ns"', '"event"', '"smc"'], (text) => {
    readEventFile(text, 'fuzz.jsonl');
  }),
  target(
    'world-file',
    8192,
    worldTexts(),
    [
      '- ',
      ': ',
      '\n',
      '  ',
      '{',
      '}',
      '[',
      ']',
      '&a ',
      '*a',
      '!!str ',
      '|',
      '>',
      '<<: *a',
      '? ',
      '---\n',
      'null',
      '1e9',
    ],
    (text) => {
      loadWorld(text, 'fuzz.yaml');
    },
  ),
  target('decode-text', 512, DECODE_SEEDS, ['x0=', 'w17=', '0x', ':', '|', '*', '\n', ',', '{', '}'], (text) => {
    if (parseRegisters(text, null, false) === null) parseHex(text, null);
    parseRegisters(text, 'fuzz.txt', true);
  }),
];
