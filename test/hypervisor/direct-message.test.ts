import { describe, expect, it } from 'vitest';
import { FFA_ABORTED, FFA_INVALID_PARAMETERS, FFA_NOT_SUPPORTED } from '../../src/abi/errors.ts';
import {
  FFA_ERROR,
  FFA_INTERRUPT,
  FFA_MEM_FRAG_RX,
  FFA_MSG_SEND_DIRECT_REQ_32,
  FFA_MSG_SEND_DIRECT_REQ_64,
  FFA_MSG_SEND_DIRECT_REQ2,
  FFA_MSG_SEND_DIRECT_RESP_32,
  FFA_MSG_SEND_DIRECT_RESP_64,
  FFA_MSG_SEND_DIRECT_RESP2,
  FFA_RUN,
  FFA_SUCCESS_32,
  FFA_SUCCESS_64,
  FFA_YIELD,
} from '../../src/abi/function-ids.ts';
import { FFA_VERSION_1_1, FFA_VERSION_1_2 } from '../../src/abi/versions.ts';
import type { Vcpu } from '../../src/hypervisor/domain.ts';
import { errorAnswer, Mediator, SP1, XEN_2024, XEN_2026 } from './mediator.ts';

const TO_SP1 = (2 << 16) | SP1;

describe('FFA_MSG_SEND_DIRECT_REQ', () => {
  it.each([XEN_2024, XEN_2026])('goes to the partition and its response back ($name)', (profile) => {
    const mediator = new Mediator({ profile });
    const guest = mediator.readyGuest(FFA_VERSION_1_1);
    mediator.spmc.answers.set(FFA_MSG_SEND_DIRECT_REQ_32, [
      FFA_MSG_SEND_DIRECT_RESP_32,
      0x8001_0002,
      0,
      7,
      8,
      9,
      10,
      11,
    ]);
    expect(mediator.call(guest, FFA_MSG_SEND_DIRECT_REQ_32, TO_SP1, 0, 1, 2, 3, 4, 5)).toEqual([
      FFA_MSG_SEND_DIRECT_RESP_32,
      0x8001_0002,
      0,
      7,
      8,
      9,
      10,
      11,
    ]);
    expect(mediator.spmc.smcs).toEqual([[FFA_MSG_SEND_DIRECT_REQ_32, TO_SP1, 0, 1, 2, 3, 4, 5]]);
  });

  // Receiver and sender, and what each generation says to them (null: it goes to the SPMC).
  const rows: readonly (readonly [string, number, number | null, number | null])[] = [
    ['another sender', (3 << 16) | SP1, FFA_INVALID_PARAMETERS, FFA_INVALID_PARAMETERS],
    ['the hypervisor as sender', SP1, FFA_INVALID_PARAMETERS, FFA_INVALID_PARAMETERS],
    ['to itself', (2 << 16) | 2, null, FFA_INVALID_PARAMETERS],
    ['to a VM', (2 << 16) | 3, null, FFA_NOT_SUPPORTED],
    ['to the hypervisor', 2 << 16, null, FFA_NOT_SUPPORTED],
    ['to a partition that nobody knows', (2 << 16) | 0x8055, null, null],
  ];

  for (const [name, endpoints, code2024, code2026] of rows) {
    it.each([
      [XEN_2024.name, XEN_2024, code2024],
      [XEN_2026.name, XEN_2026, code2026],
    ] as const)(`${name} (%s)`, (_name, profile, code) => {
      const mediator = new Mediator({ profile });
      const guest = mediator.readyGuest(FFA_VERSION_1_1);
      const answer = mediator.call(guest, FFA_MSG_SEND_DIRECT_REQ_32, endpoints);
      if (code !== null) expect(answer).toEqual(errorAnswer(code));
      expect(mediator.spmc.smcs.length).toBe(code === null ? 1 : 0);
    });
  }

  // What the SPMC answers, and whether the guest sees it.
  const replies: readonly (readonly [string, readonly number[], boolean, boolean])[] = [
    ['an error', [FFA_ERROR, 0, FFA_NOT_SUPPORTED >>> 0], true, true],
    ['success', [FFA_SUCCESS_32, 0, 1], true, true],
    ['the 64-bit success', [FFA_SUCCESS_64, 0, 1], true, true],
    ['the 64-bit response', [FFA_MSG_SEND_DIRECT_RESP_64, 1, 2], true, true],
    ['an interrupt', [FFA_INTERRUPT, 0x8001_0000], false, true],
    ['a yield', [FFA_YIELD, 0x8001_0000], false, true],
    ['a wish for a fragment', [FFA_MEM_FRAG_RX, 1, 0, 64], false, false],
    ['an unknown function', [0xffff_ffff], false, false],
  ];

  for (const [name, reply, seen2024, seen2026] of replies) {
    it.each([
      [XEN_2024.name, XEN_2024, seen2024],
      [XEN_2026.name, XEN_2026, seen2026],
    ] as const)(`answered by ${name} (%s)`, (_name, profile, seen) => {
      const mediator = new Mediator({ profile });
      const guest = mediator.readyGuest(FFA_VERSION_1_1);
      mediator.spmc.answers.set(FFA_MSG_SEND_DIRECT_REQ_32, reply);
      const expected = [...reply, 0, 0, 0, 0, 0, 0, 0].slice(0, 8);
      const aborted =
        profile === XEN_2024 ? [FFA_ERROR, TO_SP1, FFA_ABORTED >>> 0, 0, 0, 0, 0, 0] : errorAnswer(FFA_ABORTED);
      expect(mediator.call(guest, FFA_MSG_SEND_DIRECT_REQ_32, TO_SP1)).toEqual(seen ? expected : aborted);
    });
  }

  it.each([XEN_2024, XEN_2026])('keeps upper halves in the 64-bit form only ($name)', (profile) => {
    const mediator = new Mediator({ profile });
    const guest = mediator.readyGuest(FFA_VERSION_1_1);
    const vcpu = guest.vcpus[0] as Vcpu;
    const seen: number[] = [];
    for (const functionId of [FFA_MSG_SEND_DIRECT_REQ_32, FFA_MSG_SEND_DIRECT_REQ_64]) {
      mediator.spmc.meanwhile.set(functionId, () => seen.push(0));
      vcpu.registers.set8(functionId, TO_SP1);
      vcpu.registers.setWords(3, 1, 2);
      vcpu.registers.setWords(1, TO_SP1, 9);
      const inner = mediator.spmc.smc.bind(mediator.spmc);
      mediator.spmc.smc = (pe) => {
        seen.push(pe.smc.high(1), pe.smc.high(3));
        return inner(pe);
      };
      mediator.hypervisor.guestCall(mediator.pe, vcpu);
      mediator.spmc.smc = inner;
    }
    expect(seen).toEqual([0, 0, 0, 0, 2, 0]);
  });
});

