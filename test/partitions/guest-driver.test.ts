import { describe, expect, test } from 'vitest';
import { FFA_VERSION_1_0, FFA_VERSION_1_2 } from '../../src/abi/versions.ts';
import { UserError } from '../../src/base/user-error.ts';
import { EXIT_CALL, EXIT_IDLE, EXIT_WORK } from '../../src/hardware/partition-entry.ts';
import { must } from '../../src/partitions/call-result.ts';
import type { DriverCpu } from '../../src/partitions/driver-cpu.ts';
import { GuestDriver, type GuestTask, guestDriver } from '../../src/partitions/guest-driver.ts';
import { outcomeName } from '../../src/partitions/outcome.ts';
import { drive, type Exchange, FakeVcpu, RAM_BASE, RAM_PAGES, RX_ADDRESS } from './fake-door.ts';

const SUCCESS = 0x84000061;
const SUCCESS_64 = 0xc4000061;
const ERROR = 0x84000060;
const VERSION: Exchange[] = [
  { call: [0x84000063, 0x10002], answer: [0x10002] },
  { call: [0x84000069], answer: [SUCCESS, 0, 2] },
];

function driver(main: GuestTask, version = FFA_VERSION_1_2): GuestDriver {
  return new GuestDriver([main], { version, ramBase: RAM_BASE, ramPages: RAM_PAGES, rxAddress: RX_ADDRESS });
}

/** A driver that has a version, an id and its interrupts, and then does `main`. */
function probed(main: GuestTask): GuestDriver {
  const guest = driver(main);
  guest.endpoint.version = FFA_VERSION_1_2;
  guest.endpoint.id = 2;
  guest.endpoint.buffersMapped = true;
  guest.pendingInterrupt = 8;
  guest.scheduleInterrupt = 9;
  return guest;
}

const INFO_48 = '0180010047000000'.padEnd(48, '0');

describe('probe', () => {
  test('lists partitions in registers where that is offered, and learns both interrupts', () => {
    let found = -1;
    const guest = driver(function* (ffa) {
      found = must(yield* ffa.probe()).length;
    });
    const exit = drive(guest, new FakeVcpu(), [
      ...VERSION,
      { call: [0xc4000066, RAM_BASE, RX_ADDRESS, 1], answer: [SUCCESS] },
      { call: [0x84000064, 1], answer: [SUCCESS, 0, 8] },
      { call: [0x84000064, 2], answer: [ERROR, 0, -1] },
      { call: [0x84000064, 0xc400008b], answer: [SUCCESS] },
      {
        call: [0xc400008b],
        answer: [SUCCESS_64, 0, '0x18000000000000', '0x0000004700018001', 0, 0],
      },
    ]);
    expect(exit).toBe(EXIT_IDLE);
    expect(found).toBe(1);
    expect(guest.endpoint.partitions[0]).toMatchObject({ id: 0x8001, executionContexts: 1, properties: 0x47 });
    expect([guest.pendingInterrupt, guest.scheduleInterrupt]).toEqual([8, -1]);
  });

  test('of an 1.0 guest asks through RX and for no interrupts', () => {
    const guest = driver(function* (ffa) {
      must(yield* ffa.probe());
    }, FFA_VERSION_1_0);
    const exit = drive(guest, new FakeVcpu(), [
      { call: [0x84000063, 0x10000], answer: [0x10000] },
      { call: [0x84000069], answer: [SUCCESS, 0, 2] },
      { call: [0xc4000066, RAM_BASE, RX_ADDRESS, 1], answer: [SUCCESS] },
      { call: [0x84000068], rx: INFO_48, answer: [SUCCESS, 0, 1] },
      { call: [0x84000065], answer: [SUCCESS] },
    ]);
    expect(exit).toBe(EXIT_IDLE);
    expect(guest.endpoint.partitions).toMatchObject([{ id: 0x8001 }]);
  });

  test('ends with the first error, and names it', () => {
    let ended = '';
    const guest = driver(function* (ffa) {
      const probed = yield* ffa.probe();
      if (!probed.ok) ended = `${probed.call} ${outcomeName(probed.outcome)}`;
    });
    drive(guest, new FakeVcpu(), [...VERSION, { call: [0xc4000066, RAM_BASE, RX_ADDRESS, 1], answer: [ERROR, 0, -3] }]);
    expect(ended).toBe('FFA_RXTX_MAP NO_MEMORY');
  });
});

