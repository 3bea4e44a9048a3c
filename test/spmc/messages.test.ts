// Direct messages in chains, in both kinds, and errors as answers; indirect messages across versions.

import { describe, expect, test } from 'vitest';
import { FFA_DENIED, FFA_NO_MEMORY } from '../../src/abi/errors.ts';
import {
  FFA_ERROR,
  FFA_MSG_SEND_DIRECT_REQ_32,
  FFA_MSG_SEND_DIRECT_REQ_64,
  FFA_MSG_SEND_DIRECT_REQ2,
  FFA_MSG_SEND_DIRECT_RESP_32,
  FFA_MSG_SEND_DIRECT_RESP_64,
  FFA_MSG_SEND_DIRECT_RESP2,
  FFA_MSG_SEND2,
  FFA_MSG_WAIT,
  FFA_RUN,
} from '../../src/abi/function-ids.ts';
import { FFA_VERSION_1_1, FFA_VERSION_1_2 } from '../../src/abi/versions.ts';
import { EXIT_CRASH } from '../../src/hardware/partition-entry.ts';
import { VCPU_WAITING } from '../../src/spmc/partition.ts';
import type { PartitionManifest } from '../../src/spmc/partition-setup.ts';
import { HAFNIUM_PERSONALITY } from '../../src/spmc/personalities/hafnium.ts';
import { calls, inTurn } from './partition-steps.ts';
import { ALL_METHODS, type Behaviour, callWith, ids, PAGE, SmallWorld, SP1, SP2, SP3, said } from './small-world.ts';

const REQ = FFA_MSG_SEND_DIRECT_REQ_32;
const RESP = FFA_MSG_SEND_DIRECT_RESP_32;
const ROUTED = { ...HAFNIUM_PERSONALITY, errorAnswersRequest: true };

/** Asks `callee` on, and answers with what it got plus one. */
function passesOn(id: number, callee: number): Behaviour {
  let requester = 0;
  return (context) => {
    const r = context.registers;
    if (r.w(0) !== REQ) return callWith(context, RESP, ids(id, requester), 0, r.w(3) + 1);
    requester = r.w(1) >>> 16;
    return callWith(context, REQ, ids(id, callee), 0, r.w(3));
  };
}

describe('a call chain', () => {
  test('of many partitions is wound and unwound', () => {
    const count = 12;
    const world = new SmallWorld(Array(count).fill({}));
    for (let n = 0; n < count - 1; n++) world.programs[n].behaviour = passesOn(SP1 + n, SP1 + n + 1);
    world.programs[count - 1].behaviour = (context) =>
      callWith(context, RESP, ids(SP1 + count - 1, context.registers.w(1) >>> 16), 0, context.registers.w(3));
    for (let n = 0; n < 3; n++) expect(world.call(REQ, ids(7, SP1), 0, 100)[3]).toBe(100 + count - 1);
    for (const { vcpus } of world.spmc.partitions) {
      expect([vcpus[0].state, vcpus[0].caller, vcpus[0].callee]).toEqual([VCPU_WAITING, null, null]);
    }
  });

  test.each([
    ['by FFA_RUN, which serves no request', FFA_RUN, ids(SP1, 0), 'FFA_ERROR DENIED'],
    ['by a request, which it is busy with', REQ, ids(0, SP1), 'FFA_ERROR BUSY'],
  ])('does not come round to one that was entered %s', (_name, call, w1, expected) => {
    const world = new SmallWorld([{}, {}, {}]);
    const leave = call === REQ ? calls(RESP, ids(SP1, 0)) : calls(FFA_MSG_WAIT);
    world.program(SP1).behaviour = inTurn([calls(REQ, ids(SP1, SP2))], leave).behaviour;
    world.program(SP2).behaviour = inTurn([calls(REQ, ids(SP2, SP3))], calls(RESP, ids(SP2, SP1))).behaviour;
    const last = inTurn([calls(REQ, ids(SP3, SP1)), calls(REQ, ids(SP3, SP2))], calls(RESP, ids(SP3, SP2)));
    world.program(SP3).behaviour = last.behaviour;
    world.call(call, w1);
    expect(last.heard).toEqual(['FFA_MSG_SEND_DIRECT_REQ_32', expected, 'FFA_ERROR BUSY']);
  });

  test('whose end dies: each partition in it hears ABORTED and goes on', () => {
    const world = new SmallWorld([{}, {}, {}]);
    const first = inTurn([calls(REQ, ids(SP1, SP2))], calls(RESP, ids(SP1, 0), 0, 1));
    world.program(SP1).behaviour = first.behaviour;
    const second = inTurn([calls(REQ, ids(SP2, SP3))], () => EXIT_CRASH);
    world.program(SP2).behaviour = second.behaviour;
    world.program(SP3).behaviour = () => EXIT_CRASH;
    expect(world.call(REQ, ids(0, SP1))[3]).toBe(1);
    expect([first.heard[1], second.heard[1]]).toEqual(['FFA_ERROR ABORTED', 'FFA_ERROR ABORTED']);
  });
});

