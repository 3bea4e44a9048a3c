// VM availability as an SP keeps it: which VMs it believes in, and how it answers VM_CREATED and VM_DESTROYED.
//
// The honest answer follows a state machine for each VM, the one that Hafnium's test partition has:
//   unavailable --created--> available --destroyed--> unavailable; any other message leads to an error that stays.
// A list of answers makes an SP less honest: each VM meets the entries of the list in turn, then the honest answer.
// Only an accepting answer changes the state.
//
// Sources: [Hafnium ffa_memory.c], [OP-TEE thread_spmc.c].

import { errorName, FFA_ERROR_CODES, FFA_INVALID_PARAMETERS, FFA_OK } from '../abi/errors.ts';

/** What an SP does with one VM availability message; the number is the error for `error`. */
export type AvailabilityAnswer =
  /** What the state machine says: 0 or INVALID_PARAMETERS. */
  | 'honest'
  /** 0, whatever the state machine says. */
  | 'accept'
  /** The right response with this FF-A error in w3. */
  | { readonly error: number }
  /** FFA_MSG_WAIT instead of a response. */
  | 'no-answer'
  /** The right response to the other message. */
  | 'wrong-type'
  /** A partition message (w2 = 0) instead of a framework response. */
  | 'partition-message'
  /** FFA_YIELD once, then as if the entry were not there. */
  | 'yield'
  | 'crash';

/** One entry of a list: the answer, and for how many messages of one VM. */
export interface AvailabilityEntry {
  readonly answer: AvailabilityAnswer;
  readonly times: number;
}

const WORDS: readonly AvailabilityAnswer[] = [
  'honest',
  'accept',
  'no-answer',
  'wrong-type',
  'partition-message',
  'yield',
  'crash',
];
const FOREVER = 'forever';

/** What an entry may be, for messages. */
export const AVAILABILITY_ENTRY_FORM =
  'honest, accept, no-answer, wrong-type, partition-message, yield, crash, or an FF-A error such as RETRY; ' +
  'then, if it is to be repeated, x3 or forever';

/** Parses one entry, e.g. `RETRY`, `RETRY x3`, `DENIED forever`; undefined when it has another form. */
export function parseAvailabilityEntry(text: string): AvailabilityEntry | undefined {
  const match = /^(\S+)(?:\s+(?:x([1-9]\d{0,8})|(forever)))?$/.exec(text.trim());
  if (match === null) return undefined;
  const answer = answerOf(match[1]);
  if (answer === undefined) return undefined;
  if (match[3] === FOREVER) return { answer, times: Number.POSITIVE_INFINITY };
  return { answer, times: match[2] === undefined ? 1 : Number(match[2]) };
}

function answerOf(word: string): AvailabilityAnswer | undefined {
  const plain = WORDS.find((known) => known === word);
  if (plain !== undefined) return plain;
  const code = FFA_ERROR_CODES.find((known) => errorName(known) === word);
  return code === undefined ? undefined : { error: code };
}

export type VmState = 'unavailable' | 'available' | 'error';

/** What an SP remembers of one VM. */
export interface VmRecord {
  readonly vmId: number;
  state: VmState;
  /** Messages so far, each kind. */
  createdCount: number;
  destroyedCount: number;
}

export class VmAvailability {
  private readonly created: readonly AvailabilityEntry[];
  private readonly destroyed: readonly AvailabilityEntry[];
  /** By VM id, in the order of the first message. */
  readonly vms = new Map<number, VmRecord>();

  constructor(created: readonly AvailabilityEntry[] = [], destroyed: readonly AvailabilityEntry[] = []) {
    this.created = created;
    this.destroyed = destroyed;
  }

  reset(): void {
    this.vms.clear();
  }

  /** Takes the next answer for this message from the list. */
  answer(vmId: number, isCreated: boolean): AvailabilityAnswer {
    const vm = this.record(vmId);
    const nth = isCreated ? vm.createdCount++ : vm.destroyedCount++;
    let before = 0;
    for (const entry of isCreated ? this.created : this.destroyed) {
      before += entry.times;
      if (nth < before) return entry.answer;
    }
    return 'honest';
  }

  /** The message is taken: moves the state, and gives what w3 then honestly says. */
  take(vmId: number, isCreated: boolean): number {
    const vm = this.record(vmId);
    const allowed = vm.state === (isCreated ? 'unavailable' : 'available');
    if (!allowed) vm.state = 'error';
    else vm.state = isCreated ? 'available' : 'unavailable';
    return allowed ? FFA_OK : FFA_INVALID_PARAMETERS;
  }

  private record(vmId: number): VmRecord {
    const known = this.vms.get(vmId);
    if (known !== undefined) return known;
    const vm: VmRecord = { vmId, state: 'unavailable', createdCount: 0, destroyedCount: 0 };
    this.vms.set(vmId, vm);
    return vm;
  }
}