describe('must', () => {
  test('names the call and the error that its author ruled out', () => {
    const guest = probed(function* (ffa) {
      must(yield* ffa.request(0x8001, [1]));
    });
    const run = () => drive(guest, new FakeVcpu(), [{ call: [0x8400006f, 0x28001, 0, 1], answer: [ERROR, 0, -6] }]);
    expect(run).toThrow(new UserError('FFA_MSG_SEND_DIRECT_REQ ended with DENIED', null, 'expected SUCCESS'));
  });
});

describe('notifications', () => {
  const GET: Exchange['call'] = [0x84000082, 2, 0xf];

  test('call back in a wait, once for each bit, lowest first; strays are counted', () => {
    const came: number[] = [];
    const guest = probed(function* (ffa) {
      const note = (_ffa: DriverCpu, bit: number) => {
        came.push(bit);
        return undefined;
      };
      must(yield* ffa.requestNotification(0x8001, note));
      must(yield* ffa.requestNotification(0x8001, note, { bit: 40 }));
      yield* ffa.wait(1000);
    });
    const vcpu = new FakeVcpu();
    const exit = drive(guest, vcpu, [
      { call: [0x8400007f, 0x80010002, 0, 1], answer: [SUCCESS] },
      { call: [0x8400007f, 0x80010002, 0, 0, 0x100], answer: [SUCCESS] },
    ]);
    expect(exit).toBe(EXIT_WORK);
    expect(vcpu.workNs).toBe(1000);
    vcpu.interrupts.push(8);
    const waits = drive(guest, vcpu, [{ call: GET, answer: [SUCCESS, 0, 3, 0x100, 0, 0, 0, 0] }]);
    expect(waits).toBe(EXIT_WORK);
    expect(came).toEqual([0, 40]);
    expect(guest.notifications.strayCount).toBe(1);
    expect(vcpu.interrupts).toEqual([]);
    vcpu.nowNs += 1000;
    expect(guest.run(vcpu)).toBe(EXIT_IDLE);
  });

  test('a callback makes calls of its own before the call that it interrupts', () => {
    const guest = probed(function* (ffa) {
      must(
        yield* ffa.requestNotification(0x8001, function* (inner, bit) {
          must(yield* inner.request(0x8001, [bit]));
        }),
      );
      must(yield* ffa.send(0x8001, new Uint8Array([1])));
    });
    const vcpu = new FakeVcpu();
    expect(guest.run(vcpu)).toBe(EXIT_CALL);
    vcpu.answer(SUCCESS);
    vcpu.interrupts.push(8);
    const exit = drive(guest, vcpu, [
      { call: GET, answer: [SUCCESS, 0, 1] },
      { call: [0x8400006f, 0x28001], answer: [0x84000070, 0x80010002] },
      { call: [0x84000086], answer: [SUCCESS] },
    ]);
    expect(exit).toBe(EXIT_IDLE);
  });

  test('a full RX goes to whoever asked for messages', () => {
    const messages: string[] = [];
    const guest = probed(function* (ffa) {
      ffa.onMessage((_ffa, { payload, sender }) => {
        messages.push(`${sender.toString(16)}: ${payload.join(' ')}`);
        return undefined;
      });
      yield* ffa.wait(1000);
    });
    const vcpu = new FakeVcpu();
    expect(guest.run(vcpu)).toBe(EXIT_WORK);
    vcpu.interrupts.push(8);
    const header = `${'00000000'.repeat(2)}28000000${'02000180'}02000000`.padEnd(80, '0');
    const exit = drive(guest, vcpu, [
      { call: GET, rx: `${header}0a0b`, answer: [SUCCESS, 0, 0, 0, 0, 0, 0, 1] },
      { call: [0x84000065], answer: [SUCCESS] },
    ]);
    expect(exit).toBe(EXIT_WORK);
    expect(messages).toEqual(['8001: 10 11']);
  });

  test('the schedule-receiver interrupt asks for whom, tells the callback, and takes its own', () => {
    const told: string[] = [];
    const guest = probed(function* (ffa) {
      ffa.onSchedule((_ffa, partition, vcpus) => {
        told.push(`${partition.toString(16)}: ${vcpus.join(' ')}`);
        return undefined;
      });
      yield* ffa.wait(1000);
    });
    const vcpu = new FakeVcpu();
    guest.run(vcpu);
    vcpu.interrupts.push(9);
    drive(guest, vcpu, [
      // Two lists: 0x8001 with vCPUs 1 and 3; this guest.
      { call: [0xc4000083], answer: [SUCCESS_64, 0, 0x2100, '0x0002000300018001'] },
      { call: GET, answer: [SUCCESS] },
    ]);
    expect(told).toEqual(['8001: 1 3']);
  });

  test('relinquish unbinds; a bit that nobody bound is no region', () => {
    const ends: string[] = [];
    const guest = probed(function* (ffa) {
      const bit = must(yield* ffa.requestNotification(0x8001, () => undefined, { perVcpu: true }));
      ends.push(outcomeName((yield* ffa.relinquishNotification(bit)).outcome));
      ends.push(outcomeName((yield* ffa.relinquishNotification(bit)).outcome));
      ends.push(outcomeName((yield* ffa.sendNotification(0x8001, 5, { vcpu: 2, delaySri: true })).outcome));
    });
    drive(guest, new FakeVcpu(), [
      { call: [0x8400007f, 0x80010002, 1, 1], answer: [SUCCESS] },
      { call: [0x84000080, 0x80010002, 0, 1], answer: [SUCCESS] },
      { call: [0x84000081, 0x28001, 0x20003, 0x20], answer: [ERROR, 0, -6] },
    ]);
    expect(ends).toEqual(['SUCCESS', 'NO_REGION', 'DENIED']);
  });

  test('all 64 bits bound: NO_MEMORY, without a call', () => {
    let last = '';
    const guest = probed(function* (ffa) {
      for (let bit = 0; bit < 64; bit++) must(yield* ffa.requestNotification(0x8001, () => undefined));
      last = outcomeName((yield* ffa.requestNotification(0x8001, () => undefined)).outcome);
    });
    const bind = (bit: number): Exchange => ({
      call: [0x8400007f, 0x80010002, 0, ...(bit < 32 ? [2 ** bit] : [0, 2 ** (bit - 32)])],
      answer: [SUCCESS],
    });
    drive(
      guest,
      new FakeVcpu(),
      Array.from({ length: 64 }, (_, bit) => bind(bit)),
    );
    expect(last).toBe('NO_MEMORY');
  });
});

