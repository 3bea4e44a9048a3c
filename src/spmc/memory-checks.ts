// Every check of the memory calls that can refuse a call, by name, with the error with which Hafnium refuses it. The
// name says where it stands; a personality may answer with another error, never with another check.
//
// They are listed so that a test can hold this against them: each check is driven to fail, and nothing has changed.
//
// Not here: what precedes the memory calls (an unknown function, a door that is closed), and asserts.

import {
  FFA_BUSY,
  FFA_DENIED,
  FFA_INVALID_PARAMETERS,
  FFA_NO_MEMORY,
  FFA_NOT_SUPPORTED,
  type FfaErrorCode,
} from '../abi/errors.ts';

export const MEMORY_CHECKS = {
  // The call that carries a descriptor: its registers, its TX buffer.
  'descriptor: no buffer of its own': FFA_INVALID_PARAMETERS,
  'descriptor: its own buffer holds it': FFA_INVALID_PARAMETERS,
  'descriptor: fragment within total': FFA_INVALID_PARAMETERS,
  'descriptor: TX is mapped': FFA_INVALID_PARAMETERS,
  'descriptor: fragment fits TX': FFA_INVALID_PARAMETERS,
  // The header, of a send and of a retrieve.
  'header: complete': FFA_INVALID_PARAMETERS,
  'header: reserved is zero': FFA_INVALID_PARAMETERS,
  'header: access descriptor size': FFA_INVALID_PARAMETERS,
  'header: access descriptors behind it': FFA_INVALID_PARAMETERS,
  // A send: who may, and what its bytes say.
  'send: sender may': FFA_DENIED,
  'send: in one piece': FFA_NOT_SUPPORTED,
  'send: has a receiver': FFA_INVALID_PARAMETERS,
  'send: not too many receivers': FFA_INVALID_PARAMETERS,
  'send: access descriptors within fragment': FFA_INVALID_PARAMETERS,
  'send: access descriptor reserved is zero': FFA_INVALID_PARAMETERS,
  'send: one composite': FFA_INVALID_PARAMETERS,
  'send: composite behind access descriptors': FFA_INVALID_PARAMETERS,
  'send: composite within fragment': FFA_INVALID_PARAMETERS,
  'send: fits a page as 1.1': FFA_NOT_SUPPORTED,
  'send: flags': FFA_INVALID_PARAMETERS,
  'send: donated to one': FFA_INVALID_PARAMETERS,
  'send: receiver exists': FFA_INVALID_PARAMETERS,
  'send: direction': FFA_DENIED,
  'send: length is whole': FFA_INVALID_PARAMETERS,
  'send: total is whole': FFA_INVALID_PARAMETERS,
  'send: sender is the caller': FFA_DENIED,
  'send: sender receives nothing': FFA_INVALID_PARAMETERS,
  'send: composite alignment': FFA_INVALID_PARAMETERS,
  'send: constituents match length': FFA_INVALID_PARAMETERS,
  'send: no time slice': FFA_INVALID_PARAMETERS,
  'send: receivers differ': FFA_INVALID_PARAMETERS,
  'send: data access exists': FFA_INVALID_PARAMETERS,
  'send: instruction access is open': FFA_INVALID_PARAMETERS,
  'send: data access of the kind': FFA_INVALID_PARAMETERS,
  'send: no NS bit': FFA_INVALID_PARAMETERS,
  'send: no memory type': FFA_INVALID_PARAMETERS,
  'send: memory type allowed': FFA_DENIED,
  'send: a slot is free': FFA_NO_MEMORY,
  // A send whose descriptor is complete: its pages.
  'pages: aligned': FFA_INVALID_PARAMETERS,
  'pages: as many as stated': FFA_INVALID_PARAMETERS,
  'pages: first fragment has some': FFA_INVALID_PARAMETERS,
  'pages: each once': FFA_INVALID_PARAMETERS,
  'pages: of one kind, and mapped': FFA_DENIED,
  "pages: the sender's alone": FFA_DENIED,
  'pages: of one world': FFA_DENIED,
  'pages: device as device': FFA_DENIED,
  'pages: writable to be zeroed': FFA_DENIED,
  'pages: writable to be given so': FFA_DENIED,
  'pages: page tables for the sender': FFA_NO_MEMORY,
  // FFA_MEM_FRAG_TX.
  'fragment: sender is at its own door': FFA_INVALID_PARAMETERS,
  'fragment: TX is mapped': FFA_INVALID_PARAMETERS,
  'fragment: not empty': FFA_INVALID_PARAMETERS,
  'fragment: whole constituents': FFA_INVALID_PARAMETERS,
  'fragment: fits TX': FFA_INVALID_PARAMETERS,
  'fragment: handle is known': FFA_INVALID_PARAMETERS,
  'fragment: something is missing': FFA_INVALID_PARAMETERS,
  "fragment: of the caller's send": FFA_INVALID_PARAMETERS,
  'fragment: no VM receives': FFA_INVALID_PARAMETERS,
  'fragment: not too many': FFA_NO_MEMORY,
  // FFA_MEM_RETRIEVE_REQ.
  'retrieve: in one piece': FFA_INVALID_PARAMETERS,
  'retrieve: RX is free': FFA_BUSY,
  'retrieve: handle is known': FFA_INVALID_PARAMETERS,
  'retrieve: completely sent': FFA_INVALID_PARAMETERS,
  'retrieve: owner lives': FFA_DENIED,
  'retrieve: one VM at most': FFA_NOT_SUPPORTED,
  'retrieve: length': FFA_INVALID_PARAMETERS,
  'retrieve: sender': FFA_DENIED,
  'retrieve: kind': FFA_INVALID_PARAMETERS,
  'retrieve: tag': FFA_INVALID_PARAMETERS,
  'retrieve: caller was listed': FFA_INVALID_PARAMETERS,
  'retrieve: caller lists itself': FFA_INVALID_PARAMETERS,
  'retrieve: flags exist': FFA_INVALID_PARAMETERS,
  'retrieve: no alignment hint': FFA_INVALID_PARAMETERS,
  'retrieve: no zeroing of a share': FFA_INVALID_PARAMETERS,
  'retrieve: no zeroing when read-only': FFA_DENIED,
  'retrieve: zeroed only as sent': FFA_DENIED,
  'retrieve: no NS bit': FFA_INVALID_PARAMETERS,
  'retrieve: memory type allowed': FFA_DENIED,
  'retrieve: bypass with one of several': FFA_INVALID_PARAMETERS,
  'retrieve: all receivers': FFA_INVALID_PARAMETERS,
  'retrieve: no addresses': FFA_INVALID_PARAMETERS,
  'retrieve: receiver was listed': FFA_DENIED,
  'retrieve: data access exists': FFA_DENIED,
  'retrieve: data access given': FFA_DENIED,
  'retrieve: instruction access is open': FFA_INVALID_PARAMETERS,
  'retrieve: instruction access stated': FFA_INVALID_PARAMETERS,
  'retrieve: instruction access exists': FFA_DENIED,
  'retrieve: no execution of non-secure memory': FFA_INVALID_PARAMETERS,
  'retrieve: no zeroing when asked read-only': FFA_DENIED,
  'retrieve: implementation defined value': FFA_INVALID_PARAMETERS,
  'retrieve: device as device': FFA_DENIED,
  'retrieve: once': FFA_DENIED,
  'retrieve: response fits RX': FFA_INVALID_PARAMETERS,
  'retrieve: nothing is there': FFA_DENIED,
  'retrieve: page tables for the borrower': FFA_NO_MEMORY,
  'retrieve: hypervisor names the handle alone': FFA_INVALID_PARAMETERS,
  'retrieve: hypervisor has read the last': FFA_DENIED,
  // FFA_MEM_FRAG_RX.
  'response: borrower is at its own door': FFA_INVALID_PARAMETERS,
  'response: RX is mapped': FFA_INVALID_PARAMETERS,
  'response: RX is free': FFA_BUSY,
  'response: handle is known': FFA_INVALID_PARAMETERS,
  'response: completely sent': FFA_INVALID_PARAMETERS,
  'response: hypervisor has begun': FFA_INVALID_PARAMETERS,
  'response: caller borrows': FFA_INVALID_PARAMETERS,
  'response: something is left': FFA_INVALID_PARAMETERS,
  'response: offset': FFA_INVALID_PARAMETERS,
  // FFA_MEM_RELINQUISH.
  'relinquish: TX is mapped': FFA_INVALID_PARAMETERS,
  'relinquish: sender may': FFA_INVALID_PARAMETERS,
  'relinquish: one endpoint': FFA_INVALID_PARAMETERS,
  'relinquish: of the caller': FFA_INVALID_PARAMETERS,
  'relinquish: flags': FFA_INVALID_PARAMETERS,
  'relinquish: handle is known': FFA_INVALID_PARAMETERS,
  'relinquish: completely sent': FFA_INVALID_PARAMETERS,
  'relinquish: caller borrows': FFA_INVALID_PARAMETERS,
  'relinquish: response is read': FFA_INVALID_PARAMETERS,
  'relinquish: no zeroing of a share': FFA_INVALID_PARAMETERS,
  'relinquish: no zeroing when read-only': FFA_DENIED,
  // FFA_MEM_RECLAIM.
  'reclaim: caller may': FFA_INVALID_PARAMETERS,
  'reclaim: flags': FFA_INVALID_PARAMETERS,
  'reclaim: handle is known': FFA_INVALID_PARAMETERS,
  'reclaim: completely sent': FFA_INVALID_PARAMETERS,
  'reclaim: caller owns': FFA_INVALID_PARAMETERS,
  'reclaim: nobody holds': FFA_DENIED,
  'reclaim: within its world': FFA_DENIED,
  'reclaim: writable to be zeroed': FFA_DENIED,
} as const satisfies Readonly<Record<string, FfaErrorCode>>;

export type MemoryCheck = keyof typeof MEMORY_CHECKS;

let last: MemoryCheck | null = null;

/** The check fails: the error with which the call is refused, Hafnium's unless another is given. */
export function refuse(check: MemoryCheck, error: FfaErrorCode = MEMORY_CHECKS[check]): FfaErrorCode {
  last = check;
  return error;
}

/** The check that refused a memory call last, of any SPMC; null before. A diagnostic: nothing is decided by it. */
export function lastRefusal(): MemoryCheck | null {
  return last;
}
