// Rows of the call table: memory management.

import * as f from '../function-ids.ts';
import { FFA_VERSION_1_1, FFA_VERSION_1_3 } from '../versions.ts';
import {
  type Argument,
  aborted,
  bits,
  busy,
  type Call,
  type CallError,
  call,
  denied,
  endpoint,
  invalid,
  noMemory,
  notSupported,
  pair,
  since,
  w,
  wide,
} from './call.ts';

const SUCCESS = [f.FFA_SUCCESS_32];

function descriptorArguments(isSmc64: boolean): Argument[] {
  return [
    w(1, 'totalLength', 'decimal'),
    w(2, 'fragmentLength', 'decimal'),
    wide(isSmc64, 3, 'bufferAddress'),
    w(4, 'bufferPageCount', 'decimal'),
  ];
}

const SEND_ERRORS: readonly CallError[] = [
  invalid('a descriptor that is wrong', 'Hafnium ffa_memory.c'),
  denied('pages that the caller may not send so', 'Hafnium ffa_memory.c'),
  denied('attributes or permissions above those of the sender', 'Hafnium ffa_memory.c'),
  denied('no buffers are mapped', 'Xen ffa_shm.c'),
  noMemory('no room for another transaction', 'Hafnium ffa_memory.c'),
  busy('another vCPU uses TX', 'Xen ffa_shm.c'),
  aborted('TX could not be read', 'Hafnium api.c'),
  notSupported('a form that the callee does not take', 'Xen ffa_shm.c'),
];

function sendCalls(fids: readonly number[]): Call[] {
  return fids.map((fid) =>
    call(fid, f.functionName(fid), {
      callers: ['vm', 'hypervisor', 'sp'],
      arguments: descriptorArguments(f.isSmc64(fid)),
      answers: [f.FFA_SUCCESS_32, f.FFA_MEM_FRAG_RX],
      results: [pair(2, 'handle')],
      errors: SEND_ERRORS,
    }),
  );
}

