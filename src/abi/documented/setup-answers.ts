// Documented answers: version, features, ids, buffers, partition information, console, vCPUs, memory permissions.

import {
  FFA_ABORTED,
  FFA_BUSY,
  FFA_DENIED,
  FFA_INVALID_PARAMETERS,
  FFA_NO_MEMORY,
  FFA_NOT_SUPPORTED,
  FFA_RETRY,
} from '../errors.ts';
import * as f from '../function-ids.ts';
import { FFA_VERSION_1_0, FFA_VERSION_1_1, FFA_VERSION_1_2 } from '../versions.ts';
import { absent, type DocumentedRow, ofOthers, on, row } from './documented-answer.ts';

const HAFNIUM = 'Hafnium api.c';
const XEN_RXTX = 'Xen ffa_rxtx.c';
const XEN_INFO = 'Xen ffa_partinfo.c';
const SPMC = ['hypervisor', 'partition'] as const;
const OK = f.FFA_SUCCESS_32;
const RXTX_MAP = [f.FFA_RXTX_MAP_32, f.FFA_RXTX_MAP_64];
const PERM_GET = [f.FFA_MEM_PERM_GET_32, f.FFA_MEM_PERM_GET_64];
const PERM_SET = [f.FFA_MEM_PERM_SET_32, f.FFA_MEM_PERM_SET_64];
const BOTH_FORMS = ['tfa-el3', 'optee'];
const FIRST_GENERATION = { only: ['xen-2024'] };

/** Of both sides of the SPMC. */
const MAP_ERRORS = [
  on(FFA_INVALID_PARAMETERS, 'no page, or more than there may be', HAFNIUM),
  on(FFA_INVALID_PARAMETERS, 'an address that is not aligned', HAFNIUM),
  on(FFA_INVALID_PARAMETERS, 'TX and RX overlap', HAFNIUM),
  on(FFA_DENIED, 'buffers are mapped already', HAFNIUM),
];

const HYPERVISOR_MAP = [
  on(OK, 'its own buffers', HAFNIUM),
  on(OK, "a VM's, by a descriptor in TX", HAFNIUM),
  ...MAP_ERRORS,
  on(FFA_INVALID_PARAMETERS, 'a descriptor that is wrong', HAFNIUM),
  on(FFA_INVALID_PARAMETERS, 'a descriptor for a partition', HAFNIUM),
  on(FFA_DENIED, "pages that are not the normal world's, or lent", HAFNIUM),
  on(FFA_DENIED, 'no room for another VM', HAFNIUM),
  on(FFA_ABORTED, 'the pages cannot be unmapped', HAFNIUM, { notGiven: 'changing a map never fails here' }),
];

const PARTITION_MAP = [
  on(OK, 'its own buffers', HAFNIUM),
  ...MAP_ERRORS,
  on(FFA_INVALID_PARAMETERS, "pages that are not the partition's own alone", HAFNIUM),
  on(FFA_NO_MEMORY, 'no room to map them', HAFNIUM, { notGiven: 'mapping needs no memory here' }),
];

