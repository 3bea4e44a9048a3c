// A profile: which hypervisor is imitated, as data (limits, versions, call tables) plus small strategies where
// behaviour differs. A handler never asks which profile it runs under; the profile's table holds the handler that
// fits.

import type { Coroutine, Pending } from '../base/coroutine.ts';
import type { Pe } from '../hardware/pe.ts';
import type { Timer } from '../hardware/time.ts';
import type { Domain, Vcpu } from './domain.ts';
import type { Hypervisor } from './hypervisor.ts';

/**
 * Handles one FF-A function for a guest whose registers are in `vcpu.registers`; leaves the answer there. Returns null
 * when done, or the coroutine that finishes it.
 */
export type Handler = (hypervisor: Hypervisor, pe: Pe, vcpu: Vcpu) => Pending;

export interface Limits {
  /** Live shares per guest. */
  readonly sharesPerGuest: number;
  /** Transactions that all guests together may have at the SPMC, those of the dead and in quarantine included. */
  readonly sharesPerHost: number;
  /** How many of them are kept for guests that have fewer than `sharesAssured`. */
  readonly sharesReserved: number;
  readonly sharesAssured: number;
  /** How many of them one endpoint may be a borrower of. */
  readonly sharesPerBorrower: number;
  /** Pages per share: the largest count that is accepted. */
  readonly pagesPerShare: number;
  /** The highest VM id. */
  readonly vmIdMax: number;
  /** Secure partitions that are kept. */
  readonly partitionCountMax: number;
  /** Immediate attempts at one VM availability message. */
  readonly availabilityAttempts: number;
  /** First delay before teardown is tried again. */
  readonly retryNs: number;
}

/** Creation and death of a domain, as far as FF-A takes part. */
export interface Lifecycle {
  /** Sets up FF-A for a new domain. Returns 0 or a negative errno. `domain.ffa` says whether calls are handled. */
  domainInit(hypervisor: Hypervisor, pe: Pe, domain: Domain): Coroutine<number>;
  /** What remains to be undone when creation failed at or after domainInit. */
  creationFailed(hypervisor: Hypervisor, pe: Pe, domain: Domain): Coroutine;
  /** The mediator's part of destroying a domain; whatever is left goes on by itself. */
  domainTeardown(hypervisor: Hypervisor, pe: Pe, domain: Domain): Coroutine;
  /** The domain's pages have been returned, its own reference not yet: what is left may change hands. */
  handOver?(hypervisor: Hypervisor, domain: Domain): void;
  /** The last reference has gone: frees what domainTeardown had to keep. */
  domainGone(hypervisor: Hypervisor, domain: Domain): void;
  /** A timer that the lifecycle armed. */
  timerFired(hypervisor: Hypervisor, pe: Pe, timer: Timer): Coroutine;
}

export interface Profile {
  readonly name: string;
  readonly summary: string;
  readonly limits: Limits;
  /** Handler by low byte of the function id, for SMC32 and SMC64 forms; null: not supported. */
  readonly handlers32: readonly (Handler | null)[];
  readonly handlers64: readonly (Handler | null)[];
  /** Runs before any handler: null lets the call through; else what answers instead (version negotiation). */
  readonly gate: ((hypervisor: Hypervisor, pe: Pe, vcpu: Vcpu) => Pending | undefined) | null;
  /** Whether a VM may list other VMs and send to them. */
  readonly vmsSeeVms: boolean;
  /** Whether VMs send each other direct messages. */
  readonly vmsAnswer: boolean;
  /** Whether FFA_RUN of a guest reaches a partition that waits, not only what was preempted in its service. */
  readonly guestsRunWaiting: boolean;
  /** Whether an indirect message waits for its receiver's RX lock while it holds its sender's TX lock. */
  readonly waitsForReceiver: boolean;
  /** Low bytes of standard-service function ids that reach the mediator. */
  readonly windowFirst: number;
  readonly windowLast: number;
  /** Whether FF-A is usable with what the SPMC answers; fills `hypervisor.secure`. */
  probe(hypervisor: Hypervisor, pe: Pe): Coroutine<boolean>;
  /** Lists what waits in the secure world for the VMs (schedule-receiver interrupt). */
  scheduleReceiver(hypervisor: Hypervisor, pe: Pe): Coroutine;
  /** Fresh per hypervisor: it may hold state (queues, records). */
  lifecycle(hypervisor: Hypervisor): Lifecycle;
}
