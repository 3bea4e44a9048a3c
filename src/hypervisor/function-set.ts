// A set of FF-A function ids, asked on every call: a table by function number and calling convention.

import { SMC64_BIT } from '../abi/function-ids.ts';
import { assert } from '../base/assert.ts';

const NUMBER_MASK = 0xff;
/** Distance of the 64-bit forms in the table. */
const WIDE = NUMBER_MASK + 1;
/** What all FF-A function ids have in common, without number and convention. */
const COMMON = 0x8400_0000;

export class FunctionSet {
  private readonly members = new Uint8Array(2 * WIDE);

  add(functionId: number): void {
    assert(isFfa(functionId), 'only FF-A functions are kept');
    this.members[place(functionId)] = 1;
  }

  has(functionId: number): boolean {
    return this.members[place(functionId)] !== 0 && isFfa(functionId);
  }

  clear(): void {
    this.members.fill(0);
  }
}

function place(functionId: number): number {
  return (functionId & NUMBER_MASK) + ((functionId & SMC64_BIT) === 0 ? 0 : WIDE);
}

function isFfa(functionId: number): boolean {
  return (functionId & ~(SMC64_BIT | NUMBER_MASK)) >>> 0 === COMMON;
}
