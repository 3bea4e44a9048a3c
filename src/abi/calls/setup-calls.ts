// Rows of the call table: answers, version, features, ids, buffers, partition information, console, boot of vCPUs.

import * as f from '../function-ids.ts';
import { FFA_VERSION_1_1, FFA_VERSION_1_2, FFA_VERSION_1_3 } from '../versions.ts';
import {
  aborted,
  bits,
  busy,
  type Call,
  call,
  denied,
  endpoint,
  invalid,
  noMemory,
  notSupported,
  payload,
  retry,
  since,
  w,
  wide,
  x,
} from './call.ts';

const SUCCESS = [f.FFA_SUCCESS_32];

export const SETUP_CALLS: readonly Call[] = [
  call(f.FFA_ERROR, 'FFA_ERROR', {
    callers: ['vm', 'hypervisor', 'sp', 'spmc', 'spmd'],
    arguments: [endpoint(1, 'high', 'sender'), endpoint(1, 'low', 'receiver'), w(2, 'code', 'error')],
  }),
  // What FFA_SUCCESS carries is said in the row of the call that it answers.
  call(f.FFA_SUCCESS_32, 'FFA_SUCCESS_32', {
    callers: ['vm', 'hypervisor', 'sp', 'spmc', 'spmd'],
    arguments: payload(false, 1, 7, 'result'),
  }),
  call(f.FFA_SUCCESS_64, 'FFA_SUCCESS_64', {
    callers: ['vm', 'hypervisor', 'sp', 'spmc', 'spmd'],
    arguments: [...payload(true, 1, 7, 'result'), ...since(FFA_VERSION_1_1, payload(true, 8, 17, 'moreResult'))],
  }),
  call(f.FFA_INTERRUPT, 'FFA_INTERRUPT', {
    callers: ['hypervisor', 'spmc', 'spmd'],
    arguments: [endpoint(1, 'high', 'endpoint'), bits(1, 15, 0, 'vcpu', 'decimal'), w(2, 'interruptId', 'decimal')],
    errors: [denied('a partition made the call', 'Hafnium handler.c')],
  }),
  // The answer is the version itself, or -1, in w0.
  call(f.FFA_VERSION, 'FFA_VERSION', {
    callers: ['vm', 'hypervisor', 'sp', 'spmc'],
    arguments: [bits(1, 30, 0, 'version', 'version')],
    results: [w(0, 'version', 'version')],
    errors: [
      notSupported('bit 31 is set', 'Hafnium api.c'),
      notSupported('an incompatible version', 'FF-A 1.2 §13.2'),
      notSupported('a lower version after other calls', 'FF-A 1.2 §13.2.2'),
    ],
  }),
  call(f.FFA_FEATURES, 'FFA_FEATURES', {
    callers: ['vm', 'hypervisor', 'sp', 'spmc'],
    arguments: [w(1, 'feature', 'function'), w(2, 'inputProperties', 'flags')],
    answers: SUCCESS,
    results: [w(2, 'properties'), w(3, 'moreProperties')],
    errors: [notSupported('what was asked for is not there', 'FF-A 1.2 §13.3')],
  }),
  call(f.FFA_RX_ACQUIRE, 'FFA_RX_ACQUIRE', {
    since: FFA_VERSION_1_1,
    callers: ['hypervisor'],
    arguments: [endpoint(1, 'low', 'endpoint')],
    answers: SUCCESS,
    errors: [
      invalid('no such VM, or no buffers', 'Hafnium api.c'),
      denied('the buffer is full', 'Hafnium api.c'),
      notSupported('the caller is no hypervisor', 'Hafnium api.c'),
    ],
  }),
  call(f.FFA_RX_RELEASE, 'FFA_RX_RELEASE', {
    callers: ['vm', 'hypervisor', 'sp'],
    arguments: [endpoint(1, 'low', 'endpoint')],
    answers: SUCCESS,
    errors: [
      denied('the caller does not own the buffer', 'Xen ffa_rxtx.c'),
      denied('the buffer is empty', 'TF-A spmc_main.c'),
      invalid('no such VM', 'Hafnium api.c'),
      busy('another vCPU holds the buffer', 'Xen 7356bb5e47'),
      aborted('the mailbox is in no state for it', 'Hafnium api.c'),
    ],
  }),
  ...[f.FFA_RXTX_MAP_32, f.FFA_RXTX_MAP_64].map((fid) =>
    call(fid, f.functionName(fid), {
      callers: ['vm', 'hypervisor', 'sp'],
      arguments: [
        wide(f.isSmc64(fid), 1, 'txAddress'),
        wide(f.isSmc64(fid), 2, 'rxAddress'),
        bits(3, 5, 0, 'pageCount', 'decimal'),
      ],
      answers: SUCCESS,
      errors: [
        invalid('an address that is not aligned, not mapped or not plain memory', 'Xen ffa_rxtx.c'),
        invalid('a page count that is not supported', 'Xen ffa_rxtx.c'),
        denied('buffers are mapped already', 'Xen ffa_rxtx.c'),
        noMemory('no room to map them', 'Xen ffa_rxtx.c'),
        aborted('the pages cannot be unmapped', 'Hafnium api.c'),
      ],
    }),
  ),
  call(f.FFA_RXTX_UNMAP, 'FFA_RXTX_UNMAP', {
    callers: ['vm', 'hypervisor', 'sp'],
    arguments: [endpoint(1, 'high', 'endpoint')],
    answers: SUCCESS,
    errors: [invalid('no buffers are mapped', 'Xen ffa_rxtx.c'), denied('the caller owns RX', 'Xen ffa_rxtx.c')],
  }),
  call(f.FFA_PARTITION_INFO_GET, 'FFA_PARTITION_INFO_GET', {
    callers: ['vm', 'hypervisor', 'sp'],
    arguments: [w(1, 'uuid', 'uuid32'), ...since(FFA_VERSION_1_1, [w(5, 'flags', 'flags')])],
    answers: SUCCESS,
    results: [w(2, 'count', 'decimal'), ...since(FFA_VERSION_1_1, [w(3, 'size', 'decimal')])],
    errors: [
      invalid('an unknown UUID, or unknown flags', 'Hafnium api.c'),
      busy('RX is not free', 'Hafnium api.c'),
      noMemory('RX is too small', 'Hafnium api.c'),
      denied('no RX buffer is mapped', 'Xen ffa_rxtx.c'),
      aborted('RX could not be written', 'Hafnium api.c'),
    ],
  }),
  call(f.FFA_PARTITION_INFO_GET_REGS, 'FFA_PARTITION_INFO_GET_REGS', {
    since: FFA_VERSION_1_1,
    callers: ['vm', 'hypervisor', 'sp', 'spmc', 'spmd'],
    arguments: [{ ...x(1, 'uuid'), form: 'uuid64' }, bits(3, 15, 0, 'startIndex', 'decimal'), bits(3, 31, 16, 'tag')],
    answers: [f.FFA_SUCCESS_64],
    results: [
      bits(2, 15, 0, 'lastIndex', 'decimal'),
      bits(2, 31, 16, 'currentIndex', 'decimal'),
      bits(2, 47, 32, 'tag'),
      bits(2, 63, 48, 'size', 'decimal'),
      ...payload(true, 3, 17, 'partitions'),
    ],
    errors: [
      invalid('an unknown UUID, or an index out of range', 'Xen ffa_partinfo.c'),
      retry('the tag is stale', 'Xen ffa_partinfo.c'),
      noMemory('too many partitions', 'Hafnium api.c'),
      denied('the other world could not be asked', 'Hafnium api.c'),
    ],
  }),
  call(f.FFA_ID_GET, 'FFA_ID_GET', {
    callers: ['vm', 'hypervisor', 'sp', 'spmc'],
    answers: SUCCESS,
    results: [bits(2, 15, 0, 'id', 'endpoint')],
  }),
  call(f.FFA_SPM_ID_GET, 'FFA_SPM_ID_GET', {
    since: FFA_VERSION_1_1,
    callers: ['vm', 'hypervisor', 'sp', 'spmc'],
    answers: SUCCESS,
    results: [bits(2, 15, 0, 'id', 'endpoint')],
  }),
  ...[f.FFA_CONSOLE_LOG_32, f.FFA_CONSOLE_LOG_64].map((fid) =>
    call(fid, f.functionName(fid), {
      since: FFA_VERSION_1_1,
      callers: ['vm', 'hypervisor', 'sp', 'spmc'],
      arguments: [
        bits(1, 7, 0, 'characterCount', 'decimal'),
        ...payload(f.isSmc64(fid), 2, 7, 'characters'),
        ...(f.isSmc64(fid) ? since(FFA_VERSION_1_2, payload(true, 8, 17, 'moreCharacters')) : []),
      ],
      answers: SUCCESS,
      errors: [
        invalid('no characters, or more than the registers hold', 'Hafnium api.c'),
        retry('not all characters were taken', 'arm-ffa crate'),
      ],
    }),
  ),
  call(f.FFA_SECONDARY_EP_REGISTER, 'FFA_SECONDARY_EP_REGISTER', {
    since: FFA_VERSION_1_1,
    callers: ['sp', 'spmc'],
    arguments: [x(1, 'entryPoint')],
    answers: SUCCESS,
    errors: [
      denied('not while the partition starts', 'Hafnium api.c'),
      invalid('an address outside the partition', 'TF-A spmc_main.c'),
      notSupported('a partition of one vCPU', 'Hafnium api.c'),
    ],
  }),
  call(f.FFA_NORMAL_WORLD_RESUME, 'FFA_NORMAL_WORLD_RESUME', {
    callers: ['spmc'],
    answers: SUCCESS,
    errors: [denied('nothing was preempted', 'TF-A spmd')],
  }),
  call(f.FFA_EL3_INTR_HANDLE, 'FFA_EL3_INTR_HANDLE', {
    since: FFA_VERSION_1_1,
    callers: ['spmc'],
    answers: SUCCESS,
    errors: [denied('no such interrupt is pending', 'TF-A spmd'), invalid('arguments are not zero', 'TF-A spmd')],
  }),
  call(f.FFA_NS_RES_INFO_GET, 'FFA_NS_RES_INFO_GET', {
    since: FFA_VERSION_1_3,
    callers: ['hypervisor'],
    arguments: payload(true, 1, 7, 'argument'),
    answers: [f.FFA_SUCCESS_64],
    results: payload(true, 1, 7, 'result'),
    errors: [
      invalid('reserved bits are set', 'Hafnium api.c'),
      retry('the list changed', 'Hafnium api.c'),
      noMemory('the list is too long', 'Hafnium api.c'),
      aborted('RX could not be written', 'Hafnium api.c'),
    ],
  }),
  ...[f.FFA_ABORT_32, f.FFA_ABORT_64].map((fid) =>
    call(fid, f.functionName(fid), {
      since: FFA_VERSION_1_3,
      callers: ['sp', 'spmc'],
      arguments: payload(f.isSmc64(fid), 1, 7, 'argument'),
      answers: SUCCESS,
      errors: [invalid('reserved bits are set', 'Hafnium api.c')],
    }),
  ),
];
