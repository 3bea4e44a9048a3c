// Xen's mediator: what a guest leaves behind when it dies. Most of it was found while the patch that reclaims shared
// memory was written, and between its versions.

import { FFA_ABORTED, FFA_INVALID_PARAMETERS } from '../src/abi/errors.ts';
import {
  FFA_INTERRUPT,
  FFA_MEM_DONATE_32,
  FFA_MEM_LEND_32,
  FFA_MEM_SHARE_32,
  FFA_MSG_SEND_DIRECT_REQ_32,
  FFA_RXTX_MAP_64,
  FFA_RXTX_UNMAP,
} from '../src/abi/function-ids.ts';
import type { Coroutine } from '../src/base/coroutine.ts';
import type { Pe } from '../src/hardware/pe.ts';
import { answerError } from '../src/hypervisor/answer.ts';
import {
  CALL_MEM_RECLAIM,
  CALL_VM_DESTROYED,
  REPLY_ERROR_INVALID,
  REPLY_RESPONSE_AGAIN,
} from '../src/hypervisor/answer-table.ts';
import type { Hypervisor } from '../src/hypervisor/hypervisor.ts';
import { OwedMessage } from '../src/hypervisor/owed.ts';
import { RecordLifecycle } from '../src/hypervisor/record-lifecycle.ts';
import type { TeardownRecord } from '../src/hypervisor/teardown-record.ts';
import { TeardownWorker } from '../src/hypervisor/teardown-worker.ts';
import type { Bug } from './bug.ts';
import { after, beforeTeardown, both, cell, lifecycle, served } from './overrides.ts';

const THE_PATCH = { project: 'Xen', fixedBy: '7356bb5e47', date: '2024-02-13' } as const;
const GENERAL = 'explore/general';

/** Messages are forgotten as soon as no memory is owed. */
class MemoryOnly extends TeardownWorker {
  override *round(pe: Pe, record: TeardownRecord): Coroutine<boolean> {
    const finished = yield* super.round(pe, record);
    if (record.countOwed(CALL_MEM_RECLAIM) === 0) {
      record.owed = record.owed.filter((item) => !(item instanceof OwedMessage));
    }
    return finished;
  }
}

class MemoryOnlyLifecycle extends RecordLifecycle {
  protected override worker(hypervisor: Hypervisor, smcs: number): TeardownWorker {
    return new MemoryOnly(hypervisor, this, smcs);
  }
}

/** A reference to the domain, taken before anybody knows whether the share is allowed. */
const referenceFirst = () =>
  served([FFA_MEM_SHARE_32, FFA_MEM_LEND_32, FFA_MEM_DONATE_32], function* ({ hypervisor, vcpu, context, usual }) {
    const isFirst = context.shareCount === 0;
    if (isFirst) hypervisor.domains.get(vcpu.domain);
    yield* usual();
    if (isFirst && context.shareCount > 0) hypervisor.domains.put(vcpu.domain);
  });

export const XEN_TEARDOWN: readonly Bug[] = [
  {
    id: 'xen-shares-abandoned',
    upstream: THE_PATCH,
    title: 'destroying a guest never reclaimed what it had shared',
    broke: 'Partitions kept the memory of a dead guest, and the hypervisor kept nothing that could ever take it back.',
    kind: 'lifecycle',
    world: GENERAL,
    property: 'P15',
    mutate: () =>
      beforeTeardown((context) => {
        context.shares.length = 0;
      }),
  },
  {
    id: 'xen-destroyed-not-repeated',
    upstream: THE_PATCH,
    title: 'a partition that answered VM_DESTROYED with RETRY was never told again',
    broke: 'Nothing recorded who had taken the message, so a partition believed for ever in a guest that was gone.',
    kind: 'lifecycle',
    world: GENERAL,
    property: 'P6',
    mutate: () => cell(REPLY_RESPONSE_AGAIN, CALL_VM_DESTROYED, 'stop'),
  },
  {
    id: 'xen-destroyed-forgotten-with-memory-back',
    upstream: THE_PATCH,
    title: 'teardown tried again only while memory was out',
    broke: 'Once all memory had come back, a VM_DESTROYED that nobody had taken was dropped.',
    kind: 'lifecycle',
    world: GENERAL,
    property: 'P15',
    mutate: () => lifecycle((hypervisor) => new MemoryOnlyLifecycle(hypervisor)),
  },
  {
    id: 'xen-reclaim-asked-for-ever',
    upstream: THE_PATCH,
    title: 'every refusal of a reclaim was answered by another try, once a second',
    broke: 'A handle that the SPMC does not know kept the timer and the dead guest alive for ever.',
    kind: 'lifecycle',
    world: 'reclaim-invalid-for-good',
    property: 'P7',
    mutate: () => cell(REPLY_ERROR_INVALID, CALL_MEM_RECLAIM, 'again'),
  },
  {
    id: 'xen-domain-referenced-before-share-allowed',
    upstream: THE_PATCH,
    title: 'a reference to the domain was taken before the share was known to be allowed',
    broke: 'A first share that was refused left a reference, and the guest could never go.',
    kind: 'lifecycle',
    world: GENERAL,
    property: 'P3',
    mutate: referenceFirst,
  },
  {
    id: 'xen-zero-pages-mapped',
    upstream: { project: 'Xen', fixedBy: 'a3075e2fda', date: '2025-12-15' },
    title: 'RXTX_MAP took a page count of 0, and RXTX_UNMAP tested the count',
    broke: 'Buffers mapped so could never be unmapped: two pages stayed referenced, and the dead guest a zombie.',
    kind: 'lifecycle',
    world: 'buffers-of-no-pages',
    property: 'P15',
    mutate: () => {
      const mapped = served([FFA_RXTX_MAP_64, FFA_RXTX_UNMAP], function* ({ vcpu, context, usual }) {
        const isEmpty = vcpu.registers.w(0) === FFA_RXTX_MAP_64 && vcpu.registers.w(3) === 0;
        if (isEmpty) vcpu.registers.setW(3, 1);
        if (vcpu.registers.w(0) === FFA_RXTX_UNMAP && context.bufferPageCount === 0) {
          answerError(vcpu.registers, FFA_INVALID_PARAMETERS);
          return;
        }
        yield* usual();
        if (isEmpty && context.buffersMapped) context.bufferPageCount = 0;
      });
      const ended = beforeTeardown((context) => {
        if (context.bufferPageCount === 0) context.buffersMapped = false;
      });
      return both(mapped, ended);
    },
  },
  {
    id: 'xen-preempted-request-dropped',
    upstream: { project: 'Xen', fixedBy: '7a90dad8de', date: '2025-12-15' },
    title: 'FFA_INTERRUPT of a direct request became ABORTED, and nobody ran the partition on',
    broke: 'The partition stayed preempted for ever, and every further request to it was answered BUSY.',
    kind: 'lifecycle',
    world: GENERAL,
    property: 'P12',
    mutate: () =>
      after([FFA_MSG_SEND_DIRECT_REQ_32], ({ vcpu, context }) => {
        if (vcpu.registers.w(0) !== FFA_INTERRUPT) return;
        context.unfinished.length = 0;
        answerError(vcpu.registers, FFA_ABORTED);
      }),
  },
];
