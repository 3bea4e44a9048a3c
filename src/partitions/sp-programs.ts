// The SP programs by name, with their parameters as a table: one source for the schema of world files, for messages
// and for documentation; and how one is made from them.

import { UserError } from '../base/user-error.ts';
import type { PartitionEntry } from '../hardware/partition-entry.ts';
import { AVAILABILITY_ENTRY_FORM, type AvailabilityEntry, parseAvailabilityEntry } from './availability.ts';
import type { ProgramEnvironment } from './partition-program-module.ts';
import { CrashProgram } from './programs/crash.ts';
import { DeviceProgram } from './programs/device.ts';
import { DmaProgram } from './programs/dma.ts';
import { EchoProgram } from './programs/echo.ts';
import { HolderProgram, type OnDestroyed } from './programs/holder.ts';
import { MailboxProgram } from './programs/mailbox.ts';
import { SharerProgram } from './programs/sharer.ts';
import { StarterProgram } from './programs/starter.ts';
import { StubbornProgram } from './programs/stubborn.ts';
import { SP_POINTS, type SpPoint, type SpProgramOptions } from './sp-program.ts';

/**
 * - `duration`: nanoseconds; the parameter's name ends in `Ns`, a world file drops the suffix and writes a unit;
 * - `integer`; `boolean`; `text`; `choice`: one of `choices`;
 * - `answers`: how a VM availability message is answered, a list of texts such as `RETRY x3` (availability.ts).
 */
export type ProgramParameterType = 'duration' | 'integer' | 'boolean' | 'choice' | 'answers' | 'text';

export interface ProgramParameter {
  readonly name: string;
  readonly type: ProgramParameterType;
  readonly unit?: 'ns' | 'bytes' | 'pages';
  readonly choices?: readonly string[];
  /** Absent: the parameter must be given. Text, for documentation. */
  readonly default?: string;
  readonly doc: string;
}

export interface SpProgramRow {
  readonly name: string;
  readonly summary: string;
  readonly parameters: readonly ProgramParameter[];
}

const COMMON: readonly ProgramParameter[] = [
  {
    name: 'created',
    type: 'answers',
    default: 'honest',
    doc: 'how it answers VM_CREATED, for each VM, before the honest answers begin',
  },
  {
    name: 'destroyed',
    type: 'answers',
    default: 'honest',
    doc: 'how it answers VM_DESTROYED, for each VM, before the honest answers begin',
  },
  {
    name: 'messageWorkNs',
    type: 'duration',
    unit: 'ns',
    default: '0',
    doc: 'computes so long over each message before it does anything about it; it can be preempted meanwhile',
  },
];

const HOLDING: readonly ProgramParameter[] = [
  ...COMMON,
  {
    name: 'holdNs',
    type: 'duration',
    unit: 'ns',
    default: 'for ever',
    doc: 'gives each region back at its first entry so long after it was retrieved',
  },
  {
    name: 'onDestroyed',
    type: 'choice',
    choices: ['relinquish', 'retry', 'accept'],
    default: 'relinquish',
    doc: 'about VM_DESTROYED while it holds memory of that VM: give it back, answer RETRY, or accept and keep it',
  },
  {
    name: 'touch',
    type: 'choice',
    choices: ['none', 'read', 'write'],
    default: 'none',
    doc: 'touches the first word of every page when it is retrieved',
  },
  {
    name: 'shortAccess',
    type: 'boolean',
    default: 'false',
    doc: 'state access descriptors of 16 bytes when it retrieves, whatever its version',
  },
];

