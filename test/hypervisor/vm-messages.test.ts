// Direct messages between VMs, in the default profile.

import { describe, expect, it } from 'vitest';
import { FFA_ABORTED, FFA_BUSY, FFA_DENIED, FFA_INVALID_PARAMETERS, FFA_NOT_SUPPORTED } from '../../src/abi/errors.ts';
import {
  FFA_FEATURES,
  FFA_INTERRUPT,
  FFA_MSG_SEND_DIRECT_REQ_32,
  FFA_MSG_SEND_DIRECT_REQ_64,
  FFA_MSG_SEND_DIRECT_REQ2,
  FFA_MSG_SEND_DIRECT_RESP_32,
  FFA_MSG_SEND_DIRECT_RESP_64,
  FFA_MSG_SEND_DIRECT_RESP2,
  FFA_MSG_WAIT,
  FFA_PARTITION_INFO_GET,
  FFA_RUN,
  FFA_SUCCESS_32,
} from '../../src/abi/function-ids.ts';
import { FFA_VERSION_1_1, FFA_VERSION_1_2 } from '../../src/abi/versions.ts';
import { type Coroutine, WAIT_WAKE } from '../../src/base/coroutine.ts';
import { Pe } from '../../src/hardware/pe.ts';
import type { Domain, Vcpu } from '../../src/hypervisor/domain.ts';
import { FFABRIC } from '../../src/hypervisor/profiles/ffabric.ts';
import { drive, errorAnswer, lowWords, Mediator, RX, XEN_2026_VM_TO_VM } from './mediator.ts';

const REQ = FFA_MSG_SEND_DIRECT_REQ_32;
const RESP = FFA_MSG_SEND_DIRECT_RESP_32;

/** A vCPU on a PE of its own, with a call that may stand still. */
class Caller {
  readonly vcpu: Vcpu;
  readonly pe: Pe;
  private readonly mediator: Mediator;
  private call: Coroutine | null = null;

  constructor(mediator: Mediator, guest: Domain, index: number, pe: number) {
    this.mediator = mediator;
    this.vcpu = guest.vcpus[index];
    this.pe = new Pe(pe);
  }

  /** Makes a call; returns its answer, or null while it stands still. */
  make(...words: number[]): number[] | null {
    this.vcpu.registers.clear();
    for (const [n, word] of words.entries()) this.vcpu.registers.setW(n, word);
    return this.makeAsItIs();
  }

  makeAsItIs(): number[] | null {
    this.call = this.mediator.hypervisor.serve(this.pe, this.vcpu);
    return this.goOn();
  }

  /** The answer, once the call that stands still has been woken. */
  goOn(): number[] | null {
    if (this.call === null) throw new Error('no call is under way');
    for (;;) {
      const { done, value } = this.call.next();
      if (done === true) {
        this.call = null;
        return lowWords(this.vcpu.registers);
      }
      if (value === WAIT_WAKE && !this.pe.awake) return null;
    }
  }
}

function ids(sender: number, receiver: number): number {
  return ((sender << 16) | receiver) >>> 0;
}

interface Pair {
  readonly mediator: Mediator;
  readonly client: Caller;
  readonly server: Caller;
  readonly toServer: number;
  readonly toClient: number;
  readonly guests: readonly [Domain, Domain];
}

function pair(clientVersion = FFA_VERSION_1_2, serverVersion = FFA_VERSION_1_2): Pair {
  const mediator = new Mediator({ profile: FFABRIC });
  const guests = [mediator.readyGuest(clientVersion), mediator.readyGuest(serverVersion)] as const;
  const [a, b] = guests;
  return {
    mediator,
    guests,
    client: new Caller(mediator, a, 0, 0),
    server: new Caller(mediator, b, 0, 1),
    toServer: ids(a.vmId, b.vmId),
    toClient: ids(b.vmId, a.vmId),
  };
}

