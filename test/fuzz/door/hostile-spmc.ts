// A secure world that answers as an input says: as it should, or with any error, a handle out of place, an interrupt, a
// yield, a response for somebody else, words that mean nothing; at once, or after other PEs have gone on; having done
// what it was asked or not. Without word from the input it is honest.

import { FFA_DENIED, FFA_ERROR_CODES, FFA_INVALID_PARAMETERS } from '../../../src/abi/errors.ts';
import * as id from '../../../src/abi/function-ids.ts';
import { FFA_VERSION_1_1, FFA_VERSION_1_2 } from '../../../src/abi/versions.ts';
import { type Coroutine, type Pending, WAIT_STEP } from '../../../src/base/coroutine.ts';
import type { Machine } from '../../../src/hardware/machine.ts';
import type { Pe } from '../../../src/hardware/pe.ts';
import type { AnswerSource, SecureSide } from './secure-side.ts';

export interface HostilePartition {
  readonly id: number;
  readonly properties: number;
}

/** A memory transaction as the honest part of this secure world knows it. */
interface Transaction {
  readonly low: number;
  readonly high: number;
  readonly total: number;
  received: number;
  /** Page ranges of the descriptor, if it came in one piece: for retrieve responses. */
  readonly descriptor: Uint8Array;
  /** Frames that it names so far. */
  readonly frames: Set<number>;
  /** VMs that have retrieved it. */
  readonly retrieved: Set<number>;
}

const PAGE = 4096;

export class HostileSpmc implements SecureSide {
  /** Requests and answers in short, for comparing two runs. */
  readonly transcript: string[] | null;
  version = FFA_VERSION_1_2;
  /** Functions that FFA_FEATURES denies. */
  readonly lacking = new Set<number>();
  answers: AnswerSource = { next: () => 0 };
  /** Told of each request and of what is answered. */
  answered: (request: number, answer: number, error: number) => void = () => {};
  /** PEs that stand still in this secure world. */
  readonly waiting: Pe[] = [];
  /** Handles that were given out, newest last. */
  readonly handles: { low: number; high: number }[] = [];
  /**
   * Handles that came with a success for which nothing was done: whether such a transaction may be at all was never
   * looked at.
   */
  readonly claimed = new Set<string>();
  /** Low words of the handles that reached their senders. */
  private readonly delivered = new Set<number>();
  /** Whether a borrower may have heard otherwise than what this secure world did. */
  private liedToBorrower = false;
  private readonly machine: Machine;
  private readonly partitions: readonly HostilePartition[];
  private readonly transactions = new Map<string, Transaction>();
  /** What a preempted partition will answer when it is run. */
  private readonly preempted = new Map<number, readonly number[]>();
  private txAddress = 0;
  private rxAddress = 0;
  private handleCount = 0x10;

  constructor(machine: Machine, partitions: readonly HostilePartition[], keepTranscript: boolean) {
    this.machine = machine;
    this.partitions = partitions;
    this.transcript = keepTranscript ? [] : null;
  }

  smc(pe: Pe): Pending {
    const words = Array.from({ length: 8 }, (_, n) => pe.smc.w(n));
    const addresses = [pe.smc.x(1), pe.smc.x(2)];
    this.note('>', words, addresses);
    const pair = this.answers.next();
    const kind = pair >> 8;
    if (kind >= 216 && kind < 240) return this.later(pe, words, addresses, kind >= 232 ? (pair & 0xff) + 1 : 0);
    this.answer(pe, words, addresses, kind, pair & 0xff);
    return null;
  }

  /** It has no life of its own before the first call. */
  *boot(): Coroutine {}

  /** Lets a PE that stands still here go on. */
  wake(pe: Pe): void {
    pe.wake();
  }

  /** The lies end: nobody keeps what his hypervisor cannot know of. */
  *makeAmends(): Coroutine {
    yield WAIT_STEP;
    if (!this.liedToBorrower) return;
    for (const transaction of this.transactions.values()) transaction.retrieved.clear();
  }

  private *later(pe: Pe, words: readonly number[], addresses: readonly number[], kind: number): Coroutine {
    this.waiting.push(pe);
    do {
      yield pe.suspend();
    } while (!pe.awake);
    this.waiting.splice(this.waiting.indexOf(pe), 1);
    this.answer(pe, words, addresses, kind, (kind * 37) & 0xff);
  }

