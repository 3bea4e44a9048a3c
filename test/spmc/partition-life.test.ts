// A partition's end and its next life: who is told what, and what becomes of memory that it borrowed, lent and owned.

import { describe, expect, test } from 'vitest';
import {
  FFA_ABORT_32,
  FFA_MEM_LEND_32,
  FFA_MEM_RETRIEVE_REQ_32,
  FFA_MEM_SHARE_32,
  FFA_MSG_SEND_DIRECT_REQ_32,
  FFA_MSG_SEND_DIRECT_RESP_32,
  FFA_MSG_WAIT,
  FFA_PARTITION_INFO_GET,
  FFA_RUN,
} from '../../src/abi/function-ids.ts';
import { UserError } from '../../src/base/user-error.ts';
import { EXIT_CRASH, EXIT_WORK, type VcpuContext } from '../../src/hardware/partition-entry.ts';
import { STAGE2_INVALID, STAGE2_RW, STAGE2_RWX, STAGE2_SHARED, STAGE2_UNOWNED } from '../../src/hardware/stage2.ts';
import type { SpmcOptions } from '../../src/spmc/options.ts';
import type { PartitionManifest } from '../../src/spmc/partition-setup.ts';
import { OPTEE_PERSONALITY } from '../../src/spmc/personalities/optee.ts';
import { TFA_EL3_PERSONALITY } from '../../src/spmc/personalities/tfa-el3.ts';
import { apart, descriptor, MemoryWorld, PAGE } from './memory-world.ts';
import { callWith, GUEST_MEMORY, ids, SP1, SP2, SP3, said } from './small-world.ts';

type Action = NonNullable<PartitionManifest['abortAction']>;

const RW = 2;
const SP1_IMAGE = 0x5000_0000;
const SP1_PAGE = SP1_IMAGE / PAGE;
const OWN = { sender: SP1, to: [[SP2, RW]], at: [[SP1_IMAGE, 1]] } as const;
const TO_BOTH = {
  ...OWN,
  to: [
    [SP2, RW],
    [SP3, RW],
  ],
} as const;

/** Three partitions, of which the first has this abort-action. */
function worldOf(abortAction?: Action, options: Partial<SpmcOptions> = {}): MemoryWorld {
  return new MemoryWorld([abortAction === undefined ? {} : { abortAction }, {}, {}], options);
}

/** SP1 dies serving a VM's request; what the VM is told. */
function crash(world: MemoryWorld, id = SP1): string {
  world.program(id).behaviour = () => EXIT_CRASH;
  const answer = said(world.call(FFA_MSG_SEND_DIRECT_REQ_32, ids(3, id)));
  world.program(id).behaviour = echo;
  return answer;
}

/** What the operator is told; nothing on the way takes time. */
function restart(world: MemoryWorld, id: number): boolean {
  const coroutine = world.spmc.restart(world.pe, id);
  for (;;) {
    const next = coroutine.next();
    if (next.done === true) return next.value;
  }
}

function echo(context: VcpuContext) {
  const r = context.registers;
  return r.w(0) === FFA_MSG_SEND_DIRECT_REQ_32
    ? callWith(context, FFA_MSG_SEND_DIRECT_RESP_32, ids(context.endpoint, r.w(1) >>> 16))
    : callWith(context, FFA_MSG_WAIT);
}

