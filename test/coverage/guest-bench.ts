// The bench for the guest's door: a mediator with a guest, over the SPMC. What the SPMC answers can be replaced, so
// that the mediator's side of each answer is seen.

import type { Side } from '../../src/abi/documented/documented-answer.ts';
import { FFA_NOT_SUPPORTED } from '../../src/abi/errors.ts';
import { FFA_ERROR, FFA_FEATURES, FFA_ID_GET, FFA_RXTX_MAP_64, FFA_VERSION } from '../../src/abi/function-ids.ts';
import { FFA_VERSION_1_1, FFA_VERSION_1_2 } from '../../src/abi/versions.ts';
import { present } from '../../src/base/assert.ts';
import type { Coroutine, Pending } from '../../src/base/coroutine.ts';
import type { Conduit } from '../../src/hardware/conduit.ts';
import { Machine } from '../../src/hardware/machine.ts';
import { Pe } from '../../src/hardware/pe.ts';
import { type Domain, TEE_FFA } from '../../src/hypervisor/domain.ts';
import type { FfaContext } from '../../src/hypervisor/ffa-context.ts';
import { Hypervisor } from '../../src/hypervisor/hypervisor.ts';
import type { Profile } from '../../src/hypervisor/profile.ts';
import { Spmc } from '../../src/spmc/spmc.ts';
import { PAGE, SP1, setupOf } from '../spmc/small-world.ts';
import { Bench, BenchProgram, put, wordsOf } from './bench.ts';

const PARTITIONS = 3;
const MEMORY_BASE = 0x4000_0000;
const MEMORY_PAGES = 0x2000_0000 / PAGE;
/** Where a guest sees its memory. */
export const RAM = 0x4000_0000;
const RAM_PAGES = 512;
export const GUEST_TX = RAM + 2 * PAGE;
export const GUEST_RX = RAM + 3 * PAGE;

/** The way to the SPMC, on which answers can be put. */
class Interceptor implements Conduit {
  readonly answers = new Map<number, readonly number[]>();
  /** What happens while the call is under way, before it is answered. */
  readonly meanwhile = new Map<number, () => void>();
  private readonly inner: Spmc;
  private readonly lacks: ReadonlySet<number>;

  constructor(inner: Spmc, lacks: readonly number[]) {
    this.inner = inner;
    this.lacks = new Set(lacks);
  }

  smc(pe: Pe): Pending {
    const fid = pe.smc.w(0);
    this.meanwhile.get(fid)?.();
    const denied = fid === FFA_FEATURES && this.lacks.has(pe.smc.w(1));
    const answer = denied ? [FFA_ERROR, 0, FFA_NOT_SUPPORTED] : this.answers.get(fid);
    if (answer === undefined) return this.inner.smc(pe);
    put(pe.smc, answer);
    return null;
  }
}

interface Made {
  readonly machine: Machine;
  readonly spmc: Spmc;
  readonly programs: BenchProgram[];
  readonly conduit: Interceptor;
  readonly hypervisor: Hypervisor;
  readonly guest: Domain;
}

export class GuestBench extends Bench {
  readonly profile: Profile;
  readonly pe = new Pe(0);
  readonly otherPe = new Pe(15);
  private made: Made | null = null;
  /** Calls that stand still, by their PE. */
  private readonly waiting = new Map<Pe, Coroutine>();

  constructor(profile: Profile, fid: number, version: number) {
    super('guest', fid, version);
    this.profile = profile;
  }

  get machine(): Machine {
    return this.make().machine;
  }

  get spmc(): Spmc {
    return this.make().spmc;
  }

  get programs(): readonly BenchProgram[] {
    return this.make().programs;
  }

  get hypervisor(): Hypervisor {
    return this.make().hypervisor;
  }

  get guest(): Domain {
    return this.make().guest;
  }

  get context(): FfaContext {
    return present(this.guest.ffa, 'an FF-A context');
  }

  get me(): number {
    return this.guest.vmId;
  }

  call(...words: readonly number[]): number[] {
    return this.as(this.fid, ...words);
  }

  as(fid: number, ...words: readonly number[]): number[] {
    return this.of(this.guest, this.pe, fid, ...words);
  }

  /** A call of any guest. */
  of(guest: Domain, pe: Pe, ...words: readonly number[]): number[] {
    const vcpu = present(guest.vcpus[pe === this.pe ? 0 : 1], 'a vCPU');
    put(vcpu.registers, words);
    const pending = this.hypervisor.guestCall(pe, vcpu);
    if (pending !== null && !this.drive(pending, pe)) this.waiting.set(pe, pending);
    return wordsOf(vcpu.registers);
  }

