// The little protocol that guest scripts and SP programs of this project speak in direct messages, so that a guest can
// tell an SP which handle to retrieve. It is ours: nothing of it is FF-A's.
//
// A request has five words: w3..w7 of FFA_MSG_SEND_DIRECT_REQ, the low halves of x4..x8 of FFA_MSG_SEND_DIRECT_REQ2.
// An answer has the same five: word 0 is a status (0, or an FF-A error code as 32 bits), words 1 and 2 a result.
//
//   word 0        word 1            word 2        word 3             word 4     answer
//   RETRIEVE      handle low        handle high   how (below)        tag        word 1: pages
//   RELINQUISH    handle low        handle high   1: zero            -          -
//   ECHO          anything          anything      anything           anything   the five words as they came
//   DMA           handle low        handle high   duration, us       -          word 1: pages
//   TOUCH         handle low        handle high   byte | 0x100       -          word 1: first word before
//   WORK          duration, us      -             -                  -          -
//   YIELD         times             -             -                  -          -
//   CRASH         -                 -             -                  -          none: the SP is gone
//   SHARE         receiver          pages         kind               tag        words 1, 2: handle
//   RECLAIM       handle low        handle high   1: zero            -          -
//   STATUS        -                 -             -                  -          word 1: regions held, word 2: pages
//   FORWARD       receiver          word 0        word 1             word 2     the receiver's words 0 to 2
//   NOTIFY        receiver          bits low      bits high          -          -
//   BIND          sender            bits low      bits high          -          -
//   RECEIVED      -                 -             -                  -          word 1: bits, word 2: messages
//
// How (word 3 of RETRIEVE): [1:0] kind (1 share, 2 lend, 3 donate); bit 2: there are other borrowers, name this one
// alone; bit 3: read-only; bit 4: access descriptors of 16 bytes, as the sender's; [31:16] id of another borrower to
// name (0: none). TOUCH writes the byte into every page if bit 8 is set, else it only reads.

import { FFA_ABORTED } from '../abi/errors.ts';
import type { MemoryKind } from './memory-region.ts';
import type { Outcome } from './outcome.ts';

export const PROTOCOL_RETRIEVE = 1;
export const PROTOCOL_RELINQUISH = 2;
export const PROTOCOL_ECHO = 3;
export const PROTOCOL_DMA = 4;
export const PROTOCOL_TOUCH = 5;
export const PROTOCOL_WORK = 6;
export const PROTOCOL_YIELD = 7;
export const PROTOCOL_CRASH = 8;
export const PROTOCOL_SHARE = 9;
export const PROTOCOL_RECLAIM = 10;
export const PROTOCOL_STATUS = 11;
export const PROTOCOL_FORWARD = 12;
export const PROTOCOL_NOTIFY = 13;
export const PROTOCOL_BIND = 14;
export const PROTOCOL_RECEIVED = 15;

export type ProtocolName =
  | 'retrieve'
  | 'relinquish'
  | 'echo'
  | 'dma'
  | 'touch'
  | 'work'
  | 'yield'
  | 'crash'
  | 'share'
  | 'reclaim'
  | 'status'
  | 'forward'
  | 'notify'
  | 'bind'
  | 'received';

/** Operations by the name that a script uses. */
export const PROTOCOL_OPERATIONS: Readonly<Record<ProtocolName, number>> = {
  retrieve: PROTOCOL_RETRIEVE,
  relinquish: PROTOCOL_RELINQUISH,
  echo: PROTOCOL_ECHO,
  dma: PROTOCOL_DMA,
  touch: PROTOCOL_TOUCH,
  work: PROTOCOL_WORK,
  yield: PROTOCOL_YIELD,
  crash: PROTOCOL_CRASH,
  share: PROTOCOL_SHARE,
  reclaim: PROTOCOL_RECLAIM,
  status: PROTOCOL_STATUS,
  forward: PROTOCOL_FORWARD,
  notify: PROTOCOL_NOTIFY,
  bind: PROTOCOL_BIND,
  received: PROTOCOL_RECEIVED,
};

/** Words of a request and of an answer. */
export const PROTOCOL_WORD_COUNT = 5;

export const PROTOCOL_KIND_MASK = 0x3;
export const PROTOCOL_BYPASS_OTHERS = 1 << 2;
export const PROTOCOL_READ_ONLY = 1 << 3;
export const PROTOCOL_SHORT_ACCESS = 1 << 4;
export const PROTOCOL_OTHER_BORROWER_SHIFT = 16;
export const PROTOCOL_ZERO = 1 << 0;
export const PROTOCOL_TOUCH_WRITE = 1 << 8;

const KINDS: readonly MemoryKind[] = ['share', 'share', 'lend', 'donate'];

/** The kind of transaction in word 3; 0 means share. */
export function protocolKind(how: number): MemoryKind {
  return KINDS[how & PROTOCOL_KIND_MASK];
}

/** Word 3 of RETRIEVE and SHARE for that kind. */
export function protocolKindWord(kind: MemoryKind): number {
  return KINDS.indexOf(kind, 1);
}

/** Word 0 of an answer: an FF-A error as it is; anything else that went wrong is ABORTED. */
export function protocolStatus(outcome: Outcome): number {
  return outcome <= 0 ? outcome : FFA_ABORTED;
}
