// The schema of a world file: every field with what it holds, its default and its documentation. Names that a file
// makes up itself (endpoints of scripts) are part of it, so a schema is made for each file.

import * as z from 'zod';
import { TWO_POW_32 } from '../base/units.ts';
import { FAULT_CALLS, isFaultAnswer } from '../world/faulty-conduit.ts';
import { PERSONALITIES } from '../world/vocabulary.ts';
import type { Names, Problems } from './step-reader.ts';
import { readSteps } from './step-reader.ts';
import {
  ADDRESS,
  FLAG,
  integer,
  NAME_VALUE,
  oneOf,
  PAGES,
  PARTITION_ID,
  TEXT,
  TIME,
  TIMES,
  type ValueType,
  VERSION,
} from './values.ts';

/** What a field says of itself, for documentation. */
export interface FieldMeta {
  readonly doc: string;
  /** What fits; absent where the field's own fields say it. */
  readonly fits?: string;
  /** What holds when it is absent; undefined: it must be there. */
  readonly fallback?: string;
}

/** Parameters of a zod issue that is a whole message of its own. */
export interface WholeMessage {
  readonly what: string;
  readonly hint: string;
}

function leaf<T>(type: ValueType<T>) {
  return z.unknown().transform((value, context): T => {
    const read = type.read(value);
    if (read !== undefined) return read;
    context.addIssue({ code: 'custom', message: type.fits });
    return z.NEVER;
  });
}

function required<T>(type: ValueType<T>, doc: string) {
  return leaf(type).meta({ doc, fits: type.fits });
}

function optional<T, const F>(type: ValueType<T>, fallback: F, doc: string, text = String(fallback)) {
  return leaf(type)
    .optional()
    .transform((value) => (value === undefined ? fallback : value))
    .meta({ doc, fits: type.fits, fallback: text });
}

function problemsOf(context: z.RefinementCtx): Problems {
  return {
    misfit: (path, fits) => context.addIssue({ code: 'custom', message: fits, path: [...path] }),
    unknown: (path, what, hint) =>
      context.addIssue({
        code: 'custom',
        message: what,
        path: [...path],
        params: { what, hint } satisfies WholeMessage,
      }),
  };
}

const FAULT_ANSWER: ValueType<string> = {
  fits:
    "an FF-A error such as DENIED, 'status RETRY' (in a framework response), SUCCESS, INTERRUPT, UNKNOWN or " +
    'GARBAGE',
  read: (value) => (typeof value === 'string' && isFaultAnswer(value) ? value : undefined),
};

const PROPERTY: ValueType<string> = {
  fits: 'a property of the oracle, such as P7 or P1b',
  read: (value) => (typeof value === 'string' && /^P\d{1,2}b?$/.test(value) ? value : undefined),
};

const UUID: ValueType<readonly [number, number, number, number]> = {
  fits: 'a UUID, such as 01234567-89ab-cdef-0123-456789abcdef',
  read: (value) => {
    const digits = typeof value === 'string' ? value.replaceAll('-', '') : '';
    if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(String(value))) return undefined;
    // Bytes in the order of the text, four a word, the first lowest.
    const word = (n: number) =>
      Number.parseInt((digits.slice(8 * n, 8 * n + 8).match(/../g) ?? []).reverse().join(''), 16);
    return [word(0), word(1), word(2), word(3)];
  },
};

function limits() {
  return z.strictObject({
    sharesPerGuest: optional(integer(1, 0xffff), undefined, 'live shares of one guest', "the profile's"),
    sharesPerHost: optional(integer(1, 0x100_0000), undefined, 'live shares of all guests together', "the profile's"),
    sharesReserved: optional(
      integer(0, 0x100_0000),
      undefined,
      'how many of these are kept for guests that have fewer than `sharesAssured`',
      "the profile's",
    ),
    sharesAssured: optional(integer(0, 0xffff), undefined, 'see `sharesReserved`', "the profile's"),
    sharesPerBorrower: optional(
      integer(1, 0x100_0000),
      undefined,
      'how many shares one partition, or one VM, may borrow at once',
      "the profile's",
    ),
    pagesPerShare: optional(integer(1, 0x10_0000), undefined, 'pages in one share', "the profile's"),
    vmIdMax: optional(integer(1, 0x7ff0), undefined, 'the highest VM id', "the profile's"),
    partitionCountMax: optional(integer(1, 0xffff), undefined, 'partitions that are kept', "the profile's"),
    availabilityAttempts: optional(integer(1, 1000), undefined, 'immediate tries at a message', "the profile's"),
    retry: optional(TIME, undefined, 'first delay before teardown is tried again', "the profile's"),
  });
}

