// Targets at the mediator's door: one for each profile, and one in which TX changes while it is read.

import { FFABRIC } from '../../../src/hypervisor/profiles/ffabric.ts';
import { XEN_2024 } from '../../../src/hypervisor/profiles/xen-2024.ts';
import { XEN_2026 } from '../../../src/hypervisor/profiles/xen-2026.ts';
import { XEN_2026_VM_TO_VM } from '../../../src/hypervisor/profiles/xen-2026-vm-to-vm.ts';
import { Door, type DoorOptions, HEADER_BYTES, RECORD_BYTES, RECORDS_MAX } from '../door/door.ts';
import { SpmcDoor } from '../door/spmc-door.ts';
import type { Random } from '../random.ts';
import { type Features, Finding, type Target } from '../target.ts';

/** Operations by their code (see door.ts and guest-calls.ts), each with a guest. */
function script(header: readonly number[], records: readonly (readonly number[])[]): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES + records.length * RECORD_BYTES);
  bytes.set(header);
  for (const [n, record] of records.entries()) bytes.set(record, HEADER_BYTES + n * RECORD_BYTES);
  return bytes;
}

const CREATE = [
  [20, 0],
  [20, 1],
  [20, 2],
];
/** A record whose first answer of the secure world is of this kind. */
function answered(record: readonly number[], ...answers: readonly number[]): number[] {
  return [...record, ...new Array<number>(16 - record.length).fill(0), ...answers];
}

/** Pieces of a send in fragments: six ranges and more, of which one goes at once. */
const FRAGMENTED = [4, 0, 170, 0, 0, 8, 3, 0, 1];
const TO_VM_3 = [5, 0, 0, 246];
const SEEDS = [
  script([0, 2], [...CREATE, [4, 0, 0, 0, 0, 0, 5], [8, 0], [14, 1], [16, 1], [21, 0]]),
  script(
    [0, 2],
    [
      [20, 0],
      [4, 0, 0],
      [5, 0, 1],
      [6, 0, 2],
      [21, 0],
      [22, 0, 0, 200],
    ],
  ),
  script(
    [1, 2],
    [
      [20, 0],
      [4, 0, 0],
      [4, 16, 0],
      [24, 0, 1, 0, 20],
      [21, 0],
    ],
  ),
  script([0, 2], [[20, 0], FRAGMENTED, [7, 0], [8, 0], FRAGMENTED, [7, 0, 0, 0, 130], [7, 0], [21, 0]]),
  script([0, 2], [[20, 0], FRAGMENTED, [21, 0], [22, 0, 0, 130]]),
  script([0, 2], [...CREATE, TO_VM_3, [9, 1, 102, 1], [10, 1], [9, 1, 102, 1], [21, 0], [21, 1]]),
  script(
    [0, 2],
    [
      [20, 0],
      [20, 1],
      [11, 0],
      [12, 0],
      [13, 0, 200, 1],
      [16, 1],
      [13, 0, 0],
      [21, 1],
    ],
  ),
  script([0, 2], [[20, 0], answered([11, 0], 157, 0), [12, 0], [17, 0], [18, 0, 3], [23]]),
  script([0, 2], [[20, 0], answered([4, 0], 220, 0), [20, 1], [4, 1], [24, 0, 0], [21, 0]]),
  script([0, 2], [[20, 0], answered([4, 0], 198, 0), [4, 0], [25, 0, 1], [21, 0], [25, 0, 1]]),
  script([0, 2], [[20, 0], [4, 0], answered([21, 0], 136, 0, 136, 0), [22, 0, 0, 129], [22, 0, 0, 135]]),
];

interface DoorTarget {
  readonly name: string;
  readonly options: DoorOptions;
}

const DOORS: readonly DoorTarget[] = [
  {
    name: 'door-spmc',
    options: { profile: FFABRIC, judged: true, realSpmc: true },
  },
  {
    name: 'door-ffabric',
    options: { profile: FFABRIC, judged: true },
  },
  {
    name: 'door-xen-2026',
    options: { profile: XEN_2026, judged: false },
  },
  {
    name: 'door-xen-2026-vm-to-vm',
    options: { profile: XEN_2026_VM_TO_VM, judged: false },
  },
  {
    name: 'door-xen-2024',
    options: { profile: XEN_2024, judged: false },
  },
];

