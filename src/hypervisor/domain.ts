// A domain as the hypervisor keeps it: an id, memory behind a stage 2, vCPUs, references, and its FF-A context.
//
// References: one for its life, one while any page is still assigned to it, one for the FF-A shares that it has (from
// the first share to the last reclaim). Without any left it is gone and its id is free again. [Xen common/domain.c]

import type { FrameNumber, GuestFrame, PhysicalAddress } from '../base/units.ts';
import { PAGE_SIZE_BYTES } from '../base/units.ts';
import type { FrameOwner } from '../hardware/frames.ts';
import type { Machine } from '../hardware/machine.ts';
import type { Pe } from '../hardware/pe.ts';
import { RegisterFile } from '../hardware/registers.ts';
import { Stage2 } from '../hardware/stage2.ts';
import type { FfaContext } from './ffa-context.ts';

export type DomainLife = 0 | 1 | 2 | -1;
export const DOMAIN_ALIVE = 0;
/** Being torn down. */
export const DOMAIN_DYING = 1;
/** Its own reference is dropped; what is left of it waits for others. */
export const DOMAIN_DEAD = 2;
export const DOMAIN_GONE = -1;

/** Which mediator a domain asked for at creation. */
export type TeeKind = 0 | 1 | 2;
export const TEE_NONE = 0;
/** Another mediator, which this one refuses. */
export const TEE_OTHER = 1;
export const TEE_FFA = 2;

export class Vcpu {
  readonly domain: Domain;
  readonly index: number;
  /** x0..x17 of the guest at its trap, in and out. */
  readonly registers = new RegisterFile();
  online = true;
  /** Virtual interrupts that are pending, in order. */
  readonly interrupts: number[] = [];

  constructor(domain: Domain, index: number) {
    this.domain = domain;
    this.index = index;
  }
}

export interface RamBank {
  readonly gfn: GuestFrame;
  readonly frame: FrameNumber;
  readonly count: number;
}

export interface DomainConfig {
  readonly vcpuCount: number;
  /** 32: an AArch32 guest. */
  readonly bits: 32 | 64;
  readonly pageCount: number;
  readonly ramBase: PhysicalAddress;
  readonly tee: TeeKind;
}

export class Domain implements FrameOwner {
  readonly id: number;
  /** FF-A endpoint id: id + 1. */
  readonly vmId: number;
  /** Unique among all incarnations; owner of its frames. */
  readonly serial: number;
  readonly config: DomainConfig;
  readonly stage2: Stage2;
  readonly vcpus: Vcpu[] = [];
  readonly banks: RamBank[] = [];
  references = 1;
  life: DomainLife = DOMAIN_ALIVE;
  /** Pages still assigned to it, whoever references them. */
  totalPages = 0;
  /** Whether its pages' allocation references have been dropped. */
  relinquished = false;
  /** Whether the mediator's teardown has run. */
  tornDown = false;
  ffa: FfaContext | null = null;
  /** vCPUs that are inside EL2 on a call. */
  callsInFlight = 0;
  /** The PE that waits to tear the domain down. */
  killer: Pe | null = null;
  private readonly machine: Machine;
  private readonly onPagesGone: (domain: Domain) => void;

  constructor(
    machine: Machine,
    id: number,
    serial: number,
    config: DomainConfig,
    onPagesGone: (domain: Domain) => void,
  ) {
    this.machine = machine;
    this.id = id;
    this.vmId = id + 1;
    this.serial = serial;
    this.config = config;
    this.onPagesGone = onPagesGone;
    this.stage2 = new Stage2(machine.events, this.vmId);
    for (let n = 0; n < config.vcpuCount; n++) this.vcpus.push(new Vcpu(this, n));
  }

  /** FrameOwner: some of its pages have lost their last reference. They are scrubbed before anybody gets them. */
  framesFreed(frame: FrameNumber, count: number): void {
    this.machine.frames.scrub(frame, count);
    this.totalPages -= count;
    if (this.totalPages === 0) this.onPagesGone(this);
  }

  get ramEnd(): PhysicalAddress {
    return this.config.ramBase + this.config.pageCount * PAGE_SIZE_BYTES;
  }
}
