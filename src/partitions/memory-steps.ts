// The steps that touch the guest's own memory.

import { TWO_POW_32 } from '../base/units.ts';
import type { VcpuContext } from '../hardware/partition-entry.ts';
import type { GuestScript } from './guest-script.ts';
import type { ReadStep, TxStep, WriteStep } from './guest-step.ts';
import type { GuestVcpu } from './guest-vcpu.ts';
import { OUTCOME_FAULT, OUTCOME_MISMATCH, OUTCOME_SUCCESS, type Outcome } from './outcome.ts';
import type { WordExpression } from './word-expression.ts';

export function writeMemory(script: GuestScript, vcpu: GuestVcpu, step: WriteStep, context: VcpuContext): Outcome {
  const bytes = bytesOf(step);
  const address = addressOf(script, vcpu, step.address);
  return context.memory.write(address, bytes, 0, bytes.length) ? OUTCOME_SUCCESS : OUTCOME_FAULT;
}

export function readMemory(script: GuestScript, vcpu: GuestVcpu, step: ReadStep, context: VcpuContext): Outcome {
  const expected = bytesOf(step);
  const found = new Uint8Array(expected.length);
  if (!context.memory.read(addressOf(script, vcpu, step.address), found, 0, found.length)) return OUTCOME_FAULT;
  return found.every((byte, n) => byte === expected[n]) ? OUTCOME_SUCCESS : OUTCOME_MISMATCH;
}

export function writeTx(script: GuestScript, step: TxStep, context: VcpuContext): Outcome {
  return rewriteTx(script, step.offset ?? 0, step.hex, context) ? OUTCOME_SUCCESS : OUTCOME_FAULT;
}

/** Writes hexadecimal bytes at an offset of TX; false when the stage 2 refuses. */
export function rewriteTx(script: GuestScript, offset: number, hex: string, context: VcpuContext): boolean {
  const bytes = bytesOfHex(hex);
  return context.memory.write(script.endpoint.txAddress + offset, bytes, 0, bytes.length);
}

/** The byte at an address, or -1. */
export function byteAt(script: GuestScript, vcpu: GuestVcpu, address: WordExpression, context: VcpuContext): number {
  const found = new Uint8Array(1);
  return context.memory.read(addressOf(script, vcpu, address), found, 0, 1) ? found[0] : -1;
}

/** Bytes of hexadecimal digits; spaces between them are ignored. */
export function bytesOfHex(hex: string): Uint8Array {
  const digits = hex.replaceAll(/\s+/g, '');
  const bytes = new Uint8Array(digits.length >> 1);
  for (let n = 0; n < bytes.length; n++) bytes[n] = Number.parseInt(digits.slice(2 * n, 2 * n + 2), 16);
  return bytes;
}

function bytesOf(step: WriteStep | ReadStep): Uint8Array {
  if (step.hex !== undefined) return bytesOfHex(step.hex);
  return new Uint8Array(step.count ?? 1).fill(step.byte ?? 0);
}

function addressOf(script: GuestScript, vcpu: GuestVcpu, expression: WordExpression): number {
  const { low, high } = script.word(vcpu, expression);
  return low + high * TWO_POW_32;
}
