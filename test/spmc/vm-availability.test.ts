import { describe, expect, test } from 'vitest';
import {
  FFA_ERROR,
  FFA_MSG_SEND_DIRECT_REQ_32,
  FFA_MSG_SEND_DIRECT_REQ_64,
  FFA_MSG_SEND_DIRECT_RESP_32,
  FFA_RUN,
} from '../../src/abi/function-ids.ts';
import {
  VM_CREATED_REQ_W2,
  VM_CREATED_RESP_W2,
  VM_DESTROYED_REQ_W2,
  VM_DESTROYED_RESP_W2,
} from '../../src/abi/layout/messages.ts';
import { EXIT_CRASH, EXIT_WORK } from '../../src/hardware/partition-entry.ts';
import { ALL_METHODS, type Behaviour, callWith, ids, SmallWorld, SP1, said } from './small-world.ts';

const RETRY = 0xfffffff9;
const UUID = [1, 2, 3, 4] as const;

/** Answers each VM availability message with `status`. */
function answers(status: number): Behaviour {
  return (context) => callWith(context, FFA_MSG_SEND_DIRECT_RESP_32, ids(SP1, 0), context.registers.w(2) + 1, status);
}

describe('a VM availability message', () => {
  test.each([
    [VM_CREATED_REQ_W2, VM_CREATED_RESP_W2, 0],
    [VM_CREATED_REQ_W2, VM_CREATED_RESP_W2, RETRY],
    [VM_DESTROYED_REQ_W2, VM_DESTROYED_RESP_W2, 0],
    [VM_DESTROYED_REQ_W2, VM_DESTROYED_RESP_W2, RETRY],
  ])('%i reaches a subscriber, and its answer %i with w3 %i the hypervisor', (request, response, status) => {
    const world = new SmallWorld([{ vmAvailabilityMessages: 3 }]);
    world.program(SP1).behaviour = answers(status);
    const answer = world.call(FFA_MSG_SEND_DIRECT_REQ_32, SP1, request, 0, 0, 7);
    expect(answer).toEqual([FFA_MSG_SEND_DIRECT_RESP_32, ids(SP1, 0), response, status, 0, 0, 0, 0]);
    expect(world.program(SP1).entries).toEqual([[FFA_MSG_SEND_DIRECT_REQ_32, SP1, request, 0, 0, 7, 0, 0]]);
  });

  test.each([
    ['to one that subscribes to the other', { vmAvailabilityMessages: 2 }, VM_CREATED_REQ_W2, SP1],
    ['to one that subscribes to the other', { vmAvailabilityMessages: 1 }, VM_DESTROYED_REQ_W2, SP1],
    ['to one that subscribes to none', {}, VM_CREATED_REQ_W2, SP1],
    [
      'to a subscriber that takes no direct requests',
      { vmAvailabilityMessages: 3, services: [{ uuid: UUID, messagingMethod: ALL_METHODS & ~1 }] },
      VM_CREATED_REQ_W2,
      SP1,
    ],
    ['to an unknown partition', { vmAvailabilityMessages: 3 }, VM_CREATED_REQ_W2, 0x8009],
    ['of another type', { vmAvailabilityMessages: 3 }, 0x80000008, SP1],
    ['that is a response', { vmAvailabilityMessages: 3 }, VM_CREATED_RESP_W2, SP1],
    ['with reserved bits', { vmAvailabilityMessages: 3 }, VM_CREATED_REQ_W2 | 0x100, SP1],
    ['in the name of a VM', { vmAvailabilityMessages: 3 }, VM_CREATED_REQ_W2, ids(4, SP1)],
  ])('%s is refused', (_name, manifest, w2, w1) => {
    const world = new SmallWorld([manifest]);
    const answer = world.call(FFA_MSG_SEND_DIRECT_REQ_32, w1, w2 >>> 0, 0, 0, 7);
    expect(said(answer)).toBe('FFA_ERROR INVALID_PARAMETERS');
    expect(world.program(SP1).entries).toEqual([]);
  });

  test('has no 64-bit form', () => {
    const world = new SmallWorld([{ vmAvailabilityMessages: 3 }]);
    const answer = world.call(FFA_MSG_SEND_DIRECT_REQ_64, SP1, VM_CREATED_REQ_W2, 0, 0, 7);
    expect(said(answer)).toBe('FFA_ERROR INVALID_PARAMETERS');
  });

  test('is not answered by a partition message, nor by the other type', () => {
    const world = new SmallWorld([{ vmAvailabilityMessages: 3 }]);
    const tries = [0, VM_DESTROYED_RESP_W2, VM_CREATED_RESP_W2];
    const heard: string[] = [];
    world.program(SP1).behaviour = (context) => {
      if (context.registers.w(0) === FFA_ERROR) heard.push(said([FFA_ERROR, 0, context.registers.w(2)]));
      return callWith(context, FFA_MSG_SEND_DIRECT_RESP_32, ids(SP1, 0), tries.shift() ?? 0);
    };
    const answer = world.call(FFA_MSG_SEND_DIRECT_REQ_32, SP1, VM_CREATED_REQ_W2, 0, 0, 7);
    expect(heard).toEqual(['FFA_ERROR DENIED', 'FFA_ERROR DENIED']);
    expect(answer[2]).toBe(VM_CREATED_RESP_W2);
  });

  test('preempted: FFA_INTERRUPT, BUSY for the next message, FFA_RUN brings the answer', () => {
    const world = new SmallWorld([{ vmAvailabilityMessages: 3 }]);
    world.program(SP1).behaviour = (context) => {
      if (context.workNs === 0) {
        context.workNs = 500;
        return EXIT_WORK;
      }
      context.workNs = 0;
      return callWith(context, FFA_MSG_SEND_DIRECT_RESP_32, ids(SP1, 0), VM_DESTROYED_RESP_W2, 0);
    };
    world.pe.interruptPending = true;
    const first = world.call(FFA_MSG_SEND_DIRECT_REQ_32, SP1, VM_DESTROYED_REQ_W2, 0, 0, 7);
    expect([said(first), first[1]]).toEqual(['FFA_INTERRUPT', ids(SP1, 0)]);
    const second = world.call(FFA_MSG_SEND_DIRECT_REQ_32, SP1, VM_DESTROYED_REQ_W2, 0, 0, 8);
    expect(said(second)).toBe('FFA_ERROR BUSY');
    expect(world.call(FFA_RUN, ids(SP1, 0)).slice(2, 4)).toEqual([VM_DESTROYED_RESP_W2, 0]);
  });

  test('to a crashed partition is ABORTED', () => {
    const world = new SmallWorld([{ vmAvailabilityMessages: 3 }]);
    world.program(SP1).behaviour = () => EXIT_CRASH;
    for (let n = 0; n < 2; n++) {
      const answer = world.call(FFA_MSG_SEND_DIRECT_REQ_32, SP1, VM_DESTROYED_REQ_W2, 0, 0, 7);
      expect(said(answer)).toBe('FFA_ERROR ABORTED');
    }
  });
});