describe('whoever calls a partition that dies', () => {
  test.each<[Action, string, string]>([
    ['keep', 'FFA_ERROR ABORTED', 'FFA_ERROR ABORTED'],
    ['stop', 'FFA_ERROR ABORTED', 'FFA_ERROR ABORTED'],
    ['destroy', 'FFA_ERROR ABORTED', 'FFA_ERROR INVALID_PARAMETERS'],
    ['restart', 'FFA_ERROR ABORTED', 'FFA_MSG_SEND_DIRECT_RESP_32'],
  ])('is told so (abort-action %s), and afterwards', (action, at, afterwards) => {
    const world = worldOf(action);
    expect(crash(world)).toBe(at);
    expect(said(world.call(FFA_MSG_SEND_DIRECT_REQ_32, ids(3, SP1)))).toBe(afterwards);
    const ran = said(world.call(FFA_RUN, ids(SP1, 0)));
    expect(ran).toBe(action === 'restart' ? 'FFA_MSG_WAIT' : afterwards);
  });

  test.each<[Action, string]>([
    ['stop', 'FFA_ERROR ABORTED'],
    ['destroy', 'FFA_ERROR ABORTED'],
    ['restart', 'FFA_ERROR ABORTED'],
  ])('is told so when it is a partition (abort-action %s)', (action, expected) => {
    const world = worldOf(action);
    let answer = '';
    world.program(SP1).behaviour = () => EXIT_CRASH;
    world.program(SP2).behaviour = (context) => {
      const w0 = context.registers.w(0);
      if (w0 === FFA_MSG_SEND_DIRECT_REQ_32) return callWith(context, FFA_MSG_SEND_DIRECT_REQ_32, ids(SP2, SP1));
      answer = said([w0, context.registers.w(1), context.registers.w(2)]);
      return callWith(context, FFA_MSG_SEND_DIRECT_RESP_32, ids(SP2, 3));
    };
    expect(said(world.call(FFA_MSG_SEND_DIRECT_REQ_32, ids(3, SP2)))).toBe('FFA_MSG_SEND_DIRECT_RESP_32');
    expect(answer).toBe(expected);
  });

  test('hears of it when the partition has started anew', () => {
    const world = worldOf('restart');
    const { program } = world.spmc.partitions[0].vcpus[0];
    crash(world);
    expect((program as ReturnType<typeof world.program>).started).toBe(true);
    expect(world.program(SP1).entries).toEqual([]);
  });

  test('FFA_ABORT is a crash', () => {
    const world = worldOf();
    const handle = world.sent({});
    world.retrieve(SP1, { handle });
    world.program(SP1).behaviour = (context) => callWith(context, FFA_ABORT_32);
    expect(said(world.call(FFA_MSG_SEND_DIRECT_REQ_32, ids(3, SP1)))).toBe('FFA_ERROR ABORTED');
    expect(world.reclaim(handle)).toBe('FFA_SUCCESS_32');
    expect(said(world.call(FFA_ABORT_32))).toBe('FFA_ERROR NOT_SUPPORTED');
  });
});

describe('what a partition that dies borrowed', () => {
  test.each<[string, Action | undefined, Partial<SpmcOptions>, string]>([
    ['hafnium', undefined, {}, 'FFA_SUCCESS_32'],
    ['hafnium, keep', 'keep', {}, 'FFA_ERROR DENIED'],
    ['hafnium, stop', 'stop', {}, 'FFA_SUCCESS_32'],
    ['hafnium, destroy', 'destroy', {}, 'FFA_SUCCESS_32'],
    ['hafnium, restart', 'restart', {}, 'FFA_SUCCESS_32'],
    ['tfa-el3', undefined, { personality: TFA_EL3_PERSONALITY }, 'FFA_ERROR DENIED'],
    ['optee', undefined, { personality: OPTEE_PERSONALITY }, 'FFA_ERROR DENIED'],
  ])('is relinquished for it or not (%s)', (_name, action, options, expected) => {
    const world = worldOf(action, options);
    const handle = world.sent({});
    expect(world.retrieve(SP1, { handle })).toBe('FFA_MEM_RETRIEVE_RESP');
    const partition = world.spmc.partitions[0];
    crash(world);
    expect(partition.pages.translate(GUEST_MEMORY / PAGE) < 0).toBe(expected === 'FFA_SUCCESS_32');
    expect(world.reclaim(handle)).toBe(expected);
  });

  test('is relinquished though its response is half read', () => {
    const world = worldOf();
    const bytes = descriptor({ at: apart(GUEST_MEMORY, 200) });
    const handle = world.sent({ at: apart(GUEST_MEMORY, 200) });
    expect(bytes.length).toBeLessThan(PAGE);
    world.retrieveFull(SP1, { handle });
    crash(world);
    expect(world.reclaim(handle)).toBe('FFA_SUCCESS_32');
  });

  test('is stopped from being written by its device before it is unmapped', () => {
    const order: string[] = [];
    let world: MemoryWorld | undefined;
    const devices = {
      stop(id: number) {
        order.push(`stop 0x${id.toString(16)}, page ${world?.page(SP1) === 0 ? 'gone' : 'there'}`);
      },
    };
    world = worldOf(undefined, { devices });
    const handle = world.sent({});
    world.retrieve(SP1, { handle });
    crash(world);
    expect(order).toEqual(['stop 0x8001, page there']);
    expect(world.page(SP1)).toBe(0);
  });
});

