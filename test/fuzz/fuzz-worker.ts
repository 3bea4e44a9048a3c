// A worker thread that fuzzes one target. It shows its input in shared memory before it runs it, so that the main
// thread sees a hang and has the input that caused it.

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { parentPort, workerData } from 'node:worker_threads';
import { Coverage, makeRoom } from './coverage.ts';
import { type Failure, Loop, type Progress, textOf } from './loop.ts';
import type { Target } from './target.ts';

export interface WorkerTask {
  readonly target: string;
  readonly module: string;
  readonly seed: number;
  /** Until this much time has gone, and at most so many inputs. */
  readonly seconds: number;
  readonly inputsMax: number;
  /** One input only, instead of fuzzing. */
  readonly replay: Uint8Array | null;
  /** Words: inputs run so far, length of the input that runs now. */
  readonly state: SharedArrayBuffer;
  /** The input that runs now. */
  readonly current: SharedArrayBuffer;
}

export type WorkerMessage =
  | {
      readonly kind: 'end';
      readonly progress: Progress;
      readonly failures: readonly Failure[];
      readonly seconds: number;
    }
  | { readonly kind: 'replayed'; readonly text: string | null }
  | { readonly kind: 'failed'; readonly text: string };

const INPUTS_BETWEEN_LOOKS = 16;
/** Heap beyond the corpus that may come on top of what there was after the first second. */
const GROWTH_MAX_BYTES = 48 * 1024 * 1024;
const HEAP_LOOKS = 6;

async function work(task: WorkerTask): Promise<WorkerMessage> {
  makeRoom();
  const loaded = (await import(task.module)) as Record<string, readonly Target[]>;
  const target = Object.values(loaded)
    .flat()
    .find(({ name }) => name === task.target);
  if (target === undefined) throw new Error(`${task.module} has no target ${task.target}`);
  if (task.replay !== null) return replay(target, task.replay);
  return fuzz(target, task);
}

function replay(target: Target, input: Uint8Array): WorkerMessage {
  try {
    target.run(input, { seen: () => {} });
  } catch (error) {
    return { kind: 'replayed', text: textOf(error) };
  }
  return { kind: 'replayed', text: null };
}

function fuzz(target: Target, task: WorkerTask): WorkerMessage {
  const state = new Int32Array(task.state);
  const current = new Uint8Array(task.current);
  const loop = new Loop(target, new Coverage(), task.seed, (input) => {
    current.set(input);
    state[1] = input.length;
    state[0]++;
  });
  const heap = new HeapWatch(task.seconds);
  const begin = performance.now();
  let elapsed = 0;
  while (elapsed < task.seconds && loop.inputs < task.inputsMax) {
    for (let n = 0; n < INPUTS_BETWEEN_LOOKS && loop.inputs < task.inputsMax; n++) loop.next();
    elapsed = (performance.now() - begin) / 1000;
    const growth = heap.look(elapsed, loop.corpusBytes);
    if (growth !== null) {
      const nothing = new Uint8Array(0);
      loop.failures.push({ key: 'memory growth', text: growth, input: nothing, shrunk: nothing });
      break;
    }
  }
  return { kind: 'end', progress: loop.progress, failures: loop.failures, seconds: elapsed };
}

/** Looks at the heap after a full collection, a few times in a run. */
class HeapWatch {
  private readonly collect: () => void;
  private readonly everySeconds: number;
  private next = 1;
  private first = 0;

  constructor(seconds: number) {
    setFlagsFromString('--expose-gc');
    this.collect = runInNewContext('gc') as () => void;
    this.everySeconds = Math.max(1, seconds / HEAP_LOOKS);
  }

  look(elapsed: number, corpusBytes: number): string | null {
    if (elapsed < this.next) return null;
    this.next = elapsed + this.everySeconds;
    this.collect();
    const used = process.memoryUsage().heapUsed - 4 * corpusBytes;
    if (this.first === 0) this.first = used;
    const growth = used - this.first;
    if (growth <= GROWTH_MAX_BYTES) return null;
    const mebibytes = Math.round(growth / 1024 / 1024);
    return `the heap has grown by ${mebibytes} MiB beside the corpus in ${Math.round(elapsed)} s`;
  }
}

work(workerData as WorkerTask).then(
  (message) => parentPort?.postMessage(message),
  (error: unknown) => parentPort?.postMessage({ kind: 'failed', text: textOf(error) } satisfies WorkerMessage),
);
