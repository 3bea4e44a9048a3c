// Shrinks an input that shows a mistake: pieces are removed, then bytes are made zero or smaller, as long as the same
// mistake shows.

import type { Target } from './target.ts';

/** The smallest input found within `triesMax` tries. `shows`: whether an input shows the same mistake. */
export function shrink(
  target: Target,
  input: Uint8Array,
  triesMax: number,
  shows: (bytes: Uint8Array) => boolean,
): Uint8Array {
  let best = input;
  let tries = 0;
  const keeps = (candidate: Uint8Array): boolean => {
    if (tries >= triesMax) return false;
    tries++;
    if (!shows(candidate)) return false;
    best = candidate;
    return true;
  };
  const unit = Math.max(1, target.recordBytes);
  for (let changed = true; changed && tries < triesMax; ) {
    changed = false;
    const units = Math.ceil(Math.max(0, best.length - target.headerBytes) / unit);
    for (let size = 2 ** Math.floor(Math.log2(Math.max(1, units))) * unit; size >= unit; size /= 2) {
      for (let at = target.headerBytes; at < best.length && tries < triesMax; ) {
        if (keeps(without(best, at, size))) changed = true;
        else at += size;
      }
    }
    for (let at = 0; at < best.length && tries < triesMax; at++) {
      for (const value of [0, best[at] >> 1, best[at] - 1]) {
        if (value < 0 || value >= best[at]) continue;
        const candidate = best.slice();
        candidate[at] = value;
        if (!keeps(candidate)) continue;
        changed = true;
        break;
      }
    }
  }
  return best;
}

function without(bytes: Uint8Array, at: number, size: number): Uint8Array {
  const shorter = new Uint8Array(Math.max(at, bytes.length - size));
  shorter.set(bytes.subarray(0, at));
  if (at + size < bytes.length) shorter.set(bytes.subarray(at + size), at);
  return shorter;
}
