// The hypervisor's own TX page at the SPMC, as words: what the mediator tells the SPMC is written here, under
// `secure.txLock`.

import type { SecureWorld } from './secure-world.ts';

/** The TX page as 1,024 words. */
export function spmcTxWords(secure: SecureWorld): Uint32Array {
  return secure.machine.frames.contents.words(secure.txFrame);
}