describe('the kind of a direct message', () => {
  const forms = [FFA_MSG_SEND_DIRECT_RESP_32, FFA_MSG_SEND_DIRECT_RESP_64, FFA_MSG_SEND_DIRECT_RESP2];

  test.each(
    [REQ, FFA_MSG_SEND_DIRECT_REQ_64, FFA_MSG_SEND_DIRECT_REQ2].flatMap((request) =>
      forms.map((response) => [
        request,
        response,
        (request === FFA_MSG_SEND_DIRECT_REQ2) === (response === FFA_MSG_SEND_DIRECT_RESP2),
      ]),
    ) as [number, number, boolean][],
  )('e468c116: %i answered by %i: %s', (request, response, good) => {
    const world = new SmallWorld();
    const right = request === FFA_MSG_SEND_DIRECT_REQ2 ? FFA_MSG_SEND_DIRECT_RESP2 : RESP;
    const sp = inTurn([calls(response, ids(SP1, 0))], calls(right, ids(SP1, 0)));
    world.program(SP1).behaviour = sp.behaviour;
    const answer = world.call(request, ids(0, SP1));
    expect(answer[0]).toBe(good ? response : right);
    expect(sp.heard.slice(1)).toEqual(good ? [] : ['FFA_ERROR DENIED']);
  });

  test.each<[string, Partial<PartitionManifest>, readonly number[], string]>([
    ['no service in particular', {}, [0, 0, 0, 0], 'FFA_MSG_SEND_DIRECT_RESP2'],
    ['a service that takes it', {}, [1, 2, 3, 4], 'FFA_MSG_SEND_DIRECT_RESP2'],
    ['a service that does not', {}, [5, 6, 7, 8], 'FFA_ERROR DENIED'],
    ['a service that it does not offer', {}, [1, 2, 3, 5], 'FFA_ERROR INVALID_PARAMETERS'],
    ['a partition of 1.1', { ffaVersion: FFA_VERSION_1_1 }, [0, 0, 0, 0], 'FFA_ERROR DENIED'],
  ])('REQ2 for %s', (_name, manifest, uuid, expected) => {
    const services = [
      { uuid: [1, 2, 3, 4] as const, messagingMethod: ALL_METHODS },
      { uuid: [5, 6, 7, 8] as const, messagingMethod: ALL_METHODS & ~0x200 },
    ];
    const world = new SmallWorld([{ services, ...manifest }]);
    world.program(SP1).behaviour = (context) => {
      callWith(context, FFA_MSG_SEND_DIRECT_RESP2, ids(SP1, 0), 8, 9);
      context.registers.setWords(17, 1, 2);
      return 1;
    };
    const r = world.pe.smc;
    r.clear();
    r.set8(FFA_MSG_SEND_DIRECT_REQ2, ids(0, SP1));
    r.setWords(2, uuid[0], uuid[1]);
    r.setWords(3, uuid[2], uuid[3]);
    world.smc();
    expect(said([r.w(0), 0, r.w(2)])).toBe(expected);
    // x2 and x3 of a response are reserved.
    if (r.w(0) === FFA_MSG_SEND_DIRECT_RESP2) expect([r.w(2), r.w(3), r.w(17), r.high(17)]).toEqual([0, 0, 1, 2]);
  });

  test('w2 of a partition message is zero', () => {
    const world = new SmallWorld([{}, {}]);
    expect(said(world.call(REQ, ids(0, SP1), 1))).toBe('FFA_ERROR INVALID_PARAMETERS');
    expect(said(world.callAs(SP1, REQ, ids(SP1, SP2), 1))).toBe('FFA_ERROR INVALID_PARAMETERS');
    const sp = inTurn([calls(RESP, ids(SP1, 0), 1)], calls(RESP, ids(SP1, 0)));
    world.program(SP1).behaviour = sp.behaviour;
    world.call(REQ, ids(0, SP1));
    expect(sp.heard[1]).toBe('FFA_ERROR INVALID_PARAMETERS');
  });

  test.each([
    ['for somebody else', ids(SP1, 5), 0, 'DENIED'],
    ['in another’s name', ids(SP2, 0), 0, 'INVALID_PARAMETERS'],
    ['for itself', ids(SP1, SP1), 0, 'INVALID_PARAMETERS'],
    ['as a framework message', ids(SP1, 0), 0x80000005, 'DENIED'],
  ])('a response %s is refused', (_name, w1, w2, error) => {
    const world = new SmallWorld();
    const sp = inTurn([calls(RESP, w1, w2)], calls(RESP, ids(SP1, 0)));
    world.program(SP1).behaviour = sp.behaviour;
    expect(said(world.call(REQ, ids(0, SP1)))).toBe('FFA_MSG_SEND_DIRECT_RESP_32');
    expect(sp.heard[1]).toBe(`FFA_ERROR ${error}`);
  });

  test('x8 to x17 of a response are zero since 1.2', () => {
    for (const [version, good] of [
      [FFA_VERSION_1_1, true],
      [FFA_VERSION_1_2, false],
    ] as const) {
      const world = new SmallWorld([{ ffaVersion: version }]);
      const sp = inTurn(
        [
          (context) => {
            callWith(context, RESP, ids(SP1, 0));
            context.registers.setW(8, 1);
            return 1;
          },
        ],
        calls(RESP, ids(SP1, 0)),
      );
      world.program(SP1).behaviour = sp.behaviour;
      world.call(REQ, ids(0, SP1));
      expect([world.pe.smc.w(8), sp.heard.slice(1)]).toEqual([0, good ? [] : ['FFA_ERROR INVALID_PARAMETERS']]);
    }
  });
});

