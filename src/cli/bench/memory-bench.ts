// The machine of the rows that go all the way: a guest, the hypervisor's mediator, the real SPMC and partitions whose
// program retrieves and relinquishes what it is told of. As many other transactions, partitions and pages live beside
// it as the row says.

import {
  FFA_MEM_RECLAIM,
  FFA_MEM_RELINQUISH,
  FFA_MEM_RETRIEVE_REQ_32,
  FFA_MEM_RETRIEVE_RESP,
  FFA_MSG_SEND_DIRECT_REQ_32,
  FFA_MSG_SEND_DIRECT_RESP_32,
  FFA_MSG_WAIT,
  FFA_RX_RELEASE,
  FFA_SUCCESS_32,
} from '../../abi/function-ids.ts';
import { DATA_ACCESS_RW } from '../../abi/layout/memory-bits.ts';
import {
  EMAD_1_0_SIZE_BYTES,
  EMAD_PERMISSIONS_OFFSET,
  MTD_1_1_EMAD_ARRAY_OFFSET,
  MTD_1_1_EMAD_SIZE_OFFSET,
  MTD_1_1_SIZE_BYTES,
  MTD_EMAD_COUNT_OFFSET,
  MTD_HANDLE_OFFSET,
  MTD_SENDER_OFFSET,
  RELINQUISH_ENDPOINT_COUNT_OFFSET,
  RELINQUISH_ENDPOINTS_OFFSET,
  RELINQUISH_HANDLE_OFFSET,
} from '../../abi/layout/memory-transaction.ts';
import { FFA_VERSION_1_1 } from '../../abi/versions.ts';
import { assert } from '../../base/assert.ts';
import { PAGE_SIZE_BYTES } from '../../base/units.ts';
import { Machine } from '../../hardware/machine.ts';
import { EXIT_CALL, type Exit, type PartitionEntry, type VcpuContext } from '../../hardware/partition-entry.ts';
import type { Domain, Vcpu } from '../../hypervisor/domain.ts';
import type { Profile } from '../../hypervisor/profile.ts';
import type { PartitionSetup } from '../../spmc/partition-setup.ts';
import { Spmc } from '../../spmc/spmc.ts';
import { drive, GuestBench, PARTITION, RAM_BASE } from './guest-bench.ts';

/** Image of each partition; its buffers are the last two pages of it. */
const IMAGE_PAGES = 4;
const OWN_PAGES = 64;
const REQUEST_BYTES = MTD_1_1_SIZE_BYTES + EMAD_1_0_SIZE_BYTES;
const RELINQUISH_BYTES = RELINQUISH_ENDPOINTS_OFFSET + 2;
/** Receives direct requests. */
const RECEIVES = 1;

/** Retrieves the memory whose handle a direct request names in w3 and w4, relinquishes it, and answers. */
class Borrower implements PartitionEntry {
  private readonly txAddress: number;
  private readonly request = new Uint8Array(REQUEST_BYTES);
  private readonly relinquish = new Uint8Array(RELINQUISH_BYTES);
  private readonly requestView = new DataView(this.request.buffer);
  private readonly relinquishView = new DataView(this.relinquish.buffer);
  private step = 0;
  private ids = 0;

  constructor(id: number, txAddress: number) {
    this.txAddress = txAddress;
    const view = this.requestView;
    view.setUint32(MTD_1_1_EMAD_SIZE_OFFSET, EMAD_1_0_SIZE_BYTES, true);
    view.setUint32(MTD_EMAD_COUNT_OFFSET, 1, true);
    view.setUint32(MTD_1_1_EMAD_ARRAY_OFFSET, MTD_1_1_SIZE_BYTES, true);
    view.setUint16(MTD_1_1_SIZE_BYTES, id, true);
    view.setUint8(MTD_1_1_SIZE_BYTES + EMAD_PERMISSIONS_OFFSET, DATA_ACCESS_RW);
    this.relinquishView.setUint32(RELINQUISH_ENDPOINT_COUNT_OFFSET, 1, true);
    this.relinquishView.setUint16(RELINQUISH_ENDPOINTS_OFFSET, id, true);
  }