/** First kinds of the secure world's answers, as hostile-spmc.ts divides them. */
const ANSWER_KINDS = [0, 136, 136, 136, 156, 164, 168, 176, 184, 196, 204, 216, 232, 240, 246];

/** A field of one record: its operation, its guest, or one answer of a kind that is drawn first. */
function mutateRecord(input: Uint8Array, random: Random): Uint8Array {
  const count = Math.floor((input.length - HEADER_BYTES) / RECORD_BYTES);
  if (count <= 0) return input;
  const at = HEADER_BYTES + RECORD_BYTES * random.below(count);
  switch (random.below(5)) {
    case 0:
      input[at] = random.below(26);
      return input;
    case 1:
      input[at + 1] = random.below(3) | (random.below(2) << 4);
      return input;
    case 2:
      input[at + 6] = random.below(256);
      return input;
    default: {
      const answer = at + 16 + 2 * random.pick([0, 0, 0, 1, 1, 2, 3]);
      input[answer] = random.pick(ANSWER_KINDS);
      input[answer + 1] = random.oneIn(4) ? random.below(256) : random.below(16);
      return input;
    }
  }
}

const COMMON = {
  mutate: mutateRecord,
  bytesMax: HEADER_BYTES + RECORD_BYTES * RECORDS_MAX,
  recordBytes: RECORD_BYTES,
  headerBytes: HEADER_BYTES,
  seeds: SEEDS,
  dictionary: [],
};

/** A share of the normal world with the second partition, which is sent; a request to it, and what it does then. */
const RAW_SHARE = [0, 0, 0, 1, 0, 0, 0, 0, 1];
const RAW_ASK = [6, 0, 0, 1];
const RAW_SEEDS = [
  script([0, 2], [RAW_SHARE, answered(RAW_ASK, 100, 0), [2, 0], answered(RAW_ASK, 172, 0, 136, 0), [2, 0]]),
  script([0, 2], [[0, 0, 0, 1, 170, 0, 0, 0, 1], [3, 0], [3, 0], answered(RAW_ASK, 100, 0), [2, 0]]),
  script([1, 2, 1], [[8, 0, 1], answered([6, 1, 1], 202, 20), [15, 1], [7, 1], [14, 0, 200]]),
  script([0, 2], [answered([6, 0, 1], 120, 1), answered([6, 0, 1, 1], 100, 0, 136, 0), answered([6, 0, 1], 144, 0)]),
  script([0, 2], [[9, 0, 0], [9, 0, 2, 0, 180], answered([6, 0, 1], 192, 2), [9, 0, 5], [10, 0, 1, 0, 1], [11, 0, 1]]),
  script([0, 2], [RAW_SHARE, answered(RAW_ASK, 100, 0, 200, 0), RAW_ASK, [2, 0], [13, 0, 1, 2]]),
];

export const DOOR_TARGETS: readonly Target[] = [
  {
    ...COMMON,
    name: 'spmc-raw',
    seeds: RAW_SEEDS,
    run: (input: Uint8Array, features: Features) => new SpmcDoor(input, features).run(),
  },
  ...DOORS.map(({ name, options }) => ({
    ...COMMON,
    name,
    run: (input: Uint8Array, features: Features) => new Door(input, options, features).run(),
  })),
  {
    ...COMMON,
    name: 'door-rewrite',
    run: (input: Uint8Array, features: Features) => {
      const options = { profile: FFABRIC, judged: false, keepTranscript: true, plain: true };
      const still = new Door(input, options, features);
      still.run();
      const rewritten = new Door(input, { ...options, rewrites: true }, features);
      rewritten.run();
      compare(still.spmc.transcript ?? [], rewritten.spmc.transcript ?? []);
    },
  },
];

function compare(still: readonly string[], rewritten: readonly string[]): void {
  for (let n = 0; n < Math.max(still.length, rewritten.length); n++) {
    if (still[n] === rewritten[n]) continue;
    throw new Finding(`TX was read twice: line ${n} is "${rewritten[n]}" instead of "${still[n]}"`);
  }
}
