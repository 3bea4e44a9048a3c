// P9 buffer token: at any time one side owns an RX buffer, and only that side writes it.

import {
  FFA_ERROR,
  FFA_MEM_FRAG_RX,
  FFA_MEM_FRAG_TX,
  FFA_MEM_RETRIEVE_REQ_32,
  FFA_MEM_RETRIEVE_REQ_64,
  FFA_MEM_RETRIEVE_RESP,
  FFA_MSG_SEND2,
  FFA_PARTITION_INFO_GET,
  FFA_RX_ACQUIRE,
  FFA_RX_RELEASE,
  FFA_RXTX_MAP_32,
  FFA_RXTX_MAP_64,
  FFA_RXTX_UNMAP,
  FFA_SUCCESS_32,
} from '../../abi/function-ids.ts';
import { PARTITION_INFO_GET_FLAG_COUNT_ONLY } from '../../abi/layout/partition-information.ts';
import {
  EVENT_DOMAIN_CREATE,
  EVENT_DOMAIN_DYING,
  EVENT_GUEST_RETURN,
  EVENT_MEMORY_WRITE,
  EVENT_SMC_RETURN,
  EVENT_SP_CALL,
} from '../../base/event-kinds.ts';
import type { EventLog } from '../../base/event-log.ts';
import { PAGE_SIZE_BYTES } from '../../base/units.ts';
import { lowWord } from '../model/answers.ts';
import type { GuestCall } from '../model/guest-call.ts';
import { Property, type PropertyInfo } from '../property.ts';
import { nameEndpoint } from '../violation.ts';

type Owner = 0 | 1 | 2;
const PRODUCER = 0;
const GUEST = 1;
/** A message may have arrived since it was the producer's. */
const MAYBE_GUEST = 2;

interface Token {
  readonly vm: number;
  owner: Owner;
  /** Messages sent by anybody when the owner was last certain. */
  messages: number;
  /** What RX_ACQUIRE and RX_RELEASE say at the SPMC; null: never used for this VM. */
  acquired: boolean | null;
}

export class BufferToken extends Property {
  readonly info: PropertyInfo = {
    id: 'P9',
    title: 'buffer token',
    checks:
      'RX is given to a guest only while the guest does not have it, taken back only from it, not unmapped or ' +
      'written while the guest has it or beyond its end, and the SPMC says the same when all is quiet.',
    blindTo: 'Who has RX after an indirect message whose receiver no call names, until the guest releases it.',
  };
  readonly kinds = [
    EVENT_GUEST_RETURN,
    EVENT_SMC_RETURN,
    EVENT_SP_CALL,
    EVENT_MEMORY_WRITE,
    EVENT_DOMAIN_CREATE,
    EVENT_DOMAIN_DYING,
  ];
  private readonly tokens = new Map<number, Token>();
  /** Indirect messages sent so far. */
  private messages = 0;

  override reset(): void {
    this.tokens.clear();
    this.messages = 0;
  }

  override event(kind: number, log: EventLog, at: number): void {
    switch (kind) {
      case EVENT_GUEST_RETURN:
        this.guest(this.bench.model.call(log.pe(at)));
        return;
      case EVENT_SMC_RETURN:
        this.spmc(log.pe(at));
        return;
      case EVENT_SP_CALL:
        if (lowWord(log.argument(at, 1)) === FFA_MSG_SEND2) this.messages++;
        return;
      case EVENT_MEMORY_WRITE:
        this.written(log.argument(at, 0), log.argument(at, 1));
        this.beyond(log.argument(at, 0), log.argument(at, 1), log.argument(at, 2) + log.argument(at, 3));
        return;
      default:
        this.tokens.delete(log.argument(at, 0));
    }
  }

  private token(vm: number): Token {
    const known = this.tokens.get(vm);
    if (known !== undefined) return known;
    const token: Token = { vm, owner: PRODUCER, messages: this.messages, acquired: null };
    this.tokens.set(vm, token);
    return token;
  }

  /** Who owns RX now, as far as can be told. */
  private ownerOf(token: Token): Owner {
    if (token.owner === PRODUCER && token.messages !== this.messages) return MAYBE_GUEST;
    // A message may be there before its sender has its answer.
    const underWay = () => this.bench.model.openCalls().some((call) => call.w(0) === FFA_MSG_SEND2);
    if (token.owner === PRODUCER && underWay()) return MAYBE_GUEST;
    return token.owner;
  }

