// A call or an answer in a few words: `FFA_MEM_RECLAIM handle 0x1`, `SUCCESS handle 0x1`, `DENIED`. Arguments that are
// zero are left out; endpoints have their names; VM availability messages say what they are about.

import type { Argument } from '../abi/calls/call.ts';
import { callOf } from '../abi/calls/call-table.ts';
import { type ArgumentValues, decodeAnswer, decodeCall, formatArgument } from '../abi/calls/register-call.ts';
import { errorName } from '../abi/errors.ts';
import { frameworkMessageName } from '../abi/framework-message.ts';
import {
  FFA_ERROR,
  FFA_MSG_SEND_DIRECT_REQ_32,
  FFA_MSG_SEND_DIRECT_RESP_32,
  FFA_SUCCESS_32,
  FFA_SUCCESS_64,
  functionName,
} from '../abi/function-ids.ts';
import * as layout from '../abi/layout/messages.ts';
import { type ActorNames, endpointName } from './actor-names.ts';
import type { Style } from './styled-text.ts';

export interface CallText {
  readonly text: string;
  /** `warning`: an error or something interrupted. */
  readonly style: Style;
}

const NOT_SMCCC = 0xffffffff;

/** What a caller asks. `words`: x0..x17 as 36 words. */
export function callText(words: Uint32Array, names: ActorNames): CallText {
  const framework = frameworkText(words, names);
  if (framework !== null) return framework;
  const decoded = decodeCall(words);
  if (!decoded.ok) return { text: functionName(words[0]), style: 'warning' };
  const { call, values } = decoded.value;
  return { text: `${call.name}${argumentsText(call.arguments, values, names)}`, style: 'plain' };
}

/** What the call got. `requestFid`: the function id of the call that it answers; 0 if nobody knows. */
export function answerText(words: Uint32Array, requestFid: number, names: ActorNames): CallText {
  const request = callOf(requestFid);
  if (words[0] === NOT_SMCCC && words[1] === 0) return { text: 'NOT_SUPPORTED (w0 = -1)', style: 'warning' };
  if (words[0] === FFA_ERROR) return { text: errorName(words[4]), style: 'warning' };
  const framework = frameworkText(words, names);
  if (framework !== null) return framework;
  if (request === undefined) {
    const isSuccess = words[0] === FFA_SUCCESS_32 || words[0] === FFA_SUCCESS_64;
    return isSuccess ? { text: 'SUCCESS', style: 'plain' } : callText(words, names);
  }
  const decoded = decodeAnswer(words, request);
  if (!decoded.ok) return { text: functionName(words[0]), style: 'warning' };
  const { call, values } = decoded.value;
  if (call === request) return { text: argumentsText(request.results, values, names).trim(), style: 'plain' };
  const isSuccess = call.fid === FFA_SUCCESS_32 || call.fid === FFA_SUCCESS_64;
  const list = isSuccess ? request.results : call.arguments;
  return { text: `${isSuccess ? 'SUCCESS' : call.name}${argumentsText(list, values, names)}`, style: 'plain' };
}

/** A name for a slice or an arrow: the call without its arguments. */
export function shortCallText(words: Uint32Array, names: ActorNames): string {
  return frameworkText(words, names)?.text ?? functionName(words[0]);
}

/** A framework message, which partitions and hypervisor exchange as a direct message; null for anything else. */
function frameworkText(words: Uint32Array, names: ActorNames): CallText | null {
  const isRequest = words[0] === FFA_MSG_SEND_DIRECT_REQ_32;
  if (!isRequest && words[0] !== FFA_MSG_SEND_DIRECT_RESP_32) return null;
  const flags = words[4];
  if ((flags & layout.DIRECT_FRAMEWORK_BIT) === 0) return null;
  const type = flags & layout.DIRECT_FRAMEWORK_TYPE_MASK;
  const other = endpointName(names, words[2] & layout.DIRECT_ENDPOINT_MASK);
  const sender = endpointName(names, words[2] >>> layout.DIRECT_SENDER_SHIFT);
  switch (type) {
    case layout.FRAMEWORK_VM_CREATED_REQ:
    case layout.FRAMEWORK_VM_DESTROYED_REQ: {
      const vm = endpointName(names, words[10] & layout.VM_AVAILABILITY_VM_ID_MASK);
      return { text: `${availabilityName(type)} of ${vm} to ${other}`, style: 'plain' };
    }
    case layout.FRAMEWORK_VM_CREATED_RESP:
    case layout.FRAMEWORK_VM_DESTROYED_RESP: {
      const status = words[6] | 0;
      const text = status === 0 ? 'handled' : errorName(status);
      return { text: `${availabilityName(type)} from ${sender}: ${text}`, style: status === 0 ? 'plain' : 'warning' };
    }
    default:
      return { text: `${frameworkMessageName(type)} from ${sender} to ${other}`, style: 'plain' };
  }
}

/** As people call these messages. */
function availabilityName(type: number): string {
  const isCreated = type === layout.FRAMEWORK_VM_CREATED_REQ || type === layout.FRAMEWORK_VM_CREATED_RESP;
  return isCreated ? 'VM_CREATED' : 'VM_DESTROYED';
}

/** ` handle 0x7 flags 0x1`; of a message ` g1 to crypto, payload 0x1 0x0 0x2`. */
function argumentsText(list: readonly Argument[], values: ArgumentValues, names: ActorNames): string {
  const sender = values['sender'];
  const receiver = values['receiver'];
  const isMessage = typeof sender === 'number' && typeof receiver === 'number';
  let text = isMessage ? ` ${endpointName(names, sender)} to ${endpointName(names, receiver)}` : '';
  const payload: string[] = [];
  for (const argument of list) {
    const { name } = argument;
    const value = values[name];
    if (value === undefined || (isMessage && (name === 'sender' || name === 'receiver'))) continue;
    const words = argumentText(argument, value, names);
    if (/^payload\[/.test(name)) payload.push(words);
    // A handle of zero is a handle; anything else of zero says nothing.
    else if (name === 'handle' || !isZero(value)) text += ` ${name} ${words}`;
  }
  while (payload.length > 0 && /^0x0$/.test(payload[payload.length - 1])) payload.pop();
  return payload.length === 0 ? text : `${text}, payload ${payload.join(' ')}`;
}

function argumentText(argument: Argument, value: ArgumentValues[string], names: ActorNames): string {
  const isEndpoint = argument.form === 'endpoint' && typeof value === 'number';
  return isEndpoint ? endpointName(names, value) : formatArgument(argument, value);
}

function isZero(value: ArgumentValues[string]): boolean {
  if (typeof value === 'number') return value === 0;
  if (Array.isArray(value)) return value.every((one) => one === 0);
  const { low, high } = value as { low: number; high: number };
  return low === 0 && high === 0;
}
