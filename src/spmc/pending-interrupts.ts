// Interrupts that wait, by the PE that they came to: secure ones of devices until nothing masks them, and whether a
// non-secure one is kept from the normal world. One count for all PEs, so that a call in which nothing waits does not
// look any further.

import { assert } from '../base/assert.ts';

class PeInterrupts {
  readonly secure: number[] = [];
  nonSecure = false;
}

export class PendingInterrupts {
  /** How many wait, on all PEs. */
  count = 0;
  private readonly byPe: (PeInterrupts | undefined)[] = [];

  reset(): void {
    this.count = 0;
    this.byPe.length = 0;
  }

  /** A device's interrupt; one that waits already stays one. */
  addSecure(peIndex: number, id: number): void {
    const { secure } = this.at(peIndex);
    if (secure.includes(id)) return;
    secure.push(id);
    this.count++;
  }

  hasSecure(peIndex: number): boolean {
    const found = this.byPe[peIndex];
    return found !== undefined && found.secure.length > 0;
  }

  /** The one that came first. */
  takeSecure(peIndex: number): number {
    const id = this.at(peIndex).secure.shift();
    assert(id !== undefined, 'a secure interrupt waits');
    this.count--;
    return id;
  }

  addNonSecure(peIndex: number): void {
    const found = this.at(peIndex);
    if (found.nonSecure) return;
    found.nonSecure = true;
    this.count++;
  }

  hasNonSecure(peIndex: number): boolean {
    return this.byPe[peIndex]?.nonSecure === true;
  }

  /** Whether one was kept; it is no more. */
  takeNonSecure(peIndex: number): boolean {
    const found = this.byPe[peIndex];
    if (found === undefined || !found.nonSecure) return false;
    found.nonSecure = false;
    this.count--;
    return true;
  }

  private at(peIndex: number): PeInterrupts {
    const found = this.byPe[peIndex];
    if (found !== undefined) return found;
    const fresh = new PeInterrupts();
    this.byPe[peIndex] = fresh;
    return fresh;
  }
}