function spmc() {
  return z.strictObject({
    personality: optional(oneOf(...PERSONALITIES.keys()), 'hafnium', 'which SPMC is imitated'),
    handles: optional(
      oneOf('slot-index', 'counting', 'guest'),
      null,
      'the shape of handles: a slot that is used again at once, a counter, or the guest and an index',
      "the personality's",
    ),
    version: optional(VERSION, 0x1_0002, 'the FF-A version that it speaks', "'1.2'"),
    slots: optional(integer(1, 0xffff), undefined, 'memory transactions that it keeps at once', "the personality's"),
    fragments: optional(integer(1, 0xffff), undefined, 'fragments of one send', "the personality's"),
    receivers: optional(integer(1, 255), undefined, 'receivers of one transaction', "the personality's"),
  });
}

function partition() {
  return z.strictObject({
    name: required(NAME_VALUE, 'its name in this file'),
    id: required(PARTITION_ID, 'its endpoint id'),
    program: required(TEXT, 'what runs in it: a program by name, or the path of a JavaScript module'),
    parameters: z
      .record(z.string(), z.unknown())
      .default({})
      .meta({ doc: "the program's parameters", fits: 'see Programs', fallback: 'none' }),
    uuid: optional(UUID, undefined, 'the UUID of its service', 'made from the id'),
    version: optional(VERSION, 0x1_0001, 'the FF-A version that it speaks', "'1.1'"),
    vcpus: optional(integer(1, 8), 1, 'its execution contexts'),
    pages: optional(PAGES, 64, 'its image'),
    base: optional(ADDRESS, undefined, 'where its image lies', 'behind memory and the partition before'),
    subscribes: z
      .array(leaf(oneOf('created', 'destroyed')))
      .default(['created', 'destroyed'])
      .meta({ doc: 'VM availability messages that it wants', fits: 'a list', fallback: '[created, destroyed]' }),
    nsInterrupts: optional(
      oneOf('queue', 'managed-exit', 'signal'),
      'signal',
      'a non-secure interrupt while it runs: wait, ask it to leave, or preempt it',
    ),
    bootOrder: optional(integer(0, 0xffff), 0, 'the lowest boots first'),
    abortAction: optional(
      oneOf('keep', 'stop', 'destroy', 'restart'),
      undefined,
      'what happens when it dies: it keeps all that it holds, or that is given back and it stays dead, is not even ' +
        'known any more, or starts anew',
      "the personality's: stop for hafnium, keep for the others",
    ),
    dmaOutlives: optional(FLAG, undefined, 'whether its DMA goes on when it dies', 'false'),
    notifications: optional(FLAG, false, 'whether it may receive notifications'),
    exceptionLevel: optional(
      oneOf('S-EL0', 'S-EL1'),
      undefined,
      'S-EL0: it may change what its own pages allow while it starts, and takes no interrupts',
      'S-EL1',
    ),
    bootInformation: optional(
      oneOf('1.0', '1.1'),
      undefined,
      'in which form it finds its manifest in memory when it starts',
      'not at all',
    ),
    deviceInterrupts: z
      .array(leaf(integer(32, 1019)))
      .optional()
      .meta({ doc: 'secure interrupts of its device', fits: 'a list of ids from 32 to 1019', fallback: 'none' }),
    manifest: optional(
      TEXT,
      undefined,
      'the path of its manifest, a .dtb (or a .dts, where dtc is installed): what it says goes before all fields ' +
        'here but name, id, program, parameters, pages and base',
      'none',
    ),
    powerMessages: z
      .array(leaf(oneOf('off', 'suspend', 'resume')))
      .optional()
      .meta({ doc: 'of what it is told when a PE changes its power', fits: 'a list', fallback: 'nothing' }),
  });
}

function steps(names: Names) {
  return z.unknown().transform((value, context) => readSteps(value, [], names, problemsOf(context)));
}