  private guest(call: GuestCall): void {
    const { vm } = call;
    const fid = call.w(0);
    if (fid === FFA_MSG_SEND2) {
      this.messages++;
      return;
    }
    if (call.a(0) === FFA_ERROR) return;
    switch (fid) {
      case FFA_PARTITION_INFO_GET:
        if (call.a(0) !== FFA_SUCCESS_32 || (call.w(5) & PARTITION_INFO_GET_FLAG_COUNT_ONLY) !== 0) return;
        this.give(vm, 'PARTITION_INFO_GET');
        return;
      case FFA_MEM_RETRIEVE_REQ_32:
      case FFA_MEM_RETRIEVE_REQ_64:
        if (call.a(0) === FFA_MEM_RETRIEVE_RESP) this.give(vm, 'MEM_RETRIEVE_REQ');
        return;
      case FFA_MEM_FRAG_RX:
        if (call.a(0) === FFA_MEM_FRAG_TX) this.give(vm, 'MEM_FRAG_RX');
        return;
      case FFA_RX_RELEASE: {
        if (call.a(0) !== FFA_SUCCESS_32) return;
        const token = this.token(vm);
        if (this.ownerOf(token) === PRODUCER) this.report(`VM ${vm} released RX though it did not have it`, { vm });
        this.settle(token, PRODUCER);
        return;
      }
      case FFA_RXTX_UNMAP: {
        if (call.a(0) !== FFA_SUCCESS_32) return;
        const had = this.tokens.get(vm)?.owner === GUEST;
        if (had && !this.relaxed('unmapped-while-owned'))
          this.report(`RX of VM ${vm} is unmapped while VM ${vm} has it`, { vm });
        this.tokens.delete(vm);
        return;
      }
      case FFA_RXTX_MAP_32:
      case FFA_RXTX_MAP_64:
        if (call.a(0) === FFA_SUCCESS_32) this.settle(this.token(vm), PRODUCER);
        return;
      default:
        return;
    }
  }

  private give(vm: number, by: string): void {
    const token = this.token(vm);
    if (token.owner === GUEST) this.report(`RX of VM ${vm} is given to it though it has it`, { vm, by });
    this.settle(token, GUEST);
  }

  private settle(token: Token, owner: Owner): void {
    token.owner = owner;
    token.messages = this.messages;
  }

  private spmc(pe: number): void {
    const exchange = this.bench.model.door.of(pe);
    const fid = exchange.w(0);
    if ((fid !== FFA_RX_ACQUIRE && fid !== FFA_RX_RELEASE) || exchange.a(0) !== FFA_SUCCESS_32) return;
    const vm = exchange.w(1) & 0xffff;
    if (vm === 0) return;
    const token = this.token(vm);
    if (fid === FFA_RX_RELEASE) {
      const call = this.bench.model.call(pe);
      const own = call.open && call.vm === vm && call.w(0) === FFA_RX_RELEASE;
      if (token.owner === GUEST && !own) {
        this.report(`RX of VM ${vm} is given back to the SPMC while VM ${vm} has it`, { vm });
      }
      token.acquired = false;
      return;
    }
    if (token.owner === GUEST) this.report(`the SPMC gives RX of VM ${vm} to a producer while VM ${vm} has it`, { vm });
    else if (token.acquired === true) this.report(`the SPMC gives RX of VM ${vm} to a second producer`, { vm });
    token.acquired = true;
  }

  private written(endpoint: number, frame: number): void {
    for (const token of this.tokens.values()) {
      if (token.owner !== GUEST || endpoint === token.vm) continue;
      if (this.bench.model.guests.find(token.vm)?.rxFrame !== frame) continue;
      const who = nameEndpoint(endpoint);
      this.report(`${who} writes RX of VM ${token.vm} while VM ${token.vm} has it`, { vm: token.vm, endpoint, frame });
    }
  }

  private beyond(endpoint: number, frame: number, end: number): void {
    if (end <= PAGE_SIZE_BYTES) return;
    for (const token of this.tokens.values()) {
      if (this.bench.model.guests.find(token.vm)?.rxFrame !== frame) continue;
      const who = nameEndpoint(endpoint);
      this.report(`${who} writes beyond the end of RX of VM ${token.vm}`, { vm: token.vm, endpoint, frame, end });
    }
  }

  override quiet(): void {
    for (const token of this.tokens.values()) {
      const owner = this.ownerOf(token);
      if (token.acquired === null || owner === MAYBE_GUEST || token.acquired === (owner === GUEST)) continue;
      const { vm } = token;
      const says = token.acquired ? 'that it is taken' : 'that it is free';
      const has = owner === GUEST ? 'has' : 'does not have';
      this.report(`VM ${vm} ${has} its RX and the SPMC says ${says}`, { vm });
    }
  }
}
