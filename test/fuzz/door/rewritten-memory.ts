// A guest whose other vCPU rewrites each word of TX as soon as the mediator has read it: what is read twice is never
// the same twice.

import { PAGE_SIZE_BYTES } from '../../../src/base/units.ts';
import type { Machine } from '../../../src/hardware/machine.ts';

const REWRITTEN = 0xa5a5_a5a5;

/** From now on reading the contents of a frame for which `isTx` holds changes what was read. */
export function rewriteWhatIsRead(machine: Machine, isTx: (frame: number) => boolean): void {
  const { contents } = machine.frames;
  const plainWords = contents.words.bind(contents);
  const plainRead = contents.read.bind(contents);
  contents.words = (frame) => {
    const words = plainWords(frame);
    if (!isTx(frame)) return words;
    return new Proxy(words, {
      get(target, key) {
        if (typeof key !== 'string' || !/^\d+$/.test(key)) {
          const value: unknown = Reflect.get(target, key, target);
          return typeof value === 'function' ? value.bind(target) : value;
        }
        const index = Number(key);
        const value = target[index];
        if (index < target.length) target[index] = (REWRITTEN ^ value) >>> 0;
        return value;
      },
    });
  };
  contents.read = (address, into, at, length) => {
    plainRead(address, into, at, length);
    const frame = Math.floor(address / PAGE_SIZE_BYTES);
    if (!isTx(frame)) return;
    const page = contents.page(frame);
    const from = address - frame * PAGE_SIZE_BYTES;
    for (let n = from; n < Math.min(from + length, PAGE_SIZE_BYTES); n++) page[n] ^= 0xa5;
  };
}
