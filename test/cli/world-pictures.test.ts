// Every picture of every world in worlds/: that it can be drawn, that nothing in it is a hole, that the numbers add up.

import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { main } from '../../src/cli/main.ts';
import { readEventFile } from '../../src/export/event-file.ts';
import { eventText } from '../../src/export/event-text.ts';
import { mermaidDiagram } from '../../src/export/mermaid.ts';
import { ownershipMap } from '../../src/export/ownership-map.ts';
import type { TraceEvent } from '../../src/export/perfetto.ts';
import { plainText } from '../../src/export/styled-text.ts';
import { pagesOfOwners, wherePagesWent } from '../../src/export/where-pages-went.ts';
import { FakeHost } from './fake-host.ts';

const worlds = join(import.meta.dirname, '..', '..', 'worlds');
const files = readdirSync(worlds).filter((name) => name.endsWith('.yaml'));
const directory = mkdtempSync(join(tmpdir(), 'ffabric-worlds-'));
afterAll(() => {
  rmSync(directory, { recursive: true, force: true });
});

/** What is wrong first: time goes back, or begins and ends do not match on a track; empty if nothing is. */
function firstMistake(events: readonly TraceEvent[]): string {
  const depths = new Map<string, number>();
  let lastTs = 0;
  for (const event of events) {
    if (event.ph === 'M') continue;
    if (event.ts < lastTs) return `time goes back at ${event.ts}`;
    lastTs = event.ts;
    const key = `${event.pid}/${event.tid}`;
    const depth = depths.get(key) ?? 0;
    if (event.ph === 'B') depths.set(key, depth + 1);
    if (event.ph !== 'E') continue;
    if (depth === 0) return `an end without a begin on ${key} at ${event.ts}`;
    depths.set(key, depth - 1);
  }
  for (const [key, depth] of depths) if (depth !== 0) return `${depth} slices stay open on ${key}`;
  return '';
}

it('there are worlds', () => {
  expect(files.length).toBeGreaterThan(0);
});

for (const file of files) {
  describe(file, () => {
    const eventFile = join(directory, `${file}.jsonl`);
    const traceFile = join(directory, `${file}.json`);
    it('runs, and its pictures have no holes', async () => {
      const argv = ['run', join(worlds, file), '--quiet', '--json', '--events', eventFile, '--trace', traceFile];
      const host = new FakeHost();
      await main(argv, host);
      const text = readFileSync(eventFile, 'utf8');
      const { events, header } = readEventFile(text, eventFile);
      const report = JSON.parse(host.stdout) as { events: number };
      expect(events.kept).toBe(report.events);

      const pictures = [
        plainText(eventText(events, header.names, { detail: 'all' })),
        plainText(ownershipMap(events, header.names)),
        plainText(wherePagesWent(events, header.names)),
        mermaidDiagram(events, header.names),
      ];
      for (const picture of pictures) {
        const hole = /undefined|NaN|\[object|\?\?\?/.exec(picture);
        expect(hole === null ? '' : picture.slice(hole.index - 60, hole.index + 60)).toBe('');
      }
      const trace = JSON.parse(readFileSync(traceFile, 'utf8')) as { traceEvents: TraceEvent[] };
      expect(firstMistake(trace.traceEvents)).toBe('');
      for (const row of pagesOfOwners(events, header.names)) {
        expect(row.returned + row.own + row.held + row.quarantined + row.elsewhere, row.name).toBe(row.pages);
      }
    });
  });
}
