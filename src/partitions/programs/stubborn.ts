// stubborn: a holder that never gives anything back. It answers DENIED when asked to, and accepts VM_DESTROYED (or
// asks for a RETRY for ever) with the memory still in its hands.

import { FFA_DENIED } from '../../abi/errors.ts';
import { type HolderOptions, HolderProgram } from './holder.ts';

export interface StubbornOptions extends HolderOptions {
  /** Default `accept`. */
  readonly onDestroyed?: 'accept' | 'retry';
}

export class StubbornProgram extends HolderProgram {
  constructor(options: StubbornOptions) {
    super({ ...options, onDestroyed: options.onDestroyed ?? 'accept' });
  }

  protected override mayRelinquish(): number {
    return FFA_DENIED;
  }
}
