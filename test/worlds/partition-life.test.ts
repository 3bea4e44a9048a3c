// A partition's life as world files tell it: it dies by itself, by an operator, with or without a device that goes on.

import { describe, expect, test } from 'vitest';
import { UserError } from '../../src/base/user-error.ts';
import { loadWorld } from '../../src/scenario/load-world.ts';
import { World } from '../../src/world/world.ts';

function run(partition: string, steps: string, timeline: string) {
  const text = `
partitions:
  - {name: crypto, id: 0x8001, ${partition}}
guests:
  - name: g1
    script:
      - version
      - map
      - share: {name: buf, to: crypto, pages: 4}
      - message: {to: crypto, do: retrieve, region: buf}
${steps}
timeline:
${timeline}
  - {at: 5s, destroy: g1}
expect:
  - scripts: hold
  - {guest: g1, is: gone}
`;
  const world = new World(loadWorld(text, 'life.yaml'));
  const report = world.run();
  const failed = world.expectationOutcomes.filter(({ held }) => !held).length;
  return {
    failed,
    violations: (world.oracle?.violations ?? []).map(({ property, anomaly }) => `${property} ${anomaly}`),
    report,
  };
}

const HOLDER = 'program: holder';
const DMA = 'program: dma, parameters: {start: request, duration: 0}';
const CRASH = '      - message: {to: crypto, do: crash, expect: ABORTED}';

describe('a partition', () => {
  test('that crashes gives back, and an operator starts it anew', () => {
    const { failed, violations } = run(
      HOLDER,
      `${CRASH}
      - message: {to: crypto, do: echo, expect: ABORTED}
      - reclaim: buf
      - wait: 2s
      - message: {to: crypto, do: echo, words: [1], reply: [3, 1]}`,
      '  - {at: 1s, restart: crypto}',
    );
    expect([failed, violations]).toEqual([0, []]);
  });

  test('that restarts by itself serves on, and knows of nothing', () => {
    const { failed, violations } = run(
      `${HOLDER}, abortAction: restart`,
      `${CRASH}
      - message: {to: crypto, do: echo, words: [1], reply: [3, 1]}
      - reclaim: buf`,
      '',
    );
    expect([failed, violations]).toEqual([0, []]);
  });

  test('that is destroyed is not known any more', () => {
    const { failed, violations } = run(
      `${HOLDER}, abortAction: destroy`,
      `${CRASH}
      - message: {to: crypto, do: echo, expect: INVALID_PARAMETERS}
      - reclaim: buf`,
      '',
    );
    expect([failed, violations]).toEqual([0, []]);
  });

  test('that keeps what it holds keeps it', () => {
    const { failed } = run(
      `${HOLDER}, abortAction: keep`,
      `${CRASH}
      - reclaim: {name: buf, expect: DENIED}`,
      '',
    );
    // The guest never goes.
    expect(failed).toBe(1);
  });

  test.each(['crash', 'stop'])('that an operator ends (%s) gives back what its device writes into', (how) => {
    const { failed, violations } = run(
      DMA,
      `      - message: {to: crypto, do: dma, region: buf, duration: 9s}
      - wait: 2s
      - message: {to: crypto, do: echo, expect: ABORTED}
      - reclaim: buf`,
      `  - {at: 1s, ${how}: crypto}`,
    );
    expect([failed, violations]).toEqual([0, []]);
  });

  test('whose device has no SMMU before it gives back what that still writes into', () => {
    const { failed, violations } = run(
      `${DMA}, dmaOutlives: true`,
      `      - message: {to: crypto, do: dma, region: buf, duration: 9s}
      - wait: 2s
      - reclaim: buf`,
      '  - {at: 1s, crash: crypto}',
    );
    expect(failed).toBe(0);
    expect(violations).toEqual(['P1 page returned while DMA of SP 0x8001 is under way on it']);
  });
});

test('a timeline that names no partition says so', () => {
  const load = () => run(HOLDER, '', '  - {at: 1s, restart: crypt}');
  expect(load).toThrow(UserError);
  expect(load).toThrow(/'crypt'/);
});
