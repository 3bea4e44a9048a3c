// A secure partition that does what an input says: any call of its own, mostly well-formed, in any state; it computes,
// idles, crashes. Without word from the input it answers what it was asked, and else waits.

import * as id from '../../../src/abi/function-ids.ts';
import {
  EXIT_CALL,
  EXIT_CRASH,
  EXIT_IDLE,
  EXIT_WORK,
  type Exit,
  type PartitionEntry,
  type VcpuContext,
} from '../../../src/hardware/partition-entry.ts';
import { Random } from '../random.ts';
import { makeDescriptor } from './descriptor-maker.ts';
import type { AnswerSource } from './secure-side.ts';

const PAGE = 4096;
export const IMAGE_PAGES = 64;
const TX_PAGE = 62;
const RX_PAGE = 63;
const SEND_PAGES = 40;
/** Refused calls in a row after which it idles, and after which it dies. */
const PATIENCE = 4;

/** A transaction as everybody knows it. */
export interface Known {
  readonly low: number;
  readonly high: number;
  readonly sender: number;
  readonly tagLow: number;
  readonly tagHigh: number;
  /** Endpoint ids. */
  readonly receivers: readonly number[];
}

/** What partitions share: the input, the transactions, whose turn for honesty it is. */
export interface Conspiracy {
  readonly answers: AnswerSource;
  readonly known: Known[];
  readonly partitionIds: readonly number[];
  readonly amends: boolean;
}

const SENDS = [id.FFA_MEM_SHARE_32, id.FFA_MEM_LEND_32, id.FFA_MEM_DONATE_32, id.FFA_MEM_SHARE_64];
const SIMPLE = [
  id.FFA_RX_RELEASE,
  id.FFA_RXTX_UNMAP,
  id.FFA_ID_GET,
  id.FFA_SPM_ID_GET,
  id.FFA_YIELD,
  id.FFA_MSG_WAIT,
  id.FFA_PARTITION_INFO_GET,
  id.FFA_NOTIFICATION_INFO_GET_64,
];
const NOTIFICATIONS = [
  id.FFA_NOTIFICATION_BIND,
  id.FFA_NOTIFICATION_UNBIND,
  id.FFA_NOTIFICATION_SET,
  id.FFA_NOTIFICATION_GET,
];

export class HostilePartition implements PartitionEntry {
  private readonly id: number;
  private readonly base: number;
  private readonly conspiracy: Conspiracy;
  /** The request that it has not answered: w0, w1, w2. */
  private request: readonly [number, number, number] | null = null;
  private lastCall = 0;
  private lastKnown: Known | null = null;
  /** Transactions that it has retrieved and not relinquished. */
  private held: Known[] = [];
  /** What it called and was preempted, or yielded: w1 for FFA_RUN. */
  private readonly unfinished: number[] = [];
  /** Of these, what could not be run here and now: a chain of calls stays on its PE. */
  private readonly later: number[] = [];
  private lastRun = 0;
  /** Whether it has mapped its buffers again in order to give back what it holds. */
  private mapped = false;
  private refused = 0;
  private started = false;

  constructor(endpoint: number, base: number, conspiracy: Conspiracy) {
    this.id = endpoint;
    this.base = base;
    this.conspiracy = conspiracy;
  }

  reset(): void {
    this.request = null;
    this.lastCall = 0;
    this.held = [];
    this.unfinished.length = 0;
    this.later.length = 0;
    this.mapped = false;
    this.refused = 0;
    this.started = false;
  }

  run(context: VcpuContext): Exit {
    context.interrupts.length = 0;
    this.learn(context);
    if (!this.started) {
      this.started = true;
      return this.call(context, id.FFA_MSG_WAIT);
    }
    if (this.refused > 2 * PATIENCE) return EXIT_CRASH;
    if (this.refused > PATIENCE) {
      this.refused++;
      return EXIT_IDLE;
    }
    if (this.conspiracy.amends) {
      const unfinished = this.unfinished.pop();
      if (unfinished !== undefined) {
        this.lastRun = unfinished;
        return this.call(context, id.FFA_RUN, unfinished);
      }
      if (this.held.length > 0) return this.giveBack(context);
    }
    const pair = this.conspiracy.answers.next();
    return pair >> 8 < 96 ? this.serve(context) : this.act(context, (pair >> 8) - 96, pair & 0xff);
  }

