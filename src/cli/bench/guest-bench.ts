// What the machines under the benchmarks have in common: a hypervisor over some SPMC, oracle off, and guests that make
// calls.

import {
  FFA_FEATURES,
  FFA_MEM_RECLAIM,
  FFA_MEM_SHARE_32,
  FFA_MSG_SEND_DIRECT_REQ_32,
  FFA_PARTITION_INFO_GET,
  FFA_RX_RELEASE,
  FFA_RXTX_MAP_64,
  FFA_SUCCESS_32,
  FFA_VERSION,
} from '../../abi/function-ids.ts';
import { DATA_ACCESS_RW, MEMORY_NORMAL_WRITE_BACK_INNER } from '../../abi/layout/memory-bits.ts';
import {
  COMPOSITE_SIZE_BYTES,
  CONSTITUENT_SIZE_BYTES,
  EMAD_1_0_SIZE_BYTES,
  EMAD_COMPOSITE_OFFSET,
  EMAD_PERMISSIONS_OFFSET,
  MTD_1_1_EMAD_ARRAY_OFFSET,
  MTD_1_1_EMAD_SIZE_OFFSET,
  MTD_1_1_SIZE_BYTES,
  MTD_ATTRIBUTES_OFFSET,
  MTD_EMAD_COUNT_OFFSET,
  MTD_SENDER_OFFSET,
} from '../../abi/layout/memory-transaction.ts';
import { FFA_VERSION_1_1 } from '../../abi/versions.ts';
import { assert, present } from '../../base/assert.ts';
import type { Coroutine, Pending } from '../../base/coroutine.ts';
import { PAGE_SIZE_BYTES } from '../../base/units.ts';
import type { Conduit } from '../../hardware/conduit.ts';
import type { Machine } from '../../hardware/machine.ts';
import { Pe } from '../../hardware/pe.ts';
import { type Domain, TEE_FFA, type Vcpu } from '../../hypervisor/domain.ts';
import { Hypervisor } from '../../hypervisor/hypervisor.ts';
import type { Limits, Profile } from '../../hypervisor/profile.ts';

/** Where memory begins, the machine's and each guest's. */
export const RAM_BASE = 0x4000_0000;
const TX_ADDRESS = RAM_BASE;
const RX_ADDRESS = RAM_BASE + PAGE_SIZE_BYTES;
const DATA_ADDRESS = RAM_BASE + 16 * PAGE_SIZE_BYTES;
/** The partition that guests talk to. */
export const PARTITION = 0x8001;

/** Runs a coroutine that nothing can block to its end. */
export function drive<T>(coroutine: Coroutine<T>): T {
  for (;;) {
    const { value, done } = coroutine.next();
    if (done === true) return value;
  }
}

export class GuestBench {
  readonly machine: Machine;
  readonly hypervisor: Hypervisor;
  readonly pe = new Pe(0);
  /** What guests write into their TX; the fields that `writeDescriptor` leaves out stay zero. */
  private readonly bytes = new Uint8Array(PAGE_SIZE_BYTES);
  private readonly view = new DataView(this.bytes.buffer);

  constructor(machine: Machine, profile: Profile, conduit: Conduit, limits: Partial<Limits> = {}) {
    this.machine = machine;
    this.hypervisor = new Hypervisor(machine, profile, conduit, { limits });
  }

  /** Boots the hypervisor; the SPMC has booted. */
  boot(): void {
    assert(drive(this.hypervisor.boot(this.pe)), 'FF-A is usable');
  }

  create(pageCount: number): Domain {
    const creation = drive(
      this.hypervisor.createDomain(this.pe, {
        vcpuCount: 1,
        bits: 64,
        pageCount,
        ramBase: RAM_BASE,
        tee: TEE_FFA,
      }),
    );
    return present(creation.domain, 'a bench guest');
  }

  /** A guest that has negotiated its version and mapped its buffers. */
  ready(pageCount: number): Domain {
    const domain = this.create(pageCount);
    this.settle(domain.vcpus[0]);
    return domain;
  }

