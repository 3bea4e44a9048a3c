// Documented answers: memory management.

import {
  FFA_ABORTED,
  FFA_BUSY,
  FFA_DENIED,
  FFA_INVALID_PARAMETERS,
  FFA_NO_MEMORY,
  FFA_NOT_SUPPORTED,
} from '../errors.ts';
import * as f from '../function-ids.ts';
import { FFA_VERSION_1_0, FFA_VERSION_1_2 } from '../versions.ts';
import { absent, type DocumentedRow, on, row } from './documented-answer.ts';

const API = 'Hafnium api.c';
const HAFNIUM = 'Hafnium ffa_memory.c';
const OPTEE_SP = 'OP-TEE spmc_sp_handler.c';
const XEN = 'Xen ffa_shm.c';
const SPMC = ['hypervisor', 'partition'] as const;
const OK = f.FFA_SUCCESS_32;
const SHARE = [f.FFA_MEM_SHARE_32, f.FFA_MEM_SHARE_64];
const LEND = [f.FFA_MEM_LEND_32, f.FFA_MEM_LEND_64];
const DONATE = [f.FFA_MEM_DONATE_32, f.FFA_MEM_DONATE_64];
const SENDS = [...SHARE, ...LEND, ...DONATE];
const RETRIEVE = [f.FFA_MEM_RETRIEVE_REQ_32, f.FFA_MEM_RETRIEVE_REQ_64];
const TX_COPY = { notGiven: 'what is mapped can be read here' };
const NO_TABLES = { notGiven: 'changing a map needs no memory here' };
const LACKING = 'the SPMC lacks the function';

