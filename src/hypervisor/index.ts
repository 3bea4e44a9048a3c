// hypervisor: NS-EL2. Domains, and the FF-A mediator between guests and the secure world. ARCHITECTURE.md lists its
// chapters; `PROFILES` are the hypervisors that it can be.

export * from './answer-table.ts';
export * from './domain.ts';
export * from './domains.ts';
export * from './ffa-context.ts';
export * from './hypervisor.ts';
export * from './owed.ts';
export * from './profile.ts';
export * from './profiles/ffabric.ts';
export * from './profiles/profile-table.ts';
export * from './profiles/xen-2024.ts';
export * from './profiles/xen-2026.ts';
export * from './profiles/xen-2026-vm-to-vm.ts';
export * from './quarantine.ts';
export * from './record-lifecycle.ts';
export * from './secure-world.ts';
export * from './teardown-record.ts';
