// Our own SPMC behind the fuzzed door, with three partitions that do what the input says.

import * as id from '../../../src/abi/function-ids.ts';
import { VM_CREATED_REQ_W2 } from '../../../src/abi/layout/messages.ts';
import type { Coroutine, Pending } from '../../../src/base/coroutine.ts';
import { PAGE_SIZE_BYTES } from '../../../src/base/units.ts';
import type { Machine } from '../../../src/hardware/machine.ts';
import type { Pe } from '../../../src/hardware/pe.ts';
import type { Personality } from '../../../src/spmc/personality.ts';
import { Spmc } from '../../../src/spmc/spmc.ts';
import { type Conspiracy, HostilePartition, IMAGE_PAGES, type Known } from './hostile-partition.ts';
import type { AnswerSource, SecureSide } from './secure-side.ts';

/** Receives and sends direct requests of both families, and indirect messages. */
const ALL_MESSAGES = 0x607;
const SLOTS = 12;
/** A VM id that no guest has. */
const NOBODY = 0x7fee;
const RUNS_MAX = 40;

export interface RealOptions {
  readonly partitionIds: readonly number[];
  readonly personality: Personality;
  /** Bits by partition: it queues non-secure interrupts. */
  readonly queues: number;
}

export class RealSecureWorld implements SecureSide, Conspiracy {
  answers: AnswerSource = { next: () => 0 };
  readonly waiting: readonly Pe[] = [];
  readonly known: Known[] = [];
  readonly claimed: ReadonlySet<string> = new Set();
  readonly transcript: null = null;
  readonly partitionIds: readonly number[];
  readonly spmc: Spmc;
  amends = false;
  /** The schedule-receiver interrupt has been raised and not been taken. */
  scheduleReceiver = false;
  private readonly machine: Machine;

  constructor(machine: Machine, { partitionIds, personality, queues }: RealOptions) {
    this.machine = machine;
    this.partitionIds = partitionIds;
    const { frames } = machine;
    const first = frames.firstFrame + frames.count - IMAGE_PAGES * partitionIds.length;
    this.spmc = new Spmc(machine, {
      personality,
      limits: { slots: SLOTS },
      interrupts: {
        raise: (endpoint) => {
          if (endpoint === 0) this.scheduleReceiver = true;
        },
      },
      partitions: partitionIds.map((endpoint, n) => {
        const baseAddress = (first + n * IMAGE_PAGES) * PAGE_SIZE_BYTES;
        const rxAddress = baseAddress + (IMAGE_PAGES - 1) * PAGE_SIZE_BYTES;
        return {
          id: endpoint,
          image: { baseAddress, pageCount: IMAGE_PAGES },
          program: new HostilePartition(endpoint, baseAddress, this),
          manifest: {
            services: [{ uuid: [endpoint, 0, 0, 1] as const, messagingMethod: ALL_MESSAGES }],
            nsInterruptAction: (queues & (1 << n)) === 0 ? ('signal' as const) : ('queue' as const),
            notificationSupport: true,
            vmAvailabilityMessages: 3,
            buffers: { rxAddress, txAddress: rxAddress - PAGE_SIZE_BYTES, pageCount: 1 },
          },
        };
      }),
    });
  }

  get handles(): readonly Known[] {
    return this.known;
  }

  *boot(pe: Pe): Coroutine {
    yield* this.spmc.boot(pe);
  }

  wake(): void {}

  /** Every partition gets the PE once, and gives back what it holds. */
  *makeAmends(pe: Pe): Coroutine {
    this.amends = true;
    for (const { id: partition } of this.spmc.partitions) {
      pe.smc.set8(id.FFA_MSG_SEND_DIRECT_REQ_32, partition, VM_CREATED_REQ_W2, 0, 0, NOBODY);
      pe.smc.clear(8, 17);
      for (let runs = 0; runs < RUNS_MAX; runs++) {
        const pending = this.spmc.smc(pe);
        if (pending !== null) yield* pending;
        if (pe.smc.w(0) !== id.FFA_INTERRUPT && pe.smc.w(0) !== id.FFA_YIELD) break;
        pe.interruptPending = false;
        pe.smc.set8(id.FFA_RUN, pe.smc.w(1));
      }
    }
  }

  smc(pe: Pe): Pending {
    const sent = this.described(pe);
    const pending = this.spmc.smc(pe);
    if (sent === null) return pending;
    if (pending !== null) return this.finish(pe, pending, sent);
    this.note(pe, sent);
    return null;
  }

  private *finish(pe: Pe, pending: Coroutine, sent: Known): Coroutine {
    yield* pending;
    this.note(pe, sent);
  }

  /** What a send of the normal world says of itself. */
  private described(pe: Pe): Known | null {
    const short = (pe.smc.w(0) & ~0x4000_0000) >>> 0;
    if (short !== id.FFA_MEM_SHARE_32 && short !== id.FFA_MEM_LEND_32 && short !== id.FFA_MEM_DONATE_32) return null;
    const tx = this.spmc.normalWorld.txFrame;
    if (tx < 0) return null;
    const words = this.machine.frames.contents.words(tx);
    const receivers: number[] = [];
    for (let n = 0; n < Math.min(words[7], 4); n++) receivers.push(words[(words[8] + n * words[6]) >>> 2] & 0xffff);
    return { low: 0, high: 0, sender: words[0] & 0xffff, tagLow: words[4], tagHigh: words[5], receivers };
  }

  private note(pe: Pe, sent: Known): void {
    const w0 = pe.smc.w(0);
    if (w0 === id.FFA_SUCCESS_32) this.known.push({ ...sent, low: pe.smc.w(2), high: pe.smc.w(3) });
    else if (w0 === id.FFA_MEM_FRAG_RX) this.known.push({ ...sent, low: pe.smc.w(1), high: pe.smc.w(2) });
  }
}
