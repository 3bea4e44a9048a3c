// A partition's calls about its own interrupts: HF_INTERRUPT_ENABLE, HF_INTERRUPT_GET and HF_INTERRUPT_DEACTIVATE,
// which Hafnium has instead of a virtual interrupt controller [Hafnium call.h]. A program in TypeScript needs none of
// them: it finds its interrupts in its context, and has dealt with one when it has taken it out of there.
//
// Not here: HF_INTERRUPT_RECONFIGURE and HF_INTERRUPT_SEND_IPI.

import type { RegisterFile } from '../hardware/registers.ts';
import { MANAGED_EXIT_INTERRUPT } from './interrupt-ids.ts';
import type { PartitionVcpu } from './partition.ts';

/** w1 interrupt, w2 enable (1) or disable (0), w3 pin. */
const HF_INTERRUPT_ENABLE = 0xff03;
const HF_INTERRUPT_GET = 0xff04;
/** w1 and w2 the interrupt, as the device and as the partition knows it: both the same. */
const HF_INTERRUPT_DEACTIVATE = 0xff08;
/** Answer of HF_INTERRUPT_GET when there is none. */
const HF_INVALID_INTERRUPT = 0xffff_ffff;
/** Interrupts have numbers below. */
const INTERRUPT_COUNT = 1024;

/** The line by which a context is told of an interrupt. */
export type InterruptPin = 'irq' | 'fiq';

/** The call in the context's registers, if it is one of these; its answer is in x0 then. */
export function callAboutInterrupts(vcpu: PartitionVcpu): boolean {
  const r = vcpu.registers;
  switch (r.w(0)) {
    case HF_INTERRUPT_ENABLE:
      answer(r, enable(vcpu, r.w(1), r.w(2) !== 0, r.w(3) === 1 ? 'fiq' : 'irq'));
      return true;
    case HF_INTERRUPT_GET:
      answerId(r, fetch(vcpu));
      return true;
    case HF_INTERRUPT_DEACTIVATE:
      answer(r, r.w(1) === r.w(2) && deactivate(vcpu, r.w(1)));
      return true;
    default:
      return false;
  }
}

/** The line that tells of interrupt `id`: the managed exit's as the manifest says, others as they were enabled. */
export function pinOf(vcpu: PartitionVcpu, id: number): InterruptPin {
  if (id === MANAGED_EXIT_INTERRUPT) return vcpu.partition.setup.manifest.managedExitVirq === true ? 'irq' : 'fiq';
  return vcpu.enabledInterrupts.get(id) ?? 'irq';
}

function enable(vcpu: PartitionVcpu, id: number, on: boolean, pin: InterruptPin): boolean {
  if (id >= INTERRUPT_COUNT) return false;
  if (on) vcpu.enabledInterrupts.set(id, pin);
  else vcpu.enabledInterrupts.delete(id);
  return true;
}

function fetch(vcpu: PartitionVcpu): number {
  const id = vcpu.interrupts.shift();
  if (id === undefined) return HF_INVALID_INTERRUPT;
  vcpu.activeInterrupts.push(id);
  return id;
}

/** Only what was fetched can be deactivated. */
function deactivate(vcpu: PartitionVcpu, id: number): boolean {
  const at = vcpu.activeInterrupts.indexOf(id);
  if (at < 0) return false;
  vcpu.activeInterrupts.splice(at, 1);
  return true;
}

function answer(r: RegisterFile, good: boolean): void {
  r.clear();
  if (!good) r.setWords(0, 0xffff_ffff, 0xffff_ffff);
}

function answerId(r: RegisterFile, id: number): void {
  r.clear();
  r.setW(0, id);
}