describe('what a partition that dies sent', () => {
  test('comes back to it when nobody holds it: a later retrieve finds no such handle', () => {
    const world = worldOf();
    const handle = world.sent(OWN, FFA_MEM_SHARE_32, SP1);
    expect(world.page(SP1, SP1_PAGE)).toBe(STAGE2_RWX | STAGE2_SHARED);
    crash(world);
    expect(world.page(SP1, SP1_PAGE)).toBe(STAGE2_RWX);
    expect(world.spmc.slots.inUse).toBe(0);
    expect(world.retrieve(SP2, { handle, sender: SP1 })).toBe('FFA_ERROR INVALID_PARAMETERS');
  });

  test('comes back with its last relinquish; until then nobody else retrieves it, and nobody reclaims it', () => {
    const world = worldOf();
    const handle = world.sent(TO_BOTH, FFA_MEM_SHARE_32, SP1);
    const request = { handle, sender: SP1, to: TO_BOTH.to };
    expect(world.retrieve(SP2, request)).toBe('FFA_MEM_RETRIEVE_RESP');
    crash(world);
    expect(world.page(SP2, SP1_PAGE)).toBe(STAGE2_RW | STAGE2_UNOWNED | STAGE2_SHARED);
    expect(world.retrieve(SP3, request)).toBe('FFA_ERROR DENIED');
    expect(world.reclaim(handle)).toBe('FFA_ERROR DENIED');
    expect(world.spmc.slots.inUse).toBe(1);
    expect(world.relinquish(SP2, handle)).toBe('FFA_SUCCESS_32');
    expect([world.page(SP1, SP1_PAGE), world.page(SP2, SP1_PAGE)]).toEqual([STAGE2_RWX, 0]);
    expect(world.spmc.slots.inUse).toBe(0);
  });

  test('comes back when the last borrower dies too', () => {
    const world = worldOf();
    const handle = world.sent({ ...OWN, attributes: 0 }, FFA_MEM_LEND_32, SP1);
    expect(world.retrieve(SP2, { handle, sender: SP1, to: [[SP2, 6]] })).toBe('FFA_MEM_RETRIEVE_RESP');
    crash(world);
    expect(world.page(SP1, SP1_PAGE)).toBe(STAGE2_RWX | STAGE2_INVALID);
    crash(world, SP2);
    expect(world.page(SP1, SP1_PAGE)).toBe(STAGE2_RWX);
    expect(world.spmc.slots.inUse).toBe(0);
  });

  test('in fragments, not all of which have come, is forgotten', () => {
    const world = worldOf();
    const bytes = descriptor({ ...OWN, at: apart(SP1_IMAGE, 10) });
    world.write(world.txOf(SP1), bytes);
    expect(said(world.callAs(SP1, FFA_MEM_SHARE_32, bytes.length, 112))).toBe('FFA_MEM_FRAG_RX');
    expect(world.spmc.slots.inUse).toBe(1);
    crash(world);
    expect(world.spmc.slots.inUse).toBe(0);
  });

  test('is restarted without what it gave away, and what it was is not in its memory', () => {
    const world = worldOf('restart');
    const handle = world.sent({ ...OWN, attributes: 0 }, FFA_MEM_LEND_32, SP1);
    expect(world.retrieve(SP2, { handle, sender: SP1, to: [[SP2, 6]] })).toBe('FFA_MEM_RETRIEVE_RESP');
    world.write(SP1_IMAGE, new Uint8Array([7]));
    world.write(SP1_IMAGE + PAGE, new Uint8Array([7]));
    crash(world);
    expect(world.page(SP1, SP1_PAGE)).toBe(STAGE2_RWX | STAGE2_INVALID);
    expect([...world.read(SP1_IMAGE, 1), ...world.read(SP1_IMAGE + PAGE, 1)]).toEqual([7, 0]);
    expect(world.relinquish(SP2, handle)).toBe('FFA_SUCCESS_32');
    expect(world.page(SP1, SP1_PAGE)).toBe(STAGE2_RWX);
  });
});

