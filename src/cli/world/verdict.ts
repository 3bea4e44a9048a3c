// What a run came to, as the closing lines of its output and as a document: what is in quarantine, which expectations
// held, what was violated.

import { LineBuilder, line, type StyledLine } from '../../export/styled-text.ts';
import { columnTime, spanTime } from '../../export/time-text.ts';
import type { WorldReport } from '../../world/report.ts';

const SHOWN_MAX = 20;

/** What `--json` prints: the shape that scripts rely on. */
export function reportDocument(report: WorldReport, seconds: number): unknown {
  const { events, guests, quarantine, verdict, violations, virtualNs, world } = report;
  return { world, verdict, events, seconds: Number(seconds.toFixed(6)), virtualNs, guests, quarantine, violations };
}

export function verdictLines(report: WorldReport, seconds: number, again: string): StyledLine[] {
  const lines: StyledLine[] = [];
  for (const { guest, handle, id, pages, reason, writtenOff } of report.quarantine.slice(0, SHOWN_MAX)) {
    const where = handle === null ? 'no handle' : `handle ${handle}`;
    const end = writtenOff ? ', written off' : '';
    lines.push(
      line(`quarantine ${id}: ${pages} pages of ${guest}, ${where}: ${reason.replaceAll('-', ' ')}${end}`, 'warning'),
    );
  }
  if (report.expectations.length > 0) lines.push([]);
  for (const { held, text, found } of report.expectations) {
    const built = new LineBuilder().add(held ? '  ✓ ' : '  ✗ ', held ? 'good' : 'wrong').add(text);
    lines.push((held ? built : built.add(`: ${found}`, 'wrong')).done());
  }
  const found = report.violations.filter(({ property }) => property !== 'expect');
  for (const { anomaly, event, facts, property, repeats, timeNs } of found.slice(0, SHOWN_MAX)) {
    const more = repeats > 0 ? ` (and ${repeats} times more)` : '';
    lines.push(
      new LineBuilder()
        .add(`  ✗ ${property.padEnd(4)}`, 'wrong')
        .add(`${anomaly}${more}`)
        .add(`  at ${columnTime(timeNs)} s, event ${event}`, 'dim')
        .done(),
    );
    const list = Object.entries(facts).map(([name, value]) => `${name} ${value}`);
    if (list.length > 0) lines.push(line(`        ${list.join(', ')}`, 'dim'));
  }
  if (found.length > SHOWN_MAX) lines.push(line(`    and ${found.length - SHOWN_MAX} more (--json has all)`, 'dim'));
  const isHeld = report.verdict === 'held';
  const rest = report.quiet ? '' : ', where it was ended';
  lines.push(
    [],
    new LineBuilder()
      .add(isHeld ? 'held' : 'VIOLATED', isHeld ? 'good' : 'wrong')
      .add(`  ${report.world}: `)
      .add(`${report.events.toLocaleString('en-US')} events in ${spanTime(report.virtualNs)}${rest}`)
      .add(`, computed in ${spanTime(seconds * 1e9)}`, 'dim')
      .done(),
  );
  if (!isHeld) lines.push(line(`again: ${again}`, 'dim'));
  return lines;
}
