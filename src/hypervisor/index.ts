// hypervisor: NS-EL2. Domains, and the FF-A mediator between guests and the secure world.

export * from './domain.ts';
export * from './domains.ts';
export * from './ffa-context.ts';
export * from './hypervisor.ts';
export * from './profile.ts';
export * from './secure-world.ts';