describe('an operator', () => {
  test.each(['crash', 'stop'] as const)('ends a partition that waits (%s), and starts it anew', (how) => {
    const world = worldOf();
    const handle = world.sent({});
    world.retrieve(SP1, { handle });
    expect(world.spmc[how](SP1)).toBe(true);
    expect(world.spmc[how](SP1)).toBe(false);
    expect(world.reclaim(handle)).toBe('FFA_SUCCESS_32');
    expect(said(world.call(FFA_RUN, ids(SP1, 0)))).toBe('FFA_ERROR ABORTED');
    expect(world.spmc.partitions[0].mapped).toBe(false);
    expect(restart(world, SP1)).toBe(true);
    expect(world.spmc.partitions[0].mapped).toBe(true);
    expect(said(world.call(FFA_RUN, ids(SP1, 0)))).toBe('FFA_MSG_WAIT');
    const again = world.sent({});
    expect(world.retrieve(SP1, { handle: again })).toBe('FFA_MEM_RETRIEVE_RESP');
  });

  test('ends one that computes when it would go on, and its caller hears of it', () => {
    const world = worldOf();
    const handle = world.sent({});
    world.retrieve(SP1, { handle });
    world.program(SP1).behaviour = (context) => {
      context.workNs = 1000;
      return EXIT_WORK;
    };
    world.pe.smc.clear();
    world.pe.smc.setW(0, FFA_MSG_SEND_DIRECT_REQ_32);
    world.pe.smc.setW(1, ids(3, SP1));
    const pending = world.spmc.smc(world.pe);
    pending?.next();
    expect(world.spmc.crash(SP1)).toBe(true);
    expect(world.page(SP1)).not.toBe(0);
    if (pending !== null) world.drive(pending);
    expect(said([world.pe.smc.w(0), 0, world.pe.smc.w(2)])).toBe('FFA_ERROR ABORTED');
    expect(world.page(SP1)).toBe(0);
    expect(world.reclaim(handle)).toBe('FFA_SUCCESS_32');
  });

  test('brings back nobody who was destroyed, and nobody who lives', () => {
    const world = worldOf('destroy');
    expect(restart(world, SP1)).toBe(false);
    crash(world);
    expect(restart(world, SP1)).toBe(false);
    world.program(SP2).behaviour = echo;
    expect(said(world.call(FFA_MSG_SEND_DIRECT_REQ_32, ids(3, SP2)))).toBe('FFA_MSG_SEND_DIRECT_RESP_32');
    expect(world.call(FFA_PARTITION_INFO_GET, 0, 0, 0, 0, 1)[2]).toBe(2);
    world.machine.frames.reset();
    world.spmc.reset();
    world.boot();
    expect(world.call(FFA_PARTITION_INFO_GET, 0, 0, 0, 0, 1)[2]).toBe(3);
  });
});

describe('a partition that dies', () => {
  test('again while it starts anew stays dead', () => {
    const world = worldOf('restart');
    const program = world.program(SP1);
    program.run = () => EXIT_CRASH;
    expect(said(world.call(FFA_MSG_SEND_DIRECT_REQ_32, ids(3, SP1)))).toBe('FFA_ERROR ABORTED');
    expect(said(world.call(FFA_MSG_SEND_DIRECT_REQ_32, ids(3, SP1)))).toBe('FFA_ERROR ABORTED');
    expect(world.spmc.partitions[0].crashed).toBe(true);
  });

  test('dies with all of its contexts', () => {
    const world = new MemoryWorld([{ executionContextCount: 2 }, {}]);
    crash(world);
    expect(said(world.callOn(world.otherPe, FFA_MSG_SEND_DIRECT_REQ_32, ids(3, SP1)))).toBe('FFA_ERROR ABORTED');
  });

  test('between two steps of its call gets nothing by it', () => {
    const world = worldOf();
    const handle = world.sent({});
    const bytes = descriptor({ handle });
    world.write(world.txOf(SP1), bytes);
    world.program(SP1).behaviour = (context) => callWith(context, FFA_MEM_RETRIEVE_REQ_32, bytes.length, bytes.length);
    world.pe.stepping = true;
    world.pe.smc.clear();
    world.pe.smc.setW(0, FFA_RUN);
    world.pe.smc.setW(1, ids(SP1, 0));
    const pending = world.spmc.smc(world.pe);
    if (pending === null) throw new Error('it goes step by step');
    // Until its descriptor has been read, and the call is about to be acted on.
    for (let n = 0; n < 4; n++) pending.next();
    world.spmc.crash(SP1);
    world.drive(pending);
    world.pe.stepping = false;
    expect(world.page(SP1)).toBe(0);
    expect(world.reclaim(handle)).toBe('FFA_SUCCESS_32');
  });
});

test.each<[string, Partial<PartitionManifest>, string]>([
  ['propagate', { abortAction: 'propagate' }, 'partition 0x8001: abort-action propagate would end the whole machine'],
  [
    'restart of many contexts',
    { abortAction: 'restart', executionContextCount: 2 },
    'partition 0x8001: abort-action restart is for partitions with one execution context',
  ],
])('a manifest cannot ask for %s', (_name, manifest, message) => {
  expect(() => new MemoryWorld([manifest])).toThrow(UserError);
  expect(() => new MemoryWorld([manifest])).toThrow(message);
});