export const MEMORY_CALLS: readonly Call[] = [
  ...sendCalls([f.FFA_MEM_DONATE_32, f.FFA_MEM_DONATE_64]),
  ...sendCalls([f.FFA_MEM_LEND_32, f.FFA_MEM_LEND_64]),
  ...sendCalls([f.FFA_MEM_SHARE_32, f.FFA_MEM_SHARE_64]),
  ...[f.FFA_MEM_RETRIEVE_REQ_32, f.FFA_MEM_RETRIEVE_REQ_64].map((fid) =>
    call(fid, f.functionName(fid), {
      callers: ['vm', 'hypervisor', 'sp'],
      arguments: descriptorArguments(f.isSmc64(fid)),
      answers: [f.FFA_MEM_RETRIEVE_RESP],
      errors: [
        invalid('a descriptor that is wrong, or an unknown handle', 'Hafnium ffa_memory.c'),
        denied('not a borrower, or more than the owner gave', 'Hafnium ffa_memory.c'),
        busy('RX is not free', 'Hafnium api.c'),
        noMemory('no room to map the pages', 'Hafnium ffa_memory.c'),
        aborted('TX could not be read, or RX written', 'Hafnium api.c'),
        notSupported('more than one borrower in the normal world', 'Hafnium ffa_memory.c'),
      ],
    }),
  ),
  call(f.FFA_MEM_RETRIEVE_RESP, 'FFA_MEM_RETRIEVE_RESP', {
    callers: ['hypervisor', 'spmc'],
    arguments: [w(1, 'totalLength', 'decimal'), w(2, 'fragmentLength', 'decimal')],
  }),
  call(f.FFA_MEM_RELINQUISH, 'FFA_MEM_RELINQUISH', {
    callers: ['vm', 'hypervisor', 'sp'],
    answers: SUCCESS,
    errors: [
      invalid('a descriptor that is wrong, an unknown handle, or nothing that was retrieved', 'Hafnium ffa_memory.c'),
      denied('pages that the caller may not give back so', 'Hafnium ffa_memory.c'),
      busy('another vCPU uses TX', 'Xen ffa_shm.c'),
      noMemory('no room to change the mapping', 'Hafnium ffa_memory.c'),
      aborted('TX could not be read', 'Hafnium api.c'),
    ],
  }),
  call(f.FFA_MEM_RECLAIM, 'FFA_MEM_RECLAIM', {
    callers: ['vm', 'hypervisor', 'sp'],
    arguments: [pair(1, 'handle'), w(3, 'flags', 'flags')],
    answers: SUCCESS,
    errors: [
      invalid('an unknown handle, or not its owner', 'Hafnium ffa_memory.c'),
      denied('a borrower holds the memory', 'Hafnium ffa_memory.c'),
      busy('a send is under way that may get the same handle', 'Xen 7356bb5e47'),
      aborted('an answer that is none', 'Xen ffa_msg.c'),
      noMemory('no room to change the mapping', 'Hafnium ffa_memory.c'),
    ],
  }),
  call(f.FFA_MEM_OP_PAUSE, 'FFA_MEM_OP_PAUSE', {
    until: FFA_VERSION_1_1,
    callers: ['hypervisor', 'spmc'],
    arguments: [pair(1, 'handle')],
    answers: [f.FFA_MEM_OP_RESUME],
    errors: [invalid('an unknown handle', 'TF-A ffa_svc.h')],
  }),
  call(f.FFA_MEM_OP_RESUME, 'FFA_MEM_OP_RESUME', {
    until: FFA_VERSION_1_1,
    callers: ['vm', 'hypervisor', 'sp'],
    arguments: [pair(1, 'handle')],
    answers: SUCCESS,
    errors: [invalid('an unknown handle', 'TF-A ffa_svc.h')],
  }),
  // A sender that is asked for more gets FFA_MEM_FRAG_RX; a receiver that wants more sends it, and gets
  // FFA_MEM_FRAG_TX.
  call(f.FFA_MEM_FRAG_RX, 'FFA_MEM_FRAG_RX', {
    callers: ['vm', 'hypervisor', 'sp', 'spmc'],
    arguments: [pair(1, 'handle'), w(3, 'fragmentOffset', 'decimal'), endpoint(4, 'high', 'endpoint')],
    answers: [f.FFA_MEM_FRAG_TX],
    errors: [
      invalid('an unknown handle, or not the offset that comes next', 'Hafnium ffa_memory.c'),
      busy('RX is not free', 'Hafnium api.c'),
      denied('RX is not free', 'TF-A spmc_shared_mem.c'),
      aborted('RX could not be written', 'Hafnium ffa_memory.c'),
    ],
  }),
  call(f.FFA_MEM_FRAG_TX, 'FFA_MEM_FRAG_TX', {
    callers: ['vm', 'hypervisor', 'sp', 'spmc'],
    arguments: [pair(1, 'handle'), w(3, 'fragmentLength', 'decimal'), endpoint(4, 'high', 'endpoint')],
    answers: [f.FFA_MEM_FRAG_RX, f.FFA_SUCCESS_32],
    results: [pair(2, 'handle')],
    errors: [
      invalid('an unknown handle, or a length that is wrong', 'Hafnium api.c'),
      noMemory('too many fragments', 'Hafnium ffa_memory.c'),
      busy('another vCPU uses TX', 'Xen ffa_shm.c'),
      denied('pages that the caller may not send so', 'Hafnium ffa_memory.c'),
      aborted('TX could not be read', 'Hafnium api.c'),
    ],
  }),
  ...[f.FFA_MEM_PERM_GET_32, f.FFA_MEM_PERM_GET_64].map((fid) =>
    call(fid, f.functionName(fid), {
      since: FFA_VERSION_1_1,
      callers: ['sp'],
      arguments: [wide(f.isSmc64(fid), 1, 'address'), ...since(FFA_VERSION_1_3, [w(2, 'pageCountLessOne', 'decimal')])],
      answers: [f.FFA_SUCCESS_32, f.FFA_SUCCESS_64],
      results: [bits(2, 2, 0, 'permissions'), ...since(FFA_VERSION_1_3, [w(3, 'pageCountLessOne', 'decimal')])],
      errors: [
        invalid('an address that is not mapped or not aligned', 'Hafnium api.c'),
        denied('not a partition at S-EL0, or not while it starts', 'Hafnium api.c'),
      ],
    }),
  ),
  ...[f.FFA_MEM_PERM_SET_32, f.FFA_MEM_PERM_SET_64].map((fid) =>
    call(fid, f.functionName(fid), {
      since: FFA_VERSION_1_1,
      callers: ['sp'],
      arguments: [wide(f.isSmc64(fid), 1, 'address'), w(2, 'pageCount', 'decimal'), bits(3, 2, 0, 'permissions')],
      answers: [f.FFA_SUCCESS_32, f.FFA_SUCCESS_64],
      errors: [
        invalid('an address, a count or permissions that are wrong', 'Hafnium api.c'),
        denied('not a partition at S-EL0, or not while it starts', 'Hafnium api.c'),
        noMemory('no room to change the mapping', 'Hafnium api.c'),
      ],
    }),
  ),
];