  private answer(pe: Pe, words: readonly number[], addresses: readonly number[], kind: number, argument: number): void {
    const answer = this.wordsOf(words, addresses, kind, argument);
    if (kind < 136 && answer[0] === id.FFA_SUCCESS_32 && isSend(words[0])) this.delivered.add(answer[2]);
    if (kind >= 136 && (answer[0] === id.FFA_SUCCESS_32 || answer[0] === id.FFA_SUCCESS_64)) {
      this.claimed.add(`0x${[answer[3], answer[2]].map(hex).join('')}`);
    }
    for (let n = 0; n < 18; n++) pe.smc.setW(n, (answer[n] ?? 0) >>> 0);
    if (kind >= 252) for (let n = 0; n < 8; n++) pe.smc.setWords(n, pe.smc.w(n), 0xdead_0000 | argument);
    this.answered(words[0], answer[0] >>> 0, (answer[2] ?? 0) >>> 0);
    this.note('<', answer, []);
  }

  private wordsOf(
    words: readonly number[],
    addresses: readonly number[],
    kind: number,
    argument: number,
  ): readonly number[] {
    if (kind < 136) return this.honest(words, addresses);
    if (isBorrowing(words[0])) this.liedToBorrower = true;
    if (kind < 156) return [id.FFA_ERROR, 0, this.errorCode(argument)];
    if (kind < 164) return this.preempt(words, addresses, argument, id.FFA_INTERRUPT);
    if (kind < 168) return this.preempt(words, addresses, argument, id.FFA_YIELD);
    if (kind < 180 && isFilling(words[0])) return this.damaged(words, addresses, argument);
    if (kind < 176) return [id.FFA_SUCCESS_32, 0, ...this.oddHandle(words, argument)];
    if (kind < 184) return [id.FFA_MEM_FRAG_RX, ...this.oddHandle(words, argument), (argument & 0xf0) << 4];
    if (kind < 196) return this.response(words, argument);
    if (kind < 204) return [0xffff_ffff];
    if (kind < 216) return this.garbage(argument);
    // It did what it was asked, and says otherwise.
    this.honest(words, addresses);
    if (kind < 246) return [id.FFA_ERROR, 0, this.errorCode(argument)];
    return this.garbage(argument);
  }

  private errorCode(argument: number): number {
    const index = argument % (FFA_ERROR_CODES.length + 2);
    if (index === FFA_ERROR_CODES.length) return 0;
    if (index > FFA_ERROR_CODES.length) return -100;
    return FFA_ERROR_CODES[index];
  }

  /** A handle that reached its sender, or is free again: one of a send whose outcome is unknown is never reissued. */
  private plausibleHandle(argument: number): { low: number; high: number } {
    const known = this.handles.filter(
      ({ low, high }) => this.delivered.has(low) || !this.transactions.has(`${low}:${high}`),
    );
    return known.length === 0 ? { low: 0xffff, high: 0 } : known[argument % known.length];
  }

  /** A handle that a sender should not believe in, as low and high word. */
  private oddHandle(words: readonly number[], argument: number): number[] {
    const known = this.plausibleHandle(argument);
    switch (argument & 7) {
      case 0:
        return [0xffff_ffff, 0xffff_ffff];
      case 1:
        return [known.low, known.high];
      case 2:
        return [argument, 0x8000_0000];
      case 3:
        return [0, 0];
      case 4:
        return [words[1], words[2]];
      case 5:
        return [argument, 0xffff_ffff];
      default:
        return [0x1000 + argument, 0];
    }
  }

  /** What it should write into the hypervisor's RX, with a word that is odd; or lengths that do not fit. */
  private damaged(words: readonly number[], addresses: readonly number[], argument: number): readonly number[] {
    const answer = [...this.honest(words, addresses)];
    const odd = [0, 1, 0x10, 0x7fff_ffff, 0xffff_ffff, 0xffff_fff0, 0x1000, 0x4000_0000][argument >> 5];
    if ((argument & 31) >= 28) {
      answer[1 + (argument & 3)] = odd;
    } else if (this.rxAddress !== 0) {
      const bytes = new Uint8Array(Uint32Array.of(odd).buffer);
      this.machine.frames.contents.write(this.rxAddress + 4 * (argument & 31), bytes, 0, 4);
    }
    return answer;
  }

