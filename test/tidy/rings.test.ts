// The machinery of the tests itself: what runs, what is skipped and why, and the lines at the end of a run.

import { describe, expect, it } from 'vitest';
import { lastLine, type RingResult, ringLine, total } from '../reporter.ts';
import { findTool, requirements, ringVerdict, toolVerdict } from '../require.ts';

const INSTALL = 'apt-get install device-tree-compiler';

describe('test/require.ts', () => {
  it.each([
    [undefined, []],
    ['', []],
    ['all', ['all']],
    ['package,fuzz', ['package', 'fuzz']],
  ])('reads FFABRIC_REQUIRE=%s', (value, expected) => {
    expect([...requirements(value)]).toEqual(expected);
  });

  it('finds a program on a path, and none that is not there', () => {
    expect(findTool('sh', '/nowhere:/usr/bin:/bin')).toMatch(/^(\/usr)?\/bin\/sh$/);
    expect(findTool('sh', '/nowhere')).toBeNull();
    expect(findTool('bin', '/usr')).toBeNull();
    expect(findTool('sh', '')).toBeNull();
  });

  it('runs what has its tool, skips what has not, and fails it where everything is required', () => {
    expect(toolVerdict('/usr/bin/dtc', 'dtc', INSTALL, true)).toEqual({ kind: 'run' });
    expect(toolVerdict(null, 'dtc', INSTALL, false)).toEqual({ kind: 'skip', why: `needs dtc: ${INSTALL}` });
    expect(toolVerdict(null, 'dtc', INSTALL, true)).toEqual({ kind: 'fail', why: `needs dtc: ${INSTALL}` });
  });

  it('runs a slow ring only where it is asked for', () => {
    expect(ringVerdict('package', requirements('all'))).toEqual({ kind: 'run' });
    expect(ringVerdict('package', requirements('package'))).toEqual({ kind: 'run' });
    const skipped = { kind: 'skip', why: 'slow ring: FFABRIC_REQUIRE=package' };
    expect(ringVerdict('package', requirements('fuzz'))).toEqual(skipped);
    expect(ringVerdict('package', requirements(''))).toEqual(skipped);
  });
});

describe('test/reporter.ts', () => {
  const unit: RingResult = { ring: 'unit', passed: 5, failed: 1, skipped: 0, seconds: 1.26 };
  const cli: RingResult = { ring: 'cli', passed: 2, failed: 0, skipped: 3, seconds: 10 };

  it('adds rings up, and counts an error outside every file as a failure', () => {
    expect(total([unit, cli], 0)).toEqual({ passed: 7, failed: 1, skipped: 3, rings: [unit, cli] });
    expect(total([cli], 2)).toMatchObject({ passed: 2, failed: 2 });
    expect(total([], 0)).toMatchObject({ passed: 0, failed: 0 });
  });

  it('prints a line for each ring and one for all', () => {
    expect(ringLine(unit)).toBe('ring unit: 1.3 s, 5 passed, 1 failed');
    expect(ringLine(cli)).toBe('ring cli: 10.0 s, 2 passed, 0 failed, 3 skipped');
    expect(lastLine(total([unit, cli], 0))).toBe('7 passed, 1 failed, 3 skipped');
    expect(lastLine(total([unit], 0))).toBe('5 passed, 1 failed');
  });
});
