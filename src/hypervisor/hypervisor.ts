// The hypervisor: domains, and the FF-A mediator between them and the secure world. This is its public face; each
// chapter of the mediator is a file of its own, and a profile says which chapters apply (see index.ts for the map).

import type { Coroutine, Pending } from '../base/coroutine.ts';
import type { Conduit } from '../hardware/conduit.ts';
import type { Machine } from '../hardware/machine.ts';
import type { Pe } from '../hardware/pe.ts';
import type { Timer } from '../hardware/time.ts';
import type { Domain, DomainConfig, Vcpu } from './domain.ts';
import { Domains } from './domains.ts';
import type { Share } from './ffa-context.ts';
import { guestCall } from './guest-call.ts';
import type { Lifecycle, Limits, Profile } from './profile.ts';
import { PartitionSchedule } from './schedule-receiver.ts';
import { SecureWorld } from './secure-world.ts';
import { ShareSlots } from './share-slots.ts';
import type { Staging } from './staging.ts';
import { VmList } from './vm-list.ts';
import { VmMessages } from './vm-messages.ts';

export interface HypervisorOptions {
  /** Limits that a world raises or lowers. */
  readonly limits?: Partial<Limits>;
  /** Whether a guest may run a partition that waits; default: as the profile says. */
  readonly guestsRunWaiting?: boolean;
}

/** Result of a creation: 0 or a negative errno; the domain is null when nothing of it remains. */
export interface Creation {
  readonly error: number;
  readonly domain: Domain | null;
}

export class Hypervisor {
  readonly machine: Machine;
  readonly profile: Profile;
  readonly limits: Limits;
  readonly secure: SecureWorld;
  readonly domains: Domains;
  readonly lifecycle: Lifecycle;
  /** Partitions that were given a PE because the SPMC listed them; stays empty where the profile runs none. */
  readonly schedule: PartitionSchedule;
  /** Whether a VM may list other VMs and send to them. */
  readonly vmsSeeVms: boolean;
  /** Direct messages between VMs; nothing happens there where the profile has none. */
  readonly vmMessages = new VmMessages();
  /** Whether FFA_RUN of a guest reaches a partition that waits, not only what was preempted in its service. */
  readonly guestsRunWaiting: boolean;
  /** The VMs that have agreed on a version; stays empty unless `vmsSeeVms`. */
  readonly vmList: VmList;
  /** Each PE's copy of what it reads from a guest, by PE index (see staging.ts). */
  readonly stagings: Staging[] = [];
  /** Who has how many of the SPMC's slots. */
  readonly slots: ShareSlots;
  /** Share records that are free to be used again. */
  readonly spareShares: Share[] = [];

  constructor(machine: Machine, profile: Profile, conduit: Conduit, options: HypervisorOptions = {}) {
    this.machine = machine;
    this.profile = profile;
    this.limits = { ...profile.limits, ...options.limits };
    this.slots = new ShareSlots(this.limits);
    this.secure = new SecureWorld(machine, conduit);
    this.vmsSeeVms = profile.vmsSeeVms;
    this.vmList = new VmList(machine);
    this.domains = new Domains(machine, (domain) => this.lifecycle.domainGone(this, domain));
    this.domains.idEnd = Math.min(this.domains.idEnd, this.limits.vmIdMax);
    this.lifecycle = profile.lifecycle(this);
    this.schedule = new PartitionSchedule(this);
    this.guestsRunWaiting = options.guestsRunWaiting ?? profile.guestsRunWaiting;
  }

  /** Looks for a usable SPMC. False: no FF-A; guests' calls are then unknown to the mediator. */
  *boot(pe: Pe): Coroutine<boolean> {
    this.secure.usable = yield* this.profile.probe(this, pe);
    return this.secure.usable;
  }

  /** Creates a domain with its RAM and FF-A context. On failure nothing of it remains. */
  *createDomain(pe: Pe, config: DomainConfig): Coroutine<Creation> {
    const domain = this.domains.allocate(config);
    if (domain === null) return { error: -12, domain: null };
    const error = yield* this.lifecycle.domainInit(this, pe, domain);
    if (error === 0) return { error, domain };
    yield* this.failCreation(pe, domain, error);
    return { error, domain: null };
  }

  /** What happens to a domain whose creation failed with `error`. */
  *failCreation(pe: Pe, domain: Domain, error: number): Coroutine {
    this.domains.creationFailed(domain, error);
    yield* this.lifecycle.creationFailed(this, pe, domain);
    this.domains.abandon(domain);
  }

  /** Destroys a domain: teardown, its pages' allocation references, its own reference. What is held stays held. */
  *destroyDomain(pe: Pe, domain: Domain): Coroutine {
    yield* this.teardownDomain(pe, domain);
    this.domains.relinquish(domain);
    this.lifecycle.handOver?.(this, domain);
    this.domains.drop(domain);
  }

  /** The mediator's part of destruction, once. */
  *teardownDomain(pe: Pe, domain: Domain): Coroutine {
    if (domain.tornDown) return;
    domain.tornDown = true;
    this.domains.dying(domain);
    this.vmMessages.dying(domain);
    while (domain.callsInFlight > 0) {
      domain.killer = pe;
      yield pe.suspend();
    }
    yield* this.lifecycle.domainTeardown(this, pe, domain);
  }

  /** A guest's SMC or HVC #0; its registers are in `vcpu.registers`, in and out. */
  guestCall(pe: Pe, vcpu: Vcpu): Pending {
    return guestCall(this, pe, vcpu);
  }

  /**
   * A guest's call from its trap to its return, for whoever schedules vCPUs: a domain's end waits until no vCPU is
   * inside.
   */
  *serve(pe: Pe, vcpu: Vcpu): Coroutine {
    const { domain } = vcpu;
    domain.callsInFlight++;
    const pending = this.guestCall(pe, vcpu);
    if (pending !== null) yield* pending;
    domain.callsInFlight--;
    if (domain.callsInFlight === 0 && domain.killer !== null) domain.killer.wake();
  }

  timerFired(pe: Pe, timer: Timer): Coroutine {
    if (this.schedule.owns(timer)) return this.schedule.goOn(this, pe);
    return this.lifecycle.timerFired(this, pe, timer);
  }

  /** The SPMC's schedule-receiver interrupt. */
  scheduleReceiver(pe: Pe): Coroutine {
    return this.profile.scheduleReceiver(this, pe);
  }
}