/** Every program, in the order of the documentation. */
export const SP_PROGRAMS: readonly SpProgramRow[] = [
  { name: 'echo', summary: 'answers each direct message with its own payload', parameters: COMMON },
  {
    name: 'holder',
    summary: 'retrieves what it is told to, keeps it, and gives it back after a time, when asked, or on VM_DESTROYED',
    parameters: HOLDING,
  },
  {
    name: 'dma',
    summary: 'a holder whose device works on the memory: it cannot give it back before the device has finished',
    parameters: [
      ...HOLDING,
      { name: 'durationNs', type: 'duration', unit: 'ns', doc: 'how long a transfer takes' },
      {
        name: 'start',
        type: 'choice',
        choices: ['retrieve', 'request'],
        default: 'retrieve',
        doc: 'when a transfer starts: as soon as memory is retrieved, or when a message asks for it',
      },
    ],
  },
  {
    name: 'stubborn',
    summary: 'a holder that never gives anything back',
    parameters: [
      ...COMMON,
      {
        name: 'onDestroyed',
        type: 'choice',
        choices: ['accept', 'retry'],
        default: 'accept',
        doc: 'what it answers to VM_DESTROYED with the memory still in its hands',
      },
    ],
  },
  {
    name: 'crash',
    summary: 'a holder that crashes at a named point',
    parameters: [
      ...HOLDING,
      { name: 'at', type: 'choice', choices: SP_POINTS, doc: 'where it crashes' },
      { name: 'nth', type: 'integer', default: '1', doc: 'which time it crashes there, from 1' },
    ],
  },
  {
    name: 'slow',
    summary: 'a holder that computes over each message for a time, and can be preempted meanwhile',
    parameters: [
      ...HOLDING.filter((parameter) => parameter.name !== 'messageWorkNs'),
      { name: 'messageWorkNs', type: 'duration', unit: 'ns', doc: 'how long' },
    ],
  },
  {
    name: 'mailbox',
    summary: 'takes notifications and indirect messages when it is run, and binds and sets notifications when told to',
    parameters: [
      ...COMMON,
      { name: 'answer', type: 'boolean', default: 'false', doc: 'send each indirect message back to its sender' },
    ],
  },
  {
    name: 'sharer',
    summary: 'a holder that also sends pages of its own to another endpoint when told to',
    parameters: [
      ...HOLDING,
      { name: 'sharedPages', type: 'integer', unit: 'pages', default: '16', doc: 'pages, the last of its image' },
      { name: 'tell', type: 'boolean', default: 'true', doc: 'tell a borrower that is an SP to retrieve at once' },
    ],
  },
  {
    name: 'device',
    summary: 'a holder that drives a device: takes its secure interrupts, and leaves its work when it is asked to',
    parameters: [
      ...HOLDING,
      { name: 'handlingNs', type: 'duration', unit: 'ns', default: '0', doc: 'how long it works on each interrupt' },
    ],
  },
  {
    name: 'starter',
    summary: 'a holder that says its name on the console before its first message, and may protect a page',
    parameters: [
      ...HOLDING,
      { name: 'greeting', type: 'text', default: 'up', doc: 'what it says' },
      {
        name: 'protect',
        type: 'boolean',
        default: 'false',
        doc: 'make its second page read-only; `do: touch` with no region then tries to write there',
      },
    ],
  },
];

const DEFAULT_SHARED_PAGES = 16;
const PAGE_BYTES = 4096;

/** Makes a program; a mistake in its parameters is a UserError that names the parameter. */
export function createSpProgram(name: string, environment: ProgramEnvironment): PartitionEntry {
  const row = SP_PROGRAMS.find((program) => program.name === name);
  if (row === undefined) {
    throw new UserError(
      `program ${name} does not exist`,
      null,
      `expected ${SP_PROGRAMS.map((one) => one.name).join(', ')}`,
    );
  }
  const read = new ParameterReader(row, environment.parameters);
  const options = commonOptions(environment, read);
  switch (name) {
    case 'echo':
      return new EchoProgram(options);
    case 'holder':
    case 'slow':
      return new HolderProgram({ ...options, ...holdingOptions(read) });
    case 'dma': {
      const durationNs = read.number('durationNs', 0);
      const start = read.choice('start', 'retrieve') === 'request' ? 'request' : 'retrieve';
      return new DmaProgram({ ...options, ...holdingOptions(read), engine: environment.dma, durationNs, start });
    }
    case 'stubborn': {
      const onDestroyed = read.choice('onDestroyed', 'accept') === 'retry' ? 'retry' : 'accept';
      return new StubbornProgram({ ...options, onDestroyed });
    }
    case 'mailbox':
      return new MailboxProgram({ ...options, answer: read.flag('answer', false) });
    case 'crash': {
      const at = read.choice('at', 'message') as SpPoint;
      return new CrashProgram({ ...options, ...holdingOptions(read), at, nth: read.number('nth', 1) });
    }
    case 'device':
      return new DeviceProgram({ ...options, ...holdingOptions(read), handlingNs: read.number('handlingNs', 0) });
    case 'starter': {
      const greeting = read.text('greeting', 'up');
      const protect = read.flag('protect', false);
      const pageAddress = environment.memory.address + PAGE_BYTES;
      return new StarterProgram({ ...options, ...holdingOptions(read), greeting, protect, pageAddress });
    }
    default: {
      const sharedPages = read.number('sharedPages', DEFAULT_SHARED_PAGES);
      const { address, pageCount } = environment.memory;
      const sharedAddress = address + (pageCount - sharedPages) * PAGE_BYTES;
      const tell = read.flag('tell', true);
      return new SharerProgram({ ...options, ...holdingOptions(read), sharedAddress, sharedPages, tell });
    }
  }
}

