// What the oracle found: named, dated, with the numbers that show it. A follow-up of the same kind about the same thing
// is counted, not listed again. At most 1,000 different ones are kept; further ones are counted in `lost`.

import type { Machine } from '../hardware/machine.ts';

export type Facts = Readonly<Record<string, number | string>>;

export interface Violation {
  /** `P1`, `P1b`, ... */
  readonly property: string;
  /** A sentence without a full stop, e.g. `page returned while SP 0x8001 holds it`. */
  readonly anomaly: string;
  /** Events before the one at which it was found. */
  readonly eventIndex: number;
  readonly timeNs: number;
  readonly facts: Facts;
  /** How often the same anomaly about the same VM and handle was found again. */
  repeats: number;
}

const VIOLATIONS_MAX = 1000;

export class Violations {
  readonly list: Violation[] = [];
  /** Different violations that found no room in the list. */
  lost = 0;
  private readonly machine: Machine;
  private readonly known = new Map<string, Violation>();

  constructor(machine: Machine) {
    this.machine = machine;
  }

  report(property: string, anomaly: string, facts: Facts): void {
    const key = `${property}|${anomaly}|${facts['vm'] ?? ''}|${facts['handle'] ?? ''}`;
    const known = this.known.get(key);
    if (known !== undefined) {
      known.repeats++;
      return;
    }
    if (this.list.length === VIOLATIONS_MAX) {
      this.lost++;
      return;
    }
    const events = this.machine.events;
    const eventIndex = Math.max(0, events.count - 1);
    const violation: Violation = { property, anomaly, eventIndex, timeNs: events.nowNs, facts, repeats: 0 };
    this.known.set(key, violation);
    this.list.push(violation);
  }

  reset(): void {
    this.list.length = 0;
    this.known.clear();
    this.lost = 0;
  }
}

/** `SP 0x8001`, `VM 1`, `the hypervisor`. */
export function nameEndpoint(endpoint: number): string {
  if (endpoint === 0) return 'the hypervisor';
  return endpoint >= 0x8000 ? `SP 0x${endpoint.toString(16)}` : `VM ${endpoint}`;
}

/** Sixteen hexadecimal digits. */
export function nameHandle(low: number, high: number): string {
  return `0x${high.toString(16).padStart(8, '0')}${low.toString(16).padStart(8, '0')}`;
}
