// world: the whole machine. Composes hypervisor, SPMC, partitions, guests and oracle from a plain description, and runs
// them in virtual time.

export * from './description.ts';
export * from './dma-engine.ts';
export * from './faulty-conduit.ts';
export * from './guest-memory.ts';
export * from './partition-setups.ts';
export * from './scheduler.ts';
export * from './world.ts';
