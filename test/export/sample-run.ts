// A run written by hand, for the tests of every picture: g1 shares two pages with crypto and is destroyed while
// crypto holds them; the first reclaim is DENIED, a timer brings them back; g2's page goes to quarantine.

import {
  FFA_ERROR,
  FFA_MEM_RECLAIM,
  FFA_MEM_RELINQUISH,
  FFA_MEM_RETRIEVE_REQ_32,
  FFA_MEM_RETRIEVE_RESP,
  FFA_MEM_SHARE_32,
  FFA_MEM_SHARE_64,
  FFA_MSG_SEND_DIRECT_REQ_32,
  FFA_MSG_SEND_DIRECT_RESP_32,
  FFA_MSG_WAIT,
  FFA_SUCCESS_32,
  FFA_VERSION,
} from '../../src/abi/function-ids.ts';
import { VM_DESTROYED_REQ_W2, VM_DESTROYED_RESP_W2 } from '../../src/abi/layout/messages.ts';
import * as k from '../../src/base/event-kinds.ts';
import { EventLog } from '../../src/base/event-log.ts';
import { NS_PER_MS, NS_PER_S } from '../../src/base/units.ts';
import type { ActorNames } from '../../src/export/actor-names.ts';

const CRYPTO = 0x8001;
const LOGGER = 0x8002;
const DENIED = 0xfffffffa;

export const SAMPLE_NAMES: ActorNames = {
  vms: [
    { id: 1, name: 'g1' },
    { id: 2, name: 'g2' },
  ],
  sps: [
    { id: CRYPTO, name: 'crypto' },
    { id: LOGGER, name: 'logger' },
  ],
  owners: [
    { id: 11, name: 'g1' },
    { id: 12, name: 'g2' },
  ],
  texts: {
    'story.line': ['g1 lends a hand to crypto', 'g1 is destroyed while crypto holds its pages'],
    'quarantine.reason': ['NOT_SUPPORTED to MEM_RECLAIM'],
    'answer-class.call': ['MEM_RECLAIM'],
    'answer-class.class': ['done', 'again'],
    'expectation.expectation': ['g1 is gone by 6 s'],
    'violation.violation': ['a page came back while crypto maps it'],
  },
};

/** First frames of g1's and g2's memory, 16 pages each. */
const G1_FRAME = 0x40400;
const G2_FRAME = 0x40410;

export function sampleRun(): EventLog {
  const log = new EventLog();
  log.keep();
  boot(log);
  share(log);
  log.nowNs = 20 * NS_PER_MS;
  destroyG1(log);
  log.nowNs = NS_PER_S + 20 * NS_PER_MS;
  secondTry(log);
  destroyG2(log);
  log.emit(k.EVENT_EXPECTATION, 0, 0, 1);
  return log;
}

function boot(log: EventLog): void {
  log.emit(k.EVENT_DOMAIN_CREATE, 0, 1, 11, 16);
  log.emit(k.EVENT_FRAME_ALLOCATE, 0, G1_FRAME, 16, 11);
  log.emit(k.EVENT_MAP, 0, 1, 0x40000, G1_FRAME, 16, 7);
  log.emit(k.EVENT_DOMAIN_CREATE, 0, 2, 12, 16);
  log.emit(k.EVENT_FRAME_ALLOCATE, 0, G2_FRAME, 16, 12);
  log.emit(k.EVENT_MAP, 0, 2, 0x40000, G2_FRAME, 16, 7);
  log.emit(k.EVENT_GUEST_CALL, 0, 1, FFA_VERSION, 0x10002);
  log.emit(k.EVENT_GUEST_RETURN, 0, 1, 0x10002);
}

