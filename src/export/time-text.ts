// Virtual time as people read it.

import { NS_PER_MS, NS_PER_S, NS_PER_US } from '../base/units.ts';

/** `2.000500 s`: seconds with microseconds, for a column of times; nanoseconds only where there are any. */
export function columnTime(timeNs: number): string {
  const seconds = Math.floor(timeNs / NS_PER_S);
  const rest = Math.round(timeNs - seconds * NS_PER_S);
  const micros = String(Math.floor(rest / NS_PER_US)).padStart(6, '0');
  const nanos = rest % NS_PER_US;
  return `${seconds}.${micros}${nanos === 0 ? '' : String(nanos).padStart(3, '0')}`;
}

/** `1.5 s`, `20 ms`, `3 us`, `215 ns`: the largest unit in which it is at least 1, three decimals at most. */
export function spanTime(spanNs: number): string {
  const units: readonly (readonly [number, string])[] = [
    [NS_PER_S, 's'],
    [NS_PER_MS, 'ms'],
    [NS_PER_US, 'us'],
  ];
  for (const [unitNs, name] of units) {
    if (spanNs >= unitNs) return `${Number((spanNs / unitNs).toFixed(3))} ${name}`;
  }
  return `${Number(spanNs.toFixed(3))} ns`;
}
