// The secure world as a recording: each SMC that the mediator makes is compared with the next one that was recorded and
// gets the recorded answer. The recorded SPMC's writes to the mediator's RX page happen before the answer; operations
// of other vCPUs that happened while the SMC was under way are run by whoever drives the coroutine (see `underWay`).

import { FFA_NOT_SUPPORTED } from '../abi/errors.ts';
import { FFA_ERROR, FFA_MSG_SEND_DIRECT_REQ2, FFA_RXTX_MAP_64 } from '../abi/function-ids.ts';
import type { Coroutine, Pending } from '../base/coroutine.ts';
import type { PhysicalAddress } from '../base/units.ts';
import { PAGE_SIZE_BYTES } from '../base/units.ts';
import type { Conduit } from '../hardware/conduit.ts';
import type { Machine } from '../hardware/machine.ts';
import type { Pe } from '../hardware/pe.ts';
import { RegisterFile } from '../hardware/registers.ts';
import { AnswerScripts } from './answer-scripts.ts';
import type { Difference } from './difference.ts';
import type { Fields } from './fields.ts';
import { formatBytes, formatWords, parseBytes, parseRegisters } from './vector-value.ts';

/** One list of recorded SMCs, and how far the mediator has come in it. */
interface Expectation {
  readonly fields: Fields;
  readonly exchanges: readonly unknown[];
  next: number;
}

/** An SMC during which other vCPUs act. */
export interface UnderWay {
  readonly operations: readonly unknown[];
  readonly answers: readonly unknown[];
  readonly fields: Fields;
}

const ADDRESS_NONE = -1;

export class RecordedConduit implements Conduit {
  readonly scripts = new AnswerScripts();
  /** What an SMC takes, in virtual time. */
  latencyNs = 0;
  /** The recorder's SPMC's whole list of partitions, as it writes it to RX. */
  partitionList: Uint8Array = new Uint8Array(0);
  /** The first SMC that was not as recorded. */
  difference: Difference | null = null;
  /** Set while a coroutine stands still for operations of other vCPUs. */
  underWay: UnderWay | null = null;
  private readonly machine: Machine;
  private expectations: Expectation[] = [];
  /** The hypervisor's own pages, as it named them at boot. */
  private rx: PhysicalAddress = ADDRESS_NONE;
  private tx: PhysicalAddress = ADDRESS_NONE;
  private readonly recorded = new RegisterFile();
  private readonly bytes = new Uint8Array(PAGE_SIZE_BYTES);
  private readonly found = new Uint8Array(PAGE_SIZE_BYTES);

  constructor(machine: Machine) {
    this.machine = machine;
  }

  reset(): void {
    this.scripts.reset();
    this.latencyNs = 0;
    this.partitionList = new Uint8Array(0);
    this.difference = null;
    this.underWay = null;
    this.expectations = [];
    this.rx = ADDRESS_NONE;
    this.tx = ADDRESS_NONE;
  }

  /** From now on the SMCs of the list "spmc" in `fields` are expected, until `end`. */
  begin(fields: Fields): void {
    this.expectations.push({ fields, exchanges: fields.list('spmc'), next: 0 });
  }

  /** No further SMC is expected: those that were recorded but not made are a difference. */
  end(): void {
    const { fields, exchanges, next } = this.expectations.pop() as Expectation;
    if (next >= exchanges.length) return;
    const missed = fields.entry(exchanges[next], `"spmc" ${next + 1}`);
    this.differ(`spmc ${next + 1} of ${exchanges.length}`, missed.list('in').join(' '), 'no SMC');
  }

  smc(pe: Pe): Pending {
    const operations = this.scripts.take(pe.smc);
    const expectation = this.expectations[this.expectations.length - 1];
    if (expectation === undefined || expectation.next >= expectation.exchanges.length) {
      this.differ('spmc', 'no further SMC', formatRegisters(pe.smc));
      pe.smc.set8(FFA_ERROR, 0, FFA_NOT_SUPPORTED);
      return null;
    }
    const at = expectation.next++;
    const fields = expectation.fields.entry(expectation.exchanges[at], `"spmc" ${at + 1}`);
    this.compareRequest(pe, fields, at);
    const nested = fields.list('nested');
    if (operations.length === 0 && nested.length === 0) {
      this.answer(pe, fields);
      return null;
    }
    return this.meanwhile(pe, fields, operations);
  }

