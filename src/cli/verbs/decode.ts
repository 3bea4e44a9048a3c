// `ffabric decode`: registers, a descriptor, a manifest or an event file in words.
//
// Exit code 1 says that what was decoded breaks a rule; 2 that nothing could be decoded.

import type { Command } from 'commander';
import type { CliContext } from '../context.ts';
import { bytesDocument, decodeBytes, describeBytes, descriptorKind, ffaVersion } from '../decode/decode-bytes.ts';
import { decodeEvents, describeEvents } from '../decode/decode-events.ts';
import { decodeManifest, describeManifest } from '../decode/decode-manifest.ts';
import {
  breaksRule,
  callNamed,
  decodeRegisterSets,
  describeRegisters,
  unknownName,
} from '../decode/decode-registers.ts';
import { DESCRIPTOR_KINDS, type DescriptorKind } from '../decode/descriptor-kinds.ts';
import { type Expected, readDecodeInput } from '../decode/input.ts';
import { isClean } from '../decode/reading.ts';
import type { RegisterSet } from '../decode/register-text.ts';
import { EXIT_FAILED } from '../exit-codes.ts';

interface DecodeFlags {
  readonly as?: string;
  readonly version?: string;
  readonly all?: boolean;
  readonly json?: boolean;
}

/** What `--as` says. */
interface As {
  readonly expected: Expected;
  readonly kind: DescriptorKind | null;
  readonly call: ReturnType<typeof callNamed>;
}

const REGISTERS = 'registers';

function helpText(): string {
  const width = DESCRIPTOR_KINDS.reduce((most, kind) => Math.max(most, kind.name.length), 0);
  const names = DESCRIPTOR_KINDS.map((kind) => `  ${kind.name.padEnd(width)}  ${kind.summary}`).join('\n');
  return `
Names for --as:
  ${REGISTERS.padEnd(width)}  x0 to x17 of a call, then perhaps of its answer
  ${'FFA_...'.padEnd(width)}  registers that answer this call
${names}

Examples:
  $ ffabric decode x0=0x84000077 x1=7 x0=0x84000060 x2=0xfffffffa
  $ ffabric decode --as relinquish "0700000000000000 00000000 01000000 0180"
  $ xxd tx-page.bin | ffabric decode -

Exit code: 0 it is well-formed, 1 it breaks a rule, 2 it could not be read.`;
}

export function register(program: Command, context: CliContext): void {
  program
    .command('decode')
    .description('Says what registers, a descriptor, a manifest or an event file mean, and which field is wrong.')
    .argument('<input...>', 'a file, - for standard input, or hex or registers')
    .option('--as <name>', 'what it is; guessed without')
    .option('--version <version>', "the endpoint's FF-A version: 1.0, 1.1, 1.2 or 1.3")
    .option('--all', 'do not cut long maps and arrays; tell every event')
    .option('--json', 'one JSON document')
    .addHelpText('after', helpText())
    .action((words: string[], flags: DecodeFlags) => decode(words, flags, context));
}

function decode(words: readonly string[], flags: DecodeFlags, context: CliContext): void {
  const version = flags.version === undefined ? null : ffaVersion(flags.version);
  const as = readAs(flags.as);
  const input = readDecodeInput(words, context.host, as.expected);
  switch (input.kind) {
    case 'bytes':
      printBytes(input.bytes, as.kind, version, flags, context);
      return;
    case 'registers':
      printRegisters(input.sets, as, version, flags, context);
      return;
    case 'device-tree': {
      const decoded = decodeManifest(input.bytes);
      if (flags.json === true) context.out.json({ kind: 'manifest', ...decoded });
      else context.out.print(describeManifest(decoded));
      if (decoded.faults.length > 0) context.exitCode = EXIT_FAILED;
      return;
    }
    case 'events': {
      const decoded = decodeEvents(input.text, input.file);
      if (flags.json === true) context.out.json({ kind: 'events', ...decoded.header, events: decoded.events.kept });
      else context.out.print(describeEvents(decoded, flags.all === true ? 'all' : 'calls'));
      return;
    }
  }
}

function readAs(name: string | undefined): As {
  if (name === undefined) return { expected: null, kind: null, call: null };
  if (name === REGISTERS) return { expected: 'registers', kind: null, call: null };
  const kind = descriptorKind(name);
  if (kind !== null) return { expected: 'bytes', kind, call: null };
  const call = callNamed(name);
  if (call !== null) return { expected: 'registers', kind: null, call };
  throw unknownName(
    name,
    DESCRIPTOR_KINDS.map((one) => one.name),
  );
}

function printBytes(
  bytes: Uint8Array,
  kind: DescriptorKind | null,
  version: number | null,
  flags: DecodeFlags,
  context: CliContext,
): void {
  const decoded = decodeBytes(bytes, kind, version);
  if (flags.json === true) context.out.json(bytesDocument(bytes, decoded));
  else context.out.print(describeBytes(bytes, decoded, flags.all === true));
  if (!isClean(decoded.reading)) context.exitCode = EXIT_FAILED;
}

function printRegisters(
  sets: readonly RegisterSet[],
  as: As,
  version: number | null,
  flags: DecodeFlags,
  context: CliContext,
): void {
  const list = decodeRegisterSets(sets, as.call, version);
  if (flags.json === true) context.out.json({ kind: 'registers', sets: list });
  else context.out.print(describeRegisters(list, version));
  if (breaksRule(list)) context.exitCode = EXIT_FAILED;
}
