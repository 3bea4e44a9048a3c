// world: the whole machine. Composes hypervisor, SPMC, partitions, guests and oracle from a plain description, and runs
// them in virtual time.

export * from './create-world.ts';
export * from './description.ts';
export * from './dma-engine.ts';
export * from './expectations.ts';
export * from './faulty-conduit.ts';
export * from './generic-faults.ts';
export * from './guest-memory.ts';
export * from './oracle-options.ts';
export * from './partition-setups.ts';
export * from './report.ts';
export * from './scheduler.ts';
export * from './vocabulary.ts';
export * from './world.ts';
export * from './world-parts.ts';
