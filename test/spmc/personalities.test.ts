// Where SPMCs disagree: one row for each disagreement, one test for each personality that imitates its side. The table
// of docs/personalities.md names these tests.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  FFA_FEATURES,
  FFA_MEM_DONATE_32,
  FFA_MEM_FRAG_RX,
  FFA_MEM_FRAG_TX,
  FFA_MEM_LEND_32,
  FFA_MEM_SHARE_32,
  FFA_MEM_SHARE_64,
  FFA_MSG_SEND_DIRECT_REQ_32,
  FFA_MSG_SEND_DIRECT_RESP_32,
  FFA_MSG_WAIT,
  FFA_PARTITION_INFO_GET,
  FFA_PARTITION_INFO_GET_REGS,
  FFA_RX_RELEASE,
  FFA_RXTX_MAP_32,
  FFA_RXTX_UNMAP,
} from '../../src/abi/function-ids.ts';
import { EXIT_CRASH } from '../../src/hardware/partition-entry.ts';
import type { SpmcOptions } from '../../src/spmc/options.ts';
import type { PartitionManifest } from '../../src/spmc/partition-setup.ts';
import { PERSONALITIES } from '../../src/spmc/personalities/personality-table.ts';
import { apart, descriptor, type Memory, MemoryWorld, PAGE, VM } from './memory-world.ts';
import { callWith, GUEST_MEMORY, HYPERVISOR_RX, HYPERVISOR_TX, ids, SP1, SP2, said } from './small-world.ts';

type Name = 'hafnium' | 'tfa-el3' | 'optee';

const RW = 2;
const SP1_IMAGE = 0x5000_0000;
const OWN: Memory = { sender: SP1, to: [[SP2, RW]], at: [[SP1_IMAGE, 1]] };
const VM_CREATED = 0x8000_0004;
const VM_DESTROYED = 0x8000_0006;

function worldOf(
  name: Name,
  manifests: readonly Partial<PartitionManifest>[] = [{}, {}],
  options: Partial<SpmcOptions> = {},
): MemoryWorld {
  const personality = PERSONALITIES.get(name);
  if (personality === undefined) throw new Error(name);
  return new MemoryWorld(manifests, { personality, ...options });
}

function shared(world: MemoryWorld, memory: Memory = {}): number {
  return world.sent(memory);
}

/** Sends 300 constituents in two fragments; the handle. */
function sentLong(world: MemoryWorld): number {
  const bytes = descriptor({ at: apart(GUEST_MEMORY, 300) });
  world.write(HYPERVISOR_TX, bytes.subarray(0, PAGE));
  const first = world.call(FFA_MEM_SHARE_32, bytes.length, PAGE);
  world.write(HYPERVISOR_TX, bytes.subarray(PAGE));
  const last = world.call(FFA_MEM_FRAG_TX, first[1], first[2], bytes.length - PAGE, ids(VM, 0));
  expect(said(last)).toBe('FFA_SUCCESS_32');
  return last[2] + last[3] * 2 ** 32;
}

/** What each personality does, in words; a function that finds it out. */
interface Disagreement {
  readonly subject: string;
  readonly sides: Partial<Record<Name, string>>;
  readonly find: (world: MemoryWorld, name: Name) => string;
  readonly manifests?: readonly Partial<PartitionManifest>[];
  readonly options?: Partial<SpmcOptions>;
}

