// explore: the search through what a scheduler, an SPMC, a partition, an interrupt and a hostile guest could do. A
// world is executed again and again under one choice stack; each execution is judged by the oracle.

export * from './checkpoint.ts';
export * from './executor.ts';
export * from './expect-held.ts';
export * from './finding.ts';
export * from './hunt.ts';
export * from './plan.ts';
export * from './random.ts';
export * from './replay.ts';
export * from './schedule.ts';
export * from './search.ts';
export * from './shrink.ts';
export * from './strategy.ts';
