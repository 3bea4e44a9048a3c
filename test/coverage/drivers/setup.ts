// Drivers: version, features, ids, buffers, partition information, console.

import * as f from '../../../src/abi/function-ids.ts';
import { FFA_VERSION_1_0, FFA_VERSION_1_2 } from '../../../src/abi/versions.ts';
import { GUEST_MEMORY, HYPERVISOR_TX, ids, PAGE, SP1, SP2 } from '../../spmc/small-world.ts';
import { type Driver, guestDrivers, secureDrivers } from '../driver.ts';
import { GUEST_RX, GUEST_TX, RAM } from '../guest-bench.ts';
import { type SecureBench, VM } from '../secure-bench.ts';
import { forwardedBuffers, indirectMessage } from './buffers.ts';

const FILE = 'setup';
const SPMC = ['hypervisor', 'partition'] as const;
const RXTX_MAP = [f.FFA_RXTX_MAP_32, f.FFA_RXTX_MAP_64];
const CONSOLE = [f.FFA_CONSOLE_LOG_32, f.FFA_CONSOLE_LOG_64];
const PERM_GET = [f.FFA_MEM_PERM_GET_32, f.FFA_MEM_PERM_GET_64];
const PERM_SET = [f.FFA_MEM_PERM_SET_32, f.FFA_MEM_PERM_SET_64];
/** Read only, not to be executed. */
const MEMORY_RO = 7;
const NOBODY: readonly number[] = [1, 2, 3, 4];

/** Maps a VM's buffers at the SPMC, as the hypervisor does. */
export function mapVm(b: SecureBench, vm = VM, at = GUEST_MEMORY): void {
  b.write(HYPERVISOR_TX, forwardedBuffers(vm, at, at + PAGE));
  b.hyp(f.FFA_RXTX_MAP_64);
}

/** Where the caller's second pair of buffers could be. */
function elsewhere(b: SecureBench): readonly [tx: number, rx: number] {
  return [b.page(4), b.page(5)];
}

/** SP1 is at S-EL0 and makes the call while it starts. */
function atStart(b: SecureBench, address: number, pages: number, permissions = MEMORY_RO): void {
  b.given({ manifests: [{ exceptionLevel: 'S-EL0' }], atBoot: [[b.fid, address, pages, permissions]] });
  b.hyp(f.FFA_ID_GET);
}

/** One page, as the call counts: one less in FFA_MEM_PERM_GET. */
function pagesOf(b: SecureBench): number {
  return PERM_SET.includes(b.fid) ? 1 : 0;
}

/** The caller's buffers are not mapped at boot; it maps them with the call itself. */
function mapsOwn(b: SecureBench, tx: number, rx: number, pages: number): void {
  b.given({ unmapped: true }).call(tx, rx, pages);
}