  run({ registers, memory }: VcpuContext): Exit {
    switch (this.step++) {
      case 0:
        registers.set4(FFA_MSG_WAIT, 0, 0, 0);
        return EXIT_CALL;
      case 1:
        this.ids = registers.w(1);
        this.requestView.setUint16(MTD_SENDER_OFFSET, this.ids >>> 16, true);
        this.requestView.setUint32(MTD_HANDLE_OFFSET, registers.w(3), true);
        this.requestView.setUint32(MTD_HANDLE_OFFSET + 4, registers.w(4), true);
        this.relinquishView.setUint32(RELINQUISH_HANDLE_OFFSET, registers.w(3), true);
        this.relinquishView.setUint32(RELINQUISH_HANDLE_OFFSET + 4, registers.w(4), true);
        memory.write(this.txAddress, this.request, 0, REQUEST_BYTES);
        registers.set4(FFA_MEM_RETRIEVE_REQ_32, REQUEST_BYTES, REQUEST_BYTES, 0);
        return EXIT_CALL;
      case 2:
        assert(registers.w(0) === FFA_MEM_RETRIEVE_RESP, 'the memory is retrieved');
        registers.set4(FFA_RX_RELEASE, 0, 0, 0);
        return EXIT_CALL;
      case 3:
        memory.write(this.txAddress, this.relinquish, 0, RELINQUISH_BYTES);
        registers.set4(FFA_MEM_RELINQUISH, 0, 0, 0);
        return EXIT_CALL;
      default: {
        assert(registers.w(0) === FFA_SUCCESS_32, 'the memory is relinquished');
        const { ids } = this;
        this.step = 1;
        registers.set8(FFA_MSG_SEND_DIRECT_RESP_32, ((ids << 16) | (ids >>> 16)) >>> 0);
        return EXIT_CALL;
      }
    }
  }

  reset(): void {
    this.step = 0;
  }
}

function partitionSetup(n: number, baseAddress: number): PartitionSetup {
  const txAddress = baseAddress + (IMAGE_PAGES - 2) * PAGE_SIZE_BYTES;
  return {
    id: PARTITION + n,
    program: new Borrower(PARTITION + n, txAddress),
    image: { baseAddress, pageCount: IMAGE_PAGES },
    manifest: {
      ffaVersion: FFA_VERSION_1_1,
      // The list of partitions has to fit the hypervisor's RX: only the first one is in it.
      services: n > 0 ? [] : [{ uuid: [1, 0, 0, 0], messagingMethod: RECEIVES }],
      buffers: { txAddress, rxAddress: txAddress + PAGE_SIZE_BYTES, pageCount: 1 },
    },
  };
}

export class MemoryBench extends GuestBench {
  readonly spmc: Spmc;
  readonly guest: Domain;
  private readonly vcpu: Vcpu;
  private readonly ids: number;

  /** With `others` other partitions, other live transactions, and other pages of the guest. */
  constructor(profile: Profile, others: number) {
    const normalFrames = 4 * others + 2048;
    const secureBase = RAM_BASE + normalFrames * PAGE_SIZE_BYTES;
    const machine = new Machine({
      firstFrame: RAM_BASE / PAGE_SIZE_BYTES,
      frameCount: normalFrames + (others + 1) * IMAGE_PAGES,
    });
    const partitions = Array.from({ length: others + 1 }, (_, n) =>
      partitionSetup(n, secureBase + n * IMAGE_PAGES * PAGE_SIZE_BYTES),
    );
    const spmc = new Spmc(machine, {
      partitions,
      interrupts: { raise() {} },
      limits: { slots: others + 16 },
    });
    super(machine, profile, spmc, { sharesPerGuest: others + 16 });
    this.spmc = spmc;
    drive(spmc.boot(this.pe));
    this.boot();
    const neighbour = this.ready(others + OWN_PAGES);
    for (let n = 0; n < others; n++) {
      const length = this.writeDescriptor(neighbour, 1, 1, n);
      this.share(neighbour.vcpus[0], length);
      assert(neighbour.vcpus[0].registers.w(0) === FFA_SUCCESS_32, 'another transaction lives');
    }
    this.guest = this.ready(others + OWN_PAGES);
    this.vcpu = this.guest.vcpus[0];
    this.ids = ((this.guest.vmId << 16) | PARTITION) >>> 0;
  }

  /** The guest shares; the partition retrieves and relinquishes; the guest reclaims. */
  roundTrip(length: number): void {
    const { vcpu } = this;
    const { registers } = vcpu;
    this.share(vcpu, length);
    const low = registers.w(2);
    const high = registers.w(3);
    this.call(vcpu, FFA_MSG_SEND_DIRECT_REQ_32, this.ids, 0, low, high);
    this.call(vcpu, FFA_MEM_RECLAIM, low, high);
  }

  get succeeded(): boolean {
    return this.vcpu.registers.w(0) === FFA_SUCCESS_32;
  }
}
