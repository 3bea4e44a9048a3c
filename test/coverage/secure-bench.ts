// The bench for both doors of the SPMC. The test plays the hypervisor; SP1 is the partition that calls.

import type { Side } from '../../src/abi/documented/documented-answer.ts';
import { FFA_RXTX_MAP_64, FFA_VERSION } from '../../src/abi/function-ids.ts';
import { FFA_VERSION_1_2 } from '../../src/abi/versions.ts';
import { Machine } from '../../src/hardware/machine.ts';
import { Pe } from '../../src/hardware/pe.ts';
import type { PartitionSetup } from '../../src/spmc/partition-setup.ts';
import { Spmc } from '../../src/spmc/spmc.ts';
import { GUEST_MEMORY, HYPERVISOR_RX, HYPERVISOR_TX, PAGE, SP1, setupOf } from '../spmc/small-world.ts';
import { Bench, BenchProgram } from './bench.ts';

/** The VM for which the hypervisor calls. */
export const VM = 3;
const PARTITIONS = 3;
const SMALL_PARTITIONS = 0x5800_0000;
const MEMORY_BASE = 0x4000_0000;
const MEMORY_PAGES = 0x2000_0000 / PAGE;

export class SecureBench extends Bench {
  /** The hypervisor's PE, and another one. */
  readonly pe = new Pe(0);
  readonly otherPe = new Pe(15);
  private made: { machine: Machine; spmc: Spmc; programs: BenchProgram[] } | null = null;

  get machine(): Machine {
    return this.make().machine;
  }

  get spmc(): Spmc {
    return this.make().spmc;
  }

  get programs(): readonly BenchProgram[] {
    return this.make().programs;
  }

  get me(): number {
    return this.side === 'hypervisor' ? VM : SP1;
  }

  call(...words: readonly number[]): number[] {
    return this.as(this.fid, ...words);
  }

  as(fid: number, ...words: readonly number[]): number[] {
    this.make();
    return this.side === 'hypervisor' ? this.hyp(fid, ...words) : this.sp(SP1, fid, ...words);
  }

  /** A call of the hypervisor. */
  hyp(...words: readonly number[]): number[] {
    this.make();
    return this.smc(this.pe, words);
  }

  /** The same on another PE. */
  hypElsewhere(...words: readonly number[]): number[] {
    this.make();
    return this.smc(this.otherPe, words);
  }

  send(bytes: Uint8Array): void {
    this.write(this.side === 'hypervisor' ? HYPERVISOR_TX : this.txOf(SP1), bytes);
  }

  page(n: number): number {
    return (this.side === 'hypervisor' ? GUEST_MEMORY : 0x5000_0000) + n * PAGE;
  }

  protected versionAt(side: Side, endpoint: number): number {
    const { spmc } = this.make();
    return side === 'partition' ? (spmc.partitionById.get(endpoint)?.version ?? 0) : spmc.normalWorld.version;
  }

  private make(): { machine: Machine; spmc: Spmc; programs: BenchProgram[] } {
    if (this.made !== null) return this.made;
    const { options } = this;
    const machine = new Machine({ firstFrame: MEMORY_BASE / PAGE, frameCount: MEMORY_PAGES });
    const programs = Array.from({ length: PARTITIONS }, () => new BenchProgram());
    programs[0].atBoot = [...(options.atBoot ?? [])];
    const spmc = new Spmc(machine, {
      partitions: [...this.scripted(programs), ...more(options.morePartitions ?? 0)],
      interrupts: { raise: () => {} },
      console: { log: () => {} },
      ...(options.limits === undefined ? {} : { limits: options.limits }),
      ...(this.personality === undefined ? {} : { personality: this.personality }),
      ...(options.normalWorldMemory === undefined ? {} : { normalWorldMemory: options.normalWorldMemory }),
    });
    this.made = { machine, spmc, programs };
    machine.events.listen(this.recorder);
    this.drive(spmc.boot(this.pe), this.pe);
    if (this.side === 'hypervisor') this.meet(options.unmapped === true);
    else this.hyp(FFA_RXTX_MAP_64, HYPERVISOR_TX, HYPERVISOR_RX, 1);
    return this.made;
  }

  private scripted(programs: readonly BenchProgram[]): PartitionSetup[] {
    const { options } = this;
    return programs.map((program, n) => {
      const ffaVersion = n === 0 && this.side === 'partition' ? this.version : FFA_VERSION_1_2;
      const made = setupOf(SP1 + n, program, {
        ffaVersion,
        notificationSupport: true,
        vmAvailabilityMessages: 3,
        ...options.manifests?.[n],
      });
      if (n !== 0 || this.side !== 'partition' || options.unmapped !== true) return made;
      const { buffers: _none, ...manifest } = made.manifest;
      return { ...made, manifest };
    });
  }

  /** The hypervisor agrees on a version and maps its buffers. */
  private meet(unmapped: boolean): void {
    if (this.options.unnegotiated === true) return;
    this.hyp(FFA_VERSION, this.version);
    if (!unmapped) this.hyp(FFA_RXTX_MAP_64, HYPERVISOR_TX, HYPERVISOR_RX, 1);
  }
}

/** Partitions that only wait, two pages each. */
function more(count: number): PartitionSetup[] {
  return Array.from({ length: count }, (_, n) => ({
    id: SP1 + 0x100 + n,
    program: new BenchProgram(),
    image: { baseAddress: SMALL_PARTITIONS + 2 * n * PAGE, pageCount: 2 },
    manifest: { services: [{ uuid: [n + 1, 0, 0, 9], messagingMethod: 0 }] },
  }));
}
