// An event file as a timeline, with the pages at its end.

import { type EventFile, readEventFile } from '../../export/event-file.ts';
import { eventText, type TimelineDetail } from '../../export/event-text.ts';
import { ownershipMap } from '../../export/ownership-map.ts';
import { line, type StyledLine } from '../../export/styled-text.ts';
import { spanTime } from '../../export/time-text.ts';
import { wherePagesWent } from '../../export/where-pages-went.ts';

export function decodeEvents(text: string, file: string): EventFile {
  return readEventFile(text, file);
}

/** The timeline, the map of pages, and the closing table. */
export function describeEvents(decoded: EventFile, detail: TimelineDetail): StyledLine[] {
  const { events, header } = decoded;
  const { names, world } = header;
  const endNs = events.kept === 0 ? 0 : events.timeNs(events.kept - 1);
  return [
    line(`${world === '' ? 'a run' : world}: ${events.kept} events in ${spanTime(endNs)} of virtual time`, 'strong'),
    [],
    ...eventText(events, names, { detail }),
    [],
    ...ownershipMap(events, names),
    [],
    ...wherePagesWent(events, names),
  ];
}
