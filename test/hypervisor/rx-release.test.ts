// FFA_RX_RELEASE and FFA_RXTX_UNMAP of one vCPU while the mediator fills the guest's RX, at every step of the filling.

import { describe, expect, it } from 'vitest';
import { FFA_DENIED, FFA_NO_MEMORY } from '../../src/abi/errors.ts';
import {
  FFA_MSG_SEND2,
  FFA_PARTITION_INFO_GET,
  FFA_RX_ACQUIRE,
  FFA_RX_RELEASE,
  FFA_RXTX_UNMAP,
} from '../../src/abi/function-ids.ts';
import { FFA_VERSION_1_1 } from '../../src/abi/versions.ts';
import { type Coroutine, WAIT_LOCK } from '../../src/base/coroutine.ts';
import type { Domain } from '../../src/hypervisor/domain.ts';
import { FFABRIC } from '../../src/hypervisor/profiles/ffabric.ts';
import { contextOf, errorAnswer, lowWords, Mediator, successAnswer, TX } from './mediator.ts';

interface Outcome {
  readonly filling: number[];
  readonly meanwhile: number[];
  /** Whether the other call was through before the filling had ended. */
  readonly before: boolean;
}

/** Steps of the other call, until it is through or waits for a lock. */
function advance(call: Coroutine): boolean {
  for (;;) {
    const step = call.next();
    if (step.done === true) return true;
    if (step.value === WAIT_LOCK) return false;
  }
}

/** vCPU 0 of `sender` makes a call that fills RX of `owner`; at its `at`-th yield vCPU 1 of `owner` calls. */
function interleave(
  mediator: Mediator,
  sender: Domain,
  owner: Domain,
  words: readonly [fill: number, meanwhile: number],
  at: number,
): Outcome | null {
  const { hypervisor, otherPe, pe } = mediator;
  const [filler, other] = [sender.vcpus[0], owner.vcpus[1]] as const;
  if (filler === undefined || other === undefined) throw new Error('a guest has two vCPUs');
  pe.stepping = true;
  otherPe.stepping = true;
  filler.registers.set8(words[0]);
  other.registers.set8(words[1]);
  const filling = hypervisor.guestCall(pe, filler);
  if (filling === null) throw new Error('a call that is explored has steps');
  for (let n = 0; n < at; n++) if (filling.next().done === true) return null;
  const meanwhile = hypervisor.guestCall(otherPe, other);
  const before = meanwhile === null || advance(meanwhile);
  while (filling.next().done !== true);
  if (!before && meanwhile !== null) expect(advance(meanwhile)).toBe(true);
  expect([pe.heldCount, otherPe.heldCount]).toEqual([0, 0]);
  return { filling: lowWords(filler.registers), meanwhile: lowWords(other.registers), before };
}

function message(sender: Domain, receiver: Domain, size: number): Uint8Array {
  const bytes = new Uint8Array(4096);
  const view = new DataView(bytes.buffer);
  view.setUint32(8, 20, true);
  view.setUint16(12, receiver.vmId, true);
  view.setUint16(14, sender.vmId, true);
  view.setUint32(16, size, true);
  return bytes;
}

/** A fresh system per step; `fill` says who fills whose RX. Returns how many steps there were. */
function explore(meanwhile: number, isMessage: boolean, judge: (outcome: Outcome, owner: Domain) => void): number {
  for (let at = 1; ; at++) {
    const mediator = new Mediator({ profile: FFABRIC });
    const owner = mediator.readyGuest(FFA_VERSION_1_1);
    const sender = isMessage ? mediator.readyGuest(FFA_VERSION_1_1) : owner;
    mediator.write(sender, TX, message(sender, owner, 8));
    const fill = isMessage ? FFA_MSG_SEND2 : FFA_PARTITION_INFO_GET;
    // The SPMC takes back only what the mediator has taken.
    const { answers, meanwhile: during } = mediator.spmc;
    answers.set(FFA_RX_RELEASE, errorAnswer(FFA_DENIED));
    during.set(FFA_RX_ACQUIRE, () => answers.set(FFA_RX_RELEASE, successAnswer()));
    during.set(FFA_RX_RELEASE, () => answers.set(FFA_RX_RELEASE, errorAnswer(FFA_DENIED)));
    const outcome = interleave(mediator, sender, owner, [fill, meanwhile], at);
    if (outcome === null) return at - 1;
    judge(outcome, owner);
  }
}

describe.each([
  ['a list', false],
  ['a message of another VM', true],
])('while RX is filled with %s', (_name, isMessage) => {
  it('FFA_RX_RELEASE is refused before the guest has it', () => {
    const steps = explore(FFA_RX_RELEASE, isMessage, ({ before, filling, meanwhile }, owner) => {
      expect(filling[0]).toBe(successAnswer()[0]);
      if (before) expect(meanwhile).toEqual(errorAnswer(FFA_DENIED));
      const { buffersMapped, rxFilling, rxFree } = contextOf(owner);
      const released = meanwhile[0] === successAnswer()[0];
      expect([buffersMapped, rxFilling, rxFree]).toEqual([true, false, released]);
    });
    expect(steps).toBeGreaterThan(1);
  });

  it('FFA_RXTX_UNMAP goes through before or not at all', () => {
    let refused = 0;
    explore(FFA_RXTX_UNMAP, isMessage, ({ filling, meanwhile }, owner) => {
      const context = contextOf(owner);
      const unmapped = meanwhile[0] === successAnswer()[0];
      if (!unmapped) refused++;
      expect(filling[0] === successAnswer()[0]).toBe(!unmapped);
      expect([context.buffersMapped, context.rxFilling]).toEqual([!unmapped, false]);
    });
    expect(refused).toBeGreaterThan(0);
  });
});

it('a message that RX cannot hold leaves RX free, for the next one too', () => {
  const mediator = new Mediator({ profile: FFABRIC });
  const owner = mediator.readyGuest(FFA_VERSION_1_1);
  const sender = mediator.readyGuest(FFA_VERSION_1_1);
  mediator.write(sender, TX, message(sender, owner, 4076));
  expect(mediator.call(sender, FFA_MSG_SEND2)).toEqual(errorAnswer(FFA_NO_MEMORY));
  expect([contextOf(owner).rxFree, contextOf(owner).rxFilling]).toEqual([true, false]);
  mediator.write(sender, TX, message(sender, owner, 8));
  expect(mediator.call(sender, FFA_MSG_SEND2)).toEqual(successAnswer());
  expect(mediator.call(owner, FFA_RX_RELEASE)).toEqual(successAnswer());
});