  settle(vcpu: Vcpu): void {
    this.call(vcpu, FFA_VERSION, FFA_VERSION_1_1);
    this.call(vcpu, FFA_FEATURES, FFA_FEATURES);
    this.call(vcpu, FFA_RXTX_MAP_64, TX_ADDRESS, RX_ADDRESS, 1);
    assert(vcpu.registers.w(0) === FFA_SUCCESS_32, 'buffers are mapped');
  }

  destroy(domain: Domain): void {
    drive(this.hypervisor.destroyDomain(this.pe, domain));
  }

  call(vcpu: Vcpu, w0: number, w1 = 0, w2 = 0, w3 = 0, w4 = 0, w5 = 0): void {
    vcpu.registers.set8(w0, w1, w2, w3, w4, w5);
    const pending: Pending = this.hypervisor.guestCall(this.pe, vcpu);
    if (pending !== null) drive(pending);
  }

  version(vcpu: Vcpu): void {
    this.call(vcpu, FFA_VERSION, FFA_VERSION_1_1);
  }

  directRequest(vcpu: Vcpu): void {
    this.call(vcpu, FFA_MSG_SEND_DIRECT_REQ_32, ((vcpu.domain.vmId << 16) | PARTITION) >>> 0, 0, 1, 2, 3);
  }

  listPartitions(vcpu: Vcpu): void {
    this.call(vcpu, FFA_PARTITION_INFO_GET);
    this.call(vcpu, FFA_RX_RELEASE);
  }

  /** Puts a descriptor into the guest's TX: `rangeCount` ranges of `rangePages` pages, a gap behind each if several. */
  writeDescriptor(domain: Domain, rangeCount: number, rangePages: number, firstPage = 0): number {
    const composite = MTD_1_1_SIZE_BYTES + EMAD_1_0_SIZE_BYTES;
    const length = composite + COMPOSITE_SIZE_BYTES + rangeCount * CONSTITUENT_SIZE_BYTES;
    const { bytes, view } = this;
    view.setUint16(MTD_SENDER_OFFSET, domain.vmId, true);
    view.setUint16(MTD_ATTRIBUTES_OFFSET, MEMORY_NORMAL_WRITE_BACK_INNER, true);
    view.setUint32(MTD_1_1_EMAD_SIZE_OFFSET, EMAD_1_0_SIZE_BYTES, true);
    view.setUint32(MTD_EMAD_COUNT_OFFSET, 1, true);
    view.setUint32(MTD_1_1_EMAD_ARRAY_OFFSET, MTD_1_1_SIZE_BYTES, true);
    view.setUint16(MTD_1_1_SIZE_BYTES, PARTITION, true);
    view.setUint8(MTD_1_1_SIZE_BYTES + EMAD_PERMISSIONS_OFFSET, DATA_ACCESS_RW);
    view.setUint32(MTD_1_1_SIZE_BYTES + EMAD_COMPOSITE_OFFSET, composite, true);
    view.setUint32(composite, rangeCount * rangePages, true);
    view.setUint32(composite + 4, rangeCount, true);
    const strideBytes = (rangeCount > 1 ? rangePages + 1 : rangePages) * PAGE_SIZE_BYTES;
    for (let n = 0; n < rangeCount; n++) {
      const at = composite + COMPOSITE_SIZE_BYTES + n * CONSTITUENT_SIZE_BYTES;
      view.setUint32(at, DATA_ADDRESS + firstPage * PAGE_SIZE_BYTES + n * strideBytes, true);
      view.setUint32(at + 8, rangePages, true);
    }
    const frame = domain.stage2.translate(TX_ADDRESS / PAGE_SIZE_BYTES);
    this.machine.frames.contents.write(frame * PAGE_SIZE_BYTES, bytes, 0, length);
    return length;
  }

  share(vcpu: Vcpu, length: number): void {
    this.call(vcpu, FFA_MEM_SHARE_32, length, length);
  }

  shareAndReclaim(vcpu: Vcpu, length: number): void {
    this.share(vcpu, length);
    this.call(vcpu, FFA_MEM_RECLAIM, vcpu.registers.w(2), vcpu.registers.w(3));
  }
}
