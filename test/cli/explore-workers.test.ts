// `explore --workers`: the same result, however many threads there are. Runs the built command.

import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '..', '..');

function explored(...argv: string[]): Record<string, unknown> {
  const world = 'worlds/explore/dies-as-it-shares.yaml';
  const bin = join(root, 'bin', 'ffabric.js');
  const { status, stdout } = spawnSync(process.execPath, [bin, 'explore', world, '--json', ...argv], { cwd: root });
  const { seconds, ...rest } = JSON.parse(stdout.toString()) as Record<string, unknown>;
  expect(seconds).toBeGreaterThan(0);
  return { ...rest, status };
}

describe('explore on two threads', () => {
  for (const flags of [
    ['--strategy', 'portfolio', '--executions', '1500'],
    ['--strategy', 'delay', '--delays', '2', '--faults', '1'],
  ]) {
    it(`gives the same as on one: ${flags.join(' ')}`, { timeout: 120_000 }, () => {
      const one = explored(...flags);
      expect(one).toMatchObject({ verdict: 'held', status: 0 });
      expect(explored(...flags, '--workers', '2')).toEqual(one);
    });
  }
});
