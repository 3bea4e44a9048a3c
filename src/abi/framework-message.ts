// Framework messages: direct messages with bit 31 of w2 set, between SPMD, SPMC, hypervisor and SPs. The VM
// availability messages are among them. All use the 32-bit form, FFA_MSG_SEND_DIRECT_REQ_32 and RESP_32.
//
// Payload: PSCI request w3..w6 = the PSCI call's w0..w3; warm boot w3 = boot type; version w3; VM created and
// destroyed: w3, w4 the handle of an information region (all ones, or zero, if there is none), w5 the VM's id; a
// response w3 = 0 or an FF-A error. The types of 1.3 are decoded with a payload that is not interpreted.
//
// Sources: FF-A 1.1 §18.3.2.1, [Hafnium direct_messaging.c], [OP-TEE thread_spmc.c], [Xen ffa_partinfo.c].

import { errorName } from './errors.ts';
import type { Decoded, Fault, FaultKind } from './fault.ts';
import { FFA_MSG_SEND_DIRECT_REQ_32, FFA_MSG_SEND_DIRECT_RESP_32 } from './function-ids.ts';
import { INVALID_HANDLE_WORD } from './layout/memory-bits.ts';
import * as layout from './layout/messages.ts';
import type { Words64 } from './words.ts';

export interface FrameworkMessage {
  readonly sender: number;
  readonly receiver: number;
  /** `FRAMEWORK_...`. */
  readonly type: number;
  /** w3 to w7. */
  readonly payload: readonly [w3: number, w4: number, w5: number, w6: number, w7: number];
}

/** "VM created" or "VM destroyed". */
export interface VmAvailability {
  readonly sender: number;
  readonly receiver: number;
  readonly isCreated: boolean;
  readonly vm: number;
  /** Handle of an information region. */
  readonly handle: Words64;
}

/** The handle that says that there is no information region. */
export const NO_INFORMATION: Words64 = { low: INVALID_HANDLE_WORD, high: INVALID_HANDLE_WORD };

const TYPE_NAMES: readonly (string | undefined)[] = [
  'PSCI request',
  'warm boot request',
  'power management response',
  undefined,
  'VM created',
  'VM created response',
  'VM destroyed',
  'VM destroyed response',
  'version request',
  'version response',
  'stop request',
  'stop response',
  'live activation start request',
  'live activation start response',
  'live activation finish request',
  'live activation finish response',
];

/** `VM created` for 4; `type 3` for one without a name. */
export function frameworkMessageName(type: number): string {
  return TYPE_NAMES[type] ?? `type ${type}`;
}

/** Whether messages of this type answer another: power management response, or an odd type from 5 on. */
export function isFrameworkResponse(type: number): boolean {
  return type === layout.FRAMEWORK_PM_RESP || (type > 3 && type % 2 === 1);
}

/** w2 of a direct message: `0` for a partition message, else the framework message's name. */
export function formatMessageFlags(w2: number): string {
  if ((w2 & layout.DIRECT_FRAMEWORK_BIT) === 0) return w2 === 0 ? '0' : `0x${(w2 >>> 0).toString(16)}`;
  return `framework: ${frameworkMessageName(w2 & layout.DIRECT_FRAMEWORK_TYPE_MASK)}`;
}

/** Decodes FFA_MSG_SEND_DIRECT_REQ_32 or RESP_32 with a framework message in it. */
export function decodeFrameworkMessage(words: Uint32Array): Decoded<FrameworkMessage> {
  const fid = words[0];
  const isResponse = fid === FFA_MSG_SEND_DIRECT_RESP_32;
  if (!isResponse && fid !== FFA_MSG_SEND_DIRECT_REQ_32) {
    const rule = 'must be FFA_MSG_SEND_DIRECT_REQ_32 or FFA_MSG_SEND_DIRECT_RESP_32';
    return faultAt('function', 'w0', 0, fid, rule);
  }
  const w2 = words[4];
  const type = w2 & layout.DIRECT_FRAMEWORK_TYPE_MASK;
  if ((w2 & layout.DIRECT_FRAMEWORK_BIT) === 0) {
    return faultAt('message-type', 'w2', 16, w2, 'must have bit 31 set: a framework message');
  }
  if (TYPE_NAMES[type] === undefined) return faultAt('message-type', 'w2[7:0]', 16, type, 'must be a known type');
  if (isFrameworkResponse(type) !== isResponse) {
    const rule = isResponse ? 'must be the type of a response' : 'must be the type of a request';
    return faultAt('message-type', 'w2[7:0]', 16, type, rule);
  }
  const value: FrameworkMessage = {
    sender: words[2] >>> layout.DIRECT_SENDER_SHIFT,
    receiver: words[2] & layout.DIRECT_ENDPOINT_MASK,
    type,
    payload: [words[6], words[8], words[10], words[12], words[14]],
  };
  return { ok: true, value, fields: [] };
}