describe('a direct message to a VM', () => {
  it('wakes the vCPU that waits, and its answer the one that asked', () => {
    const { client, mediator, server, toClient, toServer } = pair();
    expect(server.make(FFA_MSG_WAIT)).toBeNull();
    expect(client.make(REQ, toServer, 0, 1, 2, 3, 4, 5)).toBeNull();
    expect(server.goOn()).toEqual([REQ, toServer, 0, 1, 2, 3, 4, 5]);
    expect(server.make(RESP, toClient, 0, 6, 7, 8, 9, 10)).toBeNull();
    expect(client.goOn()).toEqual([RESP, toClient, 0, 6, 7, 8, 9, 10]);
    // The one that answered waits already.
    expect(client.make(REQ, toServer, 0, 11)).toBeNull();
    expect(server.goOn()?.[3]).toBe(11);
    expect(mediator.spmc.smcs).toEqual([]);
  });

  it.each([
    ['32', FFA_MSG_SEND_DIRECT_REQ_32, FFA_MSG_SEND_DIRECT_RESP_32, 7, 0],
    ['64', FFA_MSG_SEND_DIRECT_REQ_64, FFA_MSG_SEND_DIRECT_RESP_64, 7, 9],
    ['2', FFA_MSG_SEND_DIRECT_REQ2, FFA_MSG_SEND_DIRECT_RESP2, 17, 9],
  ])('of form %s carries its registers and no more', (_name, request, response, last, high) => {
    const { client, server, toClient, toServer } = pair();
    server.make(FFA_MSG_WAIT);
    for (const [caller, functionId, endpoints] of [
      [client, request, toServer],
      [server, response, toClient],
    ] as const) {
      caller.vcpu.registers.clear();
      caller.vcpu.registers.setW(0, functionId);
      caller.vcpu.registers.setW(1, endpoints);
      for (let n = 4; n <= 17; n++) caller.vcpu.registers.setWords(n, n, 9);
      expect(caller.makeAsItIs()).toBeNull();
      const other = caller === client ? server : client;
      other.goOn();
      const r = other.vcpu.registers;
      expect([r.w(last), r.high(last), r.w(last + 1) ?? 0]).toEqual([last, high, 0]);
    }
  });

  it.each([
    ['one that does not wait', (p: Pair) => [REQ, p.toServer], FFA_BUSY],
    ['itself', (p: Pair) => [REQ, ids(p.guests[0].vmId, p.guests[0].vmId)], FFA_INVALID_PARAMETERS],
    ['a VM, in another’s name', (p: Pair) => [REQ, ids(9, p.guests[1].vmId)], FFA_INVALID_PARAMETERS],
    ['no VM', (p: Pair) => [REQ, ids(p.guests[0].vmId, 77)], FFA_INVALID_PARAMETERS],
    ['a VM with flags', (p: Pair) => [REQ, p.toServer, 1], FFA_INVALID_PARAMETERS],
  ])('to %s is refused', (_name, words, error) => {
    const p = pair();
    expect(p.client.make(...words(p))).toEqual(errorAnswer(error));
  });

  it('to a VM that has agreed on no version, or is gone, is refused', () => {
    const { client, guests, mediator, server, toServer } = pair();
    const mute = mediator.guest();
    expect(client.make(REQ, ids(guests[0].vmId, mute.vmId))).toEqual(errorAnswer(FFA_INVALID_PARAMETERS));
    server.make(FFA_MSG_WAIT);
    const end = mediator.hypervisor.destroyDomain(new Pe(5), guests[1]);
    end.next();
    server.goOn();
    drive(end);
    expect(client.make(REQ, toServer)).toEqual(errorAnswer(FFA_INVALID_PARAMETERS));
  });

  it('REQ2 is for VMs of 1.2', () => {
    const old = pair(FFA_VERSION_1_2, FFA_VERSION_1_1);
    old.server.make(FFA_MSG_WAIT);
    expect(old.client.make(FFA_MSG_SEND_DIRECT_REQ2, old.toServer)).toEqual(errorAnswer(FFA_DENIED));
    const young = pair(FFA_VERSION_1_1, FFA_VERSION_1_2);
    expect(young.client.make(FFA_MSG_SEND_DIRECT_REQ2, young.toServer)).toEqual(errorAnswer(FFA_NOT_SUPPORTED));
    expect(old.server.vcpu.registers.w(0)).toBe(FFA_MSG_WAIT);
  });

  it('goes to one waiting vCPU each', () => {
    const { client, guests, mediator, server, toServer } = pair();
    const second = new Caller(mediator, guests[1], 1, 2);
    const other = new Caller(mediator, guests[0], 1, 3);
    server.make(FFA_MSG_WAIT);
    second.make(FFA_MSG_WAIT);
    expect([client.make(REQ, toServer, 0, 1), other.make(REQ, toServer, 0, 2)]).toEqual([null, null]);
    expect([server.goOn()?.[3], second.goOn()?.[3]]).toEqual([1, 2]);
  });

  it('is not for other profiles', () => {
    const mediator = new Mediator({ profile: XEN_2026_VM_TO_VM });
    const [a, b] = [mediator.readyGuest(FFA_VERSION_1_2), mediator.readyGuest(FFA_VERSION_1_2)];
    expect(mediator.call(a, REQ, ids(a.vmId, b.vmId))).toEqual(errorAnswer(FFA_NOT_SUPPORTED));
    expect(mediator.call(b, FFA_MSG_WAIT)).toEqual(errorAnswer(FFA_NOT_SUPPORTED));
  });
});