export const MEMORY_ANSWERS: readonly DocumentedRow[] = [
  // Sends.
  row(
    'memory',
    ['guest'],
    SENDS,
    [
      on(OK, 'the whole descriptor', XEN),
      on(f.FFA_MEM_FRAG_RX, 'a first fragment', HAFNIUM),
      on(FFA_NOT_SUPPORTED, LACKING, XEN),
      on(FFA_INVALID_PARAMETERS, 'a descriptor elsewhere than in TX', API),
      on(FFA_INVALID_PARAMETERS, 'a fragment longer than the whole', XEN),
      on(FFA_INVALID_PARAMETERS, 'no buffers are mapped', API),
      on(FFA_INVALID_PARAMETERS, 'a fragment longer than TX', API),
      on(FFA_BUSY, 'another vCPU uses TX', XEN),
      on(FFA_INVALID_PARAMETERS, 'a header that is wrong', XEN),
      on(FFA_INVALID_PARAMETERS, 'no receiver, or too many', HAFNIUM),
      on(FFA_INVALID_PARAMETERS, 'itself as receiver', HAFNIUM),
      on(FFA_INVALID_PARAMETERS, 'a VM that there is not', HAFNIUM),
      on(FFA_DENIED, 'a sender that is not the caller', HAFNIUM),
      on(FFA_INVALID_PARAMETERS, 'a composite that is not where it can be', HAFNIUM),
      on(FFA_INVALID_PARAMETERS, 'a length that does not match the constituents', HAFNIUM),
      on(FFA_INVALID_PARAMETERS, 'other pages in all than announced', XEN),
      on(FFA_INVALID_PARAMETERS, 'an address that is not aligned', XEN),
      on(FFA_NO_MEMORY, 'more pages than a share may have', XEN),
      on(FFA_NO_MEMORY, 'more shares than a guest may have', XEN),
      on(FFA_DENIED, "pages that are not the guest's RAM", XEN),
      on(FFA_ABORTED, 'nobody knows what became of it', API),
    ],
    [f.FFA_MEM_SHARE_64],
  ),
  row('memory', SPMC, SENDS, [
    on(OK, 'the whole descriptor', HAFNIUM),
    on(f.FFA_MEM_FRAG_RX, 'a first fragment', HAFNIUM),
    on(FFA_INVALID_PARAMETERS, 'a descriptor elsewhere than in TX', API),
    on(FFA_INVALID_PARAMETERS, 'a fragment longer than the whole', API),
    on(FFA_INVALID_PARAMETERS, 'no buffers are mapped', API),
    on(FFA_INVALID_PARAMETERS, 'a fragment longer than TX', API),
    on(FFA_NO_MEMORY, 'no room for a copy of the descriptor', API, { notGiven: 'each PE has its own copy' }),
    on(FFA_ABORTED, 'TX could not be read', API, TX_COPY),
    on(FFA_INVALID_PARAMETERS, 'a header that is wrong', API),
    on(FFA_NOT_SUPPORTED, 'more than fits a page in the layout of 1.1', API, { until: FFA_VERSION_1_0 }),
    on(FFA_INVALID_PARAMETERS, 'no receiver, or too many', HAFNIUM),
    on(FFA_INVALID_PARAMETERS, 'a composite that is not where it can be', HAFNIUM),
    on(FFA_INVALID_PARAMETERS, 'flags that do not exist', HAFNIUM),
    on(FFA_INVALID_PARAMETERS, 'the time slice flag', HAFNIUM),
    on(FFA_INVALID_PARAMETERS, 'a receiver that there is not, or itself', HAFNIUM),
    on(FFA_DENIED, 'a direction that is not allowed', HAFNIUM),
    on(FFA_DENIED, 'a sender that the caller is not', HAFNIUM),
    on(FFA_INVALID_PARAMETERS, 'a length that does not match the constituents', HAFNIUM),
    on(FFA_INVALID_PARAMETERS, 'permissions that a sender may not state', HAFNIUM),
    on(FFA_INVALID_PARAMETERS, 'the NS bit', HAFNIUM),
    on(FFA_NO_MEMORY, 'no free handle', HAFNIUM),
    on(FFA_INVALID_PARAMETERS, 'constituents that overlap', HAFNIUM),
    on(FFA_INVALID_PARAMETERS, 'other pages in all than announced', HAFNIUM),
    on(FFA_INVALID_PARAMETERS, 'an address that is not aligned', HAFNIUM),
    on(FFA_DENIED, "pages that are not the sender's alone", HAFNIUM),
    on(FFA_DENIED, 'a constituent without pages', HAFNIUM),
    on(FFA_DENIED, 'pages of several kinds', HAFNIUM),
    on(FFA_NO_MEMORY, 'no room to change the mapping', HAFNIUM, NO_TABLES),
  ]),
  row(
    'memory',
    SPMC,
    [...SHARE, ...LEND],
    [
      on(FFA_INVALID_PARAMETERS, 'a receiver twice', HAFNIUM),
      on(FFA_DENIED, 'more access than the sender has', HAFNIUM),
    ],
  ),
  row('memory', SPMC, SHARE, [
    on(FFA_INVALID_PARAMETERS, 'the zero flag', HAFNIUM),
    on(FFA_DENIED, 'attributes that are not allowed', HAFNIUM),
  ]),
  row('memory', SPMC, LEND, [on(FFA_DENIED, 'attributes that are not allowed, for several receivers', HAFNIUM)]),
  row(
    'memory',
    SPMC,
    [...LEND, ...DONATE],
    [
      on(FFA_INVALID_PARAMETERS, 'a memory type for one receiver', HAFNIUM),
      on(FFA_DENIED, 'the zero flag for pages that the sender may not write', HAFNIUM),
    ],
  ),
  row('memory', SPMC, DONATE, [on(FFA_INVALID_PARAMETERS, 'several receivers', HAFNIUM)]),
  row('memory', SPMC, [...SHARE, ...DONATE], [on(FFA_DENIED, 'device memory', HAFNIUM)]),

  // Fragments.
  row(
    'memory',
    ['guest'],
    [f.FFA_MEM_FRAG_TX],
    [
      on(OK, 'the last fragment', HAFNIUM),
      on(f.FFA_MEM_FRAG_RX, 'another fragment', HAFNIUM),
      on(FFA_INVALID_PARAMETERS, 'a handle that waits for none', API),
      on(FFA_INVALID_PARAMETERS, 'a length that is wrong', API),
      on(FFA_INVALID_PARAMETERS, 'other pages in all than announced', HAFNIUM),
      on(FFA_DENIED, "pages that are not the guest's RAM", XEN),
      on(FFA_BUSY, 'another vCPU uses TX', XEN),
      on(FFA_ABORTED, 'nobody knows what became of it', API),
    ],
    [f.FFA_MEM_FRAG_TX],
  ),
  row(
    'memory',
    SPMC,
    [f.FFA_MEM_FRAG_TX],
    [
      on(OK, 'the last fragment', HAFNIUM),
      on(f.FFA_MEM_FRAG_RX, 'another fragment', HAFNIUM),
      on(FFA_INVALID_PARAMETERS, 'a handle that is not known', HAFNIUM),
      on(FFA_INVALID_PARAMETERS, 'a descriptor that is complete', HAFNIUM),
      on(FFA_INVALID_PARAMETERS, 'a length that is wrong', API),
      on(FFA_INVALID_PARAMETERS, 'other pages in all than announced', HAFNIUM),
      on(FFA_DENIED, "pages that are not the sender's alone", HAFNIUM),
      on(FFA_NO_MEMORY, 'more fragments than there may be', HAFNIUM),
      on(FFA_ABORTED, 'TX could not be read', API, TX_COPY),
    ],
  ),
  row(
    'memory',
    ['partition'],
    [f.FFA_MEM_FRAG_TX, f.FFA_MEM_FRAG_RX],
    [on(FFA_INVALID_PARAMETERS, 'an endpoint is named', API)],
  ),
  row(
    'memory',
    SPMC,
    [f.FFA_MEM_FRAG_RX],
    [
      on(f.FFA_MEM_FRAG_TX, 'the rest of a response', HAFNIUM),
      on(FFA_INVALID_PARAMETERS, 'a handle that is not known', HAFNIUM),
      on(FFA_INVALID_PARAMETERS, 'another offset than the next', HAFNIUM),
      on(FFA_INVALID_PARAMETERS, 'nothing was retrieved', HAFNIUM),
      on(FFA_BUSY, 'RX is not free', API),
      on(FFA_ABORTED, 'RX could not be written', HAFNIUM, { notGiven: 'what is mapped can be written here' }),
    ],
  ),

  // Borrowers.
  row(
    'memory',
    ['guest'],
    RETRIEVE,
    [
      on(f.FFA_MEM_RETRIEVE_RESP, 'as borrower', HAFNIUM),
      on(FFA_NOT_SUPPORTED, LACKING, XEN),
      on(FFA_INVALID_PARAMETERS, 'a descriptor elsewhere than in TX, or in fragments', API),
      on(FFA_INVALID_PARAMETERS, 'no buffers are mapped', API),
      on(FFA_INVALID_PARAMETERS, 'a header that is wrong', HAFNIUM),
      on(FFA_INVALID_PARAMETERS, 'the guest is not among the receivers', HAFNIUM),
      on(FFA_BUSY, 'the guest owns RX', API),
      on(FFA_BUSY, 'another vCPU uses TX', XEN),
      on(FFA_DENIED, 'it was retrieved already', HAFNIUM),
    ],
    [...RETRIEVE.slice(1)],
  ),
  row('memory', SPMC, RETRIEVE, [
    on(f.FFA_MEM_RETRIEVE_RESP, 'as borrower', HAFNIUM),
    on(FFA_BUSY, 'RX is not free', API),
    on(FFA_INVALID_PARAMETERS, 'no buffers are mapped', API),
    on(FFA_INVALID_PARAMETERS, 'a descriptor elsewhere than in TX, or in fragments', API),
    on(FFA_ABORTED, 'TX could not be read', API, TX_COPY),
    on(FFA_INVALID_PARAMETERS, 'a handle that is not known', HAFNIUM),
    on(FFA_DENIED, 'a handle that is not known', OPTEE_SP, { only: ['optee'] }),
    on(FFA_INVALID_PARAMETERS, 'a transaction that has not been sent whole', HAFNIUM),
    on(FFA_INVALID_PARAMETERS, 'a length that is wrong', HAFNIUM),
    on(FFA_DENIED, 'another sender than the transaction has', HAFNIUM),
    on(FFA_INVALID_PARAMETERS, 'another kind of transaction', HAFNIUM),
    on(FFA_INVALID_PARAMETERS, 'another tag', HAFNIUM),
    on(FFA_INVALID_PARAMETERS, 'the caller is no receiver', HAFNIUM),
    on(FFA_INVALID_PARAMETERS, 'flags that do not exist', HAFNIUM),
    on(FFA_INVALID_PARAMETERS, 'an alignment hint', HAFNIUM),
    on(FFA_INVALID_PARAMETERS, 'zeroing of what is shared', HAFNIUM),
    on(FFA_INVALID_PARAMETERS, 'the NS bit', HAFNIUM),
    on(FFA_DENIED, 'attributes that are not allowed', HAFNIUM),
    on(FFA_INVALID_PARAMETERS, 'other receivers in number', HAFNIUM),
    on(FFA_DENIED, 'another receiver that the sender did not name', HAFNIUM),
    on(FFA_INVALID_PARAMETERS, 'address ranges', HAFNIUM),
    on(FFA_DENIED, 'more access than the sender gave', HAFNIUM),
    on(FFA_INVALID_PARAMETERS, 'instruction access to what is shared', HAFNIUM),
    on(FFA_INVALID_PARAMETERS, 'another implementation defined value', HAFNIUM, { since: FFA_VERSION_1_2 }),
    on(FFA_NO_MEMORY, 'no room to map the pages', HAFNIUM, NO_TABLES),
  ]),
  row('memory', ['partition'], RETRIEVE, [
    on(FFA_DENIED, 'zeroing that the sender did not state', HAFNIUM),
    on(FFA_DENIED, 'it was retrieved already', HAFNIUM),
    on(FFA_DENIED, 'normal memory of what is a device', HAFNIUM),
    on(FFA_INVALID_PARAMETERS, 'no instruction access stated by the one borrower', HAFNIUM),
    on(FFA_INVALID_PARAMETERS, 'execution of non-secure memory', HAFNIUM),
  ]),
  row('memory', ['hypervisor'], RETRIEVE, [
    on(f.FFA_MEM_RETRIEVE_RESP, 'by the hypervisor itself', HAFNIUM),
    on(FFA_INVALID_PARAMETERS, 'by the hypervisor itself, with a field that is not zero', HAFNIUM),
    on(FFA_DENIED, 'by the hypervisor itself, before the first response was read whole', HAFNIUM),
    on(FFA_NOT_SUPPORTED, 'several borrowers in the normal world', HAFNIUM),
  ]),

  row(
    'memory',
    ['guest'],
    [f.FFA_MEM_RELINQUISH],
    [
      on(OK, 'what was retrieved', HAFNIUM),
      on(FFA_INVALID_PARAMETERS, 'no buffers are mapped', API),
      on(FFA_INVALID_PARAMETERS, 'other endpoints than the caller', HAFNIUM),
      on(FFA_INVALID_PARAMETERS, 'a handle that was not retrieved', HAFNIUM),
      on(FFA_BUSY, 'another vCPU uses TX', XEN),
    ],
    [f.FFA_MEM_RELINQUISH],
  ),
  row(
    'memory',
    SPMC,
    [f.FFA_MEM_RELINQUISH],
    [
      on(OK, 'what was retrieved', HAFNIUM),
      on(FFA_INVALID_PARAMETERS, 'no buffers are mapped', API),
      on(FFA_INVALID_PARAMETERS, 'other endpoints than the caller', HAFNIUM),
      on(FFA_INVALID_PARAMETERS, 'a handle that is not known', HAFNIUM),
      on(FFA_DENIED, 'a handle that is not known', OPTEE_SP, { only: ['optee'] }),
      on(FFA_INVALID_PARAMETERS, 'nothing was retrieved', HAFNIUM),
      on(FFA_NO_MEMORY, 'no room to change the mapping', HAFNIUM, NO_TABLES),
      on(FFA_ABORTED, 'TX could not be read', API, TX_COPY),
    ],
  ),
  row(
    'memory',
    ['partition'],
    [f.FFA_MEM_RELINQUISH],
    [
      on(FFA_INVALID_PARAMETERS, 'the response was not read whole', HAFNIUM),
      on(FFA_INVALID_PARAMETERS, 'zeroing of what is shared', HAFNIUM),
      on(FFA_DENIED, 'zeroing by a borrower that may only read', HAFNIUM),
    ],
  ),

  // Owners.
  row(
    'memory',
    ['guest'],
    [f.FFA_MEM_RECLAIM],
    [
      on(OK, 'nobody holds it', XEN),
      on(FFA_NOT_SUPPORTED, LACKING, XEN),
      on(FFA_INVALID_PARAMETERS, "a handle that is not the guest's", XEN),
      on(FFA_BUSY, 'a send is under way that may get the same handle', 'Xen 7356bb5e47'),
      on(FFA_ABORTED, 'an answer that is none', 'Xen ffa_msg.c'),
    ],
    [f.FFA_MEM_RECLAIM],
  ),
  row(
    'memory',
    SPMC,
    [f.FFA_MEM_RECLAIM],
    [
      on(OK, 'nobody holds it', HAFNIUM),
      on(FFA_INVALID_PARAMETERS, 'a handle that is not known', HAFNIUM),
      on(FFA_INVALID_PARAMETERS, 'a transaction that has not been sent whole', HAFNIUM),
      on(FFA_DENIED, 'a borrower holds it', HAFNIUM),
      on(FFA_DENIED, 'zeroing of what the owner may not write', HAFNIUM),
      on(FFA_NO_MEMORY, 'no room to change the mapping', HAFNIUM, NO_TABLES),
    ],
  ),
  row('memory', ['partition'], [f.FFA_MEM_RECLAIM], [on(FFA_INVALID_PARAMETERS, 'not the owner', HAFNIUM)]),
  row('memory', ['hypervisor'], [f.FFA_MEM_RECLAIM], [on(FFA_DENIED, 'a partition owns it', HAFNIUM)]),

  // Of the other personalities.
  row('memory', SPMC, DONATE, [absent('tfa-el3', 'TF-A spmc_main.c'), absent('optee', 'OP-TEE thread_spmc.c')]),
  // OP-TEE's partitions share in one piece, and nothing else.
  row('memory', ['partition'], SHARE, [on(FFA_NOT_SUPPORTED, 'a first fragment', OPTEE_SP, { only: ['optee'] })]),
  row('memory', ['partition'], LEND, [on(FFA_NOT_SUPPORTED, 'the whole descriptor', OPTEE_SP, { only: ['optee'] })]),
  row(
    'memory',
    SPMC,
    [f.FFA_MEM_FRAG_RX],
    [
      on(FFA_DENIED, 'RX is not free', 'TF-A spmc_shared_mem.c', { only: ['tfa-el3'] }),
      absent('optee', 'OP-TEE thread_spmc.c'),
    ],
  ),
];
