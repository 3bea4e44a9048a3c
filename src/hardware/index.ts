// hardware: the silicon under every component: frames and references, stage 2, PEs and registers, locks, virtual time,
// and the interfaces where components meet without knowing each other: the conduit (SMC), the partition entry, memory.

export * from './conduit.ts';
export * from './emit-registers.ts';
export * from './frame-contents.ts';
export * from './frames.ts';
export * from './lock.ts';
export * from './machine.ts';
export * from './partition-entry.ts';
export * from './pe.ts';
export * from './registers.ts';
export * from './stage2.ts';
export * from './time.ts';
