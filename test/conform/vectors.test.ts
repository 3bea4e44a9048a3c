// Every recorded session, on the mediator's plain paths and with a yield at every interleaving point.

import { describe, expect, it } from 'vitest';
import { FileReplay } from '../../src/conform/file-replay.ts';
import { forEachLine } from '../../src/conform/text-lines.ts';
import { vectorLines } from './vector-files.ts';

/** File, sessions that pass, sessions that are skipped. Nothing fails. */
const FILES: readonly (readonly [name: string, passed: number, skipped: number])[] = [
  ['xen-2024.calls', 622, 2],
  ['xen-2024.lifecycle', 1057, 2],
  ['xen-2024.nested', 95, 2],
  ['xen-2024.probe', 253, 9],
  ['xen-2024.random', 943, 96],
  ['xen-2024.share', 1533, 1],
  ['xen-2026-vm-to-vm.extra', 1458, 0],
  ['xen-2026-vm-to-vm.nested', 303, 86],
  ['xen-2026-vm-to-vm.random', 851, 73],
  ['xen-2026.calls', 1862, 6],
  ['xen-2026.extra', 1408, 0],
  ['xen-2026.lifecycle', 1082, 2],
  ['xen-2026.nested', 295, 91],
  ['xen-2026.probe', 249, 9],
  ['xen-2026.random', 923, 85],
  ['xen-2026.share', 4677, 6],
];

function replayed(name: string, stepping: boolean): FileReplay {
  const replay = new FileReplay(name, { stepping });
  for (const _ of forEachLine(vectorLines(name).join('\n'), replay));
  return replay;
}

describe.each([
  ['plain paths', false],
  ['a yield at every interleaving point', true],
] as const)('recorded sessions, %s', (_, stepping) => {
  it.each(FILES)('%s: %i passed, %i skipped', (name, passed, skipped) => {
    const replay = replayed(name, stepping);
    expect(replay.failures.slice(0, 3)).toEqual([]);
    expect([replay.passed, replay.failed, replay.skipped]).toEqual([passed, 0, skipped]);
  });
});

describe('the whole', () => {
  it('is 17,611 passed and 470 skipped of 18,081', () => {
    const passed = FILES.reduce((sum, file) => sum + file[1], 0);
    const skipped = FILES.reduce((sum, file) => sum + file[2], 0);
    expect([passed, skipped, passed + skipped]).toEqual([17_611, 470, 18_081]);
  });
});
