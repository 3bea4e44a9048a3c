// crash: a holder that crashes when it comes to a named point for the n-th time.

import type { SpPoint } from '../sp-program.ts';
import { type HolderOptions, HolderProgram } from './holder.ts';

export interface CrashOptions extends HolderOptions {
  /**
   * `start`: before its first FFA_MSG_WAIT; `message`, `vm-created`, `vm-destroyed`: when such a message arrives;
   * `retrieved`: right after it retrieved memory; `relinquish`: right before it gives memory back; `answer`: when it
   * has done everything but answer.
   */
  readonly at: SpPoint;
  /** Which time it crashes, from 1. Default 1. */
  readonly nth?: number;
}

export class CrashProgram extends HolderProgram {
  private readonly at: SpPoint;
  private readonly nth: number;
  private reachedCount = 0;

  constructor(options: CrashOptions) {
    super(options);
    this.at = options.at;
    this.nth = options.nth ?? 1;
  }

  override reset(): void {
    super.reset();
    this.reachedCount = 0;
  }

  protected override crashesAt(point: SpPoint): boolean {
    if (point !== this.at) return false;
    this.reachedCount++;
    return this.reachedCount === this.nth;
  }
}
