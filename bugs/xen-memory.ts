// Xen's mediator: sharing memory.

import { FFA_MEM_LEND_32, FFA_MEM_SHARE_32, FFA_MEM_SHARE_64 } from '../src/abi/function-ids.ts';
import {
  COMPOSITE_SIZE_BYTES,
  EMAD_COMPOSITE_OFFSET,
  MTD_1_1_SIZE_BYTES,
} from '../src/abi/layout/memory-transaction.ts';
import { PAGE_SIZE_BYTES } from '../src/base/units.ts';
import type { Bug } from './bug.ts';
import { both, outgoing, served } from './overrides.ts';

const GENERAL = 'explore/general';
/** In a descriptor of 1.1 or later: the word that says where the first borrower's composite region is. */
const COMPOSITE_WORD = (MTD_1_1_SIZE_BYTES + EMAD_COMPOSITE_OFFSET) / 4;

function firstRange(words: ArrayLike<number>): number {
  return (words[COMPOSITE_WORD] + COMPOSITE_SIZE_BYTES) / 4;
}

export const XEN_MEMORY: readonly Bug[] = [
  {
    id: 'xen-lock-held-over-a-share',
    upstream: { project: 'Xen', fixedBy: 'cd3d2a9d97', date: '2023-07-31' },
    title: 'one lock of the guest was held while the secure world took its share',
    broke: 'A second vCPU that wanted the lock spun in the hypervisor for as long as the secure world liked.',
    kind: 'race',
    world: GENERAL,
    property: 'P12',
    mutate: () =>
      served([FFA_MEM_SHARE_32, FFA_MEM_LEND_32], function* ({ pe, context, usual }) {
        yield* context.lock.acquire(pe);
        yield* usual();
        context.lock.release(pe);
      }),
  },
  {
    id: 'xen-descriptor-read-twice',
    upstream: { project: 'Xen', fixedBy: '4d2b1b5d69', date: '2024-06-10' },
    title: "a descriptor was read from the guest's page as often as the compiler liked",
    broke: 'What a second vCPU wrote between check and use was shared without having been checked.',
    kind: 'race',
    world: GENERAL,
    property: 'P10',
    mutate: () =>
      outgoing((pe, { machine, secure, domains }, vmId) => {
        const { contents } = machine.frames;
        const tx = domains.findVm(vmId)?.ffa?.txFrame ?? -1;
        if (pe.smc.w(0) !== FFA_MEM_SHARE_64 || tx < 0) return;
        const [from, to] = [contents.words(tx), contents.words(secure.txFrame)];
        const [first, sent] = [firstRange(from), firstRange(to)];
        for (let word = 0; word < 3; word++) to[sent + word] = from[first + word];
      }),
  },
  {
    id: 'xen-range-rounded-down',
    upstream: { project: 'Xen', fixedBy: '01c79ad9c6', date: '2026-02-11' },
    title: 'a range that begins inside a page was rounded down',
    broke: 'The guest shared memory that it had not named.',
    kind: 'memory',
    world: GENERAL,
    property: 'P14',
    mutate: () => {
      const asked = new Map<number, () => void>();
      const rounded = served([FFA_MEM_SHARE_32], function* ({ hypervisor: { machine }, pe, context, usual }) {
        const words = context.buffersMapped ? machine.frames.contents.words(context.txFrame) : new Uint32Array(4096);
        const at = firstRange(words);
        const before = words[at];
        words[at] = (before & ~(PAGE_SIZE_BYTES - 1)) >>> 0;
        asked.set(pe.index, () => {
          words[at] = before;
        });
        yield* usual();
      });
      return both(
        rounded,
        outgoing((pe) => asked.get(pe.index)?.()),
      );
    },
  },
];
