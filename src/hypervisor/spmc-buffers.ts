// The hypervisor's own TX page at the SPMC, as words: what the mediator tells the SPMC is written here, under
// `secure.txLock`.

import type { SecureWorld } from './secure-world.ts';

const PAGE_WORDS = 1024;

/** The TX page as 1,024 words, little-endian as every machine that runs this is. */
export function spmcTxWords(secure: SecureWorld): Uint32Array {
  const page = secure.machine.frames.contents.page(secure.txFrame);
  const cached = secure.txWords;
  if (cached !== null && cached.buffer === page.buffer) return cached;
  const words = new Uint32Array(page.buffer, page.byteOffset, PAGE_WORDS);
  secure.txWords = words;
  return words;
}
