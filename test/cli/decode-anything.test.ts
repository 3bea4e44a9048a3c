// Whatever `decode` is given, it ends with 0, 1 or 2: never with a failure of its own.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeDeviceTree } from '../../src/abi/device-tree.ts';
import { DESCRIPTOR_KINDS } from '../../src/cli/decode/descriptor-kinds.ts';
import { main } from '../../src/cli/main.ts';
import { FakeHost } from './fake-host.ts';

const ROOT = {
  name: '',
  properties: [
    { name: 'compatible', value: new TextEncoder().encode('arm,ffa-manifest-1.0\0') },
    { name: 'ffa-version', value: Uint8Array.from([0, 1, 0, 2]) },
  ],
  children: [{ name: 'memory-regions', properties: [], children: [] }],
};

const SETTINGS = { numRuns: 400, seed: 20260822 };

async function expectNoFailure(argv: string[], input: string | Uint8Array): Promise<void> {
  const host = new FakeHost({ input });
  const code = await main(argv, host);
  expect([0, 1, 2], host.stderr).toContain(code);
  expect(`${host.stdout}${host.stderr}`).not.toMatch(/undefined|NaN|\[object/);
}

describe('decode never fails of itself', () => {
  it('on bytes', async () => {
    const bytes = fc.uint8Array({ minLength: 1, maxLength: 200 });
    await fc.assert(
      fc.asyncProperty(bytes, (input) => expectNoFailure(['decode', '-'], input)),
      SETTINGS,
    );
  });

  for (const kind of DESCRIPTOR_KINDS) {
    it(`on bytes as ${kind.name}`, async () => {
      const small = fc.oneof({ weight: 6, arbitrary: fc.constant(0) }, fc.integer({ min: 0, max: 64 }), fc.nat(255));
      const bytes = fc.array(small, { minLength: 1, maxLength: 160 }).map((list) => Uint8Array.from([0xff, ...list]));
      const version = fc.constantFrom('1.0', '1.1', '1.2', '1.3');
      await fc.assert(
        fc.asyncProperty(bytes, version, (input, text) =>
          expectNoFailure(['decode', '--as', kind.name, '--version', text, '-'], input),
        ),
        { ...SETTINGS, numRuns: 100 },
      );
    });
  }

  it('on device trees', async () => {
    const tree = encodeDeviceTree({ bootCpu: 0, reservations: [], root: ROOT });
    const change = fc.record({ at: fc.nat(tree.length - 1), value: fc.nat(255) });
    const changed = fc.array(change, { maxLength: 4 }).map((changes) => {
      const bytes = tree.slice();
      for (const { at, value } of changes) if (at > 3) bytes[at] = value;
      return bytes;
    });
    await fc.assert(
      fc.asyncProperty(changed, (input) => expectNoFailure(['decode', '-'], input)),
      SETTINGS,
    );
  });

  it('on text', async () => {
    const piece = fc.oneof(
      fc.constantFrom('x0=', 'w17=', 'x18=', '0x', '84000063', '{', '}', '"', ':', '|', '*', '\n', ' ', ',', '-', '00'),
      fc.string({ maxLength: 6, unit: 'binary-ascii' }),
    );
    const text = fc.array(piece, { minLength: 1, maxLength: 30 }).map((pieces) => pieces.join(''));
    await fc.assert(
      fc.asyncProperty(text, (input) => expectNoFailure(['decode', '-'], input)),
      SETTINGS,
    );
  });

  it('on registers', async () => {
    const word = fc.oneof(
      fc.nat(0xffffffff),
      fc.nat(0x40).map((n) => 0x84000060 + n),
      fc.nat(0x40).map((n) => 0xc4000060 + n),
    );
    const registers = fc.array(word, { minLength: 1, maxLength: 36 });
    await fc.assert(
      fc.asyncProperty(registers, (list) => {
        const text = list.map((value, n) => `x${n % 18}=0x${value.toString(16)}`).join(' ');
        return expectNoFailure(['decode', '-'], text);
      }),
      SETTINGS,
    );
  });
});