function share(log: EventLog): void {
  log.nowNs = NS_PER_MS;
  log.emit(k.EVENT_STORY, 0, 0);
  log.emit(k.EVENT_GUEST_CALL, 0, 1, FFA_MEM_SHARE_32, 96, 96);
  log.emit(k.EVENT_FRAME_GET, 0, G1_FRAME + 2, 2, 11);
  log.emit(k.EVENT_SMC, 0, 1, FFA_MEM_SHARE_64, 96, 96);
  log.emit(k.EVENT_SMC_RETURN, 0, 1, FFA_SUCCESS_32, 0, 7);
  log.emit(k.EVENT_SHARE_LIVE, 0, 1, 7, 0, 2, CRYPTO);
  log.emit(k.EVENT_GUEST_RETURN, 0, 1, FFA_SUCCESS_32, 0, 7);
  log.nowNs = 2 * NS_PER_MS;
  log.emit(k.EVENT_GUEST_CALL, 0, 1, FFA_MSG_SEND_DIRECT_REQ_32, 0x00018001, 0, 7);
  log.emit(k.EVENT_SMC, 0, 1, FFA_MSG_SEND_DIRECT_REQ_32, 0x00018001, 0, 7);
  log.emit(k.EVENT_SP_ENTER, 0, CRYPTO, 0);
  log.emit(k.EVENT_SP_RETURN, 0, CRYPTO, FFA_MSG_SEND_DIRECT_REQ_32, 0x00018001, 0, 7);
  log.emit(k.EVENT_SP_CALL, 0, CRYPTO, FFA_MEM_RETRIEVE_REQ_32, 64, 64);
  log.emit(k.EVENT_MAP, 0, CRYPTO, 0x40002, G1_FRAME + 2, 2, 3);
  log.emit(k.EVENT_SP_RETURN, 0, CRYPTO, FFA_MEM_RETRIEVE_RESP, 96, 96);
  log.emit(k.EVENT_SP_WORK, 0, CRYPTO, 0, 500_000);
  log.nowNs = 2_500_000;
  log.emit(k.EVENT_SP_CALL, 0, CRYPTO, FFA_MSG_SEND_DIRECT_RESP_32, 0x80010001, 0, 1);
  log.emit(k.EVENT_SP_EXIT, 0, CRYPTO, 0);
  log.emit(k.EVENT_SMC_RETURN, 0, 1, FFA_MSG_SEND_DIRECT_RESP_32, 0x80010001, 0, 1);
  log.emit(k.EVENT_GUEST_RETURN, 0, 1, FFA_MSG_SEND_DIRECT_RESP_32, 0x80010001, 0, 1);
  log.emit(k.EVENT_GUEST_CALL, 1, 2, FFA_MEM_SHARE_32, 96, 96);
  log.emit(k.EVENT_FRAME_GET, 1, G2_FRAME + 5, 1, 12);
  log.emit(k.EVENT_SMC, 1, 2, FFA_MEM_SHARE_64, 96, 96);
  log.emit(k.EVENT_SMC_RETURN, 1, 2, FFA_SUCCESS_32, 0, 8);
  log.emit(k.EVENT_SHARE_LIVE, 1, 2, 8, 0, 1, LOGGER);
  log.emit(k.EVENT_GUEST_RETURN, 1, 2, FFA_SUCCESS_32, 0, 8);
}

function destroyG1(log: EventLog): void {
  log.emit(k.EVENT_STORY, 0, 1);
  log.emit(k.EVENT_DOMAIN_DYING, 2, 1, 11);
  log.emit(k.EVENT_TEARDOWN_BEGIN, 2, 1, 11, 1, 1, 2);
  log.emit(k.EVENT_SMC, 2, 0, FFA_MSG_SEND_DIRECT_REQ_32, CRYPTO, VM_DESTROYED_REQ_W2, 0, 0, 1);
  log.emit(k.EVENT_SP_ENTER, 2, CRYPTO, 0);
  log.emit(k.EVENT_SP_RETURN, 2, CRYPTO, FFA_MSG_SEND_DIRECT_REQ_32, CRYPTO, VM_DESTROYED_REQ_W2, 0, 0, 1);
  log.emit(k.EVENT_SP_CALL, 2, CRYPTO, FFA_MSG_SEND_DIRECT_RESP_32, 0x80010000, VM_DESTROYED_RESP_W2);
  log.emit(k.EVENT_SP_EXIT, 2, CRYPTO, 0);
  log.emit(k.EVENT_SMC_RETURN, 2, 0, FFA_MSG_SEND_DIRECT_RESP_32, 0x80010000, VM_DESTROYED_RESP_W2);
  log.emit(k.EVENT_SMC, 2, 0, FFA_MEM_RECLAIM, 7);
  log.emit(k.EVENT_SMC_RETURN, 2, 0, FFA_ERROR, 0, DENIED);
  log.emit(k.EVENT_ANSWER_CLASS, 2, 1, 0, 1, FFA_ERROR, DENIED, 0);
  log.emit(k.EVENT_UNMAP, 2, 1, 0x40000, G1_FRAME, 16);
  log.emit(k.EVENT_FRAME_PUT, 2, G1_FRAME, 16, 11);
  log.emit(k.EVENT_FRAME_FREE, 2, G1_FRAME, 2, 11);
  log.emit(k.EVENT_FRAME_FREE, 2, G1_FRAME + 4, 12, 11);
  log.emit(k.EVENT_TIMER_ARM, 2, 1, NS_PER_S + 20 * NS_PER_MS);
  log.emit(k.EVENT_TEARDOWN_WAIT, 2, 1, NS_PER_S + 20 * NS_PER_MS, 1, 0);
  log.emit(k.EVENT_DOMAIN_ZOMBIE, 2, 1, 11, 2, 1);
}

