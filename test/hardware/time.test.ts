import { expect, it } from 'vitest';
import { EVENT_TIMER_ARM, EVENT_TIMER_STOP } from '../../src/base/event-kinds.ts';
import { EventLog } from '../../src/base/event-log.ts';
import { VirtualTime } from '../../src/hardware/time.ts';

/** Names of the timers that fire until `untilNs`, in order. */
function fired(time: VirtualTime, untilNs: number): string[] {
  const names = [];
  for (let timer = time.takeDue(untilNs); timer !== null; timer = time.takeDue(untilNs)) names.push(timer.name);
  return names;
}

it('fires timers by expiry, equal ones in the order in which they were armed', () => {
  const time = new VirtualTime(new EventLog());
  const [a, b, c, d] = ['a', 'b', 'c', 'd'].map((name) => time.timer(name));
  time.arm(d, 30);
  time.arm(c, 20);
  time.arm(a, 20);
  time.arm(b, 10);
  expect(time.next).toBe(b);
  expect(fired(time, 9)).toEqual([]);
  expect(fired(time, 20)).toEqual(['b', 'c', 'a']);
  expect([a.armed, d.armed]).toEqual([false, true]);
  expect(fired(time, 100)).toEqual(['d']);
  expect(time.next).toBeNull();
});

it('moves a timer that is armed again, behind its equals', () => {
  const time = new VirtualTime(new EventLog());
  const [a, b] = ['a', 'b'].map((name) => time.timer(name));
  time.arm(a, 10);
  time.arm(b, 20);
  time.arm(a, 20);
  expect(a.expiryNs).toBe(20);
  expect(fired(time, 20)).toEqual(['b', 'a']);
});

it('stops a timer, once', () => {
  const events = new EventLog();
  const time = new VirtualTime(events);
  events.keep();
  const timer = time.timer('a');
  time.arm(timer, 10);
  time.stop(timer);
  time.stop(timer);
  expect(fired(time, 100)).toEqual([]);
  expect([0, 1].map((at) => [events.kind(at), events.argument(at, 0), events.argument(at, 1)])).toEqual([
    [EVENT_TIMER_ARM, timer.id, 10],
    [EVENT_TIMER_STOP, timer.id, 0],
  ]);
  expect(events.count).toBe(2);
  expect(time.timerNames[timer.id]).toBe('a');
});

it('never goes back, and stamps events', () => {
  const events = new EventLog();
  const time = new VirtualTime(events);
  time.advanceTo(50);
  time.advanceTo(40);
  expect([time.nowNs, events.nowNs]).toEqual([50, 50]);
});

it('begins anew after a reset, with nothing armed', () => {
  const time = new VirtualTime(new EventLog());
  const timer = time.timer('a');
  time.arm(timer, 10);
  time.advanceTo(5);
  time.reset();
  expect([time.nowNs, timer.armed, time.next]).toEqual([0, false, null]);
  time.arm(timer, 3);
  expect(fired(time, 3)).toEqual(['a']);
});