  private *meanwhile(pe: Pe, fields: Fields, operations: readonly unknown[]): Coroutine {
    this.underWay = { operations, answers: fields.list('nested'), fields };
    yield pe.suspend();
    this.answer(pe, fields);
  }

  private compareRequest(pe: Pe, fields: Fields, at: number): void {
    const list = fields.list('in');
    if (parseRegisters(list, this.recorded.words) >= 0) fields.fail('in', 'a list of up to 18 registers');
    const made = pe.smc.words;
    const recorded = this.recorded.words;
    const ownBuffers = recorded[0] === FFA_RXTX_MAP_64 && list.length > 1;
    if (ownBuffers) {
      this.tx = pe.smc.x(1);
      this.rx = pe.smc.x(2);
    }
    // Only messages of 18 registers define x8..x17; in other calls the SPMC ignores them.
    const count = list.length > 8 || recorded[0] === FFA_MSG_SEND_DIRECT_REQ2 ? 36 : 16;
    for (let n = 0; n < count; n++) {
      if (made[n] === recorded[n] || (ownBuffers && n >= 2 && n < 6)) continue;
      this.differ(`spmc ${at + 1}, in`, formatRegisters(this.recorded), formatRegisters(pe.smc));
      return;
    }
    if (fields.has('tx')) this.compareTx(fields, at);
  }

  private compareTx(fields: Fields, at: number): void {
    const text = fields.text('tx');
    const length = parseBytes(text, this.bytes, 0);
    if (length < 0) fields.fail('tx', 'bytes in hexadecimal, at most a page');
    if (this.tx === ADDRESS_NONE) {
      this.differ(`spmc ${at + 1}, tx`, text, 'no TX page was named');
      return;
    }
    this.machine.frames.contents.read(this.tx, this.found, 0, length);
    for (let n = 0; n < length; n++) {
      if (this.bytes[n] === this.found[n]) continue;
      this.differ(`spmc ${at + 1}, tx byte ${n}`, text, formatBytes(this.found, length));
      return;
    }
  }

  private answer(pe: Pe, fields: Fields): void {
    if (fields.has('rx') && this.rx !== ADDRESS_NONE) this.fillRx(fields, this.rx);
    if (parseRegisters(fields.list('out'), pe.smc.words) >= 0) fields.fail('out', 'a list of up to 18 registers');
    if (this.latencyNs > 0) this.machine.time.advanceTo(this.machine.time.nowNs + this.latencyNs);
  }

  private fillRx(fields: Fields, rx: PhysicalAddress): void {
    const length = parseBytes(fields.text('rx'), this.bytes, 0);
    if (length < 0) fields.fail('rx', 'bytes in hexadecimal, at most a page');
    const { contents } = this.machine.frames;
    contents.write(rx, this.bytes, 0, length);
    // The recorder's SPMC does not stop at the end of RX: a longer list runs on behind it, where the first generation
    // reads it. Only the page itself was recorded; the rest follows from the partitions that it was given.
    if (length < PAGE_SIZE_BYTES || this.partitionList.length <= PAGE_SIZE_BYTES) return;
    contents.write(
      rx + PAGE_SIZE_BYTES,
      this.partitionList,
      PAGE_SIZE_BYTES,
      this.partitionList.length - PAGE_SIZE_BYTES,
    );
  }

  private differ(field: string, expected: string, got: string): void {
    if (this.difference === null) this.difference = { field, expected, got };
  }
}

/** Registers as the files write them: trailing zeros cut. */
function formatRegisters(registers: RegisterFile): string {
  let count = registers.words.length / 2;
  while (count > 1 && registers.w(count - 1) === 0 && registers.high(count - 1) === 0) count--;
  const texts: string[] = [];
  for (let n = 0; n < count; n++) texts.push(formatWords(registers.w(n), registers.high(n)));
  return texts.join(' ');
}