describe('an answer of a VM', () => {
  it.each([
    ['in another’s name', (p: Pair) => [RESP, ids(9, p.guests[0].vmId)], FFA_INVALID_PARAMETERS],
    ['to somebody else', (p: Pair) => [RESP, ids(p.guests[1].vmId, 9)], FFA_DENIED],
    ['of the other kind', (p: Pair) => [FFA_MSG_SEND_DIRECT_RESP2, p.toClient], FFA_DENIED],
    ['with flags', (p: Pair) => [RESP, p.toClient, 0x80000005], FFA_INVALID_PARAMETERS],
    ['that is none, but FFA_MSG_WAIT', () => [FFA_MSG_WAIT], FFA_DENIED],
  ])('%s is refused, and the right one comes through', (_name, words, error) => {
    const p = pair();
    p.server.make(FFA_MSG_WAIT);
    p.client.make(REQ, p.toServer);
    p.server.goOn();
    expect(p.server.make(...words(p))).toEqual(errorAnswer(error));
    expect(p.server.make(RESP, p.toClient, 0, 5)).toBeNull();
    expect(p.client.goOn()?.[3]).toBe(5);
  });

  it('to nobody is DENIED', () => {
    const p = pair();
    expect(p.server.make(RESP, p.toClient)).toEqual(errorAnswer(FFA_DENIED));
  });
});

describe('who stands still', () => {
  it('is told of an interrupt, and goes on waiting with FFA_RUN', () => {
    const { client, guests, server, toClient, toServer } = pair();
    server.make(FFA_MSG_WAIT);
    client.make(REQ, toServer);
    client.pe.interruptPending = true;
    client.pe.wake();
    const name = (guests[1].vmId << 16) >>> 0;
    expect(client.goOn()?.slice(0, 2)).toEqual([FFA_INTERRUPT, name]);
    expect(client.make(REQ, toServer)).toEqual(errorAnswer(FFA_BUSY));
    expect(client.make(FFA_RUN, ids(guests[1].vmId, 1))).toEqual(errorAnswer(FFA_DENIED));
    expect(client.make(FFA_RUN, name)).toBeNull();
    server.goOn();
    server.make(RESP, toClient, 0, 3);
    expect(client.goOn()?.[3]).toBe(3);
    expect(client.make(FFA_RUN, name)).toEqual(errorAnswer(FFA_NOT_SUPPORTED));
  });

  it('in FFA_MSG_WAIT is told of an interrupt too', () => {
    const { guests, server } = pair();
    server.make(FFA_MSG_WAIT);
    server.vcpu.interrupts.push(8);
    server.pe.wake();
    expect(server.goOn()?.slice(0, 2)).toEqual([FFA_INTERRUPT, (guests[1].vmId << 16) >>> 0]);
  });

  it.each([1, 3, 4, 5, 6, 7])('FFA_MSG_WAIT with w%i not zero is refused', (register) => {
    const words = [FFA_MSG_WAIT, 0, 0, 0, 0, 0, 0, 0];
    words[register] = 1;
    expect(pair().server.make(...words)).toEqual(errorAnswer(FFA_INVALID_PARAMETERS));
  });

  it('hears ABORTED when the VM that it asked dies', () => {
    const { client, guests, mediator, server, toServer } = pair();
    server.make(FFA_MSG_WAIT);
    client.make(REQ, toServer);
    server.goOn();
    drive(mediator.hypervisor.destroyDomain(new Pe(5), guests[1]));
    expect(client.pe.awake).toBe(true);
    expect(client.goOn()).toEqual(errorAnswer(FFA_ABORTED));
  });

  it('does not keep its own VM from dying; the answer then goes nowhere', () => {
    const { client, guests, mediator, server, toClient, toServer } = pair();
    server.make(FFA_MSG_WAIT);
    client.make(REQ, toServer);
    server.goOn();
    const end = mediator.hypervisor.destroyDomain(new Pe(5), guests[0]);
    expect(end.next().done).toBe(false);
    expect(client.goOn()).toEqual(errorAnswer(FFA_ABORTED));
    drive(end);
    expect(server.make(RESP, toClient)).toBeNull();
    expect(guests[0].references).toBe(0);
  });
});

describe('what a VM finds out', () => {
  it('FFA_FEATURES has the calls, the list the properties', () => {
    const { guests, mediator } = pair();
    const [guest, other] = guests;
    for (const functionId of [FFA_MSG_WAIT, REQ, RESP, FFA_MSG_SEND_DIRECT_RESP2]) {
      expect(mediator.call(guest, FFA_FEATURES, functionId)[0]).toBe(FFA_SUCCESS_32);
    }
    const [w0, , count] = mediator.call(guest, FFA_PARTITION_INFO_GET);
    expect([w0, count]).toEqual([FFA_SUCCESS_32, 4]);
    const view = new DataView(mediator.read(guest, RX + 3 * 24, 8).buffer);
    expect([view.getUint16(0, true), view.getUint32(4, true)]).toEqual([other.vmId, 0x70f]);
  });
});
