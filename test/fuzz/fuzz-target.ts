// Fuzzes one target in a worker thread, and ends it when an input does not end.

import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import type { TargetPlace } from './all-targets.ts';
import type { WorkerMessage, WorkerTask } from './fuzz-worker.ts';
import type { Failure, Progress } from './loop.ts';

export interface FuzzOptions {
  readonly seed: number;
  readonly seconds: number;
  readonly inputsMax: number;
}

export interface FuzzOutcome {
  readonly target: string;
  readonly seconds: number;
  readonly progress: Progress;
  readonly failures: readonly Failure[];
}

const INPUT_BYTES_MAX = 1 << 20;
/** An input that runs so long counts as one that does not end. */
const HANG_SECONDS = 20;
const LOOK_MS = 500;

/** `tree`: the root of the instrumented code. */
export function fuzzTarget(tree: string, place: TargetPlace, options: FuzzOptions): Promise<FuzzOutcome> {
  const nothing: Progress = { inputs: 0, corpus: 0, edges: 0, counters: 0, features: 0 };
  return inWorker(tree, place, options, null, (message, hung) => {
    if (hung !== null) {
      const text = `an input has not ended after ${HANG_SECONDS} s`;
      const failure = { key: 'hang', text, input: hung.input, shrunk: hung.input };
      const progress = { ...nothing, inputs: hung.inputs };
      return { target: place.name, seconds: options.seconds, progress, failures: [failure] };
    }
    if (message?.kind !== 'end') throw new Error(message?.kind === 'failed' ? message.text : 'a worker without an end');
    const { seconds, progress, failures } = message;
    return { target: place.name, seconds, progress, failures };
  });
}

/** Runs one input; returns what went wrong, or null. */
export function replayInput(tree: string, place: TargetPlace, input: Uint8Array): Promise<string | null> {
  const options = { seed: 0, seconds: 0, inputsMax: 0 };
  return inWorker(tree, place, options, input, (message, hung) => {
    if (hung !== null) return `it has not ended after ${HANG_SECONDS} s`;
    if (message?.kind !== 'replayed')
      throw new Error(message?.kind === 'failed' ? message.text : 'a worker without an end');
    return message.text;
  });
}

function inWorker<T>(
  tree: string,
  place: TargetPlace,
  options: FuzzOptions,
  replay: Uint8Array | null,
  conclude: (message: WorkerMessage | null, hung: { input: Uint8Array; inputs: number } | null) => T,
): Promise<T> {
  const state = new SharedArrayBuffer(8);
  const current = new SharedArrayBuffer(INPUT_BYTES_MAX);
  const task: WorkerTask = { target: place.name, module: place.module, ...options, replay, state, current };
  const worker = new Worker(pathToFileURL(join(tree, 'test', 'fuzz', 'fuzz-worker.js')), { workerData: task });
  return new Promise((resolve, reject) => {
    const words = new Int32Array(state);
    let seen = -1;
    let since = performance.now();
    const watch = setInterval(() => {
      const now = performance.now();
      if (words[0] !== seen) {
        seen = words[0];
        since = now;
      } else if (now - since > HANG_SECONDS * 1000) {
        end(() => conclude(null, { input: new Uint8Array(current).slice(0, words[1]), inputs: words[0] }));
      }
    }, LOOK_MS);
    const end = (result: () => T): void => {
      clearInterval(watch);
      void worker.terminate();
      try {
        resolve(result());
      } catch (error) {
        reject(error as Error);
      }
    };
    worker.once('message', (message: WorkerMessage) => end(() => conclude(message, null)));
    worker.once('error', (error) => {
      clearInterval(watch);
      reject(error);
    });
  });
}