  /** What the registers say: the answer to its last call, or what it is asked. */
  private learn({ registers }: VcpuContext): void {
    const w0 = registers.w(0);
    if (this.lastCall === id.FFA_RUN && w0 === id.FFA_ERROR && this.conspiracy.amends) this.later.push(this.lastRun);
    if (this.lastCall !== id.FFA_RUN && isRequest(w0)) this.unfinished.push(...this.later.splice(0));
    if (w0 === id.FFA_MSG_SEND_DIRECT_REQ_32 || w0 === id.FFA_MSG_SEND_DIRECT_REQ_64) {
      this.request = [w0, registers.w(1), registers.w(2)];
    } else if (w0 === id.FFA_MSG_SEND_DIRECT_REQ2) this.request = [w0, registers.w(1), 0];
    else if (w0 === id.FFA_YIELD || (w0 === id.FFA_INTERRUPT && registers.w(1) !== 0)) {
      this.unfinished.push(registers.w(1));
    }
    this.refused = w0 === id.FFA_ERROR ? this.refused + 1 : 0;
    const known = this.lastKnown;
    this.lastKnown = null;
    if (known === null) return;
    if (w0 === id.FFA_MEM_RETRIEVE_RESP) this.held.push(known);
    else if (isSend(this.lastCall) && w0 === id.FFA_SUCCESS_32) {
      this.conspiracy.known.push({ ...known, low: registers.w(2), high: registers.w(3) });
    } else if (isSend(this.lastCall) && w0 === id.FFA_MEM_FRAG_RX) {
      this.conspiracy.known.push({ ...known, low: registers.w(1), high: registers.w(2) });
    }
  }

  private call({ registers }: VcpuContext, functionId: number, ...words: number[]): Exit {
    registers.clear();
    registers.setW(0, functionId);
    for (const [n, word] of words.entries()) registers.setW(n + 1, word >>> 0);
    this.lastCall = functionId;
    return EXIT_CALL;
  }

  /** Answers what it was asked, else waits. */
  private serve(context: VcpuContext): Exit {
    const { request } = this;
    this.request = null;
    if (request === null) return this.call(context, id.FFA_MSG_WAIT);
    const [w0, w1, w2] = request;
    const swapped = ((w1 << 16) | (w1 >>> 16)) >>> 0;
    if (w0 === id.FFA_MSG_SEND_DIRECT_REQ2) return this.call(context, id.FFA_MSG_SEND_DIRECT_RESP2, swapped);
    const answer =
      w0 === id.FFA_MSG_SEND_DIRECT_REQ_64 ? id.FFA_MSG_SEND_DIRECT_RESP_64 : id.FFA_MSG_SEND_DIRECT_RESP_32;
    return this.call(context, answer, swapped, w2 === 0 ? 0 : w2 + 1);
  }

  private giveBack(context: VcpuContext): Exit {
    // Its buffers may be gone.
    if (!this.mapped) {
      this.mapped = true;
      return this.map(context, 0);
    }
    const [known] = this.held.splice(0, 1);
    this.write(context, Uint32Array.of(known.low, known.high, 0, 1, this.id));
    return this.call(context, id.FFA_MEM_RELINQUISH);
  }

  private map(context: VcpuContext, argument: number): Exit {
    const tx = argument < 192 ? TX_PAGE : argument & 0x3f;
    const rx = argument < 160 ? RX_PAGE : (argument >> 1) & 0x3f;
    const pages = argument < 224 ? 1 : argument & 3;
    return this.call(context, id.FFA_RXTX_MAP_64, this.base + tx * PAGE, this.base + rx * PAGE, pages);
  }

  /** Puts words into TX. */
  private write(context: VcpuContext, words: Uint32Array): boolean {
    const bytes = new Uint8Array(words.buffer, words.byteOffset, words.byteLength);
    return context.memory.write(this.base + TX_PAGE * PAGE, bytes, 0, Math.min(bytes.length, PAGE));
  }

