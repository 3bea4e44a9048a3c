// FFA_PARTITION_INFO_GET_REGS: the boot-time listing and the VMs, five entries a call, in registers. The tag changes
// with the list of VMs, so that a guest which reads it in pieces notices. No SMC. [Xen 500ee5fe0f]

import { FFA_INVALID_PARAMETERS, FFA_NOT_SUPPORTED, FFA_RETRY } from '../abi/errors.ts';
import { FFA_SUCCESS_64 } from '../abi/function-ids.ts';
import {
  INFO_REGS_CURRENT_INDEX_SHIFT,
  INFO_REGS_DESCRIPTOR_SIZE_HIGH_SHIFT,
  INFO_REGS_FIRST_REGISTER,
  INFO_REGS_MAX_ENTRIES_24,
  INFO_REGS_TAG_SHIFT,
  PARTITION_INFO_1_1_SIZE_BYTES,
} from '../abi/layout/partition-information.ts';
import { FFA_VERSION_1_2 } from '../abi/versions.ts';
import { TOUCH_QUEUE } from '../base/announcement.ts';
import type { Coroutine, Pending } from '../base/coroutine.ts';
import type { Pe } from '../hardware/pe.ts';
import type { RegisterFile } from '../hardware/registers.ts';
import { answerError } from './answer.ts';
import type { Vcpu } from './domain.ts';
import type { FfaContext } from './ffa-context.ts';
import type { Hypervisor } from './hypervisor.ts';
import { matchCount, matches } from './partition-info.ts';
import { listedVm, listedVmCount, type PartitionListing, partitionListing, vmProperties } from './partition-listing.ts';

const INDEX_MASK = 0xffff;
/** So that the last index of an answer still fits 16 bits. */
const START_INDEX_MAX = 0xffff - INFO_REGS_MAX_ENTRIES_24 + 1;
const REGISTERS_PER_ENTRY = PARTITION_INFO_1_1_SIZE_BYTES / 8;

/** FFA_PARTITION_INFO_GET_REGS: x1 and x2 UUID, x3 start index and tag. */
export function listInRegisters(hypervisor: Hypervisor, pe: Pe, vcpu: Vcpu): Pending {
  if (pe.stepping) return listInRegistersInSteps(hypervisor, pe, vcpu, true);
  answerInRegisters(hypervisor, vcpu, true);
  return null;
}

/** The same, but VMs in an answer that more VMs would follow are not counted by its index. [Xen 500ee5fe0f] */
export function listInRegistersUncounted(hypervisor: Hypervisor, pe: Pe, vcpu: Vcpu): Pending {
  if (pe.stepping) return listInRegistersInSteps(hypervisor, pe, vcpu, false);
  answerInRegisters(hypervisor, vcpu, false);
  return null;
}

function* listInRegistersInSteps(hypervisor: Hypervisor, pe: Pe, vcpu: Vcpu, countsCutVms: boolean): Coroutine {
  yield pe.reads(TOUCH_QUEUE, hypervisor.vmList.lock.id);
  answerInRegisters(hypervisor, vcpu, countsCutVms);
}

function answerInRegisters(hypervisor: Hypervisor, vcpu: Vcpu, countsCutVms: boolean): void {
  const registers = vcpu.registers;
  const context = vcpu.domain.ffa as FfaContext;
  const error = checkQuery(hypervisor, registers, context);
  if (error !== 0) {
    answerError(registers, error);
    return;
  }
  const listing = partitionListing(hypervisor.secure);
  const uuid0 = registers.w(1);
  const uuid1 = registers.high(1);
  const uuid2 = registers.w(2);
  const uuid3 = registers.high(2);
  const start = registers.w(3) & INDEX_MASK;
  const all = (uuid0 | uuid1 | uuid2 | uuid3) === 0;
  const partitionCount = all ? listing.partitions.length : matchCount(listing, uuid0, uuid1, uuid2, uuid3);
  const total = all ? partitionCount + listedVmCount(hypervisor, context) : partitionCount;
  if (start >= total) {
    answerError(registers, FFA_INVALID_PARAMETERS);
    return;
  }
  const end = Math.min(start + INFO_REGS_MAX_ENTRIES_24, total);
  const counted = countsCutVms || end === total ? end : Math.min(end, partitionCount);
  if (counted <= start) {
    answerError(registers, FFA_INVALID_PARAMETERS);
    return;
  }
  registers.set8(FFA_SUCCESS_64);
  registers.setWords(
    2,
    (total - 1) | ((counted - 1) << INFO_REGS_CURRENT_INDEX_SHIFT),
    (hypervisor.vmList.tag & INDEX_MASK) | (PARTITION_INFO_1_1_SIZE_BYTES << INFO_REGS_DESCRIPTOR_SIZE_HIGH_SHIFT),
  );
  for (let index = start; index < end; index++) {
    const register = INFO_REGS_FIRST_REGISTER + (index - start) * REGISTERS_PER_ENTRY;
    if (index >= partitionCount)
      writeVm(hypervisor, registers, register, listedVm(hypervisor, context, index - partitionCount));
    else if (all) writePartition(registers, register, listing, index, true);
    else writePartition(registers, register, listing, nthMatch(listing, index, uuid0, uuid1, uuid2, uuid3), false);
  }
}

/** Order: version, index, tag. */
function checkQuery(hypervisor: Hypervisor, registers: RegisterFile, context: FfaContext): number {
  if (context.version < FFA_VERSION_1_2) return FFA_NOT_SUPPORTED;
  const start = registers.w(3) & INDEX_MASK;
  const tag = registers.w(3) >>> INFO_REGS_TAG_SHIFT;
  if (start > START_INDEX_MAX) return FFA_INVALID_PARAMETERS;
  if (start === 0) return tag === 0 ? 0 : FFA_INVALID_PARAMETERS;
  return tag === (hypervisor.vmList.tag & INDEX_MASK) ? 0 : FFA_RETRY;
}

function nthMatch(
  listing: PartitionListing,
  index: number,
  uuid0: number,
  uuid1: number,
  uuid2: number,
  uuid3: number,
): number {
  let left = index;
  for (let n = 0; n < listing.partitions.length; n++) {
    if (!matches(listing, n, uuid0, uuid1, uuid2, uuid3)) continue;
    if (left === 0) return n;
    left--;
  }
  return 0;
}

function writePartition(
  registers: RegisterFile,
  register: number,
  listing: PartitionListing,
  n: number,
  withUuid: boolean,
): void {
  const { id, contextCount, properties } = listing.partitions[n];
  const uuids = listing.uuids;
  registers.setWords(register, id | (contextCount << 16), properties);
  registers.setWords(register + 1, withUuid ? uuids[4 * n] : 0, withUuid ? uuids[4 * n + 1] : 0);
  registers.setWords(register + 2, withUuid ? uuids[4 * n + 2] : 0, withUuid ? uuids[4 * n + 3] : 0);
}

function writeVm(hypervisor: Hypervisor, registers: RegisterFile, register: number, vm: FfaContext): void {
  registers.setWords(register, vm.vmId | (vm.domain.config.vcpuCount << 16), vmProperties(hypervisor, vm));
  registers.setWords(register + 1, 0, 0);
  registers.setWords(register + 2, 0, 0);
}
