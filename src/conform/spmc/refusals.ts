// Where ours refuses on purpose what a recording shows as done. The reasons are told from the call and from the state
// before it, never from our answer: an error that has none of these reasons is a failure.
//
// Limit: a send is judged by the pages of its own constituents; what its receivers do with them is judged when they do.

import {
  FFA_MEM_DONATE_32,
  FFA_MEM_FRAG_TX,
  FFA_MEM_LEND_32,
  FFA_MEM_RECLAIM,
  FFA_MEM_RELINQUISH,
  FFA_MEM_SHARE_32,
  SMC64_BIT,
} from '../../abi/function-ids.ts';
import {
  COMPOSITE_CONSTITUENT_COUNT_OFFSET,
  COMPOSITE_SIZE_BYTES,
  CONSTITUENT_ADDRESS_OFFSET,
  CONSTITUENT_PAGE_COUNT_OFFSET,
  CONSTITUENT_SIZE_BYTES,
  EMAD_COMPOSITE_OFFSET,
  MTD_1_0_SIZE_BYTES,
  MTD_1_1_EMAD_ARRAY_OFFSET,
  RELINQUISH_ENDPOINTS_OFFSET,
} from '../../abi/layout/memory-transaction.ts';
import { FFA_VERSION_1_1 } from '../../abi/versions.ts';
import { PAGE_SIZE_BYTES, TWO_POW_32 } from '../../base/units.ts';
import { STAGE2_INVALID, STAGE2_NON_SECURE, STAGE2_SHARED, STAGE2_UNOWNED } from '../../hardware/stage2.ts';
import type { RecordedMachine } from './recorded-machine.ts';

/** The normal world would act on what a partition sent, or in a partition's name. */
export const REFUSED_OTHER_WORLD = 'the normal world acts on what belongs to a partition';
/** A page of a send is not its sender's, or not its alone. */
export const REFUSED_NOT_ALONE = 'a page that is sent is not its sender’s alone';
/** A partition's send would hold secure and non-secure pages. */
export const REFUSED_MIXED = 'pages of both worlds are sent in one transaction';

/** Pages from `first`. */
interface Run {
  readonly first: number;
  readonly count: number;
}

const SECURE_BIT = 0x8000;

export class Refusals {
  private readonly recorded: RecordedMachine;
  private readonly bytes = new Uint8Array(PAGE_SIZE_BYTES);
  private readonly view = new DataView(this.bytes.buffer);
  /** What each endpoint's sends have named in fragments so far. */
  private readonly fragments = new Map<number, Run[]>();

  constructor(recorded: RecordedMachine) {
    this.recorded = recorded;
  }

  reset(): void {
    this.fragments.clear();
  }

  /**
   * Why ours must refuse the call that endpoint `index` is about to make, with the words of x0..x7 in `words`; '' when
   * it need not. Called before each call, in their order.
   */
  reasonBefore(index: number, words: Uint32Array): string {
    switch ((words[0] & ~SMC64_BIT) >>> 0) {
      case FFA_MEM_DONATE_32:
      case FFA_MEM_LEND_32:
      case FFA_MEM_SHARE_32:
        this.read(index, words[4]);
        this.fragments.set(index, this.firstFragment(index, words[4]));
        return this.reasonOfPages(index);
      case FFA_MEM_FRAG_TX:
        if (index === 0 && this.isOfPartition(words)) return REFUSED_OTHER_WORLD;
        this.read(index, words[6]);
        this.fragments.set(index, [...(this.fragments.get(index) ?? []), ...this.runs(0, words[6])]);
        return this.reasonOfPages(index);
      case FFA_MEM_RECLAIM:
        return index === 0 && this.isOfPartition(words) ? REFUSED_OTHER_WORLD : '';
      case FFA_MEM_RELINQUISH:
        this.read(index, PAGE_SIZE_BYTES);
        if (index > 0 || (this.view.getUint16(RELINQUISH_ENDPOINTS_OFFSET, true) & SECURE_BIT) === 0) return '';
        return REFUSED_OTHER_WORLD;
      default:
        return '';
    }
  }

  /** Whether w1 and w2 are the handle of something that a partition sent. */
  private isOfPartition(words: Uint32Array): boolean {
    const transaction = this.recorded.spmc.slots.find(words[2], words[4]);
    return transaction !== null && !transaction.fromNormalWorld;
  }

  private read(index: number, length: number): void {
    this.recorded.readTx(index, this.bytes, Math.min(length, PAGE_SIZE_BYTES));
  }

  private firstFragment(index: number, announced: number): Run[] {
    const { view } = this;
    const length = Math.min(announced, PAGE_SIZE_BYTES);
    const isNew = this.recorded.endpoints[index].version >= FFA_VERSION_1_1;
    const emad = isNew ? view.getUint32(MTD_1_1_EMAD_ARRAY_OFFSET, true) : MTD_1_0_SIZE_BYTES;
    if (emad + EMAD_COMPOSITE_OFFSET + 4 > length) return [];
    const composite = view.getUint32(emad + EMAD_COMPOSITE_OFFSET, true);
    if (composite + COMPOSITE_SIZE_BYTES > length) return [];
    const count = view.getUint32(composite + COMPOSITE_CONSTITUENT_COUNT_OFFSET, true);
    const from = composite + COMPOSITE_SIZE_BYTES;
    return this.runs(from, Math.min(length, from + count * CONSTITUENT_SIZE_BYTES));
  }

  /** The constituents between two offsets of TX. */
  private runs(from: number, end: number): Run[] {
    const { view } = this;
    const runs: Run[] = [];
    for (let at = from; at + CONSTITUENT_SIZE_BYTES <= Math.min(end, PAGE_SIZE_BYTES); at += CONSTITUENT_SIZE_BYTES) {
      const low = view.getUint32(at + CONSTITUENT_ADDRESS_OFFSET, true);
      const high = view.getUint32(at + CONSTITUENT_ADDRESS_OFFSET + 4, true);
      const first = Math.floor((high * TWO_POW_32 + low) / PAGE_SIZE_BYTES);
      runs.push({ first, count: view.getUint32(at + CONSTITUENT_PAGE_COUNT_OFFSET, true) });
    }
    return runs;
  }

  private reasonOfPages(index: number): string {
    const table = this.recorded.endpoints[index].pages;
    let secure = false;
    let nonSecure = false;
    for (const { first, count } of this.fragments.get(index) ?? []) {
      for (let page = first; page < first + count; page++) {
        if (table.translate(page) < 0) return REFUSED_NOT_ALONE;
        if ((table.attributes & (STAGE2_INVALID | STAGE2_UNOWNED | STAGE2_SHARED)) !== 0) return REFUSED_NOT_ALONE;
        if ((table.attributes & STAGE2_NON_SECURE) !== 0) nonSecure = true;
        else secure = true;
      }
    }
    return index > 0 && secure && nonSecure ? REFUSED_MIXED : '';
  }
}
