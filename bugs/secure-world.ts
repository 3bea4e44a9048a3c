// The secure world: bugs of SPMCs (Hafnium, TF-A at EL3, OP-TEE at S-EL1), as overrides of ours.

import { FFA_DENIED, FFA_INVALID_PARAMETERS, FFA_OK } from '../src/abi/errors.ts';
import {
  FFA_MEM_DONATE_32,
  FFA_MEM_DONATE_64,
  FFA_MEM_FRAG_RX,
  FFA_MEM_FRAG_TX,
  FFA_MEM_LEND_32,
  FFA_MEM_LEND_64,
  FFA_MEM_RECLAIM,
  FFA_MEM_RELINQUISH,
  FFA_MEM_RETRIEVE_REQ_32,
  FFA_MEM_RETRIEVE_REQ_64,
  FFA_MEM_SHARE_32,
  FFA_MEM_SHARE_64,
  FFA_MSG_SEND_DIRECT_REQ_32,
  FFA_NOTIFICATION_GET,
  FFA_RXTX_MAP_64,
} from '../src/abi/function-ids.ts';
import { DATA_ACCESS_RW } from '../src/abi/layout/memory-bits.ts';
import { EMAD_COMPOSITE_OFFSET, MTD_1_1_SIZE_BYTES } from '../src/abi/layout/memory-transaction.ts';
import { TOUCH_PARTITION, TOUCH_SLOTS } from '../src/base/announcement.ts';
import type { Coroutine, Pending } from '../src/base/coroutine.ts';
import type { Pe } from '../src/hardware/pe.ts';
import { STAGE2_EXECUTE, STAGE2_SHARED, type Stage2 } from '../src/hardware/stage2.ts';
import { answerSuccess } from '../src/spmc/answers.ts';
import { type PartitionVcpu, VCPU_WAITING } from '../src/spmc/partition.ts';
import type { Spmc } from '../src/spmc/spmc.ts';
import type { Bug } from './bug.ts';
import { act, door, finished, spmc } from './overrides.ts';

const GENERAL = 'explore/general';
const SENDS = [
  FFA_MEM_SHARE_32,
  FFA_MEM_SHARE_64,
  FFA_MEM_LEND_32,
  FFA_MEM_LEND_64,
  FFA_MEM_DONATE_32,
  FFA_MEM_DONATE_64,
];
const RETRIEVES = [FFA_MEM_RETRIEVE_REQ_32, FFA_MEM_RETRIEVE_REQ_64];

/** Zeroing of which only the first `count` ranges take place. */
const zeroesOnly = (count: number) =>
  act([...SENDS, FFA_MEM_RECLAIM], (usual) => (made, caller, r, staging, peIndex) => {
    const { frames } = made.machine;
    const scrub = frames.scrub.bind(frames);
    let done = 0;
    frames.scrub = (first, pages) => {
      if (done++ < count) scrub(first, pages);
    };
    const result = usual(made, caller, r, staging, peIndex);
    Reflect.deleteProperty(frames, 'scrub');
    return result;
  });

/** Something done to each mapping that a retrieve makes. */
const retrieving = (change: (attributes: number) => number) =>
  act(RETRIEVES, (usual) => (made, caller, r, staging, peIndex) => {
    const { pages } = caller;
    const map = pages.map.bind(pages);
    pages.map = (gfn, frame, count, attributes) => map(gfn, frame, count, change(attributes));
    const result = usual(made, caller, r, staging, peIndex);
    Reflect.deleteProperty(pages, 'map');
    return result;
  });

/** Something done to a retrieve response before it goes to RX. `composite`: the word at which its region begins. */
const responding = (change: (words: Uint32Array, composite: number) => void) =>
  act(RETRIEVES, (usual) => (made, caller, r, staging, peIndex) => {
    const { writeRx } = made;
    made.writeRx = (to, bytes, length) => {
      const words = new Uint32Array(bytes.buffer);
      if (!to.secure) change(words, words[(MTD_1_1_SIZE_BYTES + EMAD_COMPOSITE_OFFSET) / 4] / 4);
      writeRx.call(made, to, bytes, length);
    };
    const result = usual(made, caller, r, staging, peIndex);
    Reflect.deleteProperty(made, 'writeRx');
    return result;
  });

/** A table whose entries never say that they are shared. */
function forgetShared(pages: Stage2): void {
  const translate = pages.translate.bind(pages);
  const uniform = pages.uniform.bind(pages);
  pages.translate = (gfn) => {
    const frame = translate(gfn);
    pages.attributes &= ~STAGE2_SHARED;
    return frame;
  };
  pages.uniform = (gfn, count) => {
    const isUniform = uniform(gfn, count);
    pages.attributes &= ~STAGE2_SHARED;
    return isUniform;
  };
}

