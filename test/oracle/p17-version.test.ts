import { expect, test } from 'vitest';
import { ID_GET, MEM_SHARE, OK, PARTITION_INFO_GET, Rig, RX_RELEASE, RXTX_MAP, SUCCESS, TX, VERSION } from './rig.ts';

test('P17: a guest is told two versions', () => {
  const rig = new Rig();
  rig.call(1, [VERSION, 0x10000], [0x10002]);
  rig.call(1, [VERSION, 0x10001], [0x10002]);
  expect(rig.found).toEqual([]);
  rig.call(1, [VERSION, 0x10000], [0x10000]);
  expect(rig.found).toEqual([
    { property: 'P17', anomaly: 'VM 1 is told two versions', facts: { vm: 1, before: '1.2', after: '1.0' } },
  ]);
  const relaxed = new Rig({ relax: ['version-renegotiated'] });
  relaxed.call(1, [VERSION, 0x10001], [0x10001]);
  relaxed.call(1, [VERSION, 0x10000], [0x10000]);
  expect(relaxed.found).toEqual([]);
});

const LAYOUTS: readonly (readonly [asked: number, size: number, version: string, fits: boolean])[] = [
  [0x10000, 0, '1.0', true],
  [0x10000, 24, '1.0', false],
  [0x10001, 24, '1.1', true],
  [0x10001, 0, '1.1', false],
  [0x10001, 8, '1.1', false],
  [0x10002, 48, '1.2', true],
];

test.each(LAYOUTS)('P17: a guest of version %i gets entries of %i bytes (%s)', (asked, size, version, fits) => {
  const rig = new Rig();
  rig.call(1, [VERSION, asked], [0x10002]);
  rig.call(1, [ID_GET], [SUCCESS, 0, 1]);
  rig.call(1, [VERSION, 0x10001], [0x10002]);
  rig.call(1, [PARTITION_INFO_GET, 0, 0, 0, 0, asked === 0x10000 ? 0 : 1], [SUCCESS, 0, 1, 0]);
  if (asked === 0x10000) rig.call(1, [RX_RELEASE], OK);
  rig.call(1, [PARTITION_INFO_GET], [SUCCESS, 0, 1, size]);
  const anomaly = 'VM 1 gets partition information of another version than its own';
  expect(rig.found).toEqual(fits ? [] : [{ property: 'P17', anomaly, facts: { vm: 1, version, size } }]);
});

test('P17: the hypervisor changes its version', () => {
  const rig = new Rig();
  rig.smc(0, [VERSION, 0x10003], [0x10001]);
  rig.smc(0, [VERSION, 0x10002], [0x10002]);
  rig.smc(0, [ID_GET], [SUCCESS]);
  rig.smc(0, [VERSION, 0x10002], [0x10003]);
  expect(rig.found).toEqual([]);
  rig.smc(0, [VERSION, 0x10001], [0x10001]);
  expect(rig.found).toEqual([
    {
      property: 'P17',
      anomaly: 'the hypervisor changes the version that it speaks',
      facts: { before: '1.2', after: '1.1' },
    },
  ]);
});

test('P17: access entries of 32 bytes need 1.2', () => {
  for (const version of [0x10001, 0x10002]) {
    const rig = new Rig({ off: ['P10'] });
    rig.smc(0, [VERSION, 0x10002], [version]);
    rig.smc(0, [ID_GET], [SUCCESS]);
    const length = rig.describe({ sender: 1, ranges: [] });
    rig.smc(1, [MEM_SHARE, length, length], [SUCCESS, 0, 4]);
    rig.machine.frames.contents.write(TX * 4096 + 24, Uint8Array.of(32), 0, 1);
    rig.smc(1, [MEM_SHARE, length, length], [SUCCESS, 0, 5]);
    expect(rig.found).toEqual(
      version === 0x10002
        ? []
        : [
            {
              property: 'P17',
              anomaly: 'a descriptor to the SPMC has access entries that its version does not know',
              facts: { vm: 1, version: '1.1', size: 32 },
            },
          ],
    );
  }
});

test('P17: the first call that is none of FFA_VERSION settles the version, a mapping of buffers too', () => {
  const rig = new Rig();
  rig.guest(1, 7);
  rig.call(1, [VERSION, 0x10001], [0x10002]);
  rig.call(1, [RXTX_MAP, 0x100000, 0x101000, 1], OK);
  rig.call(1, [VERSION, 0x10000], [0x10002]);
  rig.call(1, [PARTITION_INFO_GET], [SUCCESS, 0, 1, 24]);
  expect(rig.found).toEqual([]);
});
