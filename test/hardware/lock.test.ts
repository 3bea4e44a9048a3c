import { expect, it } from 'vitest';
import { WAIT_LOCK, WAIT_STEP } from '../../src/base/coroutine.ts';
import { EVENT_LOCK, EVENT_UNLOCK } from '../../src/base/event-kinds.ts';
import { EventLog } from '../../src/base/event-log.ts';
import { Lock } from '../../src/hardware/lock.ts';
import { Pe } from '../../src/hardware/pe.ts';

function heldBy(pe: Pe): number[] {
  return pe.held.slice(0, pe.heldCount).map((lock) => lock.id);
}

it('is held by one PE at a time', () => {
  const [first, second] = [new Pe(0), new Pe(1)];
  const lock = new Lock(1, 10);
  expect(lock.tryAcquire(first)).toBe(true);
  expect(lock.tryAcquire(second)).toBe(false);
  expect(lock.tryAcquire(first)).toBe(false);
  expect(lock.holder).toBe(first);
  expect(() => lock.release(second)).toThrow('a lock is released by its holder');
  lock.release(first);
  expect(lock.tryAcquire(second)).toBe(true);
});

it('makes a PE wait until it is free', () => {
  const [first, second] = [new Pe(0), new Pe(1)];
  const lock = new Lock(1, 10);
  lock.tryAcquire(first);
  const waiting = lock.acquire(second);
  expect(waiting.next()).toEqual({ value: WAIT_LOCK, done: false });
  expect(second.waitLock).toBe(lock);
  expect(waiting.next()).toEqual({ value: WAIT_LOCK, done: false });
  lock.release(first);
  expect(waiting.next().done).toBe(true);
  expect(lock.holder).toBe(second);
});

it('is a step of its own for a PE that steps, and none for others', () => {
  const [stepping, plain] = [new Pe(0), new Pe(1)];
  stepping.stepping = true;
  const lock = new Lock(1, 10);
  const acquiring = lock.acquire(stepping);
  expect(acquiring.next()).toEqual({ value: WAIT_STEP, done: false });
  expect(lock.holder).toBeNull();
  expect(acquiring.next().done).toBe(true);
  lock.release(stepping);
  expect(lock.acquire(plain).next().done).toBe(true);
});

it('cannot be waited for by its holder', () => {
  const pe = new Pe(0);
  const lock = new Lock(1, 10);
  lock.tryAcquire(pe);
  expect(() => lock.acquire(pe).next()).toThrow('a PE waits for a lock that it holds');
});

it.each([
  [0, [2, 3]],
  [1, [1, 3]],
  [2, [1, 2]],
])('leaves the others held, in their order, when lock %i of three is released', (released, left) => {
  const pe = new Pe(0);
  const locks = [1, 2, 3].map((id) => new Lock(id, 10 * id));
  for (const lock of locks) lock.tryAcquire(pe);
  expect(heldBy(pe)).toEqual([1, 2, 3]);
  locks[released].release(pe);
  expect(heldBy(pe)).toEqual(left);
  expect(locks[released].holder).toBeNull();
});

it('tells when it is taken and given back', () => {
  const events = new EventLog();
  events.keep();
  const pe = new Pe(4);
  const lock = new Lock(9, 30, events);
  lock.tryAcquire(pe);
  lock.release(pe);
  const seen = [0, 1].map((at) => [events.kind(at), events.pe(at), events.argument(at, 0), events.argument(at, 1)]);
  expect(seen).toEqual([
    [EVENT_LOCK, 4, 9, 30],
    [EVENT_UNLOCK, 4, 9, 30],
  ]);
});