/** Every borrower may read and write, until what is returned is called. */
function allowWriting(made: Spmc): () => void {
  const receivers = made.slots.transactions.flatMap((transaction) => transaction.receivers);
  const before = receivers.map(({ permissions }) => permissions);
  for (const receiver of receivers) receiver.permissions = (receiver.permissions & ~3) | DATA_ACCESS_RW;
  return () => {
    for (const [n, receiver] of receivers.entries()) receiver.permissions = before[n];
  };
}

const asIfReadWrite = (functionIds: readonly number[]) =>
  act(functionIds, (usual) => (made, caller, r, staging, peIndex) => {
    const undo = allowWriting(made);
    const result = usual(made, caller, r, staging, peIndex);
    undo();
    return result;
  });

/** A reclaim that looks whether anybody holds the pages, and takes them back a step later. */
function* reclaimLater(pe: Pe, held: () => boolean, letGo: () => void, usual: () => Pending): Coroutine {
  const was = held();
  yield pe.writes(TOUCH_SLOTS, 0);
  if (!was) letGo();
  yield* finished(usual());
}

export const SECURE_WORLD: readonly Bug[] = [
  {
    id: 'hafnium-slot-lost-when-a-send-fails',
    upstream: { project: 'Hafnium', fixedBy: '9b23ccde', date: '2026-07-22' },
    title: 'a send that failed early kept what had been allocated for it',
    broke: 'After enough failures no endpoint could send memory any more.',
    kind: 'memory',
    world: GENERAL,
    property: 'P8',
    mutate: () =>
      spmc(({ slots }) => {
        const release = slots.release.bind(slots);
        slots.release = (transaction) => {
          const { complete, constituentCount, receivedCount } = transaction;
          if (complete || receivedCount < constituentCount) release(transaction);
        };
      }),
  },
  {
    id: 'hafnium-execution-of-normal-memory',
    upstream: { project: 'Hafnium', fixedBy: '13e224e3', date: '2025-10-01' },
    title: 'a partition could have memory of the normal world mapped executable',
    broke: 'The normal world could write what a secure partition then ran.',
    kind: 'memory',
    world: GENERAL,
    property: 'P2',
    mutate: () => retrieving((attributes) => attributes | STAGE2_EXECUTE),
  },
  {
    id: 'hafnium-more-access-than-given',
    upstream: { project: 'Hafnium', fixedBy: 'c972cc6d', date: '2024-03-27' },
    title: 'the data access that a borrower asked for was not held against what it was given',
    broke: 'A borrower could write what it was only to read.',
    kind: 'memory',
    world: GENERAL,
    property: 'P2',
    mutate: () => asIfReadWrite(RETRIEVES),
  },
  {
    id: 'hafnium-read-only-memory-zeroed',
    upstream: { project: 'Hafnium', fixedBy: '639ddfc0', date: '2023-11-21' },
    title: 'a borrower that may only read could have the memory zeroed',
    broke: 'It had the SPMC write what it could not write itself.',
    kind: 'memory',
    world: GENERAL,
    property: 'P2',
    mutate: () => asIfReadWrite([FFA_MEM_RELINQUISH]),
  },
  {
    id: 'hafnium-only-first-range-zeroed',
    upstream: { project: 'Hafnium', fixedBy: '8457f93f', date: '2023-10-11' },
    title: 'only some of the ranges of a send were zeroed',
    broke: 'The borrower read what the lender believed to be gone.',
    kind: 'memory',
    world: GENERAL,
    property: 'P14',
    mutate: () => zeroesOnly(1),
  },
  {
    id: 'hafnium-wrong-memory-zeroed',
    upstream: { project: 'Hafnium', fixedBy: '26483384', date: '2023-04-20' },
    title: 'memory was zeroed through the address space of the other world',
    broke: 'What was to be zeroed was not.',
    kind: 'memory',
    world: GENERAL,
    property: 'P14',
    mutate: () => zeroesOnly(0),
  },
  {
    id: 'hafnium-page-named-twice',
    upstream: { project: 'Hafnium', fixedBy: '5952d940', date: '2022-12-22' },
    title: 'the ranges of one send could overlap',
    broke: 'A page changed its state twice in one transaction, and was counted twice.',
    kind: 'memory',
    world: GENERAL,
    property: 'P2',
    mutate: () =>
      act(SENDS, (usual) => (made, caller, r, staging, peIndex) => {
        const result = usual(made, caller, r, staging, peIndex);
        if (result !== FFA_INVALID_PARAMETERS) return result;
        // The last range, which repeats pages, is passed over.
        const words = new Uint32Array(staging.bytes.buffer);
        const composite = words[(MTD_1_1_SIZE_BYTES + EMAD_COMPOSITE_OFFSET) / 4] / 4;
        const last = composite + 4 * words[composite + 1];
        words[composite] -= words[last + 2];
        words[composite + 1]--;
        staging.length -= 16;
        r.setW(1, r.w(1) - 16);
        r.setW(2, r.w(2) - 16);
        return usual(made, caller, r, staging, peIndex);
      }),
  },
  {
    id: 'hafnium-buffers-can-be-shared',
    upstream: { project: 'Hafnium', fixedBy: '3d6af724', date: '2023-02-20' },
    title: 'a VM could share the pages of the buffers that it had given to the SPMC',
    broke: 'A partition could write what the SPMC and the hypervisor take for their own messages.',
    kind: 'buffers',
    world: GENERAL,
    property: 'P2',
    mutate: () =>
      act([FFA_RXTX_MAP_64], (usual) => (made, caller, r, staging, peIndex) => {
        const { pages } = made.normalWorld;
        pages.unmap = () => undefined;
        const result = usual(made, caller, r, staging, peIndex);
        Reflect.deleteProperty(pages, 'unmap');
        return result;
      }),
  },
  {
    id: 'hafnium-next-fragment-of-nobody',
    upstream: { project: 'Hafnium', fixedBy: 'a334fe7e', date: '2026-01-20' },
    title: 'a request for the next fragment did not say whose send it is',
    broke: 'A hypervisor that relays sends of several VMs could not tell for whom it was.',
    kind: 'abi',
    world: GENERAL,
    property: 'P11',
    mutate: () =>
      act([...SENDS, FFA_MEM_FRAG_TX], (usual) => (made, caller, r, staging, peIndex) => {
        const result = usual(made, caller, r, staging, peIndex);
        if (result === FFA_OK && r.w(0) === FFA_MEM_FRAG_RX) r.setW(4, 0);
        return result;
      }),
  },
  {
    id: 'hafnium-vm-cannot-relinquish',
    upstream: { project: 'Hafnium', fixedBy: 'bd060340', date: '2024-04-26' },
    title: 'what a VM had given back still counted as held by it',
    broke: 'The owner never got the memory back.',
    kind: 'memory',
    world: GENERAL,
    property: 'P5',
    mutate: () =>
      act(
        [FFA_MEM_RELINQUISH],
        (usual) => (made, caller, r, staging, peIndex) =>
          caller.secure ? usual(made, caller, r, staging, peIndex) : answerSuccess(r),
      ),
  },
  {
    id: 'hafnium-composite-offset-of-another-version',
    upstream: { project: 'Hafnium', fixedBy: '95ccb5d1', date: '2026-01-21' },
    title: 'a retrieve response placed its composite region with the header size of another version',
    broke: 'A borrower read other addresses than those that had been sent.',
    kind: 'abi',
    world: GENERAL,
    property: 'P14',
    mutate: () =>
      responding((words, composite) => {
        words[(MTD_1_1_SIZE_BYTES + EMAD_COMPOSITE_OFFSET) / 4] = 4 * (composite - 4);
      }),
  },
  {
    id: 'optee-every-region-in-the-first-slot',
    upstream: { project: 'OP-TEE', fixedBy: '5a5377616', date: '2026-05-15' },
    title: 'every region of a retrieve response was written to the first slot',
    broke: 'A borrower of several regions was told of one, and of what lay in the buffer before.',
    kind: 'abi',
    world: GENERAL,
    property: 'P14',
    mutate: () =>
      responding((words, composite) => {
        const last = composite + 4 * words[composite + 1];
        for (let word = 0; word < 4; word++) words[composite + 4 + word] = words[last + word];
        words.fill(0, composite + 8, last + 4);
      }),
  },
  {
    id: 'hafnium-notifications-counted-twice',
    upstream: { project: 'Hafnium', fixedBy: 'fc50ef7d', date: '2025-02-03' },
    title: 'a notification that was set while it was pending was counted again',
    broke: 'The count never came back to zero, and the schedule-receiver interrupt was not raised any more.',
    kind: 'notifications',
    world: GENERAL,
    property: 'P16',
    mutate: () =>
      spmc((made) => {
        const pending = made.notificationPending.bind(made);
        const counts = Object.assign(made.options, { pendingCount: 0 });
        made.notificationPending = (...pendingFor) => {
          if (counts.pendingCount++ === 0) pending(...pendingFor);
        };
        const { handlerOf } = made;
        made.handlerOf = (functionId) => {
          if (functionId === FFA_NOTIFICATION_GET && counts.pendingCount > 0) counts.pendingCount--;
          return handlerOf(functionId);
        };
      }),
  },
  {
    id: 'tfa-overlap-within-a-share-not-seen',
    upstream: { project: 'TF-A', fixedBy: '0dc351866', date: '2022-10-18' },
    title: 'a region that lies inside one that is shared already was not found to overlap it',
    broke: 'One page was given away twice, under two agreements.',
    kind: 'memory',
    world: GENERAL,
    property: 'P2',
    mutate: () => spmc((made) => forgetShared(made.normalWorld.pages)),
  },
  {
    id: 'optee-reclaim-while-it-is-retrieved',
    upstream: { project: 'OP-TEE', fixedBy: 'd7210681d', date: '2026-03-11' },
    title: 'shared memory had no lock of its own: a reclaim and a retrieve could both succeed',
    broke: 'The owner got memory back that a partition had just mapped.',
    kind: 'race',
    world: 'reclaim-and-retrieve',
    property: 'P5',
    mutate: () =>
      door((pe, made, usual) => {
        const found = pe.smc.w(0) === FFA_MEM_RECLAIM ? made.slots.find(pe.smc.w(1), pe.smc.w(2)) : null;
        if (found === null || !pe.stepping) return usual();
        const letGo = () => {
          for (const receiver of found.receivers) receiver.holdCount = 0;
        };
        return reclaimLater(pe, () => found.held, letGo, usual);
      }),
  },
  {
    id: 'optee-found-after-removal',
    upstream: { project: 'OP-TEE', fixedBy: '67fecef3c', date: '2026-03-06' },
    title: 'shared memory was freed before it left the list in which it is looked up',
    broke: 'A retrieve could still find a share whose owner had taken it back.',
    kind: 'race',
    world: 'reclaim-and-retrieve',
    property: 'P2',
    mutate: () =>
      spmc(({ slots }) => {
        const find = slots.find.bind(slots);
        slots.find = (low, high) => {
          const found = find(low, high);
          if (found !== null || high !== 0 || low >= slots.transactions.length) return found;
          const stale = slots.transactions[low];
          return stale.complete ? stale : null;
        };
      }),
  },
  {
    id: 'optee-two-requests-to-one-session',
    upstream: { project: 'OP-TEE', fixedBy: '82d5d8cc2', date: '2025-10-24' },
    title: "a partition's state was tested and set without a lock",
    broke: "Two PEs entered one partition, and one of them got the other's answer.",
    kind: 'race',
    world: 'two-guests-one-partition',
    property: 'P11',
    mutate: () =>
      door((pe, made, usual) => {
        const partition = made.partitionById.get(pe.smc.w(1) & 0xffff);
        if (pe.smc.w(0) !== FFA_MSG_SEND_DIRECT_REQ_32 || partition === undefined || !pe.stepping) return usual();
        return enterAnyway(pe, partition.vcpus[0], usual);
      }),
  },
  {
    id: 'optee-get-reads-the-wrong-half',
    upstream: { project: 'OP-TEE', fixedBy: 'b59e43fec', date: '2023-12-01' },
    title: 'NOTIFICATION_GET took the receiver from the wrong half of w1',
    broke: 'Only guest 0 could fetch its notifications.',
    kind: 'notifications',
    world: GENERAL,
    property: 'P16',
    mutate: () =>
      act([FFA_NOTIFICATION_GET], (usual) => (made, caller, r, staging, peIndex) => {
        if (!caller.secure) r.setW(1, r.w(1) >>> 16);
        return usual(made, caller, r, staging, peIndex);
      }),
  },
  {
    id: 'optee-owner-is-guest-zero',
    upstream: { project: 'OP-TEE', fixedBy: '5f979c17b', date: '2023-10-06' },
    title: 'a reclaim took it that the owner is guest 0',
    broke: 'No other guest ever got its memory back.',
    kind: 'memory',
    world: GENERAL,
    property: 'P5',
    mutate: () =>
      act([FFA_MEM_RECLAIM], (usual) => (made, caller, r, staging, peIndex) => {
        const found = made.slots.find(r.w(1), r.w(2));
        if (found !== null && !caller.secure && found.sender !== 0) return FFA_DENIED;
        return usual(made, caller, r, staging, peIndex);
      }),
  },
];

/** What was true of a partition's state a step ago is taken to be true when the request goes in. */
function* enterAnyway(pe: Pe, vcpu: PartitionVcpu, usual: () => Pending): Coroutine {
  const wasWaiting = vcpu.state === VCPU_WAITING;
  const entering = usual();
  if (entering === null) return;
  const { value } = entering.next();
  yield value ?? pe.writes(TOUCH_PARTITION, 0);
  if (wasWaiting) {
    vcpu.endRequest();
    vcpu.state = VCPU_WAITING;
  }
  yield* entering;
}
