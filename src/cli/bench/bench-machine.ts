// The machine under the benchmarks of the hypervisor alone: its SPMC answers at once and keeps nothing.

import { PAGE_SIZE_BYTES } from '../../base/units.ts';
import { Machine } from '../../hardware/machine.ts';
import type { Profile } from '../../hypervisor/profile.ts';
import { GuestBench, RAM_BASE } from './guest-bench.ts';
import { InstantSpmc } from './instant-spmc.ts';

export class BenchMachine extends GuestBench {
  readonly spmc: InstantSpmc;

  constructor(profile: Profile, frameCount: number, partitionCount: number) {
    const machine = new Machine({ firstFrame: RAM_BASE / PAGE_SIZE_BYTES, frameCount });
    const spmc = new InstantSpmc(machine.frames.contents, partitionCount);
    super(machine, profile, spmc);
    this.spmc = spmc;
    this.boot();
  }
}
