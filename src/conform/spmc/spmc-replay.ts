// Replays recordings of an SPMC on ours. Each begins at reset; each step is one call of one endpoint, and everything
// that the call shows is compared: registers, RX, the state of every page for everybody, pages that became zero, whose
// RX is taken, how many transactions live.

import { FFA_ERROR } from '../../abi/function-ids.ts';
import { PAGE_SIZE_BYTES } from '../../base/units.ts';
import { UserError } from '../../base/user-error.ts';
import { RX_EMPTY } from '../../spmc/endpoint.ts';
import { handlerOf } from '../../spmc/handlers.ts';
import type { Difference } from '../difference.ts';
import { Fields } from '../fields.ts';
import type { SessionResult, Verdict } from '../recorded-file.ts';
import { formatBytes, formatWords, parseBytes, parseRegisters } from '../vector-value.ts';
import { PageWatch } from './page-watch.ts';
import { endpointId, endpointIndex, type RecordedConfig, RecordedMachine } from './recorded-machine.ts';
import { Refusals } from './refusals.ts';

/** One recording: its steps as they stand in the file. */
export interface SpmcRecording {
  readonly id: string;
  readonly line: number;
  readonly steps: readonly unknown[];
}

/** x0..x7. */
const REGISTER_WORDS = 16;
const REGISTERS_HINT = 'a list of up to 8 registers';

export class SpmcReplay {
  private readonly file: string;
  private readonly recorded: RecordedMachine;
  private readonly watch: PageWatch;
  private readonly refusals: Refusals;
  private readonly call = new Uint32Array(REGISTER_WORDS);
  private readonly answer = new Uint32Array(REGISTER_WORDS);
  /** Two pages: what does not fit into TX runs on into RX behind it, as it did at the recorder. */
  private readonly bytes = new Uint8Array(2 * PAGE_SIZE_BYTES);
  private readonly found = new Uint8Array(PAGE_SIZE_BYTES);
  /** Why ours has to refuse the step's call; '': it need not. */
  private reason = '';
  private gotError = false;

  constructor(file: string, config: RecordedConfig) {
    this.file = file;
    this.recorded = new RecordedMachine(config);
    this.watch = new PageWatch(this.recorded);
    this.refusals = new Refusals(this.recorded);
  }

  run(recording: SpmcRecording): SessionResult {
    this.recorded.reset();
    this.refusals.reset();
    this.watch.begin();
    const { steps, id, line } = recording;
    for (let n = 0; n < steps.length; n++) {
      const place = { file: this.file, line, where: `recording "${id}", step ${n + 1}` };
      const difference = this.step(new Fields(steps[n], place, 'the step'));
      if (difference === null) continue;
      if (this.isRefusal(difference)) return this.result('refused', n + 1, null);
      return this.result('failed', n + 1, difference);
    }
    return { verdict: 'passed', calls: steps.length, step: 0, operation: '', difference: null };
  }

  private result(verdict: Verdict, step: number, difference: Difference | null): SessionResult {
    return { verdict, calls: step, step, operation: 'call', difference, refusal: this.reason };
  }

  /** Ours answers with an error, has a reason to, and the recorded answer was another. */
  private isRefusal(difference: Difference): boolean {
    return this.reason !== '' && this.gotError && difference.field.startsWith('x');
  }

  private step(step: Fields): Difference | null {
    if (step.text('op') !== 'call') step.fail('op', '"call"');
    const index = endpointIndex(step.number('ep'));
    if (index === undefined) step.fail('ep', '0 (the normal world) or a partition, 32769 to 32771');
    const registers = this.recorded.registers(index as number);
    if (parseRegisters(step.list('regs'), this.call) >= 0) step.fail('regs', REGISTERS_HINT);
    // The recorder cut the function id, and only that, to 32 bits.
    this.call[1] = 0;
    if (handlerOf(this.call[0]) === undefined) step.fail('regs', 'a call that the SPMC answers itself');
    if (step.has('tx')) {
      const length = parseBytes(step.text('tx'), this.bytes, 0);
      if (length < 0) step.fail('tx', 'bytes in hexadecimal, at most two pages');
      this.recorded.writeTx(index as number, this.bytes, length);
    }
    const answer = step.fields('out');
    this.gotError = false;
    this.reason = this.refusals.reasonBefore(index as number, this.call);
    registers.clear();
    registers.words.set(this.call);
    try {
      this.recorded.call(index as number);
    } catch (error) {
      if (error instanceof UserError || !(error instanceof Error)) throw error;
      return { field: 'threw', expected: 'an answer', got: `${error.name}: ${error.stack ?? error.message}` };
    }
    this.gotError = registers.w(0) === FFA_ERROR;
    return (
      this.compareRegisters(answer, registers.words) ??
      this.compareRx(answer, index as number) ??
      this.watch.comparePages(answer) ??
      this.watch.compareZeroed(answer) ??
      this.compareRxBusy(answer) ??
      this.compareSlots(answer)
    );
  }

  private compareRegisters(answer: Fields, words: Uint32Array): Difference | null {
    const expected = this.answer;
    if (!answer.has('regs') || parseRegisters(answer.list('regs'), expected) >= 0) answer.fail('regs', REGISTERS_HINT);
    for (let n = 0; n < REGISTER_WORDS; n++) {
      if (words[n] === expected[n]) continue;
      return { field: `x${n >> 1}`, expected: registerList(expected), got: registerList(words) };
    }
    return null;
  }

  private compareRx(answer: Fields, index: number): Difference | null {
    if (!answer.has('rx')) return null;
    const text = answer.text('rx');
    const length = parseBytes(text, this.bytes, 0);
    if (length < 0 || length > PAGE_SIZE_BYTES) answer.fail('rx', 'bytes in hexadecimal, at most a page');
    this.recorded.readRx(index, this.found, length);
    for (let n = 0; n < length; n++) {
      if (this.bytes[n] === this.found[n]) continue;
      return { field: `rx byte ${n}`, expected: text, got: formatBytes(this.found, length) };
    }
    return null;
  }

  private compareRxBusy(answer: Fields): Difference | null {
    if (!answer.has('rxbusy')) answer.fail('rxbusy', 'a list of endpoints');
    const busy: number[] = [];
    const { endpoints } = this.recorded;
    for (let n = 0; n < endpoints.length; n++) if (endpoints[n].rx !== RX_EMPTY) busy.push(endpointId(n));
    const expected = JSON.stringify(answer.list('rxbusy'));
    const got = JSON.stringify(busy);
    return expected === got ? null : { field: 'rxbusy', expected, got };
  }

  private compareSlots(answer: Fields): Difference | null {
    const expected = answer.number('slots');
    const got = this.recorded.spmc.slots.inUse;
    return expected === got ? null : { field: 'slots', expected: String(expected), got: String(got) };
  }
}

function registerList(words: Uint32Array): string {
  const texts: string[] = [];
  for (let n = 0; n < REGISTER_WORDS; n += 2) texts.push(formatWords(words[n], words[n + 1]));
  return texts.join(' ');
}
