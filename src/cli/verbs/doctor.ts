// `ffabric doctor`: what of that which some verbs need is here, and how to get what is not.

import { spawnSync } from 'node:child_process';
import type { Command } from 'commander';
import { line } from '../../export/styled-text.ts';
import type { CliContext } from '../context.ts';
import { EXIT_FAILED } from '../exit-codes.ts';

interface Need {
  readonly tool: string;
  /** What it is for. */
  readonly purpose: string;
  readonly install: string;
}

const NEEDS: readonly Need[] = [
  { tool: 'dtc', purpose: 'decode reads .dts manifests', install: 'apt-get install device-tree-compiler' },
  { tool: 'qemu-system-aarch64', purpose: 'boot runs machine code', install: 'apt-get install qemu-system-arm' },
  {
    tool: 'aarch64-linux-gnu-gcc',
    purpose: 'scripts/build-guests.sh builds our guests',
    install: 'apt-get install gcc-aarch64-linux-gnu',
  },
];

export interface Found {
  readonly tool: string;
  readonly purpose: string;
  /** First line of what `--version` prints; null: not there. */
  readonly version: string | null;
  readonly install: string;
}

export function register(program: Command, context: CliContext): void {
  program
    .command('doctor')
    .description('Says which programs that some verbs need are here, and how to install what is missing.')
    .option('--json', 'one JSON document instead')
    .addHelpText('after', '\nExample:\n  $ ffabric doctor\n\nExit code: 0 all are here, 1 something is missing.')
    .action((flags: { readonly json?: boolean }) => doctor(context, flags.json === true));
}

function doctor(context: CliContext, asJson: boolean): void {
  const found = NEEDS.map(
    ({ tool, purpose, install }): Found => ({ tool, purpose, version: versionOf(tool), install }),
  );
  if (found.some(({ version }) => version === null)) context.exitCode = EXIT_FAILED;
  if (asJson) {
    context.out.json({ node: process.version, tools: found });
    return;
  }
  context.out.print([line(`✓ Node ${process.version}`, 'good')]);
  for (const { install, purpose, tool, version } of found) {
    if (version === null) context.out.print([line(`✗ ${tool} is missing (${purpose}): ${install}`, 'wrong')]);
    else context.out.print([line(`✓ ${tool}: ${version}`, 'good')]);
  }
}

function versionOf(tool: string): string | null {
  const asked = spawnSync(tool, ['--version'], { encoding: 'utf8' });
  return asked.status === 0 ? (asked.stdout.split('\n')[0] ?? '').trim() : null;
}
