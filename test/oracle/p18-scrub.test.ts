import { expect, test } from 'vitest';
import { ID_GET, OK, Rig } from './rig.ts';

const LEFT = Uint8Array.of(1, 2, 3, 4);

function secondOwner(scrub: 'before' | 'after' | 'never'): { rig: Rig; frame: number } {
  const rig = new Rig({}, 18);
  const frame = rig.guest(1, 7);
  const { contents } = rig.machine.frames;
  contents.write((frame + 3) * 4096 + 4092, LEFT, 0, 4);
  contents.write((frame + 5) * 4096, LEFT, 0, 4);
  if (scrub === 'before') rig.machine.frames.scrub(frame, 16);
  rig.die(1, 7, [frame, 16]);
  expect(rig.guest(2, 8)).toBe(frame);
  if (scrub === 'after') rig.machine.frames.scrub(frame, 16);
  return { rig, frame };
}

test('P18: a new owner finds what another left, at its first call', () => {
  const { rig, frame } = secondOwner('never');
  expect(rig.found).toEqual([]);
  rig.call(2, [ID_GET], OK);
  expect(rig.found).toEqual([
    {
      property: 'P18',
      anomaly: 'page handed to a new owner with what another left in it',
      facts: { frame: frame + 3, pages: 2, owner: 8, vm: 2, allocatedIndex: 10 },
    },
  ]);
});

test('P18: it is found when all is quiet if the new owner makes no call', () => {
  const { rig } = secondOwner('never');
  rig.oracle.quiet();
  expect(rig.anomalies).toEqual(['P18: page handed to a new owner with what another left in it']);
});

test.each(['before', 'after'] as const)('P18: scrubbed %s the allocation', (when) => {
  const { rig } = secondOwner(when);
  rig.call(2, [ID_GET], OK);
  rig.oracle.quiet();
  expect(rig.found).toEqual([]);
});

test('P18: what the new owner writes itself is its own', () => {
  const rig = new Rig();
  const frame = rig.guest(1, 7);
  rig.machine.frames.contents.write(frame * 4096, LEFT, 0, 4);
  rig.call(1, [ID_GET], OK);
  rig.oracle.quiet();
  expect(rig.found).toEqual([]);
});
