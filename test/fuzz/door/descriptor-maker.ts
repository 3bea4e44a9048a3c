// Memory transaction descriptors as guests write them: well-formed ones of some ranges of the guest's RAM in the layout
// of its version, then damaged as the numbers say.

import { FFA_VERSION_1_0, FFA_VERSION_1_2 } from '../../../src/abi/versions.ts';
import { Random } from '../random.ts';

const PAGE = 4096;
const ODD_WORDS = [
  0, 1, 2, 15, 16, 31, 32, 47, 48, 63, 64, 80, 96, 4095, 4096, 4097, 0x7fff_ffff, 0x8000_0000, 0xffff_fff0, 0xffff_ffff,
  0xffff_f000, 0x4000_0000, 0x000f_ffff, 0x0010_0000,
];

export interface DescriptorPlan {
  readonly version: number;
  readonly sender: number;
  readonly receivers: readonly number[];
  readonly ramBase: number;
  readonly ramPages: number;
  /** Decides ranges, attributes, flags and damage. */
  readonly seed: number;
  /** 0: well-formed. */
  readonly damage: number;
  readonly handleLow: number;
  readonly handleHigh: number;
  /** Without a composite: a retrieve request. */
  readonly retrieve: boolean;
  /** Fewest and most ranges. */
  readonly rangesMin: number;
  readonly rangesMax: number;
}

export function makeDescriptor(plan: DescriptorPlan): Uint8Array {
  const random = new Random(plan.seed);
  const is10 = plan.version === FFA_VERSION_1_0;
  const headerBytes = is10 ? 32 : 48;
  const accessBytes = plan.version >= FFA_VERSION_1_2 ? 32 : 16;
  const { receivers } = plan;
  const composite = headerBytes + accessBytes * receivers.length;
  const ranges = plan.retrieve ? [] : rangesOf(plan, random);
  const bytes = new Uint8Array(composite + (plan.retrieve ? 0 : 16 + 16 * (ranges.length / 2)));
  const view = new DataView(bytes.buffer);
  view.setUint16(0, plan.sender, true);
  view.setUint16(2, random.oneIn(8) ? random.pick([0, 0x6f, 0x2e, 0x10, 0x12f]) : 0x2f, true);
  view.setUint32(4, random.oneIn(4) ? random.pick([1, 2, 3, 8, 0x10, 0x18, 0x400, 0x80]) : 0, true);
  view.setUint32(8, plan.handleLow, true);
  view.setUint32(12, plan.handleHigh, true);
  view.setUint32(16, random.u32(), true);
  if (!is10) {
    view.setUint32(24, accessBytes, true);
    view.setUint32(32, 48, true);
  }
  view.setUint32(28, receivers.length, true);
  for (let n = 0; n < receivers.length; n++) {
    const at = headerBytes + n * accessBytes;
    view.setUint16(at, receivers[n], true);
    view.setUint8(at + 2, random.oneIn(6) ? random.below(16) : 2);
    view.setUint32(at + 4, plan.retrieve ? 0 : composite, true);
    if (accessBytes === 32) view.setUint32(at + 8, random.u32(), true);
  }
  if (!plan.retrieve) writeRanges(view, composite, ranges);
  if (plan.damage !== 0) damage(view, new Random(plan.damage));
  return bytes;
}

function rangesOf(plan: DescriptorPlan, random: Random): number[] {
  const { rangesMin, rangesMax } = plan;
  const spread = random.oneIn(3) ? rangesMax - rangesMin : Math.min(2, rangesMax - rangesMin);
  const count = rangesMin + random.below(spread + 1);
  const ranges: number[] = [];
  for (let n = 0; n < count; n++) {
    const pages = rangesMin === 1 && random.oneIn(5) ? 1 + random.below(plan.ramPages) : 1 + random.below(3);
    const first = 2 + random.below(plan.ramPages - 2);
    ranges.push(plan.ramBase + first * PAGE, pages);
  }
  return ranges;
}

function writeRanges(view: DataView, composite: number, ranges: readonly number[]): void {
  let pages = 0;
  for (let n = 0; n < ranges.length; n += 2) {
    const at = composite + 16 + 8 * n;
    view.setUint32(at, ranges[n], true);
    view.setUint32(at + 8, ranges[n + 1], true);
    pages += ranges[n + 1];
  }
  view.setUint32(composite, pages, true);
  view.setUint32(composite + 4, ranges.length / 2, true);
}

/** Some words or bytes become odd ones. */
function damage(view: DataView, random: Random): void {
  const count = 1 + random.below(3);
  for (let n = 0; n < count; n++) {
    const at = 4 * random.below(Math.min(view.byteLength, 128) >> 2);
    if (random.oneIn(3)) view.setUint8(at + random.below(4), random.below(256));
    else
      view.setUint32(
        at,
        random.oneIn(3) ? view.getUint32(at, true) + random.below(33) - 16 : random.pick(ODD_WORDS),
        true,
      );
  }
}
