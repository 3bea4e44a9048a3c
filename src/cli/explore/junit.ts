// A verdict as JUnit XML, for CI.

import type { ExploreResult } from '../../explore/search.ts';

export function junitDocument(world: string, result: ExploreResult, seconds: number, link: string | null): string {
  const { bounds, executions, finding, steps, verdict } = result;
  const failures = verdict === 'violated' ? 1 : 0;
  const skipped = verdict === 'inconclusive' ? 1 : 0;
  const inside =
    finding !== null
      ? `\n      <failure type="${escaped(finding.property)}" message="${escaped(finding.anomaly)}">${escaped(
          `replay: ffabric replay '${link ?? ''}'`,
        )}</failure>`
      : verdict === 'inconclusive'
        ? '\n      <skipped message="time ran out before the bounds were done"/>'
        : '';
  const out = `\n      <system-out>${escaped(`${bounds}; ${executions} executions, ${steps} steps`)}</system-out>`;
  return `<?xml version="1.0" encoding="UTF-8"?>
<testsuites>
  <testsuite name="ffabric explore" tests="1" failures="${failures}" skipped="${skipped}" time="${seconds.toFixed(3)}">
    <testcase classname="ffabric.explore" name="${escaped(world)}" time="${seconds.toFixed(3)}">${inside}${out}
    </testcase>
  </testsuite>
</testsuites>
`;
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
};

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character]);
}