function guest(names: Names) {
  return z.strictObject({
    name: required(NAME_VALUE, 'its name in this file'),
    count: optional(integer(1, 32_000), 1, 'so many alike: `name-0`, `name-1`, ...'),
    pages: optional(PAGES, 256, 'its RAM'),
    ramBase: optional(ADDRESS, 0x4000_0000, 'where its RAM begins in its own address space', '0x40000000'),
    bits: optional(
      { fits: '32 or 64', read: (value) => (value === 32 || value === 64 ? value : undefined) } as ValueType<32 | 64>,
      64,
      '32: an AArch32 guest',
    ),
    version: optional(VERSION, 0x1_0001, 'the FF-A version that its driver asks for', "'1.1'"),
    create: optional(
      { fits: `${TIME.fits}, or 'never'`, read: (value) => (value === 'never' ? null : TIME.read(value)) } as ValueType<
        number | null
      >,
      0,
      "when it is created; 'never': by the timeline only",
      'at the beginning',
    ),
    script: steps(names).optional().meta({ doc: 'the steps of its only vCPU', fits: 'see Steps', fallback: 'none' }),
    vcpus: z
      .array(steps(names))
      .min(1, 'one vCPU at least')
      .max(16, '16 vCPUs at most')
      .optional()
      .meta({ doc: 'instead of `script`: a list of steps for each vCPU', fits: 'see Steps', fallback: 'none' }),
    program: optional(TEXT, undefined, 'instead of `script`: the path of a JavaScript module', 'none'),
    parameters: z
      .record(z.string(), z.unknown())
      .default({})
      .meta({ doc: 'with `program`: what the module is told', fits: 'anything', fallback: 'none' }),
  });
}

function timelineEntry() {
  return z.strictObject({
    at: required(TIME, 'when'),
    create: optional(NAME_VALUE, undefined, 'creates a guest, or all that share a name', 'none'),
    destroy: optional(NAME_VALUE, undefined, 'destroys a guest, or all that share a name', 'none'),
    interrupt: optional(NAME_VALUE, undefined, "a non-secure interrupt where the guest's vCPUs run", 'none'),
    secureInterrupt: optional(
      integer(32, 1019),
      undefined,
      "a device's secure interrupt; with `guest`: where its vCPU is in the secure world",
      'none',
    ),
    guest: optional(NAME_VALUE, undefined, 'with `secureInterrupt`', 'a PE of the host'),
    power: optional(
      oneOf('off', 'on', 'suspend', 'resume'),
      undefined,
      "what the SPMD tells partitions of the host's last PE",
      'none',
    ),
    crash: optional(NAME_VALUE, undefined, 'an error strikes a partition', 'none'),
    stop: optional(NAME_VALUE, undefined, 'an operator stops a partition', 'none'),
    restart: optional(NAME_VALUE, undefined, 'an operator starts a dead partition anew', 'none'),
    quarantine: optional(oneOf('retry', 'write-off'), undefined, 'what an operator does about all of it', 'none'),
    say: optional(TEXT, undefined, 'a line of the story, told before', 'none'),
  });
}

function fault() {
  return z.strictObject({
    call: required(oneOf(...FAULT_CALLS), 'which call of the hypervisor to the SPMC it strikes'),
    answer: required(FAULT_ANSWER, 'what is answered instead'),
    partition: optional(NAME_VALUE, undefined, 'only messages to this partition', 'any'),
    guest: optional(NAME_VALUE, undefined, 'only calls about this guest', 'any'),
    skip: optional(integer(0, 1_000_000), 0, 'so many matching calls pass first'),
    times: optional(TIMES, 1, 'so many are struck'),
    reaches: optional(FLAG, false, 'whether the SPMC gets the call, and only its answer is replaced'),
  });
}

function explore() {
  return z.strictObject({
    from: optional(
      TIME,
      0,
      'what is before runs once, plainly; from here on every schedule is tried',
      'after the boot',
    ),
    generic: optional(FLAG, false, 'the secure world may answer any call as one that is slow, poor or stubborn does'),
    faults: z
      .array(
        z.strictObject({
          call: required(oneOf(...FAULT_CALLS), 'a call that may be answered otherwise'),
          answers: z
            .array(leaf(FAULT_ANSWER))
            .min(1, 'one answer at least')
            .meta({ doc: 'what may be answered instead', fits: 'a list of answers' }),
          partition: optional(NAME_VALUE, undefined, 'only messages to this partition', 'any'),
          guest: optional(NAME_VALUE, undefined, 'only calls about this guest', 'any'),
          reaches: optional(FLAG, false, 'whether the SPMC gets the call, and only its answer is replaced'),
        }),
      )
      .default([])
      .meta({ doc: 'answers that the secure world may give instead of its own', fallback: 'none' }),
    faultsMax: optional(integer(0, 8), 1, 'at most so many of them in one execution'),
    early: optional(integer(0, 8), 0, 'so often time may go on to the next event before everybody stands still'),
  });
}