  private act(context: VcpuContext, kind: number, argument: number): Exit {
    switch (kind >> 3) {
      case 0:
      case 1:
      case 2:
        return this.retrieve(context, argument);
      case 3:
      case 4:
        return this.send(context, argument, kind & 7);
      case 5: {
        const known = this.pick(argument);
        this.held = this.held.filter((one) => one !== known);
        this.write(context, Uint32Array.of(known.low, known.high, argument >= 224 ? argument & 3 : 0, 1, this.id));
        return this.call(context, id.FFA_MEM_RELINQUISH);
      }
      case 6: {
        const known = this.pick(argument);
        return this.call(context, id.FFA_MEM_RECLAIM, known.low, known.high, argument >= 240 ? argument & 3 : 0);
      }
      case 7:
        return this.fragment(context, argument, kind & 7);
      case 8:
        return this.call(context, SIMPLE[kind & 7], 0, 0, 0, 0, argument >= 128 ? 1 : 0);
      case 9:
        return this.map(context, argument);
      case 10:
        return this.direct(context, argument, kind & 7);
      case 11:
        return this.indirect(context, argument);
      case 12:
        return this.notification(context, argument, kind & 3);
      case 13:
        return this.leave(context, argument, kind & 7);
      case 14:
        return this.touch(context, argument);
      default:
        return this.anything(context, argument, kind);
    }
  }

  /** A transaction that somebody knows, the newest most of the time; now and then one that nobody knows. */
  private pick(argument: number): Known {
    const { known } = this.conspiracy;
    const nobody = { low: argument & 31, high: argument >= 252 ? 0x8000_0000 : 0, sender: 1, tagLow: 0, tagHigh: 0 };
    if (known.length === 0 || argument >= 248) return { ...nobody, receivers: [this.id] };
    return known[known.length - 1 - (argument % Math.min(4, known.length))];
  }

  private retrieve(context: VcpuContext, argument: number): Exit {
    const known = this.pick(argument);
    const receivers = argument >= 128 ? known.receivers : [this.id];
    const permissions = [2, 2, 2, 1, 6, 10, 0, 5][(argument >> 2) & 7];
    const words = new Uint32Array(12 + 8 * receivers.length);
    const accessWords = argument >= 192 ? 8 : 4;
    words[0] = known.sender;
    words[1] = (argument & 0xe0) === 0xe0 ? 8 : 0;
    words.set([known.low, known.high, known.tagLow, known.tagHigh, 4 * accessWords, receivers.length, 48], 2);
    for (const [n, receiver] of receivers.entries()) words[12 + accessWords * n] = (permissions << 16) | receiver;
    this.write(context, words);
    this.lastKnown = known;
    const length = 48 + 4 * accessWords * receivers.length;
    return this.call(context, id.FFA_MEM_RETRIEVE_REQ_32, length, length);
  }

  private send(context: VcpuContext, argument: number, which: number): Exit {
    const receiver = this.other(argument);
    const fragmented = which >= 6;
    const rangesMin = fragmented ? 4 : 1;
    const whole = makeDescriptor({
      version: 0x1_0001,
      sender: this.id,
      receivers: [receiver],
      ramBase: this.base,
      ramPages: SEND_PAGES,
      seed: argument,
      damage: argument >= 232 ? argument : 0,
      handleLow: 0,
      handleHigh: 0,
      retrieve: false,
      rangesMin,
      rangesMax: rangesMin + 3,
    });
    const length = fragmented ? Math.min(whole.length, 96 + 16) : whole.length;
    context.memory.write(this.base + TX_PAGE * PAGE, whole, 0, length);
    const view = new DataView(whole.buffer);
    const tag = { tagLow: view.getUint32(16, true), tagHigh: view.getUint32(20, true) };
    this.lastKnown = { low: 0, high: 0, sender: this.id, ...tag, receivers: [receiver] };
    return this.call(context, SENDS[which & 3], whole.length, length);
  }

  private fragment(context: VcpuContext, argument: number, which: number): Exit {
    const known = this.pick(argument);
    if (which >= 5) {
      return this.call(context, id.FFA_MEM_FRAG_RX, known.low, known.high, 16 * (argument & 15), argument << 16);
    }
    const ranges = 1 + (argument & 3);
    const words = new Uint32Array(4 * ranges);
    for (let n = 0; n < ranges; n++) words.set([this.base + PAGE * (2 + ((argument + n) % SEND_PAGES)), 0, 1], 4 * n);
    this.write(context, words);
    return this.call(
      context,
      id.FFA_MEM_FRAG_TX,
      known.low,
      known.high,
      16 * ranges,
      argument < 224 ? 0 : this.id << 16,
    );
  }

