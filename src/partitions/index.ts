// partitions: endpoints in TypeScript. Guests that follow a script, SP programs, and the calls that both make, as
// machines over registers and memory.
//
// - `guestDriver`: a guest's program as tasks over an FF-A driver (`DriverCpu`); `service`: an SP as handlers over
//   `SpCalls`. docs/partitions.md is a tour;
// - `Endpoint`, `Caller` and the operations: what all of them are built on, embeddable in any vCPU;
// - `GuestScript`: a guest as a list of steps; `GUEST_STEPS` describes the steps as data;
// - `SpProgram` and the programs built on it; `protocol.ts`: what scripts and programs say to each other.
//
// Knows neither the hypervisor nor the SPMC: it meets both in hardware's PartitionEntry.

export * from './availability.ts';
export * from './boot-reader.ts';
export * from './call-result.ts';
export * from './caller.ts';
export * from './check-steps.ts';
export * from './dma-engine.ts';
export * from './driver-cpu.ts';
export * from './endpoint.ts';
export * from './ffa-calls.ts';
export * from './guest-driver.ts';
export * from './guest-script.ts';
export * from './guest-step.ts';
export * from './guest-steps.ts';
export * from './guest-vcpu.ts';
export * from './memory-region.ts';
export * from './notification-table.ts';
export * from './operations/console-log.ts';
export * from './operations/direct-request.ts';
export * from './operations/discover-by-registers.ts';
export * from './operations/discover-partitions.ts';
export * from './operations/indirect-message.ts';
export * from './operations/map-buffers.ts';
export * from './operations/memory-permissions.ts';
export * from './operations/negotiate-version.ts';
export * from './operations/notifications.ts';
export * from './operations/query-features.ts';
export * from './operations/reclaim-memory.ts';
export * from './operations/relinquish-memory.ts';
export * from './operations/retrieve-memory.ts';
export * from './operations/run-partition.ts';
export * from './operations/send-memory.ts';
export * from './outcome.ts';
export * from './page-plan.ts';
export * from './partition-program-module.ts';
export * from './programs/crash.ts';
export * from './programs/device.ts';
export * from './programs/dma.ts';
export * from './programs/echo.ts';
export * from './programs/holder.ts';
export * from './programs/mailbox.ts';
export * from './programs/sharer.ts';
export * from './programs/starter.ts';
export * from './programs/stubborn.ts';
export * from './protocol.ts';
export * from './service.ts';
export * from './sp-calls.ts';
export * from './sp-program.ts';
export * from './sp-programs.ts';
export * from './sp-service.ts';
export * from './sp-vcpu.ts';
export * from './task.ts';
export * from './word-expression.ts';
