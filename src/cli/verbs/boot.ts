// `ffabric boot`: runs a machine: a world some of whose endpoints are AArch64 code, under QEMU.
//
// Virtual time follows the machine: it passes as machine code computes. Ctrl-C, an error and a normal end leave neither
// process nor file behind.

import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { NS_PER_MS } from '../../base/units.ts';
import { UserError } from '../../base/user-error.ts';
import { writeEventFile } from '../../export/event-file.ts';
import { perfettoTrace } from '../../export/perfetto.ts';
import { line } from '../../export/styled-text.ts';
import { wherePagesWent } from '../../export/where-pages-went.ts';
import { imageOf } from '../../qemu/image-file.ts';
import { IMAGE_HOST_DEFAULTS, type ImageFinding, ImageHost } from '../../qemu/image-host.ts';
import { ImageProgram } from '../../qemu/image-program.ts';
import { QemuProcess } from '../../qemu/qemu-process.ts';
import { ramSizeOf } from '../../qemu/ram-size.ts';
import type { ProgramMaker, WorldDescription } from '../../world/description.ts';
import { World } from '../../world/world.ts';
import type { CliContext } from '../context.ts';
import { EXIT_FAILED } from '../exit-codes.ts';
import { saveText } from '../save-text.ts';
import { loadWorldFrom } from '../world/load-world.ts';
import { reportDocument, verdictLines } from '../world/verdict.ts';
import { worldNames } from '../world/world-names.ts';

interface BootFlags {
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly events?: string;
  readonly trace?: string;
  readonly slice?: string;
  readonly gdb?: string;
}

const SLICE_MS_MAX = 1000;
/** Steps of the world between two looks at Ctrl-C; a step may be a slice of machine code. */
const STEPS_PER_BREATH = 20;

const HELP = `
Everything runs at non-secure EL1 under a small EL2 shim, secure partitions too: there is no TrustZone and no NS bit in
it. What is real is the code of the endpoints, their calls, their memory and their death.

Examples:
  $ sh scripts/build-guests.sh
  $ ffabric boot machines/killed-while-it-works.yaml

Needs qemu-system-aarch64 (Debian: apt-get install qemu-system-arm).
Exit code: 0 everything held, 1 a property, an expectation or an endpoint failed, 2 bad input or no QEMU.`;

export function register(program: Command, context: CliContext): void {
  program
    .command('boot')
    .description('Runs a machine whose endpoints are AArch64 code, under QEMU.')
    .argument('<machine>', 'a world file in which a program is the path of an image (.elf, .bin)')
    .option('-q, --quiet', 'no console lines, only what it came to')
    .option('--json', 'one JSON document instead')
    .option('--events <file>', 'also write every event, as JSON lines')
    .option('--trace <file>', 'also write a trace for Perfetto or chrome://tracing')
    .option('--slice <ms>', 'how long machine code runs at once', String(IMAGE_HOST_DEFAULTS.sliceMs))
    .option('--gdb <port>', "QEMU's gdb stub listens there, on this machine only")
    .addHelpText('after', HELP)
    .action((file: string, flags: BootFlags) => boot(context, file, flags));
}

async function boot(context: CliContext, file: string, flags: BootFlags): Promise<void> {
  const sliceMs = numberOf(flags.slice ?? '', '--slice', 1, SLICE_MS_MAX);
  const gdbPort = flags.gdb === undefined ? null : numberOf(flags.gdb, '--gdb', 1, 0xffff);
  let host: ImageHost | null = null;
  const { description, programs } = await loadWorldFrom(file, context.host.directory, (path, shown) => {
    const bytes = readFileSync(path);
    return (environment) => {
      const { address, pageCount } = environment.memory;
      const image = imageOf(bytes, shown, address, pageCount);
      if (host === null) throw new Error('images are made once the machine runs');
      return new ImageProgram(host, environment, image);
    };
  });
  const sizeBytes = ramSizeOf(description);
  const qemu = new QemuProcess(sizeBytes, gdbPort);
  try {
    const show = flags.quiet !== true && flags.json !== true;
    host = new ImageHost(qemu, {
      ...IMAGE_HOST_DEFAULTS,
      sliceMs,
      console: (endpoint, text) => {
        if (show)
          context.out.print([
            [
              { text: `${endpoint.padEnd(10)}| `, style: 'dim' },
              { text, style: 'plain' },
            ],
          ]);
      },
    });
    await runMachine(context, file, flags, description, programs, host);
  } finally {
    qemu.stop();
  }
}

async function runMachine(
  context: CliContext,
  file: string,
  flags: BootFlags,
  description: WorldDescription,
  programs: ReadonlyMap<string, ProgramMaker>,
  host: ImageHost,
): Promise<void> {
  const begunMs = performance.now();
  const world = new World(description, { programs, contents: host.contents });
  host.attach((endpoint) => world.spaceOf(endpoint));
  context.onInterrupt(() => {
    host.qemu.stop();
    const { nowNs } = world.machine.time;
    context.talk.print([line(`interrupted at ${Math.round(nowNs / NS_PER_MS)} ms of the machine's time`, 'warning')]);
  });
  world.begin();
  while (!world.over()) {
    for (let n = 0; n < STEPS_PER_BREATH && !world.over(); n++) world.advance();
    await context.breathe();
  }
  const report = world.finish();
  const seconds = (performance.now() - begunMs) / 1000;
  const names = worldNames(world);
  const { events } = world.machine;
  if (flags.events !== undefined)
    saveText(context, flags.events, writeEventFile(events, { world: description.name, names }));
  if (flags.trace !== undefined) saveText(context, flags.trace, perfettoTrace(events, names));
  if (report.verdict === 'violated' || host.findings.length > 0) context.exitCode = EXIT_FAILED;
  if (flags.json === true) {
    context.out.json({
      ...(reportDocument(report, seconds) as object),
      exits: host.cpu.exits,
      findings: host.findings,
    });
    return;
  }
  for (const finding of host.findings) context.out.print(findingLines(finding));
  const again = `ffabric boot ${file}`;
  context.out.print([...wherePagesWent(events, names), ...verdictLines(report, seconds, again)]);
  context.out.print([line(`${host.cpu.exits} exits of machine code in ${seconds.toFixed(1)} s`, 'dim')]);
}

function findingLines({ endpoint, registers, what }: ImageFinding): ReturnType<typeof line>[] {
  return [line(`${endpoint} ${what}`, 'wrong'), ...registers.map((text) => line(`  ${text}`, 'dim'))];
}

function numberOf(text: string, flag: string, min: number, max: number): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= min && value <= max) return value;
  throw new UserError(`${flag} is '${text}'`, null, `a whole number from ${min} to ${max}`);
}