describe('memory', () => {
  test('pages of a refused and of a reclaimed region are free again; a half-sent one stays taken', () => {
    const addresses: number[] = [];
    const guest = probed(function* (ffa) {
      const refused = yield* ffa.share({ to: 0x8001, pages: 2 });
      addresses.push(refused.outcome);
      const first = must(yield* ffa.share({ to: 0x8001, pages: 2 }));
      addresses.push(first.ranges[0].address);
      must(yield* ffa.reclaim(first, { zero: true }));
      yield* ffa.share({ to: 0x8001, pages: 2, scattered: true, fragmentBytes: 112 });
      addresses.push(must(yield* ffa.lend({ to: 0x8001 })).ranges[0].address);
      expect([...ffa.endpoint.regions.values()].map(({ state }) => state)).toEqual(['sending', 'sent']);
    });
    drive(guest, new FakeVcpu(), [
      { call: [0x84000073, 112, 112], answer: [ERROR, 0, -3] },
      { call: [0x84000073, 112, 112], answer: [SUCCESS, 0, 5] },
      { call: [0x84000077, 5, 0, 1], answer: [SUCCESS] },
      { call: [0x84000073, 128, 112], answer: [0x8400007a, 6, 0, 112] },
      { call: [0x8400007b, 6, 0, 16], answer: [ERROR, 0, -3] },
      { call: [0x84000072, 112, 112], answer: [SUCCESS, 0, 7] },
    ]);
    expect(addresses).toEqual([-3, RAM_BASE + 0x10000, RAM_BASE + 0x11000]);
  });

  test('without room there is no call', () => {
    let end = '';
    const guest = probed(function* (ffa) {
      end = outcomeName((yield* ffa.donate({ to: 0x8001, pages: RAM_PAGES })).outcome);
    });
    expect(drive(guest, new FakeVcpu(), [])).toBe(EXIT_IDLE);
    expect(end).toBe('NO_REGION');
  });
});

test('a reset begins the task anew, with nothing left', () => {
  const seen: number[] = [];
  const guest = driver(function* (ffa) {
    seen.push(ffa.id);
    must(yield* ffa.version());
    seen.push(ffa.id);
  });
  drive(guest, new FakeVcpu(), VERSION);
  guest.reset();
  drive(guest, new FakeVcpu(), VERSION);
  expect(seen).toEqual([-1, 2, -1, 2]);
});

test('as many tasks as vCPUs', () => {
  const make = guestDriver([function* () {}, function* () {}]);
  const environment = { name: 'g1', vcpuCount: 1, version: FFA_VERSION_1_2, memory: { address: 0, pageCount: 4 } };
  expect(() => make(environment as never)).toThrow('guest g1: 2 tasks for 1 vCPUs');
});
