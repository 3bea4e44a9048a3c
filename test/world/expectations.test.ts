import { expect, test } from 'vitest';
import { must } from '../../src/partitions/call-result.ts';
import { service } from '../../src/partitions/service.ts';
import { createWorld, type GuestInput } from '../../src/world/create-world.ts';

function outcomes(guests: readonly GuestInput[], expectation: Parameters<typeof createWorld>[0]['expectations']) {
  const talker = service({
    *start(ffa) {
      must(yield* ffa.log('one'));
      must(yield* ffa.log('two'));
    },
    message: () => [0],
  });
  const world = createWorld({
    partitions: [{ name: 'talker', program: talker }],
    guests,
    expectations: expectation ?? [],
  });
  return world.run().expectations.map(({ found, held }) => (held ? 'held' : found));
}

const SCRIPTS = [{ kind: 'scripts' }] as const;

test('scripts hold only if one of them has checked something', () => {
  expect(outcomes([{ name: 'g1' }], SCRIPTS)).toEqual(['no script has checked anything']);
  expect(outcomes([{ name: 'g1', script: [{ step: 'wait', durationNs: 5 }] }], SCRIPTS)).toEqual([
    'no script has checked anything',
  ]);
  expect(outcomes([{ name: 'g1' }, { name: 'g2', script: [{ step: 'version' }] }], SCRIPTS)).toEqual(['held']);
  expect(outcomes([{ name: 'g1', script: [{ step: 'version', expect: 'DENIED' }] }], SCRIPTS)).toEqual([
    'g1, vcpu 0, step 1 (version): expected DENIED, got SUCCESS',
  ]);
});

test('the console said these lines, in this order', () => {
  const said = (...lines: string[]) => outcomes([{ name: 'g1' }], [{ kind: 'console', lines }]);
  expect(said('talker: one', 'talker: two')).toEqual(['held']);
  expect(said('talker: two')).toEqual(['held']);
  expect(said()).toEqual(['held']);
  const all = '(in this order): talker: one | talker: two';
  expect(said('talker: two', 'talker: one')).toEqual([`'talker: one' is not there ${all}`]);
  expect(said('talker: three')).toEqual([`'talker: three' is not there ${all}`]);
});