  private direct(context: VcpuContext, argument: number, which: number): Exit {
    const w1 = ((this.id << 16) | this.other(argument)) >>> 0;
    const w2 = argument < 224 ? 0 : 0x8000_0000 | (argument & 7);
    switch (which) {
      case 0:
      case 1:
        return this.call(context, id.FFA_MSG_SEND_DIRECT_REQ_32, w1, w2, argument);
      case 2:
        return this.call(context, id.FFA_MSG_SEND_DIRECT_REQ_64, w1, w2, argument);
      case 3:
        return this.call(context, id.FFA_MSG_SEND_DIRECT_REQ2, w1, argument, 0);
      case 4:
        return this.call(context, id.FFA_MSG_SEND_DIRECT_RESP_32, w1, w2, argument);
      case 5:
        return this.call(context, id.FFA_MSG_SEND_DIRECT_RESP_64, w1, w2, argument);
      case 6:
        return this.call(context, id.FFA_MSG_SEND_DIRECT_RESP2, w1, argument);
      default:
        return this.call(context, id.FFA_RUN, ((this.other(argument) << 16) | (argument & 1)) >>> 0);
    }
  }

  private indirect(context: VcpuContext, argument: number): Exit {
    const words = new Uint32Array(16);
    const size = argument < 200 ? 8 : argument << 4;
    words.set([0, 0, argument < 224 ? 40 : 20, ((this.id << 16) | this.other(argument)) >>> 0, size]);
    this.write(context, words);
    return this.call(context, id.FFA_MSG_SEND2, argument < 240 ? 0 : argument << 16);
  }

  private notification(context: VcpuContext, argument: number, which: number): Exit {
    const functionId = NOTIFICATIONS[which];
    const other = this.other(argument);
    const isGet = functionId === id.FFA_NOTIFICATION_GET;
    const isSet = functionId === id.FFA_NOTIFICATION_SET;
    const pair = isSet ? (this.id << 16) | other : (other << 16) | this.id;
    const w1 = isGet ? ((argument & 1) << 16) | this.id : pair >>> 0;
    return this.call(
      context,
      functionId,
      w1,
      isGet ? argument & 15 : argument >= 192 ? argument & 3 : 0,
      1 << (argument & 7),
    );
  }

  /** It leaves without a call, or gives its PE away. */
  private leave(context: VcpuContext, argument: number, which: number): Exit {
    switch (which) {
      case 0:
        return EXIT_CRASH;
      case 1:
        return EXIT_IDLE;
      case 2:
      case 3:
      case 4:
        context.workNs = 1 + argument * 1000;
        return EXIT_WORK;
      case 5:
        return this.call(context, id.FFA_YIELD, 0, argument);
      case 6:
        return this.call(context, id.FFA_NORMAL_WORLD_RESUME);
      default:
        return this.call(context, id.FFA_MSG_WAIT, 0, argument >= 128 ? 1 : 0);
    }
  }

  /** Writes into what it holds, or into what it held once. */
  private touch(context: VcpuContext, argument: number): Exit {
    const bytes = Uint8Array.of(argument, 0xad, 0xde);
    context.memory.write(0x4000_0000 + PAGE * (2 + (argument % 44)), bytes, 0, bytes.length);
    return this.serve(context);
  }

  private anything(context: VcpuContext, argument: number, kind: number): Exit {
    const random = new Random((kind << 8) | argument);
    const functionId = (0x8400_0060 + (argument % 0x34) + (random.oneIn(2) ? 0x4000_0000 : 0)) >>> 0;
    const words = Array.from({ length: 6 }, () => {
      const known = this.pick(random.below(256));
      return random.pick([0, 0, 1, this.id, known.low, this.base, random.u32(), (this.id << 16) | argument, 0x1000]);
    });
    const exit = this.call(context, functionId, ...words);
    if (random.oneIn(4)) for (let n = 1; n < 18; n++) context.registers.setWords(n, random.u32(), random.u32());
    return exit;
  }

  /** Another endpoint: a partition, itself, a VM, or nobody. */
  private other(argument: number): number {
    const { partitionIds } = this.conspiracy;
    if (argument < 160) return partitionIds[argument % partitionIds.length];
    return argument < 240 ? argument & 3 : [0x8000, 0xffff, 0x8009, this.id][argument & 3];
  }
}

function isRequest(functionId: number): boolean {
  return functionId === id.FFA_MSG_SEND_DIRECT_REQ_32 || functionId === id.FFA_MSG_SEND_DIRECT_REQ_64;
}

function isSend(functionId: number): boolean {
  return SENDS.includes(functionId);
}
