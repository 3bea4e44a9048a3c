// A world from TypeScript, for use inside a test runner: only what differs from the defaults is said, and programs are
// functions, not names of files.
//
//     const world = createWorld({
//       partitions: [{ name: 'crypto', program: 'holder' }],
//       guests: [{ name: 'g1', task: function* (ffa) { must(yield* ffa.probe()); ... } }],
//       timeline: [{ atNs: 1e9, do: 'destroy', guest: 'g1' }],
//     });
//     const report = world.run();
//
// The defaults are those of world files (docs/world-files.md). Nothing of what a file's reader checks is checked here,
// but for what cannot work at all: a name that is used twice, or a name that nobody has.

import { FFA_VERSION_1_1, FFA_VERSION_1_2 } from '../abi/versions.ts';
import { NS_PER_MS, NS_PER_S } from '../base/units.ts';
import { UserError } from '../base/user-error.ts';
import type { DriverCpu } from '../partitions/driver-cpu.ts';
import { guestDriver } from '../partitions/guest-driver.ts';
import type { GuestStep } from '../partitions/guest-step.ts';
import type { Task } from '../partitions/task.ts';
import type {
  GuestDescription,
  PartitionDescription,
  ProgramMaker,
  TimelineEntry,
  WorldDescription,
} from './description.ts';
import { World } from './world.ts';
import type { WorldParts } from './world-parts.ts';

/** A partition; `id` is 0x8001 for the first, 0x8002 for the second, ... unless it is given. */
export interface PartitionInput extends Partial<Omit<PartitionDescription, 'name' | 'program'>> {
  readonly name: string;
  /** A program's name, or what makes one: `service(...)`. */
  readonly program: string | ProgramMaker;
}

/** A guest. What it does is one of `task` or `tasks`, `script` or `vcpus`, `program`; or nothing. */
export interface GuestInput extends Partial<Omit<GuestDescription, 'name' | 'program'>> {
  readonly name: string;
  /** What its only vCPU does, over a driver. */
  readonly task?: (ffa: DriverCpu) => Task;
  /** The same for each vCPU. */
  readonly tasks?: readonly ((ffa: DriverCpu) => Task)[];
  /** Steps of its only vCPU. */
  readonly script?: readonly GuestStep[];
  readonly program?: string | ProgramMaker;
}

export interface WorldInput extends Partial<Omit<WorldDescription, 'partitions' | 'guests'>> {
  readonly partitions?: readonly PartitionInput[];
  readonly guests: readonly GuestInput[];
}

const FIRST_PARTITION_ID = 0x8001;
const MEMORY_BASE = 0x4000_0000;

const PARTITION_DEFAULTS: Omit<PartitionDescription, 'name' | 'id' | 'program'> = {
  parameters: {},
  ffaVersion: FFA_VERSION_1_1,
  vcpuCount: 1,
  pages: 64,
  created: true,
  destroyed: true,
  nsInterrupts: 'signal',
  bootOrder: 0,
  notifications: false,
};

const GUEST_DEFAULTS: Omit<GuestDescription, 'name'> = {
  count: 1,
  pages: 256,
  ramBase: MEMORY_BASE,
  bits: 64,
  ffaVersion: FFA_VERSION_1_1,
  vcpus: [[]],
  parameters: {},
  createAtNs: 0,
};

const WORLD_DEFAULTS: Omit<WorldDescription, 'partitions' | 'guests'> = {
  name: 'world',
  story: '',
  profile: 'ffabric',
  limits: {},
  personality: 'hafnium',
  handleShape: null,
  spmcLimits: {},
  spmcVersion: FFA_VERSION_1_2,
  memoryBase: MEMORY_BASE,
  memoryPages: 65_536,
  timeline: [],
  faults: [],
  expectations: [],
  propertiesOff: [],
  untilNs: 60 * NS_PER_S,
  hostPeCount: 2,
  timeSliceNs: 10 * NS_PER_MS,
  interleave: false,
};

/** The whole description, and the programs that it brings, by the names that it gives them. */
export interface DescribedWorld {
  readonly description: WorldDescription;
  readonly programs: ReadonlyMap<string, ProgramMaker>;
}

/** Fills in what is not said. A UserError names what cannot work. */
export function describeWorld(input: WorldInput): DescribedWorld {
  const programs = new Map<string, ProgramMaker>();
  const bring = (owner: string, program: string | ProgramMaker): string => {
    if (typeof program === 'string') return program;
    programs.set(`program of ${owner}`, program);
    return `program of ${owner}`;
  };
  const partitions = (input.partitions ?? []).map(({ program, ...rest }, index) => ({
    ...PARTITION_DEFAULTS,
    id: FIRST_PARTITION_ID + index,
    ...rest,
    program: bring(rest.name, program),
  }));
  const guests = input.guests.map((guest) => describeGuest(guest, bring));
  const names = [...partitions, ...guests].map(({ name }) => name);
  const twice = names.find((name, n) => names.indexOf(name) !== n);
  if (twice !== undefined) throw new UserError(`there are two of the name '${twice}'`);
  const { timeline = [] } = input;
  for (const entry of timeline) checkEntry(entry, guests);
  return { description: { ...WORLD_DEFAULTS, ...input, partitions, guests }, programs };
}

/** A world that is ready to run. */
export function createWorld(input: WorldInput, parts: WorldParts = {}): World {
  const { description, programs } = describeWorld(input);
  return new World(description, { ...parts, programs: new Map([...programs, ...(parts.programs ?? [])]) });
}

function describeGuest(
  input: GuestInput,
  bring: (owner: string, program: string | ProgramMaker) => string,
): GuestDescription {
  const { program, script, task, tasks, ...rest } = input;
  const ways = [program, script, task, tasks, rest.vcpus].filter((way) => way !== undefined);
  if (ways.length > 1) {
    const hint = 'one of task, tasks, script, vcpus and program';
    if (program === undefined || rest.vcpus === undefined || ways.length > 2) {
      throw new UserError(`guest ${input.name} is told twice what to do`, null, hint);
    }
  }
  const guest = { ...GUEST_DEFAULTS, ...rest };
  if (script !== undefined) return { ...guest, vcpus: [script] };
  const mains = tasks ?? (task === undefined ? undefined : [task]);
  if (mains !== undefined) {
    const driver = guestDriver(mains, { bits: guest.bits });
    return { ...guest, vcpus: mains.map(() => []), program: bring(input.name, driver) };
  }
  return program === undefined ? guest : { ...guest, program: bring(input.name, program) };
}

function checkEntry(entry: TimelineEntry, guests: readonly GuestDescription[]): void {
  const wanted = 'guest' in entry ? entry.guest : undefined;
  if (wanted === undefined || guests.some(({ count, name }) => namesOf(name, count).includes(wanted))) return;
  const known = guests.map(({ name }) => name).join(', ');
  throw new UserError(`timeline: there is no guest '${wanted}'`, null, known);
}

function namesOf(name: string, count: number): string[] {
  return count === 1 ? [name] : [name, ...Array.from({ length: count }, (_, n) => `${name}-${n}`)];
}