describe('FFA_ERROR of a partition', () => {
  test('44a414396: answers the request that it serves: the nested caller hears it, nobody else', () => {
    const world = new SmallWorld([{}, {}, {}], { personality: ROUTED });
    const first = inTurn([calls(REQ, ids(SP1, SP2))], calls(RESP, ids(SP1, 0), 0, 3));
    const second = inTurn([calls(REQ, ids(SP2, SP3))], calls(FFA_ERROR, 0, FFA_NO_MEMORY >>> 0));
    world.program(SP1).behaviour = first.behaviour;
    world.program(SP2).behaviour = second.behaviour;
    world.program(SP3).behaviour = inTurn([], calls(FFA_ERROR, 0, FFA_DENIED >>> 0)).behaviour;
    expect(world.call(REQ, ids(0, SP1))).toEqual([RESP, ids(SP1, 0), 0, 3, 0, 0, 0, 0]);
    expect([first.heard[1], second.heard[1]]).toEqual(['FFA_ERROR NO_MEMORY', 'FFA_ERROR DENIED']);
    world.program(SP1).behaviour = inTurn([], calls(FFA_ERROR, 0, FFA_DENIED >>> 0)).behaviour;
    expect(said(world.call(REQ, ids(0, SP1)))).toBe('FFA_ERROR DENIED');
    for (const { vcpus } of world.spmc.partitions) expect(vcpus[0].state).toBe(VCPU_WAITING);
  });

  test('is not supported by Hafnium, nor by anybody outside a request', () => {
    for (const [options, call, leave] of [
      [{}, [REQ, ids(0, SP1)], calls(RESP, ids(SP1, 0))],
      [{ personality: ROUTED }, [FFA_RUN, ids(SP1, 0)], calls(FFA_MSG_WAIT)],
    ] as const) {
      const world = new SmallWorld([{}], options);
      const sp = inTurn([calls(FFA_ERROR, 0, FFA_DENIED >>> 0)], leave);
      world.program(SP1).behaviour = sp.behaviour;
      world.call(...call);
      expect(sp.heard[1]).toBe('FFA_ERROR NOT_SUPPORTED');
    }
  });
});

describe('VM availability', () => {
  test('7182 of optee_os: created twice is the partition’s to refuse, and no more than that', () => {
    const world = new SmallWorld([{ vmAvailabilityMessages: 3 }]);
    let known = false;
    world.program(SP1).behaviour = (context) => {
      const status = known ? 0xfffffffe : 0;
      known = true;
      return callWith(context, RESP, ids(SP1, 0), 0x80000005, status);
    };
    const answers = [1, 2].map(() => world.call(REQ, SP1, 0x80000004, 0, 0, 7).slice(2, 4));
    expect(answers).toEqual([
      [0x80000005, 0],
      [0x80000005, 0xfffffffe],
    ]);
    expect(world.spmc.partitions[0].vcpus[0].state).toBe(VCPU_WAITING);
  });
});