export const SETUP_ANSWERS: readonly DocumentedRow[] = [
  row('setup', ['guest'], [f.FFA_VERSION], [on(f.FFA_VERSION, 'any version, at any time', 'Xen ffa.c')]),
  row(
    'setup',
    SPMC,
    [f.FFA_VERSION],
    [
      on(f.FFA_VERSION, 'a version that it speaks', HAFNIUM),
      on(FFA_NOT_SUPPORTED, 'bit 31 is set', HAFNIUM),
      on(FFA_NOT_SUPPORTED, 'another major number', 'FF-A 1.2 §13.2.1'),
      on(FFA_NOT_SUPPORTED, 'another version than the one in force, after other calls', HAFNIUM),
    ],
  ),

  row(
    'setup',
    ['guest'],
    [f.FFA_FEATURES],
    [on(OK, 'a function or feature that is there', 'Xen ffa.c'), on(FFA_NOT_SUPPORTED, 'one that is not', 'Xen ffa.c')],
  ),
  row(
    'setup',
    SPMC,
    [f.FFA_FEATURES],
    [
      on(OK, 'a function or feature that is there', HAFNIUM),
      on(FFA_NOT_SUPPORTED, 'one that is not', HAFNIUM),
      on(FFA_NOT_SUPPORTED, 'one of the other side', HAFNIUM),
      on(FFA_NOT_SUPPORTED, 'a retrieve that does not ask for the NS bit', HAFNIUM, { since: FFA_VERSION_1_1 }),
    ],
  ),

  row('setup', ['guest'], [f.FFA_ID_GET], [on(OK, 'always', 'Xen ffa.c')]),
  row('setup', SPMC, [f.FFA_ID_GET, f.FFA_SPM_ID_GET], [on(OK, 'always', HAFNIUM)]),

  row(
    'setup',
    ['guest'],
    RXTX_MAP,
    [
      on(OK, 'one page each', XEN_RXTX),
      on(FFA_INVALID_PARAMETERS, 'another number of pages than one', XEN_RXTX),
      on(FFA_INVALID_PARAMETERS, 'an address that is not aligned', XEN_RXTX),
      on(FFA_INVALID_PARAMETERS, "a page that is not the guest's RAM", XEN_RXTX),
      on(FFA_DENIED, 'buffers are mapped already', XEN_RXTX),
      on(FFA_NO_MEMORY, 'the hypervisor cannot map them', XEN_RXTX, { notGiven: 'it has all memory mapped' }),
    ],
    [f.FFA_RXTX_MAP_64],
  ),
  row('setup', ['hypervisor'], [f.FFA_RXTX_MAP_64], HYPERVISOR_MAP),
  row('setup', ['partition'], [f.FFA_RXTX_MAP_64], PARTITION_MAP),
  row('setup', SPMC, [f.FFA_RXTX_MAP_32], [on(FFA_NOT_SUPPORTED, 'the 32-bit form', 'Hafnium handler.c')]),
  row('setup', ['hypervisor'], [f.FFA_RXTX_MAP_32], ofOthers(HYPERVISOR_MAP, BOTH_FORMS, 'TF-A spmc_main.c')),
  row('setup', ['partition'], [f.FFA_RXTX_MAP_32], ofOthers(PARTITION_MAP, BOTH_FORMS, 'TF-A spmc_main.c')),

  row(
    'setup',
    ['guest'],
    [f.FFA_RXTX_UNMAP],
    [
      on(OK, 'the buffers are mapped, RX is free', XEN_RXTX),
      on(FFA_INVALID_PARAMETERS, 'none are mapped', XEN_RXTX),
      on(FFA_DENIED, 'the guest owns RX', XEN_RXTX),
    ],
    [f.FFA_RXTX_UNMAP],
  ),
  row(
    'setup',
    SPMC,
    [f.FFA_RXTX_UNMAP],
    [
      on(OK, 'they are mapped', HAFNIUM),
      on(FFA_INVALID_PARAMETERS, 'none are mapped', HAFNIUM),
      on(FFA_INVALID_PARAMETERS, "a partition is named, or somebody else's", HAFNIUM),
    ],
  ),

  row(
    'setup',
    ['hypervisor'],
    [f.FFA_RX_ACQUIRE],
    [
      on(OK, "the VM's RX is free", HAFNIUM),
      on(FFA_INVALID_PARAMETERS, 'no such VM', HAFNIUM),
      on(FFA_INVALID_PARAMETERS, 'a VM without buffers', HAFNIUM),
      on(FFA_DENIED, 'RX is not free', HAFNIUM),
      on(FFA_NOT_SUPPORTED, 'a partition is named', HAFNIUM),
    ],
  ),
  row(
    'setup',
    ['guest'],
    [f.FFA_RX_RELEASE],
    [
      on(OK, 'the guest owns RX', XEN_RXTX),
      on(FFA_DENIED, 'no buffers are mapped', XEN_RXTX),
      on(FFA_DENIED, 'RX is not its', XEN_RXTX),
      on(FFA_BUSY, 'another vCPU uses RX', 'Xen 7356bb5e47', FIRST_GENERATION),
    ],
    [f.FFA_RX_RELEASE],
  ),
  row(
    'setup',
    SPMC,
    [f.FFA_RX_RELEASE],
    [
      on(OK, 'RX is full', HAFNIUM),
      on(FFA_DENIED, 'RX is empty', HAFNIUM),
      on(FFA_DENIED, 'nobody has been told yet that it is full', HAFNIUM),
    ],
  ),
  row(
    'setup',
    ['hypervisor'],
    [f.FFA_RX_RELEASE],
    [on(OK, 'the hypervisor acquired it', HAFNIUM), on(FFA_INVALID_PARAMETERS, 'no such VM', HAFNIUM)],
  ),
  row(
    'setup',
    ['partition'],
    [f.FFA_RX_RELEASE],
    [
      on(FFA_INVALID_PARAMETERS, 'an endpoint is named', HAFNIUM),
      on(FFA_ABORTED, 'the other world owns RX', HAFNIUM, { notGiven: "a partition's RX is never given there" }),
    ],
  ),

  row(
    'setup',
    ['guest'],
    [f.FFA_PARTITION_INFO_GET],
    [
      on(OK, 'a list', XEN_INFO),
      on(OK, 'only the count is asked for', XEN_INFO, { since: FFA_VERSION_1_1 }),
      on(FFA_INVALID_PARAMETERS, 'a UUID that nobody has', XEN_INFO),
      on(FFA_INVALID_PARAMETERS, 'flags that do not exist', XEN_INFO),
      on(FFA_INVALID_PARAMETERS, 'any flag, of a guest of 1.0', XEN_INFO, { until: FFA_VERSION_1_0 }),
      on(FFA_DENIED, 'no buffers are mapped', XEN_INFO),
      on(FFA_BUSY, 'the guest owns RX', XEN_INFO),
      on(FFA_NO_MEMORY, 'more than RX holds', XEN_INFO),
    ],
    [f.FFA_RX_ACQUIRE],
  ),
  row(
    'setup',
    SPMC,
    [f.FFA_PARTITION_INFO_GET],
    [
      on(OK, 'a list', HAFNIUM),
      on(OK, 'only the count is asked for', HAFNIUM),
      on(FFA_INVALID_PARAMETERS, 'a UUID that nobody has', HAFNIUM),
      on(FFA_INVALID_PARAMETERS, 'flags that do not exist', HAFNIUM),
      on(FFA_BUSY, 'no buffers are mapped', HAFNIUM),
      on(FFA_BUSY, 'RX is not free', HAFNIUM),
      on(FFA_NO_MEMORY, 'more than RX holds', HAFNIUM),
      on(FFA_ABORTED, 'RX could not be written', HAFNIUM, { notGiven: 'what is mapped can be written here' }),
    ],
  ),

  row(
    'setup',
    ['guest'],
    [f.FFA_PARTITION_INFO_GET_REGS],
    [
      on(FFA_NOT_SUPPORTED, 'a guest of an older version', XEN_INFO, { until: FFA_VERSION_1_1 }),
      on(f.FFA_SUCCESS_64, 'a list', XEN_INFO, { since: FFA_VERSION_1_2 }),
      on(FFA_INVALID_PARAMETERS, 'a UUID that nobody has', XEN_INFO, { since: FFA_VERSION_1_2 }),
      on(FFA_INVALID_PARAMETERS, 'a start beyond the list', XEN_INFO, { since: FFA_VERSION_1_2 }),
      on(FFA_INVALID_PARAMETERS, 'the list from its start with a tag', XEN_INFO, { since: FFA_VERSION_1_2 }),
      on(FFA_RETRY, 'a tag that is stale', XEN_INFO, { since: FFA_VERSION_1_2 }),
    ],
  ),
  row(
    'setup',
    SPMC,
    [f.FFA_PARTITION_INFO_GET_REGS],
    [
      on(f.FFA_SUCCESS_64, 'a list', HAFNIUM),
      on(FFA_INVALID_PARAMETERS, 'a UUID that nobody has', HAFNIUM),
      on(FFA_INVALID_PARAMETERS, 'a start beyond the list', HAFNIUM),
      on(FFA_RETRY, 'any tag', HAFNIUM),
      on(FFA_NO_MEMORY, 'more partitions than it can list', HAFNIUM, {
        notGiven: 'the list is as long as it needs to be',
      }),
      on(FFA_DENIED, 'the dispatcher could not be asked', HAFNIUM, {
        notGiven: 'those at EL3 are known beforehand',
      }),
    ],
  ),

  row(
    'setup',
    SPMC,
    [f.FFA_CONSOLE_LOG_32, f.FFA_CONSOLE_LOG_64],
    [
      on(OK, 'characters', HAFNIUM),
      on(FFA_INVALID_PARAMETERS, 'none', HAFNIUM),
      on(FFA_INVALID_PARAMETERS, 'more than the registers hold', HAFNIUM),
      on(FFA_RETRY, 'only some were taken', 'arm-ffa crate', { notGiven: 'all are taken at once' }),
    ],
  ),

  row(
    'setup',
    SPMC,
    [...PERM_GET, ...PERM_SET],
    [on(FFA_DENIED, 'the caller is no partition at S-EL0, or has started', HAFNIUM)],
  ),
  row('setup', SPMC, PERM_GET, [on(FFA_INVALID_PARAMETERS, 'a range that wraps around', HAFNIUM)]),
  row(
    'setup',
    ['partition'],
    [...PERM_GET, ...PERM_SET],
    [
      on(OK, 'while a partition at S-EL0 starts', HAFNIUM),
      on(FFA_INVALID_PARAMETERS, 'an address that is not aligned', HAFNIUM),
      on(FFA_INVALID_PARAMETERS, 'pages that are not mapped', HAFNIUM),
    ],
  ),
  row('setup', ['partition'], PERM_SET, [
    on(FFA_INVALID_PARAMETERS, 'no page', HAFNIUM),
    on(FFA_INVALID_PARAMETERS, 'permissions that nobody may have', HAFNIUM),
    on(FFA_NO_MEMORY, 'no room to change the mapping', HAFNIUM, { notGiven: 'changing a map needs no memory here' }),
  ]),
  row(
    'setup',
    ['partition'],
    [f.FFA_SECONDARY_EP_REGISTER],
    [
      on(OK, 'while a partition of several vCPUs starts', HAFNIUM),
      on(FFA_NOT_SUPPORTED, 'a partition of one vCPU', HAFNIUM),
      on(FFA_DENIED, 'the partition has started', HAFNIUM),
      on(FFA_INVALID_PARAMETERS, 'an address outside the partition', 'TF-A spmc_main.c', {
        notGiven: 'the address is not looked at, as in Hafnium',
      }),
    ],
  ),

  // Of the other personalities.
  row('setup', SPMC, [f.FFA_PARTITION_INFO_GET_REGS], [absent('tfa-el3', 'TF-A spmc_main.c')]),
  row(
    'setup',
    ['hypervisor'],
    [f.FFA_RX_ACQUIRE],
    [absent('tfa-el3', 'TF-A spmc_main.c'), absent('optee', 'OP-TEE thread_spmc.c')],
  ),
];