  private response(words: readonly number[], argument: number): number[] {
    const swapped = ((words[1] << 16) | (words[1] >>> 16)) >>> 0;
    const w1 = (argument & 0x40) !== 0 ? words[1] : swapped;
    const w2 = (argument & 0x80) !== 0 ? 0 : words[2] === 0 ? 0 : words[2] + 1;
    const function64 = (argument & 0x20) !== 0;
    const functionId = function64 ? id.FFA_MSG_SEND_DIRECT_RESP_64 : id.FFA_MSG_SEND_DIRECT_RESP_32;
    const status = argument & 0x1f;
    return [functionId, w1, w2, status === 0 ? 0 : this.errorCode(status - 1)];
  }

  private garbage(argument: number): number[] {
    let functionId = 0x8400_0060 + (argument % 0x30) + ((argument & 0x80) !== 0 ? 0x4000_0000 : 0);
    // Who is preempted is `preempt`'s to say: what is to be run is then named as it was taken.
    if (functionId === id.FFA_INTERRUPT || functionId === id.FFA_YIELD) functionId = id.FFA_MSG_WAIT;
    const noise = Math.imul(argument + 1, 0x9e3779b1) >>> 0;
    return [functionId, noise, noise ^ 0xffff, argument, noise >>> 3, 0xffff_ffff, argument, noise];
  }

  /** The partition is preempted: what it would have answered, it answers when it is run. */
  private preempt(
    words: readonly number[],
    addresses: readonly number[],
    argument: number,
    functionId: number,
  ): number[] {
    const isRun = words[0] === id.FFA_RUN;
    let target = isRun ? words[1] : ((words[1] & 0xffff) << 16) >>> 0;
    if (isRun) return [functionId, target];
    if ((argument & 3) === 1) target = (this.partitions[argument % this.partitions.length].id << 16) >>> 0;
    if ((argument & 3) === 2) target = (target | (argument >> 4)) >>> 0;
    if ((argument & 7) === 7) target = 0;
    this.preempted.set(target, this.honest(words, addresses));
    return [functionId, target];
  }

  // The honest secure world --------------------------------------------------------------------------------------

  private honest(words: readonly number[], addresses: readonly number[]): readonly number[] {
    switch (words[0]) {
      case id.FFA_VERSION:
        return [this.version];
      case id.FFA_FEATURES:
        if (this.lacking.has(words[1])) return [id.FFA_ERROR, 0, -1];
        return words[1] < 0x100 ? [id.FFA_SUCCESS_32, 0, 8 + words[1]] : [id.FFA_SUCCESS_32];
      case id.FFA_RXTX_MAP_64:
        return this.map(addresses);
      case id.FFA_PARTITION_INFO_GET:
        this.list();
        return [id.FFA_SUCCESS_32, 0, this.partitions.length, 24];
      case id.FFA_PARTITION_INFO_GET_REGS:
        return this.listInRegisters(words[3]);
      case id.FFA_MEM_SHARE_32:
      case id.FFA_MEM_SHARE_64:
      case id.FFA_MEM_LEND_32:
      case id.FFA_MEM_LEND_64:
      case id.FFA_MEM_DONATE_32:
      case id.FFA_MEM_DONATE_64:
        return this.send(words);
      case id.FFA_MEM_FRAG_TX:
        return this.fragment(words);
      case id.FFA_MEM_RECLAIM:
        return this.reclaim(words);
      case id.FFA_MEM_RETRIEVE_REQ_32:
      case id.FFA_MEM_RETRIEVE_REQ_64:
        return this.retrieve();
      case id.FFA_MEM_RELINQUISH:
        return this.relinquish();
      case id.FFA_MSG_SEND_DIRECT_REQ_32:
        return this.response(words, 0);
      case id.FFA_MSG_SEND_DIRECT_REQ_64:
        return this.response(words, 0x20);
      case id.FFA_MSG_SEND_DIRECT_REQ2:
        return [id.FFA_MSG_SEND_DIRECT_RESP2, ((words[1] << 16) | (words[1] >>> 16)) >>> 0, 0, 0, 1, 2, 3, 4];
      case id.FFA_RUN:
        return this.run(words[1]);
      case id.FFA_NOTIFICATION_INFO_GET_64:
        return [id.FFA_SUCCESS_64, 0, 0x1000, 1];
      default:
        return [id.FFA_SUCCESS_32];
    }
  }

