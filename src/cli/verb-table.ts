// Every verb there is: its name, what it does, and where its file is. A file is loaded when its verb is asked for, so
// that no verb pays for another. A verb's file exports `register`, which adds one command of that name to the program.

import type { Command } from 'commander';
import type { CliContext } from './context.ts';

export interface VerbModule {
  register(program: Command, context: CliContext): void;
}

export interface Verb {
  readonly name: string;
  /** One line, for the list of verbs. */
  readonly summary: string;
  load(): Promise<VerbModule>;
}

export const VERBS: readonly Verb[] = [
  {
    name: 'demo',
    summary: 'tells the story that ffabric is about: a guest dies while its memory is in use',
    load: () => import('./verbs/demo.ts'),
  },
  {
    name: 'run',
    summary: 'runs a world in virtual time and says whether everything held',
    load: () => import('./verbs/run.ts'),
  },
  {
    name: 'explore',
    summary: 'tries what scheduler, secure world and time could do in a world; shows the shortest failure found',
    load: () => import('./verbs/explore.ts'),
  },
  {
    name: 'replay',
    summary: 'executes one schedule of a world again and tells what happens',
    load: () => import('./verbs/replay.ts'),
  },
  {
    name: 'boot',
    summary: 'runs a machine whose endpoints are AArch64 code, under QEMU',
    load: () => import('./verbs/boot.ts'),
  },
  {
    name: 'bugs',
    summary: 'bugs that were fixed upstream, put back: lists, shows or hunts them',
    load: () => import('./verbs/bugs.ts'),
  },
  {
    name: 'doctor',
    summary: 'says which programs that some verbs need are here, and how to install what is missing',
    load: () => import('./verbs/doctor.ts'),
  },
  {
    name: 'decode',
    summary: 'registers, descriptors, manifests or an event file in words; says which field is wrong',
    load: () => import('./verbs/decode.ts'),
  },
  {
    name: 'conform',
    summary: 'replays recorded vectors on the mediator and compares every answer',
    load: () => import('./verbs/conform.ts'),
  },
  {
    name: 'bench',
    summary: 'measures the mediator on this machine',
    load: () => import('./verbs/bench.ts'),
  },
];
