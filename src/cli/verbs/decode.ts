// `ffabric decode`: registers, a descriptor, a manifest or an event file in words.
//
// Exit code 1 says that what was decoded breaks a rule; 2 that nothing could be decoded.

import { Argument, type Command } from 'commander';
import { UserError } from '../../base/user-error.ts';
import type { CliContext } from '../context.ts';
import { bytesDocument, decodeBytes, describeBytes, descriptorKind, ffaVersion } from '../decode/decode-bytes.ts';
import { describeRegisters, registerMeanings } from '../decode/decode-registers.ts';
import { DESCRIPTOR_KINDS } from '../decode/descriptor-kinds.ts';
import { readDecodeInput } from '../decode/input.ts';
import { isClean } from '../decode/reading.ts';
import { EXIT_FAILED } from '../exit-codes.ts';

interface DecodeFlags {
  readonly as?: string;
  readonly version?: string;
  readonly all?: boolean;
  readonly json?: boolean;
}

function helpText(): string {
  const width = DESCRIPTOR_KINDS.reduce((most, kind) => Math.max(most, kind.name.length), 0);
  const names = DESCRIPTOR_KINDS.map((kind) => `  ${kind.name.padEnd(width)}  ${kind.summary}`).join('\n');
  return `
Names for --as:
  ${'registers'.padEnd(width)}  x0 to x17 of a call or an answer
${names}

Examples:
  $ ffabric decode x0=0x84000060 x2=0xfffffffa
  $ ffabric decode --as relinquish "0100000000000000 00000000 01000000 0180"
  $ xxd tx-page.bin | ffabric decode -

Exit code: 0 it is well-formed, 1 it breaks a rule, 2 it could not be read.`;
}

export function register(program: Command, context: CliContext): void {
  program
    .command('decode')
    .description('Says what registers, a descriptor, a manifest or an event file mean, and which field is wrong.')
    .addArgument(new Argument('<input...>', 'a file, - for standard input, or hex or registers'))
    .option('--as <name>', 'what it is; guessed without')
    .option('--version <version>', "the endpoint's FF-A version: 1.0, 1.1, 1.2 or 1.3")
    .option('--all', 'do not cut long maps and arrays')
    .option('--json', 'one JSON document')
    .addHelpText('after', helpText())
    .action((words: string[], flags: DecodeFlags) => decode(words, flags, context));
}

function decode(words: readonly string[], flags: DecodeFlags, context: CliContext): void {
  const version = flags.version === undefined ? null : ffaVersion(flags.version);
  const kind = flags.as === undefined || flags.as === 'registers' ? null : descriptorKind(flags.as);
  const expected = flags.as === 'registers' ? 'registers' : kind === null ? null : 'bytes';
  const input = readDecodeInput(words, context.host, expected);
  switch (input.kind) {
    case 'bytes': {
      const decoded = decodeBytes(input.bytes, kind, version);
      if (flags.json === true) context.out.json(bytesDocument(input.bytes, decoded));
      else context.out.print(describeBytes(input.bytes, decoded, flags.all === true));
      if (!isClean(decoded.reading)) context.exitCode = EXIT_FAILED;
      return;
    }
    case 'registers':
      if (flags.json === true) context.out.json(input.sets.map(registerMeanings));
      else context.out.print(describeRegisters(input.sets));
      return;
    default:
      throw new UserError('decode does not read this yet');
  }
}