  private map(addresses: readonly number[]): readonly number[] {
    if (addresses[1] === 0) return [id.FFA_SUCCESS_32];
    this.txAddress = addresses[0];
    this.rxAddress = addresses[1];
    return [id.FFA_SUCCESS_32];
  }

  private list(): void {
    const bytes = new Uint8Array(24 * this.partitions.length);
    const view = new DataView(bytes.buffer);
    for (const [n, partition] of this.partitions.entries()) {
      view.setUint16(24 * n, partition.id, true);
      view.setUint16(24 * n + 2, 1, true);
      view.setUint32(24 * n + 4, partition.properties, true);
      view.setUint32(24 * n + 8, partition.id, true);
    }
    if (this.rxAddress !== 0) this.machine.frames.contents.write(this.rxAddress, bytes, 0, bytes.length);
  }

  private listInRegisters(start: number): readonly number[] {
    const last = this.partitions.length - 1;
    return (start & 0xffff) > last ? [id.FFA_ERROR, 0, FFA_INVALID_PARAMETERS] : [id.FFA_SUCCESS_64, 0, last];
  }

  private send(words: readonly number[]): readonly number[] {
    const descriptor = this.tx(words[2]);
    if (descriptor.length < 64) return [id.FFA_ERROR, 0, FFA_INVALID_PARAMETERS];
    const composite = new DataView(descriptor.buffer).getUint32(52, true);
    const frames = new Set<number>();
    if (!this.take(frames, descriptor.subarray(composite + 16))) return [id.FFA_ERROR, 0, FFA_DENIED];
    const low = this.handleCount++;
    const retrieved = new Set<number>();
    const transaction = { low, high: 0, total: words[1], received: words[2], descriptor, frames, retrieved };
    this.transactions.set(`${low}:0`, transaction);
    this.handles.push({ low, high: 0 });
    if (words[2] < words[1]) return [id.FFA_MEM_FRAG_RX, low, 0, words[2]];
    return [id.FFA_SUCCESS_32, 0, low, 0];
  }

  /** Adds the frames of constituents; false when one of them is in a transaction already. */
  private take(frames: Set<number>, constituents: Uint8Array): boolean {
    const view = new DataView(constituents.buffer, constituents.byteOffset, constituents.length);
    for (let at = 0; at + 16 <= constituents.length; at += 16) {
      const first = view.getUint32(at + 4, true) * 0x10_0000 + (view.getUint32(at, true) >>> 12);
      for (let frame = first; frame < first + view.getUint32(at + 8, true); frame++) {
        for (const other of this.transactions.values()) {
          if (other.frames !== frames && other.frames.has(frame)) return false;
        }
        if (frames.has(frame)) return false;
        frames.add(frame);
      }
    }
    return true;
  }

  private tx(length: number): Uint8Array {
    const bytes = new Uint8Array(Math.min(length, PAGE));
    if (this.txAddress !== 0) this.machine.frames.contents.read(this.txAddress, bytes, 0, bytes.length);
    return bytes;
  }

  private fragment(words: readonly number[]): readonly number[] {
    const transaction = this.transactions.get(`${words[1]}:${words[2]}`);
    if (transaction === undefined || transaction.received >= transaction.total) return [id.FFA_ERROR, 0, -2];
    const bytes = this.tx(words[3]);
    // Constituents that cannot be: the last of them is not page-aligned.
    if (bytes.length >= 16 && (bytes[bytes.length - 16] !== 0 || (bytes[bytes.length - 15] & 0xf) !== 0)) {
      this.transactions.delete(`${words[1]}:${words[2]}`);
      return [id.FFA_ERROR, 0, FFA_INVALID_PARAMETERS];
    }
    if (!this.take(transaction.frames, bytes)) {
      this.transactions.delete(`${words[1]}:${words[2]}`);
      return [id.FFA_ERROR, 0, FFA_DENIED];
    }
    transaction.received += words[3];
    if (transaction.received < transaction.total) {
      return [id.FFA_MEM_FRAG_RX, transaction.low, transaction.high, transaction.received];
    }
    return [id.FFA_SUCCESS_32, 0, transaction.low, transaction.high];
  }

