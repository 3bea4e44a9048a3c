// Coverage at run time. Instrumented code asks for room for its counters when it is loaded, and then counts in one
// array of bytes. After each input the counts, in AFL's classes, are compared with all that were seen before.

const COUNTERS_MAX = 1 << 17;
const FEATURES = 1 << 16;

/** What instrumented modules find under `globalThis.ffabricFuzzCounters`. */
interface CounterRoom {
  readonly counters: Uint8Array;
  used: number;
  /** Each module's name, first counter and number of counters. */
  readonly modules: [name: string, first: number, count: number][];
}

const shared = globalThis as { ffabricFuzzCounters?: CounterRoom };

/** Must run before any instrumented module is loaded. */
export function makeRoom(): void {
  shared.ffabricFuzzCounters = { counters: new Uint8Array(COUNTERS_MAX), used: 0, modules: [] };
}

/** Class of a count: 1, 2, 3, 4 to 7, 8 to 15, 16 to 31, 32 to 127, 128 and more; one bit each. */
const CLASS_OF_COUNT = new Uint8Array(256);
for (let count = 1; count < 256; count++) {
  let bit = 7;
  if (count < 4) bit = count - 1;
  else if (count < 8) bit = 3;
  else if (count < 16) bit = 4;
  else if (count < 32) bit = 5;
  else if (count < 128) bit = 6;
  CLASS_OF_COUNT[count] = 1 << bit;
}

export class Coverage {
  private readonly counters: Uint8Array;
  private readonly words: Uint32Array;
  private readonly seenClasses: Uint8Array;
  private readonly features = new Uint8Array(FEATURES);
  /** Counters that were ever hit. */
  edgeCount = 0;
  /** Different features that were reported. */
  featureCount = 0;
  private newFeatures = 0;

  /** After all code under test has been loaded. */
  constructor() {
    const room = shared.ffabricFuzzCounters;
    if (room === undefined) throw new Error('coverage has no room: the code under test is not instrumented');
    this.counters = room.counters.subarray(0, (room.used + 3) & ~3);
    this.words = new Uint32Array(this.counters.buffer, 0, this.counters.length >>> 2);
    this.seenClasses = new Uint8Array(this.counters.length);
  }

  get counterCount(): number {
    return this.counters.length;
  }

  /** Before an input. */
  clear(): void {
    this.counters.fill(0);
    this.newFeatures = 0;
  }

  seen(feature: number): void {
    const at = (feature ^ (feature >>> 16)) & (FEATURES - 1);
    if (this.features[at] !== 0) return;
    this.features[at] = 1;
    this.featureCount++;
    this.newFeatures++;
  }

  /** After an input: whether it reached what no input before it reached. */
  take(): boolean {
    const { counters, words, seenClasses } = this;
    let isNew = this.newFeatures > 0;
    for (let n = 0; n < words.length; n++) {
      if (words[n] === 0) continue;
      for (let at = 4 * n; at < 4 * n + 4; at++) {
        const bit = CLASS_OF_COUNT[counters[at]];
        if ((bit & ~seenClasses[at]) === 0) continue;
        if (seenClasses[at] === 0) this.edgeCount++;
        seenClasses[at] |= bit;
        isNew = true;
      }
    }
    return isNew;
  }
}