function secondTry(log: EventLog): void {
  log.emit(k.EVENT_SP_ENTER, 3, CRYPTO, 0);
  log.emit(k.EVENT_SP_CALL, 3, CRYPTO, FFA_MEM_RELINQUISH);
  log.emit(k.EVENT_UNMAP, 3, CRYPTO, 0x40002, G1_FRAME + 2, 2);
  log.emit(k.EVENT_SP_RETURN, 3, CRYPTO, FFA_SUCCESS_32);
  log.emit(k.EVENT_SP_CALL, 3, CRYPTO, FFA_MSG_WAIT);
  log.emit(k.EVENT_SP_EXIT, 3, CRYPTO, 0);
  log.emit(k.EVENT_TIMER_FIRE, 2, 1, NS_PER_S + 20 * NS_PER_MS);
  log.emit(k.EVENT_TEARDOWN_ROUND, 2, 1, 2, 1, 0);
  log.emit(k.EVENT_SMC, 2, 0, FFA_MEM_RECLAIM, 7);
  log.emit(k.EVENT_SMC_RETURN, 2, 0, FFA_SUCCESS_32);
  log.emit(k.EVENT_SHARE_DEAD, 2, 1, 7, 0, 2, CRYPTO);
  log.emit(k.EVENT_FRAME_SCRUB, 2, G1_FRAME + 2, 2, 11);
  log.emit(k.EVENT_FRAME_PUT, 2, G1_FRAME + 2, 2, 11);
  log.emit(k.EVENT_FRAME_FREE, 2, G1_FRAME + 2, 2, 11);
  log.emit(k.EVENT_TEARDOWN_END, 2, 1, 2, 0);
  log.emit(k.EVENT_DOMAIN_GONE, 2, 1, 11);
}

function destroyG2(log: EventLog): void {
  log.nowNs = 2 * NS_PER_S;
  log.emit(k.EVENT_DOMAIN_DYING, 2, 2, 12);
  log.emit(k.EVENT_TEARDOWN_BEGIN, 2, 2, 12, 1, 0, 1);
  log.emit(k.EVENT_SMC, 2, 0, FFA_MEM_RECLAIM, 8);
  log.emit(k.EVENT_SMC_RETURN, 2, 0, FFA_ERROR, 0, 0xffffffff);
  log.emit(k.EVENT_FRAME_OWNER, 2, G2_FRAME + 5, 1, -2, 12);
  log.emit(k.EVENT_QUARANTINE, 2, 2, 0, 8, 0, 1, G2_FRAME + 5);
  log.emit(k.EVENT_UNMAP, 2, 2, 0x40000, G2_FRAME, 16);
  log.emit(k.EVENT_FRAME_PUT, 2, G2_FRAME, 16, 12);
  log.emit(k.EVENT_FRAME_FREE, 2, G2_FRAME, 5, 12);
  log.emit(k.EVENT_FRAME_FREE, 2, G2_FRAME + 6, 10, 12);
  log.emit(k.EVENT_TEARDOWN_END, 2, 2, 1, 1);
  log.emit(k.EVENT_DOMAIN_GONE, 2, 2, 12);
}
