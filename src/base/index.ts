// base: what every layer stands on and nothing of FF-A: assertions, units, coroutines, announced accesses, the choice
// stack, event records, the user's errors. No state of its own, no Node, no DOM.

export * from './announcement.ts';
export * from './assert.ts';
export * from './choice-stack.ts';
export * from './citations.ts';
export * from './coroutine.ts';
export * from './deadline-queue.ts';
export * from './event-kinds.ts';
export * from './event-log.ts';
export * from './units.ts';
export * from './user-error.ts';