describe('an indirect message', () => {
  interface Sent {
    readonly from: number;
    readonly to: number;
    readonly offset: number;
    readonly flags?: number;
    readonly reserved?: number;
    readonly size?: number;
  }

  function send(world: SmallWorld, { flags, from, offset, reserved, size, to }: Sent): string {
    const tx = (world.spmc.partitionById.get(from)?.txFrame ?? 0) * PAGE;
    const bytes = new Uint8Array(PAGE);
    const view = new DataView(bytes.buffer);
    view.setUint32(0, flags ?? 0, true);
    view.setUint32(4, reserved ?? 0, true);
    view.setUint32(8, offset, true);
    view.setUint16(12, to, true);
    view.setUint16(14, from, true);
    view.setUint32(16, size ?? 4, true);
    for (let n = 0; n < 16; n++) bytes[24 + n] = offset >= 40 ? n + 1 : 0;
    if (offset + 4 <= PAGE) bytes.set([0xde, 0xad, 0xbe, 0xef], offset);
    world.write(tx, bytes);
    return said(world.callAs(from, FFA_MSG_SEND2));
  }

  const versions = [FFA_VERSION_1_1, FFA_VERSION_1_2];
  const header = (version: number) => (version >= FFA_VERSION_1_2 ? 40 : 20);

  test.each(versions.flatMap((from) => versions.map((to) => [from, to])))(
    'from %i to %i has the header that its reader knows',
    (from, to) => {
      const world = new SmallWorld([{ ffaVersion: from }, { ffaVersion: to, notificationSupport: true }]);
      expect(send(world, { from: SP1, to: SP2, offset: header(from) })).toBe('FFA_SUCCESS_32');
      const rx = (world.spmc.partitionById.get(SP2)?.rxFrame ?? 0) * PAGE;
      const view = new DataView(world.read(rx, 64).buffer);
      expect([view.getUint32(8, true), view.getUint16(12, true), view.getUint16(14, true)]).toEqual([
        header(to),
        SP2,
        SP1,
      ]);
      expect([view.getUint32(16, true), view.getUint32(header(to), false)]).toEqual([4, 0xdeadbeef]);
      const knowsUuid = from >= FFA_VERSION_1_2 && to >= FFA_VERSION_1_2;
      if (to >= FFA_VERSION_1_2) expect(view.getUint8(24)).toBe(knowsUuid ? 1 : 0);
      expect(view.getUint32(header(to) + 4, true)).toBe(0);
    },
  );

  test.each<[string, number, Partial<Sent>, string]>([
    ['a header of 1.1 for a sender of 1.2', FFA_VERSION_1_2, { offset: 20 }, 'INVALID_PARAMETERS'],
    ['an offset into the header', FFA_VERSION_1_1, { offset: 19 }, 'INVALID_PARAMETERS'],
    ['flags', FFA_VERSION_1_2, { flags: 1 }, 'INVALID_PARAMETERS'],
    ['a reserved field', FFA_VERSION_1_2, { reserved: 1 }, 'INVALID_PARAMETERS'],
    ['a payload beyond the buffer', FFA_VERSION_1_2, { size: PAGE }, 'INVALID_PARAMETERS'],
    ['a size that wraps round', FFA_VERSION_1_2, { size: 0xffffffff }, 'INVALID_PARAMETERS'],
    ['an unknown receiver', FFA_VERSION_1_2, { to: 0x8009 }, 'INVALID_PARAMETERS'],
    ['itself', FFA_VERSION_1_2, { to: SP1 }, 'INVALID_PARAMETERS'],
  ])('with %s is refused', (_name, version, sent, error) => {
    const world = new SmallWorld([{ ffaVersion: version }, {}]);
    const message = { from: SP1, to: SP2, offset: header(version), ...sent };
    expect(send(world, message)).toBe(`FFA_ERROR ${error}`);
  });

  test('clears what was behind it in the receiver’s RX', () => {
    const world = new SmallWorld([{}, { notificationSupport: true }]);
    const rx = (world.spmc.partitionById.get(SP2)?.rxFrame ?? 0) * PAGE;
    world.write(rx, new Uint8Array(PAGE).fill(0xaa));
    send(world, { from: SP1, to: SP2, offset: 40 });
    expect(world.read(rx + 44, PAGE - 44).every((byte) => byte === 0)).toBe(true);
  });
});