const DISAGREEMENTS: readonly Disagreement[] = [
  {
    subject: 'a partition shares',
    sides: { hafnium: 'FFA_SUCCESS_32', 'tfa-el3': 'FFA_ERROR INVALID_PARAMETERS', optee: 'FFA_SUCCESS_32' },
    find: (world) => said(world.carry(SP1, FFA_MEM_SHARE_32, descriptor(OWN))),
  },
  {
    subject: 'a partition lends',
    sides: { hafnium: 'FFA_SUCCESS_32', 'tfa-el3': 'FFA_ERROR INVALID_PARAMETERS', optee: 'FFA_ERROR NOT_SUPPORTED' },
    find: (world) => said(world.carry(SP1, FFA_MEM_LEND_32, descriptor({ ...OWN, attributes: 0 }))),
  },
  {
    subject: 'a VM donates',
    sides: { hafnium: 'FFA_SUCCESS_32', 'tfa-el3': 'FFA_ERROR NOT_SUPPORTED', optee: 'FFA_ERROR NOT_SUPPORTED' },
    find: (world) => {
      const bytes = descriptor({ at: [[GUEST_MEMORY, 1]], attributes: 0, to: [[SP1, 0]] });
      return said(world.carry(0, FFA_MEM_DONATE_32, bytes));
    },
  },
  {
    subject: 'FFA_FEATURES of a call that is not there',
    sides: { hafnium: 'FFA_SUCCESS_32', 'tfa-el3': 'FFA_ERROR NOT_SUPPORTED', optee: 'FFA_ERROR NOT_SUPPORTED' },
    find: (world) => said(world.call(FFA_FEATURES, FFA_MEM_DONATE_32)),
  },
  {
    subject: 'a partition sends in fragments',
    sides: { hafnium: 'FFA_MEM_FRAG_RX', optee: 'FFA_ERROR NOT_SUPPORTED' },
    find: (world) => {
      const bytes = descriptor({ ...OWN, at: apart(SP1_IMAGE, 8) });
      world.write(world.txOf(SP1), bytes);
      return said(world.callAs(SP1, FFA_MEM_SHARE_32, bytes.length, 112));
    },
  },
  {
    subject: 'retrieve of an unknown handle',
    sides: {
      hafnium: 'FFA_ERROR INVALID_PARAMETERS',
      'tfa-el3': 'FFA_ERROR INVALID_PARAMETERS',
      optee: 'FFA_ERROR DENIED',
    },
    find: (world) => world.retrieve(SP1, { handle: 99 }),
  },
  {
    subject: 'retrieve that names another sender',
    sides: { hafnium: 'FFA_ERROR DENIED', 'tfa-el3': 'FFA_ERROR INVALID_PARAMETERS' },
    find: (world) => world.retrieve(SP1, { handle: shared(world), sender: 9 }),
  },
  {
    subject: 'retrieve while RX is full',
    sides: { hafnium: 'FFA_ERROR BUSY', 'tfa-el3': 'FFA_ERROR DENIED', optee: 'FFA_ERROR DENIED' },
    find: (world) => {
      const handle = shared(world);
      world.retrieveFull(SP1, { handle });
      return said(world.retrieveFull(SP1, { handle }));
    },
  },
  {
    subject: 'a borrower retrieves a second time',
    sides: {
      hafnium: 'FFA_ERROR DENIED',
      'tfa-el3': 'FFA_MEM_RETRIEVE_RESP',
      optee: 'FFA_MEM_RETRIEVE_RESP',
    },
    find: (world) => {
      const handle = shared(world);
      world.retrieve(SP1, { handle });
      return world.retrieve(SP1, { handle });
    },
  },
  {
    subject: 'reclaim while a borrower that retrieved twice has relinquished once',
    sides: {
      hafnium: 'FFA_SUCCESS_32, FFA_ERROR INVALID_PARAMETERS',
      'tfa-el3': 'FFA_ERROR DENIED, FFA_SUCCESS_32',
      optee: 'FFA_ERROR DENIED, FFA_SUCCESS_32',
    },
    find: (world) => {
      const handle = shared(world);
      world.retrieve(SP1, { handle });
      world.retrieve(SP1, { handle });
      world.relinquish(SP1, handle);
      const early = world.reclaim(handle);
      world.relinquish(SP1, handle);
      return `${early}, ${world.reclaim(handle)}`;
    },
  },
  {
    subject: 'reclaim while a borrower holds',
    sides: { hafnium: 'FFA_ERROR DENIED', 'tfa-el3': 'FFA_ERROR DENIED', optee: 'FFA_ERROR DENIED' },
    find: (world) => {
      const handle = shared(world);
      world.retrieve(SP1, { handle });
      return world.reclaim(handle);
    },
  },
  {
    subject: 'reclaim of a handle that was never given',
    sides: {
      hafnium: 'FFA_ERROR INVALID_PARAMETERS',
      'tfa-el3': 'FFA_ERROR INVALID_PARAMETERS',
      optee: 'FFA_ERROR INVALID_PARAMETERS',
    },
    find: (world) => world.reclaim(77),
  },
  {
    subject: 'a page that is in another transaction',
    sides: { hafnium: 'FFA_ERROR DENIED', 'tfa-el3': 'FFA_ERROR INVALID_PARAMETERS' },
    find: (world) => {
      shared(world);
      return said(world.carry(0, FFA_MEM_SHARE_32, descriptor({ at: [[GUEST_MEMORY, 1]] })));
    },
  },
  {
    subject: 'a constituent that is not aligned',
    sides: { hafnium: 'FFA_ERROR INVALID_PARAMETERS', optee: 'FFA_ERROR INVALID_PARAMETERS' },
    find: (world) => said(world.carry(0, FFA_MEM_SHARE_32, descriptor({ at: [[GUEST_MEMORY + 8, 1]] }))),
  },
  {
    subject: 'lend with the zero flag',
    sides: { hafnium: 'zeroed', 'tfa-el3': 'FFA_ERROR INVALID_PARAMETERS', optee: 'not zeroed' },
    find: (world) => {
      world.write(GUEST_MEMORY, new Uint8Array([5]));
      const bytes = descriptor({ at: [[GUEST_MEMORY, 1]], attributes: 0, flags: 1 });
      const answer = said(world.carry(0, FFA_MEM_LEND_32, bytes));
      if (answer !== 'FFA_SUCCESS_32') return answer;
      return world.read(GUEST_MEMORY, 1)[0] === 0 ? 'zeroed' : 'not zeroed';
    },
  },
  {
    subject: 'reclaim with the zero flag',
    sides: { hafnium: 'FFA_SUCCESS_32', 'tfa-el3': 'FFA_ERROR INVALID_PARAMETERS', optee: 'FFA_ERROR DENIED' },
    find: (world) => world.reclaim(shared(world), 1),
  },
  {
    subject: 'relinquish with the zero flag by the last holder of a lend',
    sides: { hafnium: 'FFA_SUCCESS_32', 'tfa-el3': 'FFA_ERROR INVALID_PARAMETERS', optee: 'FFA_SUCCESS_32' },
    find: (world) => {
      const handle = world.sent({ attributes: 0 }, FFA_MEM_LEND_32);
      expect(world.retrieve(SP1, { handle, to: [[SP1, 6]] })).toBe('FFA_MEM_RETRIEVE_RESP');
      return world.relinquish(SP1, handle, 1);
    },
  },
  {
    subject: 'the last fragment of a response, read again',
    sides: { hafnium: 'FFA_ERROR INVALID_PARAMETERS', 'tfa-el3': 'FFA_MEM_FRAG_TX' },
    find: (world) => {
      const handle = sentLong(world);
      const words = [handle % 2 ** 32, Math.floor(handle / 2 ** 32), PAGE] as const;
      world.retrieve(SP1, { handle });
      expect(said(world.callAs(SP1, FFA_MEM_FRAG_RX, ...words))).toBe('FFA_MEM_FRAG_TX');
      world.release(SP1);
      return said(world.callAs(SP1, FFA_MEM_FRAG_RX, ...words));
    },
  },
  {
    subject: 'a response that does not fit RX',
    sides: {
      hafnium: 'FFA_MEM_RETRIEVE_RESP',
      'tfa-el3': 'FFA_MEM_RETRIEVE_RESP',
      optee: 'FFA_ERROR INVALID_PARAMETERS',
    },
    find: (world) => world.retrieve(SP1, { handle: sentLong(world) }),
  },
  {
    subject: "a response's handle and length",
    sides: { hafnium: 'right, 112', 'tfa-el3': 'right, 112', optee: 'zero, 4096' },
    find: (world) => {
      // Slot 1, so that no right handle is zero.
      shared(world, { at: [[GUEST_MEMORY + PAGE, 1]] });
      const handle = shared(world);
      const answer = world.retrieveFull(SP1, { handle });
      const view = world.rxView(SP1);
      const told = view.getUint32(8, true) + view.getUint32(12, true) * 2 ** 32;
      return `${told === handle ? 'right' : told === 0 ? 'zero' : 'wrong'}, ${answer[1]}`;
    },
  },
  {
    subject: "a descriptor in the sender's own buffer",
    sides: {
      hafnium: 'FFA_ERROR INVALID_PARAMETERS',
      'tfa-el3': 'FFA_ERROR INVALID_PARAMETERS',
      optee: 'FFA_SUCCESS_32',
    },
    find: (world) => {
      const bytes = descriptor({ at: [[GUEST_MEMORY, 1]] });
      world.write(GUEST_MEMORY + 9 * PAGE, bytes);
      return said(world.call(FFA_MEM_SHARE_64, bytes.length, bytes.length, GUEST_MEMORY + 9 * PAGE, 1));
    },
  },
  {
    subject: 'reclaim after VM_DESTROYED of what a partition still holds',
    sides: { hafnium: 'FFA_ERROR DENIED', 'tfa-el3': 'FFA_ERROR DENIED', optee: 'FFA_SUCCESS_32' },
    manifests: [{ vmAvailabilityMessages: 3 }, {}],
    find: (world) => {
      const handle = shared(world);
      world.retrieve(SP1, { handle });
      expect(availability(world, SP1, VM_DESTROYED, VM)).toBe('FFA_MSG_SEND_DIRECT_RESP_32');
      return world.reclaim(handle);
    },
  },
  {
    subject: 'VM_CREATED to a partition that did not ask for it',
    sides: {
      hafnium: 'FFA_ERROR INVALID_PARAMETERS',
      'tfa-el3': 'FFA_MSG_SEND_DIRECT_RESP_32',
      optee: 'FFA_ERROR INVALID_PARAMETERS',
    },
    find: (world) => availability(world, SP1, VM_CREATED, 5),
  },
  {
    subject: 'another framework message',
    sides: {
      hafnium: 'FFA_ERROR INVALID_PARAMETERS',
      'tfa-el3': 'FFA_MSG_SEND_DIRECT_RESP_32',
      optee: 'FFA_ERROR NOT_SUPPORTED',
    },
    manifests: [{ vmAvailabilityMessages: 3 }, {}],
    find: (world) => availability(world, SP1, 0x8000_0020, 5),
  },
  {
    subject: 'FFA_RXTX_MAP in its 32-bit form',
    sides: { hafnium: 'FFA_ERROR NOT_SUPPORTED', 'tfa-el3': 'FFA_SUCCESS_32', optee: 'FFA_SUCCESS_32' },
    find: (world) => {
      world.call(FFA_RXTX_UNMAP);
      return said(world.call(FFA_RXTX_MAP_32, GUEST_MEMORY, GUEST_MEMORY + PAGE, 1));
    },
  },
  {
    subject: 'size of partition information to a caller of 1.2',
    sides: { 'tfa-el3': '24', optee: '24' },
    find: (world) => {
      const answer = world.call(FFA_PARTITION_INFO_GET);
      expect(new DataView(world.read(HYPERVISOR_RX, PAGE).buffer).getUint16(answer[3], true)).toBe(SP2);
      world.call(FFA_RX_RELEASE);
      return String(answer[3]);
    },
  },
  {
    subject: 'FFA_PARTITION_INFO_GET_REGS',
    sides: { hafnium: 'FFA_SUCCESS_64', 'tfa-el3': 'FFA_ERROR NOT_SUPPORTED', optee: 'FFA_SUCCESS_64' },
    find: (world) => said(world.call(FFA_PARTITION_INFO_GET_REGS)),
  },
  {
    subject: 'a direct request to a partition that takes none',
    sides: { hafnium: 'FFA_ERROR DENIED', 'tfa-el3': 'FFA_ERROR DENIED', optee: 'FFA_ERROR NOT_SUPPORTED' },
    manifests: [{ services: [{ uuid: [1, 2, 3, 4], messagingMethod: 4 }] }, {}],
    find: (world) => said(world.call(FFA_MSG_SEND_DIRECT_REQ_32, ids(VM, SP1))),
  },
  {
    subject: 'handles',
    sides: { hafnium: '0 1', 'tfa-el3': '4294967232 4294967233', optee: '17592186241024 17592186241025' },
    find: (world) => [0, 1].map((n) => shared(world, { at: [[GUEST_MEMORY + n * PAGE, 1]] })).join(' '),
  },
  {
    subject: 'what a partition that crashed held',
    sides: { hafnium: 'FFA_SUCCESS_32', 'tfa-el3': 'FFA_ERROR DENIED', optee: 'FFA_ERROR DENIED' },
    find: (world) => {
      const handle = shared(world);
      world.retrieve(SP1, { handle });
      world.program(SP1).behaviour = () => EXIT_CRASH;
      world.call(FFA_MSG_SEND_DIRECT_REQ_32, ids(VM, SP1));
      return world.reclaim(handle);
    },
  },
];