/** Writes x0 to x17; a type of response becomes FFA_MSG_SEND_DIRECT_RESP_32. */
export function encodeFrameworkMessage(message: FrameworkMessage, words: Uint32Array): void {
  words.fill(0);
  words[0] = isFrameworkResponse(message.type) ? FFA_MSG_SEND_DIRECT_RESP_32 : FFA_MSG_SEND_DIRECT_REQ_32;
  words[2] = ((message.sender << layout.DIRECT_SENDER_SHIFT) | message.receiver) >>> 0;
  words[4] = (layout.DIRECT_FRAMEWORK_BIT | message.type) >>> 0;
  for (let n = 0; n < message.payload.length; n++)
    words[2 * (layout.DIRECT_PAYLOAD_FIRST_REGISTER + n)] = message.payload[n];
}

/** Decodes "VM created" or "VM destroyed". */
export function decodeVmAvailability(words: Uint32Array): Decoded<VmAvailability> {
  const decoded = decodeFrameworkMessage(words);
  if (!decoded.ok) return decoded;
  const { payload, receiver, sender, type } = decoded.value;
  const isCreated = type === layout.FRAMEWORK_VM_CREATED_REQ;
  if (!isCreated && type !== layout.FRAMEWORK_VM_DESTROYED_REQ) {
    return faultAt('message-type', 'w2[7:0]', 16, type, 'must be VM created (4) or VM destroyed (6)');
  }
  const vm = payload[2] & layout.VM_AVAILABILITY_VM_ID_MASK;
  return {
    ok: true,
    value: { sender, receiver, isCreated, vm, handle: { low: payload[0], high: payload[1] } },
    fields: [],
  };
}

/** Writes "VM created" or "VM destroyed" into x0 to x17. */
export function encodeVmAvailability(message: VmAvailability, words: Uint32Array): void {
  const { handle, isCreated, receiver, sender, vm } = message;
  const type = isCreated ? layout.FRAMEWORK_VM_CREATED_REQ : layout.FRAMEWORK_VM_DESTROYED_REQ;
  encodeFrameworkMessage({ sender, receiver, type, payload: [handle.low, handle.high, vm, 0, 0] }, words);
}

/** Writes the response to a VM availability request: `status` is 0 or an FF-A error. */
export function encodeVmAvailabilityResponse(request: VmAvailability, status: number, words: Uint32Array): void {
  const type = request.isCreated ? layout.FRAMEWORK_VM_CREATED_RESP : layout.FRAMEWORK_VM_DESTROYED_RESP;
  const { receiver, sender } = request;
  encodeFrameworkMessage({ sender: receiver, receiver: sender, type, payload: [status >>> 0, 0, 0, 0, 0] }, words);
}

/** One line: `VM created 0x0002, no information region`; a response: `VM created response: RETRY`. */
export function formatFrameworkMessage(message: FrameworkMessage): string {
  const name = frameworkMessageName(message.type);
  const [w3, w4, w5] = message.payload;
  if (isFrameworkResponse(message.type)) return `${name}: ${errorName(w3)}`;
  if (message.type === layout.FRAMEWORK_VM_CREATED_REQ || message.type === layout.FRAMEWORK_VM_DESTROYED_REQ) {
    const none = (w3 === 0 && w4 === 0) || (w3 === INVALID_HANDLE_WORD && w4 === INVALID_HANDLE_WORD);
    const region = none ? 'no information region' : `information region 0x${w4.toString(16)}:${w3.toString(16)}`;
    const vm = (w5 & layout.VM_AVAILABILITY_VM_ID_MASK).toString(16).padStart(4, '0');
    return `${name} 0x${vm}, ${region}`;
  }
  return name;
}

function faultAt(kind: FaultKind, path: string, offset: number, found: number, rule: string): Decoded<never> {
  const fault: Fault = { kind, path, offset, found: `0x${(found >>> 0).toString(16)}`, rule };
  return { ok: false, fault, fields: [] };
}
