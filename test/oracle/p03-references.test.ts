import { expect, test } from 'vitest';
import { EVENT_DOMAIN_GET, EVENT_DOMAIN_PUT } from '../../src/base/event-kinds.ts';
import { DENIED, OK, Rig, RXTX_MAP, RXTX_UNMAP, refused } from './rig.ts';

test('P3: a pin that nothing holds is found when all is quiet', () => {
  const rig = new Rig();
  const frame = rig.guest(1, 7);
  rig.call(1, [0x8400006f], OK, () => rig.machine.frames.getRange(frame + 2, 3, 7));
  expect(rig.found).toEqual([]);
  rig.oracle.quiet();
  expect(rig.found).toEqual([
    {
      property: 'P3',
      anomaly: 'page with a reference that nothing holds',
      facts: { frame: frame + 2, pages: 3, owner: 7, references: 2, holds: 1 },
    },
  ]);
});

test('P3: pins of live transactions and of buffers are held', () => {
  const rig = new Rig();
  const frame = rig.guest(1, 7);
  rig.share(1, [frame, 3], 0x55);
  rig.share(1, [frame + 1, 1], 0x56);
  rig.call(1, [RXTX_MAP, 0x104000, 0x105000, 1], OK, () => {
    rig.machine.frames.getRange(frame + 4, 1, 7);
    rig.machine.frames.getRange(frame + 5, 1, 7);
  });
  rig.oracle.quiet();
  expect(rig.found).toEqual([]);
  expect(rig.machine.frames.references(frame + 1)).toBe(3);
});

test('P3: buffers that were unmapped and keep their pins', () => {
  const rig = new Rig({ off: ['P8'] });
  const frame = rig.guest(1, 7);
  rig.call(1, [RXTX_MAP, 0x104000, 0x105000, 1], OK, () => rig.machine.frames.getRange(frame + 4, 2, 7));
  rig.call(1, [RXTX_UNMAP], OK, () => rig.unpin([frame + 4, 1]));
  rig.oracle.quiet();
  expect(rig.found).toEqual([
    {
      property: 'P3',
      anomaly: 'page with a reference that nothing holds',
      facts: { frame: frame + 5, pages: 1, owner: 7, references: 2, holds: 1 },
    },
  ]);
});

test('P3: buffers that were not unmapped keep their pins', () => {
  const rig = new Rig();
  const frame = rig.guest(1, 7);
  rig.call(1, [RXTX_MAP, 0x104000, 0x105000, 1], OK, () => rig.machine.frames.getRange(frame + 4, 2, 7));
  rig.call(1, [RXTX_UNMAP], refused(DENIED));
  rig.oracle.quiet();
  expect(rig.found).toEqual([]);
});

test('P3: a lost pin is found too', () => {
  const rig = new Rig({ off: ['P1b'] });
  const frame = rig.guest(1, 7);
  rig.share(1, [frame, 3], 0x55);
  rig.unpin([frame + 2, 1]);
  rig.oracle.quiet();
  expect(rig.found).toEqual([
    {
      property: 'P3',
      anomaly: 'page with fewer references than hold it',
      facts: { frame: frame + 2, pages: 1, owner: 7, references: 1, holds: 2 },
    },
  ]);
});

test('P3: a dead guest leaves a page behind; with its pin gone it does not', () => {
  for (const leak of [true, false]) {
    const rig = new Rig();
    const frame = rig.guest(1, 7);
    rig.machine.frames.getRange(frame, 1, 7);
    rig.die(1, 7, [frame, 16]);
    if (!leak) rig.unpin([frame, 1]);
    rig.oracle.quiet();
    expect(rig.found).toEqual(
      leak
        ? [
            {
              property: 'P3',
              anomaly: 'page with a reference that nothing holds',
              facts: { frame, pages: 1, owner: 7, references: 1, holds: 0 },
            },
          ]
        : [],
    );
  }
});

test('P3: references of a domain return to their first count', () => {
  for (const balanced of [true, false]) {
    const rig = new Rig();
    rig.guest(1, 7);
    rig.emit(EVENT_DOMAIN_GET, 0, 1, 7, 3);
    rig.emit(EVENT_DOMAIN_GET, 0, 1, 7, 4);
    rig.emit(EVENT_DOMAIN_PUT, 0, 1, 7, 3);
    if (balanced) rig.emit(EVENT_DOMAIN_PUT, 0, 1, 7, 2);
    rig.oracle.quiet();
    expect(rig.found).toEqual(
      balanced
        ? []
        : [
            {
              property: 'P3',
              anomaly: 'VM 1 has other references than at first though nothing of it is shared',
              facts: { vm: 1, serial: 7, references: 3, baseline: 2 },
            },
          ],
    );
  }
});