/** A framework message that the partition answers with its type and one more. */
function availability(world: MemoryWorld, id: number, w2: number, vm: number): string {
  world.program(id).behaviour = (context) =>
    context.registers.w(0) === FFA_MSG_SEND_DIRECT_REQ_32
      ? callWith(context, FFA_MSG_SEND_DIRECT_RESP_32, ids(id, 0), w2 + 1)
      : callWith(context, FFA_MSG_WAIT);
  return said(world.call(FFA_MSG_SEND_DIRECT_REQ_32, ids(0, id), w2, 0, 0, vm));
}

for (const { subject, sides, find, manifests, options } of DISAGREEMENTS) {
  describe(subject, () => {
    for (const [name, expected] of Object.entries(sides) as [Name, string][]) {
      test(`${name}: ${expected}`, () => {
        expect(find(worldOf(name, manifests, options), name)).toBe(expected);
      });
    }
  });
}

const NAMES: readonly Name[] = ['hafnium', 'tfa-el3', 'optee'];
const NOT_IMITATED = 'not imitated';

describe('docs/personalities.md', () => {
  const page = readFileSync(join(import.meta.dirname, '../../docs/personalities.md'), 'utf8');

  test('has a row for each disagreement, a cell for each test', () => {
    const rows = DISAGREEMENTS.map(({ subject, sides }) => {
      const cells = NAMES.map((name) => (sides[name] === undefined ? NOT_IMITATED : `${name}: ${sides[name]}`));
      return `| ${[subject, ...cells].join(' | ')} |`;
    });
    const from = page.indexOf('| disagreement |');
    const table = page.slice(from, page.indexOf('\n\n', from)).split('\n');
    expect(table.slice(2)).toEqual(rows);
  });

  test('says of each cell that is not imitated what the real one does', () => {
    const open = DISAGREEMENTS.filter(({ sides }) => NAMES.some((name) => sides[name] === undefined));
    expect(open.map(({ subject }) => subject)).toEqual([
      'a partition sends in fragments',
      'retrieve that names another sender',
      'a page that is in another transaction',
      'a constituent that is not aligned',
      'the last fragment of a response, read again',
      'size of partition information to a caller of 1.2',
    ]);
    const said = page.slice(page.indexOf('## What is not imitated'));
    for (const words of ['48 bytes', 'Sender mismatch', 'another transaction', 'Unaligned', 'last fragment again']) {
      expect(said).toContain(words);
    }
  });

  test('names the personalities that there are', () => {
    expect([...PERSONALITIES.keys()]).toEqual(NAMES);
  });
});
