import { describe, expect, test } from 'vitest';
import {
  FFA_MSG_SEND2,
  FFA_MSG_WAIT,
  FFA_NOTIFICATION_GET,
  FFA_NOTIFICATION_INFO_GET_64,
  FFA_RX_RELEASE,
} from '../../src/abi/function-ids.ts';
import { BufferWorld, SRI, VM, VM_TX } from './buffer-world.ts';
import { ALL_METHODS, ids, PAGE, SP1, SP2, said } from './small-world.ts';

describe('an indirect message', () => {
  test('from a VM to a partition: RX is full until it is released, the notification comes first', () => {
    const world = new BufferWorld([{ notificationSupport: true }]);
    world.mapVm();
    world.message(VM_TX, VM, SP1, 'hello');
    expect(said(world.call(FFA_MSG_SEND2, ids(VM, 0)))).toBe('FFA_SUCCESS_32');
    expect(world.interrupts).toEqual([SRI]);
    expect(said(world.call(FFA_MSG_SEND2, ids(VM, 0)))).toBe('FFA_ERROR BUSY');
    const rx = world.read(world.rxOf(SP1), 48);
    expect(new TextDecoder().decode(rx.subarray(40, 45))).toBe('hello');
    expect(said(world.callAs(SP1, FFA_RX_RELEASE))).toBe('FFA_ERROR DENIED');
    expect(world.callAs(SP1, FFA_NOTIFICATION_GET, SP1, 4).slice(6)).toEqual([0, 1]);
    expect(said(world.callAs(SP1, FFA_RX_RELEASE))).toBe('FFA_SUCCESS_32');
  });

  test('from a 1.2 sender to a 1.1 receiver changes its header', () => {
    const world = new BufferWorld([{}, { ffaVersion: 0x10001 }]);
    world.message(world.txOf(SP1), SP1, SP2, 'hi', 64);
    expect(said(world.callAs(SP1, FFA_MSG_SEND2))).toBe('FFA_SUCCESS_32');
    const rx = world.read(world.rxOf(SP2), 32);
    expect(new DataView(rx.buffer).getUint32(8, true)).toBe(20);
    expect(new TextDecoder().decode(rx.subarray(20, 22))).toBe('hi');
  });

  test.each([
    ['to itself', SP1, SP1, 40, 'INVALID_PARAMETERS'],
    ["in another's name", SP2, SP2, 40, 'INVALID_PARAMETERS'],
    ['to nobody', SP1, 0x8009, 40, 'INVALID_PARAMETERS'],
    ['with its payload in the header', SP1, SP2, 32, 'INVALID_PARAMETERS'],
    ['with its payload beyond TX', SP1, SP2, PAGE, 'INVALID_PARAMETERS'],
  ])('%s is refused', (_name, sender, receiver, offset, expected) => {
    const world = new BufferWorld([{}, {}]);
    world.message(world.txOf(SP1), sender, receiver, 'text', offset);
    expect(said(world.callAs(SP1, FFA_MSG_SEND2))).toBe(`FFA_ERROR ${expected}`);
  });

  test('to one that takes none is DENIED', () => {
    const world = new BufferWorld([{}, { services: [{ uuid: [1, 2, 3, 4], messagingMethod: ALL_METHODS & ~4 }] }]);
    world.message(world.txOf(SP1), SP1, SP2, 'text');
    expect(said(world.callAs(SP1, FFA_MSG_SEND2))).toBe('FFA_ERROR DENIED');
  });

  test('that nobody was told of outlives FFA_MSG_WAIT', () => {
    const world = new BufferWorld([{}, { notificationSupport: true }]);
    world.message(world.txOf(SP1), SP1, SP2, 'text');
    world.callAs(SP1, FFA_MSG_SEND2);
    world.callAs(SP2, FFA_MSG_WAIT);
    expect(said(world.callAs(SP1, FFA_MSG_SEND2))).toBe('FFA_ERROR BUSY');
  });

  test('to one that takes no notifications is its own to look for', () => {
    const world = new BufferWorld([{}, {}]);
    world.message(world.txOf(SP1), SP1, SP2, 'text');
    world.callAs(SP1, FFA_MSG_SEND2);
    expect(world.interrupts).toEqual([]);
    expect(said(world.call(FFA_NOTIFICATION_INFO_GET_64))).toBe('FFA_ERROR NO_DATA');
    expect(said(world.callAs(SP2, FFA_RX_RELEASE))).toBe('FFA_SUCCESS_32');
  });
});
