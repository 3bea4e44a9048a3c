// Xen's mediator: versions, messages and notifications.

import {
  FFA_MSG_SEND_DIRECT_REQ_32,
  FFA_MSG_SEND2,
  FFA_NOTIFICATION_BIND,
  FFA_NOTIFICATION_UNBIND,
  FFA_PARTITION_INFO_GET,
  FFA_SUCCESS_32,
  FFA_VERSION,
  isSmc64,
} from '../src/abi/function-ids.ts';
import { MESSAGE_PAYLOAD_SIZE_OFFSET } from '../src/abi/layout/messages.ts';
import { TOUCH_QUEUE } from '../src/base/announcement.ts';
import { sendDirectAnywhere } from '../src/hypervisor/direct-message.ts';
import { FFABRIC } from '../src/hypervisor/profiles/ffabric.ts';
import { Staging, stagingOf } from '../src/hypervisor/staging.ts';
import { replaceVersion } from '../src/hypervisor/version.ts';
import type { Bug } from './bug.ts';
import { handler, outgoing, profile, served } from './overrides.ts';

const GENERAL = 'explore/general';

export const XEN_MESSAGES: readonly Bug[] = [
  {
    id: 'xen-version-changes',
    upstream: { project: 'Xen', fixedBy: 'ad2d3a7daf', date: '2025-12-15' },
    title: 'a guest could change its version at any time',
    broke: 'Layouts of two versions were mixed under one guest.',
    kind: 'abi',
    world: GENERAL,
    property: 'P17',
    mutate: () => {
      const { gate } = FFABRIC;
      return profile({
        gate: (hypervisor, pe, vcpu) => {
          const settled = vcpu.domain.ffa !== null && vcpu.domain.ffa.version !== 0;
          if (settled && vcpu.registers.w(0) === FFA_VERSION) return replaceVersion(hypervisor, pe, vcpu);
          return gate === null ? undefined : gate(hypervisor, pe, vcpu);
        },
      });
    },
  },
  {
    id: 'xen-request-for-a-vm-to-the-spmc',
    upstream: { project: 'Xen', fixedBy: '2833aa172f', date: '2024-11-27' },
    title: 'nothing told ids of partitions from ids of VMs',
    broke: 'A request for another VM went to the secure world.',
    kind: 'messages',
    world: GENERAL,
    property: 'P11',
    mutate: () => handler([FFA_MSG_SEND_DIRECT_REQ_32], () => sendDirectAnywhere),
  },
  {
    id: 'xen-bitmap-halves-swapped',
    upstream: { project: 'Xen', fixedBy: '39c45caef2', date: '2025-02-03' },
    title: 'BIND and UNBIND sent the two halves of the bitmap in the wrong order',
    broke: 'The partition could set other notifications than the guest had bound, and not those.',
    kind: 'notifications',
    world: GENERAL,
    property: 'P16',
    mutate: () =>
      outgoing(({ smc }) => {
        if (smc.w(0) !== FFA_NOTIFICATION_BIND && smc.w(0) !== FFA_NOTIFICATION_UNBIND) return;
        const low = smc.w(3);
        smc.setW(3, smc.w(4));
        smc.setW(4, low);
      }),
  },
  {
    id: 'xen-unknown-call-answered-for-smccc',
    upstream: { project: 'Xen', fixedBy: '75571e162b', date: '2023-12-13' },
    title: 'a call that the mediator does not have was answered as SMCCC answers one',
    broke: 'A guest found no FFA_ERROR where FF-A has one, and took -1 for a result.',
    kind: 'abi',
    world: GENERAL,
    property: 'P13',
    mutate: () =>
      profile({
        gate: (hypervisor, pe, vcpu) => {
          const { registers } = vcpu;
          const isKnown =
            (FFABRIC.handlers32[registers.w(0) & 0xff] ?? null) !== null || registers.w(0) === FFA_VERSION;
          if (isKnown || isSmc64(registers.w(0))) return FFABRIC.gate?.(hypervisor, pe, vcpu);
          registers.setWords(0, 0xffff_ffff, 0xffff_ffff);
          return null;
        },
      }),
  },
  {
    id: 'xen-send2-sum-wraps',
    upstream: { project: 'Xen', fixedBy: '98af565b1e', date: '2025-08-11' },
    title: 'offset and size of an indirect message were added in 32 bits',
    broke: 'A sum that wrapped around passed the check, and the copy ran beyond both buffers.',
    kind: 'memory',
    world: 'hostile-message-header',
    property: 'P9',
    mutate: () =>
      served([FFA_MSG_SEND2], function* ({ hypervisor, pe, usual }) {
        const staging = stagingOf(hypervisor, pe);
        let reads = 0;
        staging.u32 = (offset) => {
          const value = Staging.prototype.u32.call(staging, offset);
          return offset === MESSAGE_PAYLOAD_SIZE_OFFSET && ++reads <= 2 ? (value & 0xff) | 1 : value;
        };
        yield* usual();
        Reflect.deleteProperty(staging, 'u32');
      }),
  },
  {
    id: 'xen-send2-header-read-again',
    upstream: { project: 'Xen', fixedBy: 'c447b7308b', date: '2026-08-18' },
    title: 'the header of an indirect message could be read again after it was checked',
    broke: "A second vCPU that changed the size in between had the copy run beyond the receiver's buffer.",
    kind: 'race',
    world: 'hostile-message-header',
    property: 'P9',
    mutate: () =>
      served([FFA_MSG_SEND2], function* ({ hypervisor, pe, context, usual }) {
        const staging = stagingOf(hypervisor, pe);
        let reads = 0;
        // The check reads the size, the look at the receiver's room reads it, and then the copy reads it.
        staging.u32 = (offset) => {
          const again = offset === MESSAGE_PAYLOAD_SIZE_OFFSET && ++reads > 2 && context.txFrame >= 0;
          if (again) return hypervisor.machine.frames.contents.words(context.txFrame)[offset / 4];
          return Staging.prototype.u32.call(staging, offset);
        };
        yield* usual();
        Reflect.deleteProperty(staging, 'u32');
      }),
  },
  {
    id: 'xen-count-taken-outside-the-lock',
    upstream: { project: 'Xen', fixedBy: '500ee5fe0f', date: '2026-01-27' },
    title: 'the number of VMs was changed outside the lock of their list',
    broke: 'A list that was made while a VM died announced an entry that was not written.',
    kind: 'race',
    world: 'list-while-a-vm-dies',
    property: 'P14',
    mutate: () =>
      served([FFA_PARTITION_INFO_GET], function* ({ hypervisor: { vmList }, pe, vcpu, usual }) {
        const { length } = vmList.members;
        if (pe.stepping) yield pe.reads(TOUCH_QUEUE, vmList.lock.id);
        yield* usual();
        const { registers } = vcpu;
        if (registers.w(0) === FFA_SUCCESS_32) registers.setW(2, registers.w(2) + length - vmList.members.length);
      }),
  },
];
