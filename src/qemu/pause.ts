// Waiting without doing anything, and without letting anything else be done.

const cell = new Int32Array(new SharedArrayBuffer(4));

/** Stands still for so many milliseconds. */
export function pause(ms: number): void {
  Atomics.wait(cell, 0, 0, ms);
}
