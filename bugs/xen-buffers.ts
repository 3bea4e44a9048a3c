// Xen's mediator: a guest's RX and TX buffers, and what is listed there.

import {
  FFA_ERROR,
  FFA_MSG_SEND2,
  FFA_PARTITION_INFO_GET,
  FFA_RX_ACQUIRE,
  FFA_RX_RELEASE,
  FFA_RXTX_MAP_64,
  FFA_RXTX_UNMAP,
  FFA_SUCCESS_32,
} from '../src/abi/function-ids.ts';
import { PARTITION_AARCH64 } from '../src/abi/layout/partition-information.ts';
import { mapBuffersLocally, unmapBuffersLocally } from '../src/hypervisor/rx-tx-buffers.ts';
import { callSimply } from '../src/hypervisor/spmc-answer.ts';
import type { Bug } from './bug.ts';
import { after, before, both, handler, hypervisor, served } from './overrides.ts';

const GENERAL = 'explore/general';

/** Buffers are the hypervisor's business alone: the SPMC has no FFA_RX_ACQUIRE. */
const buffersKept = hypervisor(({ secure }) => {
  const has = secure.functions.has.bind(secure.functions);
  secure.functions.has = (id) => id !== FFA_RX_ACQUIRE && id !== FFA_MSG_SEND2 && has(id);
});

/** RXTX_MAP and RXTX_UNMAP that take no lock. */
const unlocked = () =>
  both(
    handler([FFA_RXTX_MAP_64], () => mapBuffersLocally),
    buffersKept,
  );
const unmapUnlocked = () =>
  both(
    handler([FFA_RXTX_UNMAP], () => unmapBuffersLocally),
    buffersKept,
  );

export const XEN_BUFFERS: readonly Bug[] = [
  {
    id: 'xen-two-maps-at-once',
    upstream: { project: 'Xen', fixedBy: 'a3075e2fda', date: '2025-12-15' },
    title: 'RXTX_MAP took no lock: two vCPUs could map two pairs',
    broke: 'One of the pairs was forgotten, and its two pages stayed referenced for ever.',
    kind: 'race',
    world: 'two-vcpus-and-buffers',
    property: 'P3',
    mutate: unlocked,
  },
  {
    id: 'xen-unmap-under-a-list',
    upstream: { project: 'Xen', fixedBy: 'a3075e2fda', date: '2025-12-15' },
    title: 'RXTX_UNMAP took no lock: it could run while a list was written into RX',
    broke: "The list went into a page that was not the hypervisor's to write any more.",
    kind: 'race',
    world: 'two-vcpus-and-buffers',
    property: 'P9',
    mutate: unmapUnlocked,
  },
  {
    id: 'xen-unmap-while-rx-is-owned',
    upstream: { project: 'Xen', fixedBy: '309e8edfe3', date: '2026-02-11' },
    title: 'RXTX_UNMAP did not test under its lock who owned RX',
    broke: 'A guest could unmap the buffer whose contents it had not given back.',
    kind: 'race',
    world: GENERAL,
    property: 'P9',
    mutate: () =>
      before([FFA_RXTX_UNMAP], ({ context }) => {
        if (context.buffersMapped) context.rxFree = true;
      }),
  },
  {
    id: 'xen-entry-size-missing',
    upstream: { project: 'Xen', fixedBy: '1b42304fd1', date: '2023-12-13' },
    title: 'PARTITION_INFO_GET did not state the size of an entry',
    broke: 'A guest of 1.1 could not tell the layout of the list that it had been given.',
    kind: 'abi',
    world: GENERAL,
    property: 'P17',
    mutate: () =>
      after([FFA_PARTITION_INFO_GET], ({ vcpu }) => {
        if (vcpu.registers.w(0) === FFA_SUCCESS_32) vcpu.registers.setW(3, 0);
      }),
  },
  {
    id: 'xen-count-below-zero',
    upstream: { project: 'Xen', fixedBy: 'ad2d3a7daf', date: '2025-12-15' },
    title: 'the count of endpoints left out the asking guest, which had never been counted',
    broke: 'The first guest was told of 4,294,967,295 endpoints.',
    kind: 'abi',
    world: GENERAL,
    property: 'P14',
    mutate: () =>
      after([FFA_PARTITION_INFO_GET], ({ vcpu, hypervisor: { secure } }) => {
        const { registers } = vcpu;
        if (registers.w(0) !== FFA_SUCCESS_32 || registers.w(3) !== 0) return;
        registers.setW(2, (registers.w(2) - secure.partitions.length - 2) >>> 0);
      }),
  },
  {
    id: 'xen-rx-released-after-failure',
    upstream: { project: 'Xen', fixedBy: 'a97fe0a4c7', date: '2026-02-11' },
    title: 'RX was given back although the list had failed and RX had never been taken',
    broke: 'The SPMC took a buffer for free that somebody was reading.',
    kind: 'buffers',
    world: GENERAL,
    property: 'P9',
    mutate: () =>
      served([FFA_PARTITION_INFO_GET], function* ({ hypervisor: { secure }, pe, vcpu, context, usual }) {
        yield* usual();
        if (vcpu.registers.w(0) === FFA_ERROR && context.buffersMapped) {
          yield* callSimply(secure, pe, context.vmId, FFA_RX_RELEASE, context.vmId);
        }
      }),
  },
  {
    id: 'xen-vms-listed-for-a-service',
    upstream: { project: 'Xen', fixedBy: '5c85600270', date: '2025-12-15' },
    title: 'VMs were listed whatever UUID was asked for',
    broke: 'A guest took other guests for the service that it looked for.',
    kind: 'abi',
    world: GENERAL,
    property: 'P14',
    mutate: () =>
      before([FFA_PARTITION_INFO_GET], ({ vcpu: { registers } }) => {
        for (let n = 1; n <= 4; n++) registers.setW(n, 0);
      }),
  },
  {
    id: 'xen-every-vm-has-32-bits',
    upstream: { project: 'Xen', fixedBy: '6e8c62d457', date: '2025-12-15' },
    title: 'whether a VM is a 64-bit one was asked before its image was known',
    broke: 'Every VM was listed as a 32-bit one.',
    kind: 'abi',
    world: GENERAL,
    property: 'P14',
    mutate: () =>
      after([FFA_PARTITION_INFO_GET], ({ hypervisor: { machine, secure }, vcpu: { registers }, context }) => {
        if (registers.w(0) !== FFA_SUCCESS_32 || registers.w(3) === 0) return;
        const words = machine.frames.contents.words(context.rxFrame);
        const size = registers.w(3) / 4;
        for (let n = secure.partitions.length; n < registers.w(2); n++) words[n * size + 1] &= ~PARTITION_AARCH64;
      }),
  },
  {
    id: 'xen-list-asked-under-a-host-wide-lock',
    upstream: { project: 'Xen', fixedBy: 'cca899b380', date: '2026-02-13' },
    title: 'each list was asked of the SPMC, under a lock that every guest wants',
    broke: 'Guests that listed in a loop delayed all others.',
    kind: 'race',
    world: GENERAL,
    property: 'P12',
    mutate: () =>
      served([FFA_PARTITION_INFO_GET], function* ({ hypervisor: { secure, vmList }, pe, usual }) {
        yield* vmList.lock.acquire(pe);
        const asked = yield* callSimply(secure, pe, 0, FFA_PARTITION_INFO_GET);
        if (asked === 0) yield* callSimply(secure, pe, 0, FFA_RX_RELEASE);
        vmList.lock.release(pe);
        yield* usual();
      }),
  },
];
