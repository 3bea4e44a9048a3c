// spmc: the secure world's FF-A manager at S-EL2. It is reached through the conduit alone, and runs secure partitions
// through their partition entries. Start at spmc.ts (state and life) and door.ts (which chapter is in which file).

export * from './endpoint.ts';
export * from './limits.ts';
export * from './manifest-setup.ts';
export * from './options.ts';
export * from './partition.ts';
export * from './partition-setup.ts';
export * from './partition-table.ts';
export * from './personalities/personality-table.ts';
export * from './personality.ts';
export * from './schedule-receiver.ts';
export * from './slots.ts';
export * from './spmc.ts';
export * from './transaction.ts';