  /** Calls that stand still go on as far as they can. */
  settle(): void {
    for (let isMoving = true; isMoving; ) {
      isMoving = false;
      for (const [pe, pending] of this.waiting) {
        if (!this.drive(pending, pe)) continue;
        this.waiting.delete(pe);
        isMoving = true;
      }
    }
  }

  /** Ends a guest, with whatever it has under way. */
  destroy(guest: Domain): void {
    const pe = new Pe(14);
    const ending = this.hypervisor.destroyDomain(pe, guest);
    for (let rounds = 0; rounds < 4 && !this.drive(ending, pe); rounds++) this.settle();
    this.settle();
  }

  /** Whether some answers are not the SPMC's own. */
  get isInjected(): boolean {
    return this.make().conduit.answers.size > 0;
  }

  /** The SPMC answers this call so from now on. */
  answers(fid: number, ...words: readonly number[]): void {
    this.make().conduit.answers.set(fid, words);
  }

  /** The SPMC answers it with this error. */
  refuses(fid: number, code: number): void {
    this.answers(fid, FFA_ERROR, 0, code);
  }

  /** The SPMC answers for itself again. */
  honest(fid: number): void {
    this.make().conduit.answers.delete(fid);
  }

  meanwhile(fid: number, act: () => void): void {
    this.make().conduit.meanwhile.set(fid, act);
  }

  /** Another guest, with buffers, of this version. */
  another(version = FFA_VERSION_1_2, mapped = true, pages = RAM_PAGES, bits: 32 | 64 = 64): Domain {
    const guest = this.create(this.make(), pages, bits);
    this.of(guest, this.otherPe, FFA_VERSION, version);
    if (mapped) this.of(guest, this.otherPe, FFA_RXTX_MAP_64, GUEST_TX, GUEST_RX, 1);
    else this.of(guest, this.otherPe, FFA_ID_GET);
    return guest;
  }

  send(bytes: Uint8Array): void {
    this.write(this.physical(this.guest, GUEST_TX), bytes);
  }

  sendOf(guest: Domain, bytes: Uint8Array): void {
    this.write(this.physical(guest, GUEST_TX), bytes);
  }

  page(n: number): number {
    return RAM + (16 + n) * PAGE;
  }

  private physical(guest: Domain, address: number): number {
    return guest.stage2.translate(address / PAGE) * PAGE;
  }

  protected versionAt(side: Side, endpoint: number): number {
    const { spmc, hypervisor } = this.make();
    if (side === 'partition') return spmc.partitionById.get(endpoint)?.version ?? 0;
    if (side === 'hypervisor') return spmc.normalWorld.version;
    return hypervisor.domains.findVm(endpoint)?.ffa?.version || this.version;
  }

  private make(): Made {
    if (this.made !== null) return this.made;
    const { options } = this;
    const machine = new Machine({ firstFrame: MEMORY_BASE / PAGE, frameCount: MEMORY_PAGES });
    const programs = Array.from({ length: PARTITIONS }, () => new BenchProgram());
    const spmc = new Spmc(machine, {
      partitions: programs.map((program, n) =>
        setupOf(SP1 + n, program, {
          notificationSupport: true,
          ...options.manifests?.[n],
        }),
      ),
      interrupts: { raise: () => {} },
      ...(options.limits === undefined ? {} : { limits: options.limits }),
      ...(this.profile.name === 'xen-2024' ? { version: FFA_VERSION_1_1 } : {}),
    });
    const conduit = new Interceptor(spmc, options.lacks ?? []);
    const hypervisor = new Hypervisor(machine, this.profile, conduit, {
      guestsRunWaiting: options.guestsRunWaiting === true,
    });
    this.drive(spmc.boot(this.pe), this.pe);
    const boot = hypervisor.boot(this.pe);
    while (boot.next().done !== true);
    const made = { machine, spmc, programs, conduit, hypervisor };
    const guest = this.create(made);
    this.made = { ...made, guest };
    machine.events.listen(this.recorder);
    if (options.unnegotiated !== true) {
      this.as(FFA_VERSION, this.version);
      if (options.unmapped !== true) this.as(FFA_RXTX_MAP_64, GUEST_TX, GUEST_RX, 1);
    }
    for (const [fid, code] of options.refuses ?? []) this.refuses(fid, code);
    return this.made;
  }

  private create({ hypervisor }: { hypervisor: Hypervisor }, pageCount = RAM_PAGES, bits: 32 | 64 = 64): Domain {
    const config = { vcpuCount: 2, bits, pageCount, ramBase: RAM, tee: TEE_FFA } as const;
    const creation = hypervisor.createDomain(this.pe, config);
    for (;;) {
      const step = creation.next();
      if (step.done === true) return present(step.value.domain, 'a guest');
    }
  }
}
