// The machine of the rows of messages that go all the way: a guest, the hypervisor's mediator, the real SPMC and the
// echo program; beside it as many other partitions as the row says.

import { FFA_MSG_SEND_DIRECT_RESP_32 } from '../../abi/function-ids.ts';
import { FFA_VERSION_1_1 } from '../../abi/versions.ts';
import { PAGE_SIZE_BYTES } from '../../base/units.ts';
import { Machine } from '../../hardware/machine.ts';
import type { Vcpu } from '../../hypervisor/domain.ts';
import type { Profile } from '../../hypervisor/profile.ts';
import { EchoProgram } from '../../partitions/programs/echo.ts';
import type { PartitionSetup } from '../../spmc/partition-setup.ts';
import { Spmc } from '../../spmc/spmc.ts';
import { drive, GuestBench, PARTITION, RAM_BASE } from './guest-bench.ts';

const IMAGE_PAGES = 4;
const NORMAL_FRAMES = 4096;
const GUEST_PAGES = 64;
/** Receives direct requests. */
const RECEIVES = 1;

function echoSetup(n: number, baseAddress: number): PartitionSetup {
  const txAddress = baseAddress + (IMAGE_PAGES - 2) * PAGE_SIZE_BYTES;
  const rxAddress = txAddress + PAGE_SIZE_BYTES;
  return {
    id: PARTITION + n,
    program: new EchoProgram({ version: FFA_VERSION_1_1, txAddress, rxAddress, mapBuffers: false }),
    image: { baseAddress, pageCount: IMAGE_PAGES },
    manifest: {
      ffaVersion: FFA_VERSION_1_1,
      // The list of partitions has to fit the hypervisor's RX: only the first one is in it.
      services: n > 0 ? [] : [{ uuid: [1, 0, 0, 0], messagingMethod: RECEIVES }],
    },
  };
}

export class MessageBench extends GuestBench {
  private readonly vcpu: Vcpu;

  constructor(profile: Profile, others: number) {
    const secureBase = RAM_BASE + NORMAL_FRAMES * PAGE_SIZE_BYTES;
    const machine = new Machine({
      firstFrame: RAM_BASE / PAGE_SIZE_BYTES,
      frameCount: NORMAL_FRAMES + (others + 1) * IMAGE_PAGES,
    });
    const partitions = Array.from({ length: others + 1 }, (_, n) =>
      echoSetup(n, secureBase + n * IMAGE_PAGES * PAGE_SIZE_BYTES),
    );
    const spmc = new Spmc(machine, { partitions, interrupts: { raise() {} } });
    super(machine, profile, spmc);
    drive(spmc.boot(this.pe));
    this.boot();
    this.vcpu = this.ready(GUEST_PAGES).vcpus[0];
  }

  ask(): void {
    this.directRequest(this.vcpu);
  }

  get answered(): boolean {
    return this.vcpu.registers.w(0) === FFA_MSG_SEND_DIRECT_RESP_32;
  }
}