  private reclaim(words: readonly number[]): readonly number[] {
    const key = `${words[1]}:${words[2]}`;
    const transaction = this.transactions.get(key);
    if (transaction === undefined) return [id.FFA_ERROR, 0, FFA_INVALID_PARAMETERS];
    if (transaction.retrieved.size > 0) return [id.FFA_ERROR, 0, FFA_DENIED];
    this.transactions.delete(key);
    return [id.FFA_SUCCESS_32];
  }

  /** For its receiver: the descriptor as it was sent, with its handle, is near enough to a retrieve response. */
  private retrieve(): readonly number[] {
    const request = this.tx(PAGE);
    const view = new DataView(request.buffer);
    const transaction = this.transactions.get(`${view.getUint32(8, true)}:${view.getUint32(12, true)}`);
    if (transaction === undefined || this.rxAddress === 0) return [id.FFA_ERROR, 0, FFA_INVALID_PARAMETERS];
    const bytes = transaction.descriptor.slice();
    const response = new DataView(bytes.buffer);
    const receiver = response.getUint16(48, true);
    if (transaction.received < transaction.total || receiver !== view.getUint16(48, true)) {
      return [id.FFA_ERROR, 0, FFA_DENIED];
    }
    transaction.retrieved.add(receiver);
    response.setUint32(8, transaction.low, true);
    response.setUint32(12, transaction.high, true);
    this.machine.frames.contents.write(this.rxAddress, bytes, 0, bytes.length);
    return [id.FFA_MEM_RETRIEVE_RESP, bytes.length, bytes.length];
  }

  private relinquish(): readonly number[] {
    const view = new DataView(this.tx(32).buffer);
    const transaction = this.transactions.get(`${view.getUint32(0, true)}:${view.getUint32(4, true)}`);
    const had = transaction?.retrieved.delete(view.getUint16(16, true)) === true;
    return had ? [id.FFA_SUCCESS_32] : [id.FFA_ERROR, 0, FFA_INVALID_PARAMETERS];
  }

  private run(target: number): readonly number[] {
    const answer = this.preempted.get(target);
    if (answer === undefined) return [id.FFA_ERROR, 0, FFA_DENIED];
    this.preempted.delete(target);
    return answer;
  }

  private note(mark: string, words: readonly number[], addresses: readonly number[]): void {
    if (this.transcript === null) return;
    const tx = mark === '>' && isSend(words[0]) ? Array.from(this.tx(words[2])).join(',') : '';
    this.transcript.push(`${mark} ${words.join(' ')} ${addresses.join(' ')} ${tx}`);
  }
}

function isSend(functionId: number): boolean {
  const short = (functionId & ~0x4000_0000) >>> 0;
  return short === id.FFA_MEM_SHARE_32 || short === id.FFA_MEM_LEND_32 || short === id.FFA_MEM_DONATE_32;
}

function isBorrowing(functionId: number): boolean {
  const short = (functionId & ~0x4000_0000) >>> 0;
  return short === id.FFA_MEM_RETRIEVE_REQ_32 || short === id.FFA_MEM_RELINQUISH || short === id.FFA_RUN;
}

function hex(word: number): string {
  return (word >>> 0).toString(16).padStart(8, '0');
}

/** Whether the answer is in the hypervisor's RX. */
function isFilling(functionId: number): boolean {
  const short = (functionId & ~0x4000_0000) >>> 0;
  return short === id.FFA_MEM_RETRIEVE_REQ_32 || short === id.FFA_PARTITION_INFO_GET;
}

/** The versions that an SPMC may have here. */
export const HOSTILE_VERSIONS = [FFA_VERSION_1_2, FFA_VERSION_1_1, 0x1_0000, 0x2_0000, 0x1_0003, 0xffff_ffff];