export const SETUP_DRIVERS: readonly Driver[] = [
  ...guestDrivers(FILE, [f.FFA_VERSION], { 'any version, at any time': (b) => b.call(b.version) }),
  ...secureDrivers(FILE, SPMC, [f.FFA_VERSION], {
    'a version that it speaks': (b) => b.call(b.version),
    'bit 31 is set': (b) => b.call(0x8001_0000),
    'another major number': (b) => b.call(0x2_0000),
    'another version than the one in force, after other calls': (b) => {
      b.as(f.FFA_ID_GET);
      b.call(b.version === FFA_VERSION_1_0 ? FFA_VERSION_1_2 : FFA_VERSION_1_0);
    },
  }),

  ...guestDrivers(FILE, [f.FFA_FEATURES], {
    'a function or feature that is there': (b) => b.call(f.FFA_RXTX_MAP_64),
    'one that is not': (b) => b.call(f.FFA_RX_ACQUIRE),
  }),
  ...secureDrivers(FILE, SPMC, [f.FFA_FEATURES], {
    'a function or feature that is there': (b) => b.call(f.FFA_MEM_SHARE_64),
    'one that is not': (b) => b.call(f.FFA_MEM_OP_PAUSE),
    'one of the other side': (b) => b.call(b.side === 'partition' ? f.FFA_RX_ACQUIRE : f.FFA_YIELD),
    'a retrieve that does not ask for the NS bit': (b) => b.call(f.FFA_MEM_RETRIEVE_REQ_64),
  }),

  ...guestDrivers(FILE, [f.FFA_ID_GET], { always: (b) => b.call() }),
  ...secureDrivers(FILE, SPMC, [f.FFA_ID_GET, f.FFA_SPM_ID_GET], { always: (b) => b.call() }),

  ...guestDrivers(FILE, RXTX_MAP, {
    'one page each': (b) => b.given({ unmapped: true }).call(GUEST_TX, GUEST_RX, 1),
    'another number of pages than one': (b) => b.given({ unmapped: true }).call(GUEST_TX, GUEST_RX, 2),
    'an address that is not aligned': (b) => b.given({ unmapped: true }).call(GUEST_TX + 8, GUEST_RX, 1),
    "a page that is not the guest's RAM": (b) => b.given({ unmapped: true }).call(GUEST_TX, RAM - PAGE, 1),
    'buffers are mapped already': (b) => b.call(GUEST_TX, GUEST_RX, 1),
  }),
  ...secureDrivers(FILE, SPMC, RXTX_MAP, {
    'its own buffers': (b) => mapsOwn(b, ...elsewhere(b), 1),
    'the 32-bit form': (b) => mapsOwn(b, ...elsewhere(b), 1),
    'no page, or more than there may be': (b) => mapsOwn(b, ...elsewhere(b), 2),
    'an address that is not aligned': (b) => mapsOwn(b, b.page(4) + 8, b.page(5), 1),
    'TX and RX overlap': (b) => mapsOwn(b, b.page(4), b.page(4), 1),
    'buffers are mapped already': (b) => b.call(...elsewhere(b), 1),
  }),
  ...secureDrivers(FILE, ['hypervisor'], RXTX_MAP, {
    "a VM's, by a descriptor in TX": (b) => {
      b.as(f.FFA_ID_GET);
      b.send(forwardedBuffers(VM, b.page(4), b.page(5)));
      b.call();
    },
    'a descriptor that is wrong': (b) => {
      b.as(f.FFA_ID_GET);
      b.send(forwardedBuffers(VM, b.page(4), b.page(5), { rxOffset: 8 }));
      b.call();
    },
    'a descriptor for a partition': (b) => {
      b.as(f.FFA_ID_GET);
      b.send(forwardedBuffers(SP1, b.page(4), b.page(5)));
      b.call();
    },
    "pages that are not the normal world's, or lent": (b) => {
      b.as(f.FFA_ID_GET);
      b.send(forwardedBuffers(VM, 0x5000_0000, b.page(5)));
      b.call();
    },
    'no room for another VM': (b) => {
      b.given({ limits: { virtualMachines: 1 } });
      mapVm(b, 7, b.page(8));
      b.send(forwardedBuffers(VM, b.page(4), b.page(5)));
      b.call();
    },
  }),
  ...secureDrivers(FILE, ['partition'], RXTX_MAP, {
    "pages that are not the partition's own alone": (b) => mapsOwn(b, GUEST_MEMORY, b.page(5), 1),
  }),

  ...guestDrivers(FILE, [f.FFA_RXTX_UNMAP], {
    'the buffers are mapped, RX is free': (b) => b.call(),
    'none are mapped': (b) => b.given({ unmapped: true }).call(),
    'the guest owns RX': (b) => {
      b.as(f.FFA_PARTITION_INFO_GET);
      b.call();
    },
  }),
  ...secureDrivers(FILE, SPMC, [f.FFA_RXTX_UNMAP], {
    'they are mapped': (b) => b.call(),
    'none are mapped': (b) => b.given({ unmapped: true }).call(),
    "a partition is named, or somebody else's": (b) => b.call(ids(SP2, 0)),
  }),

  ...secureDrivers(FILE, ['hypervisor'], [f.FFA_RX_ACQUIRE], {
    "the VM's RX is free": (b) => {
      mapVm(b);
      b.call(VM);
    },
    'no such VM': (b) => b.call(VM),
    'a VM without buffers': (b) => {
      b.as(f.FFA_NOTIFICATION_BITMAP_CREATE, VM, 1);
      b.call(VM);
    },
    'RX is not free': (b) => {
      mapVm(b);
      b.call(VM);
      b.call(VM);
    },
    'a partition is named': (b) => b.call(SP1),
  }),

  ...guestDrivers(FILE, [f.FFA_RX_RELEASE], {
    'the guest owns RX': (b) => {
      b.as(f.FFA_PARTITION_INFO_GET);
      b.call();
    },
    'no buffers are mapped': (b) => b.given({ unmapped: true }).call(),
    'RX is not its': (b) => b.call(),
    'another vCPU uses RX': (b) => {
      b.as(f.FFA_ID_GET);
      b.context.rxLock.tryAcquire(b.otherPe);
      b.call();
    },
  }),
  ...secureDrivers(FILE, SPMC, [f.FFA_RX_RELEASE], {
    'RX is full': (b) => {
      b.as(f.FFA_PARTITION_INFO_GET);
      b.call();
    },
    'RX is empty': (b) => b.call(),
  }),
  ...secureDrivers(FILE, ['partition'], [f.FFA_RX_RELEASE], {
    'an endpoint is named': (b) => {
      b.as(f.FFA_PARTITION_INFO_GET);
      b.call(SP2);
    },
    'nobody has been told yet that it is full': (b) => {
      b.as(f.FFA_ID_GET);
      b.write(b.txOf(SP2), indirectMessage(SP2, SP1));
      b.sp(SP2, f.FFA_MSG_SEND2);
      b.call();
    },
  }),
  ...secureDrivers(FILE, ['hypervisor'], [f.FFA_RX_RELEASE], {
    'the hypervisor acquired it': (b) => {
      mapVm(b);
      b.as(f.FFA_RX_ACQUIRE, VM);
      b.call(VM);
    },
    'no such VM': (b) => b.call(VM),
    'nobody has been told yet that it is full': (b) => {
      mapVm(b);
      b.as(f.FFA_NOTIFICATION_BITMAP_CREATE, VM, 1);
      b.write(b.txOf(SP2), indirectMessage(SP2, VM));
      b.sp(SP2, f.FFA_MSG_SEND2);
      b.call(VM);
    },
  }),

  ...guestDrivers(FILE, [f.FFA_PARTITION_INFO_GET], {
    'a list': (b) => b.call(),
    'only the count is asked for': (b) => b.call(0, 0, 0, 0, 1),
    'a UUID that nobody has': (b) => b.call(...NOBODY),
    'flags that do not exist': (b) => b.call(0, 0, 0, 0, 2),
    'any flag, of a guest of 1.0': (b) => b.call(0, 0, 0, 0, 1),
    'no buffers are mapped': (b) => b.given({ unmapped: true }).call(),
    'the guest owns RX': (b) => {
      b.call();
      b.call();
    },
    'more than RX holds': (b) => {
      const fitting = b.version === FFA_VERSION_1_0 ? 512 : 170;
      for (let n = 0; n < fitting; n++) b.another(FFA_VERSION_1_2, false, 1);
      b.call();
    },
  }),
  ...secureDrivers(FILE, SPMC, [f.FFA_PARTITION_INFO_GET], {
    'a list': (b) => b.call(),
    'only the count is asked for': (b) => b.call(0, 0, 0, 0, 1),
    'a UUID that nobody has': (b) => b.call(...NOBODY),
    'flags that do not exist': (b) => b.call(0, 0, 0, 0, 2),
    'no buffers are mapped': (b) => b.given({ unmapped: true }).call(),
    'RX is not free': (b) => {
      b.call();
      b.call();
    },
    'more than RX holds': (b) => {
      b.given({ morePartitions: b.version === FFA_VERSION_1_0 ? 513 : 171 });
      b.call();
    },
  }),

  ...guestDrivers(FILE, [f.FFA_PARTITION_INFO_GET_REGS], {
    'a guest of an older version': (b) => b.call(),
    'a list': (b) => b.call(),
    'a UUID that nobody has': (b) => b.call(1, 2),
    'a start beyond the list': (b) => b.call(0, 0, ids(b.hypervisor.vmList.tag, 100)),
    'the list from its start with a tag': (b) => b.call(0, 0, ids(5, 0)),
    'a tag that is stale': (b) => b.call(0, 0, ids(b.hypervisor.vmList.tag + 5, 1)),
  }),
  ...secureDrivers(FILE, SPMC, [f.FFA_PARTITION_INFO_GET_REGS], {
    'a list': (b) => b.call(),
    'a UUID that nobody has': (b) => b.call(1, 2),
    'a start beyond the list': (b) => b.call(0, 0, 100),
    'any tag': (b) => b.call(0, 0, ids(5, 0)),
  }),

  ...secureDrivers(FILE, SPMC, [...PERM_GET, ...PERM_SET], {
    'the caller is no partition at S-EL0, or has started': (b) => b.call(b.page(0), 1, MEMORY_RO),
  }),
  ...secureDrivers(FILE, SPMC, PERM_GET, { 'a range that wraps around': (b) => b.call(b.page(0), 0xffff_ffff) }),
  ...secureDrivers(FILE, ['partition'], [...PERM_GET, ...PERM_SET], {
    'while a partition at S-EL0 starts': (b) => atStart(b, b.page(0), pagesOf(b)),
    'an address that is not aligned': (b) => atStart(b, b.page(0) + 8, pagesOf(b)),
    'pages that are not mapped': (b) => atStart(b, 0x6000_0000, pagesOf(b)),
  }),
  ...secureDrivers(FILE, ['partition'], PERM_SET, {
    'no page': (b) => atStart(b, b.page(0), 0),
    'permissions that nobody may have': (b) => atStart(b, b.page(0), 1, 0),
  }),
  ...secureDrivers(FILE, ['partition'], [f.FFA_SECONDARY_EP_REGISTER], {
    'while a partition of several vCPUs starts': (b) => {
      b.given({ manifests: [{ executionContextCount: 2 }], atBoot: [[b.fid, b.page(0)]] });
      b.hyp(f.FFA_ID_GET);
    },
    'a partition of one vCPU': (b) => b.given({ atBoot: [[b.fid, b.page(0)]] }).hyp(f.FFA_ID_GET),
    'the partition has started': (b) => b.given({ manifests: [{ executionContextCount: 2 }] }).call(b.page(0)),
  }),

  ...secureDrivers(FILE, SPMC, CONSOLE, {
    characters: (b) => b.call(3, 0x63_6261),
    none: (b) => b.call(0),
    'more than the registers hold': (b) => b.call(129),
  }),
];