function commonOptions(environment: ProgramEnvironment, read: ParameterReader): SpProgramOptions {
  return {
    version: environment.version,
    vcpuCount: environment.vcpuCount,
    txAddress: environment.txAddress,
    rxAddress: environment.rxAddress,
    mapBuffers: !environment.buffersMapped,
    created: read.answers('created'),
    destroyed: read.answers('destroyed'),
    messageWorkNs: read.number('messageWorkNs', 0),
  };
}

function holdingOptions(read: ParameterReader) {
  return {
    holdNs: read.number('holdNs', Number.POSITIVE_INFINITY),
    onDestroyed: read.choice('onDestroyed', 'relinquish') as OnDestroyed,
    touch: read.choice('touch', 'none') as 'none' | 'read' | 'write',
    shortAccess: read.flag('shortAccess', false),
  };
}

/** Reads parameters after it has checked all of them against their row. */
class ParameterReader {
  private readonly parameters: Readonly<Record<string, unknown>>;

  constructor(row: SpProgramRow, parameters: Readonly<Record<string, unknown>>) {
    this.parameters = parameters;
    for (const [name, value] of Object.entries(parameters)) {
      const known = row.parameters.find((parameter) => parameter.name === name);
      if (known === undefined) {
        const names = row.parameters.map((parameter) => parameter.name).join(', ');
        throw new UserError(`program ${row.name} has no parameter ${name}`, null, `it has ${names}`);
      }
      if (value !== undefined) check(row.name, known, value);
    }
    for (const { default: fallback, doc, name } of row.parameters) {
      if (fallback === undefined && parameters[name] === undefined) {
        throw new UserError(`program ${row.name} needs the parameter ${name}`, null, doc);
      }
    }
  }

  number(name: string, fallback: number): number {
    return (this.parameters[name] as number | undefined) ?? fallback;
  }

  flag(name: string, fallback: boolean): boolean {
    return (this.parameters[name] as boolean | undefined) ?? fallback;
  }

  text(name: string, fallback: string): string {
    return (this.parameters[name] as string | undefined) ?? fallback;
  }

  choice(name: string, fallback: string): string {
    return (this.parameters[name] as string | undefined) ?? fallback;
  }

  answers(name: string): AvailabilityEntry[] {
    const texts = (this.parameters[name] as readonly string[] | undefined) ?? [];
    return texts.flatMap((text) => parseAvailabilityEntry(text) ?? []);
  }
}

function check(program: string, parameter: ProgramParameter, value: unknown): void {
  const fits = misfit(parameter, value);
  if (fits === null) return;
  const found = typeof value === 'object' ? JSON.stringify(value) : String(value);
  throw new UserError(`program ${program}, parameter ${parameter.name}: found ${found}`, null, `expected ${fits}`);
}

/** What would fit, when the value does not; null when it does. */
function misfit(parameter: ProgramParameter, value: unknown): string | null {
  switch (parameter.type) {
    case 'duration':
      return Number.isSafeInteger(value) && (value as number) >= 0 ? null : 'nanoseconds, 0 or more';
    case 'integer':
      return Number.isSafeInteger(value) && (value as number) >= 1 ? null : 'a whole number, 1 or more';
    case 'boolean':
      return typeof value === 'boolean' ? null : 'true or false';
    case 'text':
      return typeof value === 'string' && value !== '' ? null : 'a text';
    case 'choice': {
      const choices = parameter.choices ?? [];
      return choices.some((choice) => choice === value) ? null : `one of ${choices.join(', ')}`;
    }
    case 'answers': {
      const good =
        Array.isArray(value) &&
        value.every((text) => typeof text === 'string' && parseAvailabilityEntry(text) !== undefined);
      return good ? null : `a list; each entry: ${AVAILABILITY_ENTRY_FORM}`;
    }
  }
}
