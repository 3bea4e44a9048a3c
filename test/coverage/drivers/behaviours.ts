// What partitions do when they are entered.

import {
  FFA_MSG_SEND_DIRECT_REQ_64,
  FFA_MSG_SEND_DIRECT_REQ2,
  FFA_MSG_SEND_DIRECT_RESP_32,
  FFA_MSG_SEND_DIRECT_RESP_64,
  FFA_MSG_SEND_DIRECT_RESP2,
  FFA_MSG_WAIT,
  FFA_RUN,
  FFA_YIELD,
} from '../../../src/abi/function-ids.ts';
import {
  EXIT_CRASH,
  EXIT_EXTERNAL,
  EXIT_WORK,
  type Exit,
  type VcpuContext,
} from '../../../src/hardware/partition-entry.ts';
import { ids } from '../../spmc/small-world.ts';
import { type Behaviour, type Bench, calls } from '../bench.ts';

const WORK_NS = 1000;

/** The response to the request in the context's registers. */
function respond(context: VcpuContext, id: number, request: readonly [fid: number, w1: number]): Exit {
  const [fid, w1] = request;
  let response = FFA_MSG_SEND_DIRECT_RESP_32;
  if (fid === FFA_MSG_SEND_DIRECT_REQ_64) response = FFA_MSG_SEND_DIRECT_RESP_64;
  if (fid === FFA_MSG_SEND_DIRECT_REQ2) response = FFA_MSG_SEND_DIRECT_RESP2;
  return calls(context, response, ids(id, w1 >>> 16));
}

function requestOf(context: VcpuContext): readonly [number, number] {
  return [context.registers.w(0), context.registers.w(1)];
}

/** Responds to a request, waits when it is run. */
export function responds(b: Bench, id: number): void {
  b.program(id).behaviour = (context) =>
    context.registers.w(0) === FFA_RUN ? calls(context, FFA_MSG_WAIT) : respond(context, id, requestOf(context));
}

/** Does what `first` says when it is entered, then responds to the request that it was entered with. */
function respondsAfter(b: Bench, id: number, first: Behaviour): void {
  let request: readonly [number, number] | null = null;
  b.program(id).behaviour = (context) => {
    if (request === null) {
      request = requestOf(context);
      return first(context);
    }
    return request[0] === FFA_RUN ? calls(context, FFA_MSG_WAIT) : respond(context, id, request);
  };
}

/** Yields once before it responds. */
export function yields(b: Bench, id: number): void {
  respondsAfter(b, id, (context) => calls(context, FFA_YIELD));
}

/** Works for a time before it responds. */
export function works(b: Bench, id: number): void {
  respondsAfter(b, id, (context) => {
    context.workNs = WORK_NS;
    return EXIT_WORK;
  });
}

/** Works for a time, then yields. */
export function worksAndYields(b: Bench, id: number): void {
  let worked = false;
  respondsAfter(b, id, (context) => {
    context.workNs = WORK_NS;
    return EXIT_WORK;
  });
  const { behaviour } = b.program(id);
  b.program(id).behaviour = (context) => {
    if (!worked) {
      worked = true;
      return behaviour?.(context) ?? EXIT_CRASH;
    }
    return calls(context, FFA_YIELD);
  };
}

export function crashes(b: Bench, id: number): void {
  b.program(id).behaviour = () => EXIT_CRASH;
}

/** Keeps the PE. */
export function stays(b: Bench, id: number): void {
  b.program(id).behaviour = () => EXIT_EXTERNAL;
}

/** Makes one call at each entry, then keeps the PE. */
export function makes(b: Bench, id: number, ...list: readonly (readonly number[])[]): void {
  const rest = [...list];
  b.program(id).behaviour = (context) => {
    const words = rest.shift();
    return words === undefined ? EXIT_EXTERNAL : calls(context, ...words);
  };
}