describe('FFA_MSG_SEND_DIRECT_REQ2', () => {
  it('carries x4 to x17 both ways for a guest of 1.2', () => {
    const mediator = new Mediator({ profile: XEN_2026 });
    const guest = mediator.readyGuest(FFA_VERSION_1_2);
    const vcpu = guest.vcpus[0] as Vcpu;
    let sent = new Uint32Array(0);
    mediator.spmc.smc = (pe) => {
      sent = pe.smc.words.slice();
      pe.smc.set8(FFA_MSG_SEND_DIRECT_RESP2, 0x8001_0002);
      for (let n = 4; n <= 17; n++) pe.smc.setWords(n, 100 + n, 200 + n);
      return null;
    };
    vcpu.registers.set8(FFA_MSG_SEND_DIRECT_REQ2, TO_SP1);
    for (let n = 2; n <= 17; n++) vcpu.registers.setWords(n, n, 50 + n);
    expect(mediator.hypervisor.guestCall(mediator.pe, vcpu)).toBeNull();
    expect([sent[0], sent[2], sent[4], sent[5], sent[34], sent[35]]).toEqual([
      FFA_MSG_SEND_DIRECT_REQ2,
      TO_SP1,
      2,
      52,
      17,
      67,
    ]);
    expect([vcpu.registers.w(0), vcpu.registers.w(17), vcpu.registers.high(17)]).toEqual([
      FFA_MSG_SEND_DIRECT_RESP2,
      117,
      217,
    ]);
  });

  it('is not for guests before 1.2, and leaves nothing of a request in a refusal', () => {
    const mediator = new Mediator({ profile: XEN_2026 });
    const old = mediator.readyGuest(FFA_VERSION_1_1);
    expect(mediator.call(old, FFA_MSG_SEND_DIRECT_REQ2, TO_SP1)).toEqual(errorAnswer(FFA_NOT_SUPPORTED));
    const guest = mediator.readyGuest(FFA_VERSION_1_2);
    const vcpu = guest.vcpus[0] as Vcpu;
    vcpu.registers.setWords(12, 5, 5);
    expect(mediator.call(guest, FFA_MSG_SEND_DIRECT_REQ2, TO_SP1)).toEqual(errorAnswer(FFA_INVALID_PARAMETERS));
    expect(vcpu.registers.w(12)).toBe(0);
    expect(mediator.spmc.smcs).toEqual([]);
  });
});

describe('FFA_RUN', () => {
  it('runs a partition with w1 only', () => {
    const mediator = new Mediator({ profile: XEN_2026 });
    const guest = mediator.readyGuest(FFA_VERSION_1_1);
    mediator.spmc.answers.set(FFA_RUN, [FFA_YIELD, 0x8001_0000]);
    expect(mediator.call(guest, FFA_RUN, 0x8001_0000, 5, 6)).toEqual([FFA_YIELD, 0x8001_0000, 0, 0, 0, 0, 0, 0]);
    expect(mediator.spmc.smcs).toEqual([[FFA_RUN, 0x8001_0000, 0, 0, 0, 0, 0, 0]]);
  });

  it.each([
    ['a VM', 0x0003_0000, []],
    ['a partition, but the SPMC lacks it', 0x8001_0000, [FFA_RUN]],
  ])('does not run %s', (_name, target, lacks) => {
    const mediator = new Mediator({ profile: XEN_2026, lacks });
    const guest = mediator.readyGuest(FFA_VERSION_1_1);
    expect(mediator.call(guest, FFA_RUN, target)).toEqual(errorAnswer(FFA_NOT_SUPPORTED));
    expect(mediator.spmc.smcs).toEqual([]);
  });
});
