// Measuring: a row is an operation run in batches until enough time has passed; its figure is the median batch. Beside
// it stands a fixed calibration loop, measured right before, so that machines (and busy minutes) compare.

import { assert } from '../../base/assert.ts';

export interface Row {
  readonly name: string;
  readonly nsPerOp: number;
  readonly opsPerSecond: number;
  /** nsPerOp divided by the calibration loop's time for one of its turns. */
  readonly perCalibration: number;
}

const WARM_UP_MS = 150;
const BATCH_MS = 10;
const MEASURE_MS = 400;

/** Runs `count` operations. What it returns keeps its work from being left out. */
export type Batch = (count: number) => unknown;

/** The calibration loop: integer arithmetic that depends on itself, so that nothing of it is left out. */
export function calibrationTurns(count: number): number {
  let a = 0x9e3779b9;
  for (let n = 0; n < count; n++) a = (Math.imul(a ^ n, 0x85ebca6b) + (a >>> 13)) | 0;
  return a;
}

/** Nanoseconds of one operation: the median of batches. */
export function measure(batch: Batch): number {
  const size = batchSize(batch);
  const samples: number[] = [];
  let last: unknown = null;
  const endMs = performance.now() + MEASURE_MS;
  do {
    const beganMs = performance.now();
    last = batch(size);
    samples.push(((performance.now() - beganMs) * 1e6) / size);
  } while (performance.now() < endMs || samples.length < 5);
  assert(last !== samples, 'a batch returns its own result');
  samples.sort((a, b) => a - b);
  return samples[samples.length >> 1];
}

/** Warms up, and finds how many operations take about BATCH_MS. */
function batchSize(batch: Batch): number {
  const endMs = performance.now() + WARM_UP_MS;
  let size = 1;
  for (;;) {
    const beganMs = performance.now();
    batch(size);
    const tookMs = performance.now() - beganMs;
    if (performance.now() > endMs && tookMs > BATCH_MS / 2) return size;
    if (tookMs < BATCH_MS) size *= 2;
  }
}

export function row(name: string, nsPerOp: number, calibrationNs: number): Row {
  return { name, nsPerOp, opsPerSecond: 1e9 / nsPerOp, perCalibration: nsPerOp / calibrationNs };
}