function expectation() {
  return z.strictObject({
    guest: optional(NAME_VALUE, undefined, 'with `is` and perhaps `by`: how a guest ends', 'none'),
    is: optional(oneOf('alive', 'gone', 'zombie', 'held', 'refused'), undefined, 'with `guest`', 'none'),
    by: optional(TIME, null, 'with `guest` and `is: gone`: at the latest', 'by the end'),
    quarantine: optional(integer(0, TWO_POW_32), undefined, 'pages in quarantine at the end', 'none'),
    pages: optional(oneOf('back'), undefined, 'every page of every dead guest is free again', 'none'),
    quiet: optional(FLAG, undefined, 'whether the world comes to rest by itself', 'none'),
    scripts: optional(
      oneOf('hold'),
      undefined,
      'every step of every script ended as it expects, and there was one at least',
      'none',
    ),
    console: z.array(leaf(TEXT)).optional().meta({
      doc: 'lines that were logged, in this order, others perhaps between',
      fits: 'a list of `name: text`',
      fallback: 'none',
    }),
    believers: z
      .strictObject({
        partition: required(NAME_VALUE, 'the partition'),
        count: required(integer(0, 0xffff), 'how many'),
      })
      .optional()
      .meta({ doc: 'VMs that a partition still believes in', fits: '{partition, count}', fallback: 'none' }),
  });
}

function host() {
  return z.strictObject({
    pes: optional(integer(1, 8), 2, "the hypervisor's own PEs; the first is kept for timers"),
    timeSlice: optional(
      TIME,
      10_000_000,
      'how long the secure world may keep a PE before a tick interrupts it',
      '10ms',
    ),
  });
}

/** The schema of a file whose scripts may use these names. */
export function worldSchema(names: Names) {
  return z.strictObject({
    story: optional(TEXT, '', 'what happens here, for a reader', 'none'),
    profile: optional(TEXT, 'ffabric', 'which hypervisor is imitated'),
    guestsRunPartitions: optional(
      FLAG,
      undefined,
      'whether FFA_RUN of a guest reaches a partition that waits, not only what was preempted in its service',
      "the profile's; false for ffabric",
    ),
    limits: limits().prefault({}).meta({ doc: 'limits of the profile, raised or lowered', fallback: 'none' }),
    memory: z
      .strictObject({
        base: optional(ADDRESS, 0x4000_0000, 'where the normal world begins', '0x40000000'),
        pages: optional(PAGES, 65_536, 'its size', '256MiB'),
      })
      .prefault({})
      .meta({ doc: 'the memory of the normal world', fallback: '256MiB from 0x40000000' }),
    spmc: spmc().prefault({}).meta({ doc: 'the manager of the secure world', fallback: "Hafnium's ways" }),
    partitions: z.array(partition()).default([]).meta({ doc: 'the secure partitions', fallback: 'none' }),
    guests: z.array(guest(names)).default([]).meta({ doc: 'the guests', fallback: 'none' }),
    timeline: z.array(timelineEntry()).default([]).meta({ doc: 'what happens when', fallback: 'nothing' }),
    faults: z.array(fault()).default([]).meta({ doc: "the secure world's answers, replaced", fallback: 'none' }),
    expect: z.array(expectation()).default([]).meta({ doc: 'what must hold at the end', fallback: 'nothing' }),
    propertiesOff: z
      .array(leaf(PROPERTY))
      .default([])
      .meta({ doc: 'properties that are not judged', fits: 'a list, such as [P7]', fallback: 'none' }),
    until: optional(TIME, 60_000_000_000, 'the run ends here if it has not come to rest before', '60s'),
    host: host().prefault({}).meta({ doc: 'the host itself', fallback: 'two PEs' }),
    interleave: optional(FLAG, false, 'PEs alternate at every point where real ones can: a race is seen at once'),
    explore: explore()
      .optional()
      .meta({ doc: 'what `ffabric explore` varies beside the schedule', fallback: 'nothing' }),
  });
}

export type WorldFile = z.output<ReturnType<typeof worldSchema>>;
