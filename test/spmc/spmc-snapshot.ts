// All that an SPMC remembers of endpoints, pages, buffers and transactions, and what is in memory, as plain data: two
// snapshots are equal when a call has changed nothing.
//
// Left out: TX buffers (callers write them), scratch space, and what a partition's own run changes (its contexts).

import { createHash } from 'node:crypto';
import { Stage2 } from '../../src/hardware/stage2.ts';
import type { Spmc } from '../../src/spmc/spmc.ts';
import { Transaction } from '../../src/spmc/transaction.ts';
import { PAGE } from './small-world.ts';

/** Not state, or not the SPMC's. `next`: a handle that a failed send was given is not given again. */
const LEFT_OUT = new Set([
  ...['machine', 'options', 'personality', 'limits', 'table', 'console', 'handlerOf', 'stagings', 'interrupts'],
  ...['response', 'responseWords', 'setup', 'memory', 'vcpus', 'next', 'older', 'newer', 'senderPages'],
  ...['versionLocked', 'rxUsedBytes'],
]);

export function snapshotOf(spmc: Spmc, frames: readonly (readonly [first: number, count: number])[]): unknown {
  return {
    spmc: plain(spmc, new Set()),
    partitions: spmc.partitions.map((partition) => plain(partition, new Set())),
    memory: contentsOf(spmc, frames),
  };
}

function plain(value: unknown, within: Set<unknown>): unknown {
  if (typeof value === 'function') return undefined;
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Stage2) return pagesOf(value);
  if (value instanceof Transaction && !value.inUse) return 'free';
  if (ArrayBuffer.isView(value)) return Array.from(value as Uint8Array);
  if (within.has(value)) return 'seen';
  within.add(value);
  if (Array.isArray(value)) return value.map((item) => plain(item, within));
  if (value instanceof Map) {
    // Looked up by key alone: their order says nothing.
    const entries = [...value].sort(([a], [b]) => Number(a) - Number(b));
    return entries.map(([key, item]) => [key, plain(item, within)]);
  }
  if (value instanceof Set) return [...value];
  const result: Record<string, unknown> = {};
  for (const [key, item] of Object.entries(value)) if (!LEFT_OUT.has(key)) result[key] = plain(item, within);
  return result;
}

/** Runs of pages that are alike: first, count, attributes. */
function pagesOf(pages: Stage2): unknown {
  const found = new Map<number, number>();
  pages.eachRun((gfn, _frame, count) => {
    for (let n = 0; n < count; n++) if (pages.translate(gfn + n) >= 0) found.set(gfn + n, pages.attributes);
  });
  const runs: [number, number, number][] = [];
  for (const [page, attributes] of [...found].sort((a, b) => a[0] - b[0])) {
    const last = runs.at(-1);
    if (last !== undefined && last[0] + last[1] === page && last[2] === attributes) last[1]++;
    else runs.push([page, 1, attributes]);
  }
  return runs;
}

function contentsOf(spmc: Spmc, frames: readonly (readonly [first: number, count: number])[]): unknown {
  const tx = new Set([spmc.normalWorld, ...spmc.partitions].map((endpoint) => endpoint.txFrame));
  const pages: [number, string][] = [];
  const bytes = new Uint8Array(PAGE);
  for (const [first, count] of frames) {
    for (let frame = first; frame < first + count; frame++) {
      frame = spmc.contents.firstNonZero(frame, first + count - frame);
      if (frame < 0) break;
      if (tx.has(frame)) continue;
      spmc.contents.read(frame * PAGE, bytes, 0, PAGE);
      pages.push([frame, createHash('sha1').update(bytes).digest('hex')]);
    }
  }
  return pages;
}
