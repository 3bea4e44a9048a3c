import { describe, expect, test } from 'vitest';
import { encodeConsoleLog } from '../../src/abi/console-log.ts';
import { FFA_CONSOLE_LOG_32, FFA_CONSOLE_LOG_64, FFA_SUCCESS_32 } from '../../src/abi/function-ids.ts';
import { FFA_VERSION_1_0, FFA_VERSION_1_1, FFA_VERSION_1_2 } from '../../src/abi/versions.ts';
import type { Pe } from '../../src/hardware/pe.ts';
import { SmallWorld, SP1, SP2, said } from './small-world.ts';

const encoder = new TextEncoder();

class LogWorld extends SmallWorld {
  /** The normal world logs `text` in one call; returns what it is told. */
  log(text: string, functionId = FFA_CONSOLE_LOG_64, pe: Pe = this.pe): string {
    encodeConsoleLog(encoder.encode(text), functionId, this.spmc.normalWorld.version, pe.smc.words);
    return said([this.smc(pe).w(0), 0, pe.smc.w(2)]);
  }
}

function worldWithLines(): { world: LogWorld; lines: (number | string)[][] } {
  const lines: (number | string)[][] = [];
  const console = { log: (endpoint: number, line: string, context: number) => lines.push([endpoint, context, line]) };
  return { world: new LogWorld([{}, {}], { console }), lines };
}

describe('FFA_CONSOLE_LOG', () => {
  test('characters become lines of their endpoint', () => {
    const { world, lines } = worldWithLines();
    expect(said(world.callAs(SP1, FFA_CONSOLE_LOG_32, 6, 0x6c6c6568, 0x0a6f))).toBe('FFA_SUCCESS_32');
    expect(world.log('abc\ndefghij\n\nk')).toBe('FFA_SUCCESS_32');
    expect(lines).toEqual([
      [SP1, 0, 'hello'],
      [0, 0, 'abc'],
      [0, 0, 'defghij'],
      [0, 0, ''],
    ]);
  });

  test('what several calls say is one line; a zero ends it too', () => {
    const { world, lines } = worldWithLines();
    world.log('one ', FFA_CONSOLE_LOG_32);
    world.log('line');
    expect(lines).toEqual([]);
    world.log('\0');
    expect(lines).toEqual([[0, 0, 'one line']]);
  });

  test('83129bcd8: who logs in turn does not mix with the other', () => {
    const { world, lines } = worldWithLines();
    world.callAs(SP1, FFA_CONSOLE_LOG_32, 4, 0x64636261);
    world.callAs(SP2, FFA_CONSOLE_LOG_32, 4, 0x34333231);
    world.callAs(SP1, FFA_CONSOLE_LOG_32, 2, 0x0a65);
    world.callAs(SP2, FFA_CONSOLE_LOG_32, 2, 0x0a35);
    world.log('pe 0');
    world.log('pe 1', FFA_CONSOLE_LOG_64, world.otherPe);
    world.log('\n');
    world.log('\n', FFA_CONSOLE_LOG_64, world.otherPe);
    expect(lines).toEqual([
      [SP1, 0, 'abcde'],
      [SP2, 0, '12345'],
      [0, 0, 'pe 0'],
      [0, 1, 'pe 1'],
    ]);
  });

  test.each([
    ['one less', 254, []],
    ['exactly', 255, ['x'.repeat(255)]],
    ['one more', 256, ['x'.repeat(255)]],
    ['twice as long', 510, ['x'.repeat(255), 'x'.repeat(255)]],
  ])('66673139: a line that is as long as a line may be: %s', (_name, length, expected) => {
    const { world, lines } = worldWithLines();
    for (let at = 0; at < length; at += 100) world.log('x'.repeat(Math.min(100, length - at)));
    expect(lines.map(([, , line]) => line)).toEqual(expected);
    // Nothing is lost, and no line but the last one is cut.
    world.log('\n');
    expect(lines.map(([, , line]) => line).join('')).toBe('x'.repeat(length));
  });

  test.each([
    [FFA_CONSOLE_LOG_32, FFA_VERSION_1_2, 24],
    [FFA_CONSOLE_LOG_64, FFA_VERSION_1_0, 48],
    [FFA_CONSOLE_LOG_64, FFA_VERSION_1_1, 48],
    [FFA_CONSOLE_LOG_64, FFA_VERSION_1_2, 128],
  ])('%i takes in version %i up to %i characters', (functionId, version, most) => {
    const { world, lines } = worldWithLines();
    world.spmc.normalWorld.version = version;
    const text = Array.from({ length: most - 1 }, (_, n) => String.fromCharCode(0x21 + (n % 90))).join('');
    expect(world.log(`${text}\n`, functionId)).toBe('FFA_SUCCESS_32');
    expect(lines).toEqual([[0, 0, text]]);
    for (const count of [0, most + 1, 0xffff_ffff]) {
      expect(said(world.call(functionId, count))).toBe('FFA_ERROR INVALID_PARAMETERS');
    }
    expect(lines.length).toBe(1);
  });

  test('the count of the 64-bit form is x1, of the 32-bit form w1', () => {
    const { world, lines } = worldWithLines();
    for (const [functionId, expected] of [
      [FFA_CONSOLE_LOG_64, 'FFA_ERROR INVALID_PARAMETERS'],
      [FFA_CONSOLE_LOG_32, 'FFA_SUCCESS_32'],
    ] as const) {
      const r = world.pe.smc;
      r.clear();
      r.setW(0, functionId);
      r.setWords(1, 1, 1);
      r.setW(2, 0x0a);
      world.smc();
      expect(said([r.w(0), 0, r.w(2)])).toBe(expected);
    }
    expect(lines).toEqual([[0, 0, '']]);
  });

  test('answers with nothing but SUCCESS', () => {
    const { world } = worldWithLines();
    expect(world.call(FFA_CONSOLE_LOG_32, 4, 1, 2, 3, 4, 5, 6)).toEqual([FFA_SUCCESS_32, 0, 0, 0, 0, 0, 0, 0]);
  });
});
