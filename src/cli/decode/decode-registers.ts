// Registers of a call or of an answer in words.

import { errorName } from '../../abi/errors.ts';
import { FFA_ERROR, functionName, isFfaFunctionId } from '../../abi/function-ids.ts';
import { LineBuilder, type StyledLine } from '../../export/styled-text.ts';
import { REGISTERS_SHOWN, type RegisterSet } from './register-text.ts';

export interface RegisterMeaning {
  readonly register: string;
  readonly value: string;
  readonly meaning: string;
}

/** What each given register of one set means. */
export function registerMeanings(set: RegisterSet): RegisterMeaning[] {
  const meanings: RegisterMeaning[] = [];
  const fid = set.words[0];
  for (let n = 0; n < REGISTERS_SHOWN; n++) {
    if (!set.given[n]) continue;
    let meaning = '';
    if (n === 0) meaning = isFfaFunctionId(fid) ? functionName(fid) : 'no FF-A function id';
    if (n === 2 && fid === FFA_ERROR) meaning = `error ${errorName(set.words[4])}`;
    meanings.push({ register: `x${n}`, value: registerText(set, n), meaning });
  }
  return meanings;
}

/** The picture of all sets. */
export function describeRegisters(sets: readonly RegisterSet[]): StyledLine[] {
  const lines: StyledLine[] = [];
  for (const set of sets) {
    if (lines.length > 0) lines.push([]);
    const meanings = registerMeanings(set);
    const width = Math.max(...meanings.map((one) => one.value.length));
    for (const { register, value, meaning } of meanings) {
      lines.push(
        new LineBuilder()
          .add(` ${register.padEnd(3)} `, 'dim')
          .add(value.padStart(width))
          .add(`  ${meaning}`, 'strong')
          .done(),
      );
    }
  }
  return lines;
}

function registerText(set: RegisterSet, n: number): string {
  const low = set.words[2 * n].toString(16);
  const high = set.words[2 * n + 1];
  return high === 0 ? `0x${low}` : `0x${high.toString(16)}${low.padStart(8, '0')}`;
}
