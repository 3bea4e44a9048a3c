// P14 truth: SUCCESS means that exactly what was asked for is there.

import { isSecureEndpoint } from '../../abi/endpoint-ids.ts';
import {
  FFA_MEM_DONATE_32,
  FFA_MEM_DONATE_64,
  FFA_MEM_FRAG_TX,
  FFA_MEM_LEND_32,
  FFA_MEM_LEND_64,
  FFA_MEM_RECLAIM,
  FFA_MEM_RETRIEVE_REQ_32,
  FFA_MEM_RETRIEVE_REQ_64,
  FFA_MEM_RETRIEVE_RESP,
  FFA_MEM_SHARE_32,
  FFA_MEM_SHARE_64,
  FFA_PARTITION_INFO_GET,
  FFA_SUCCESS_32,
  FFA_SUCCESS_64,
  functionName,
} from '../../abi/function-ids.ts';
import { MEMORY_FLAG_ZERO, RECLAIM_FLAG_ZERO } from '../../abi/layout/memory-bits.ts';
import { MTD_HANDLE_OFFSET } from '../../abi/layout/memory-transaction.ts';
import {
  PARTITION_AARCH64,
  PARTITION_INFO_1_0_SIZE_BYTES,
  PARTITION_INFO_1_1_SIZE_BYTES,
  PARTITION_INFO_GET_FLAG_COUNT_ONLY,
  PARTITION_INFO_PROPERTIES_OFFSET,
  PARTITION_INFO_UUID_OFFSET,
} from '../../abi/layout/partition-information.ts';
import { EVENT_GUEST_CALL, EVENT_GUEST_RETURN, EVENT_SMC, EVENT_SMC_RETURN } from '../../base/event-kinds.ts';
import type { EventLog } from '../../base/event-log.ts';
import { PAGE_SIZE_BYTES } from '../../base/units.ts';
import { DescriptorReader } from '../model/descriptor.ts';
import { PURPOSE_SEND } from '../model/exchange.ts';
import type { GuestCall } from '../model/guest-call.ts';
import { KIND_DONATE, KIND_LEND, KIND_NAMES, KIND_SHARE, STATE_LIVE, Transaction } from '../model/transaction.ts';
import { Property, type PropertyInfo } from '../property.ts';
import { nameHandle } from '../violation.ts';

/** What the guest's TX said when it made its call. */
interface Wish {
  transaction: Transaction | null;
  /** The TX page as it was then. */
  readonly page: Uint8Array;
  txFrame: number;
  length: number;
}

export class Truth extends Property {
  readonly info: PropertyInfo = {
    id: 'P14',
    title: 'truth',
    checks:
      'A send that succeeds has left exactly one transaction, with the handle that the guest got and the pages, ' +
      'borrowers, attributes, tag and flags that it asked for, zeroed if so; a reclaim that succeeds has ended one; ' +
      'a list names each endpoint and UUID once, as it is, and none that is not there; a borrower is told of what ' +
      'was sent.',
    blindTo:
      'What a guest asked for that rewrote its TX meanwhile, in fragments, or whose stage 2 nobody watches; lists ' +
      'whose RX nobody can place.',
  };
  readonly kinds = [EVENT_GUEST_CALL, EVENT_SMC, EVENT_SMC_RETURN, EVENT_GUEST_RETURN];
  private readonly wishes: Wish[] = [];
  private readonly reader = new DescriptorReader();
  private readonly now = new Uint8Array(PAGE_SIZE_BYTES);

  override reset(): void {
    this.wishes.length = 0;
  }

  override event(kind: number, log: EventLog, at: number): void {
    const pe = log.pe(at);
    const call = this.bench.model.call(pe);
    if (kind === EVENT_GUEST_CALL) this.read(call);
    else if (kind === EVENT_SMC) this.unchanged(pe);
    else if (kind === EVENT_SMC_RETURN) this.retrieved(pe);
    else this.answered(call);
  }

  private wish(pe: number): Wish {
    while (this.wishes.length <= pe) {
      this.wishes.push({ transaction: null, page: new Uint8Array(PAGE_SIZE_BYTES), txFrame: -1, length: 0 });
    }
    return this.wishes[pe];
  }

  /** Notes what a guest asks for, where it can be read: one fragment, in a TX page whose place is known. */
  private read(call: GuestCall): void {
    const wish = this.wish(call.pe);
    wish.transaction = null;
    const kind = kindOf(call.w(0));
    const guest = this.bench.model.guests.find(call.vm);
    if (kind === 0 || guest === null || guest.txFrame < 0 || guest.version === 0) return;
    const length = call.w(1);
    if (length !== call.w(2) || length > PAGE_SIZE_BYTES || call.request[3] !== 0) return;
    const { contents } = this.bench.machine.frames;
    contents.read(guest.txFrame * PAGE_SIZE_BYTES, wish.page, 0, length);
    wish.txFrame = guest.txFrame;
    wish.length = length;
    const asked = new Transaction(kind, call.index);
    if (this.reader.readTransaction(contents, guest.txFrame * PAGE_SIZE_BYTES, length, guest.version, asked)) {
      wish.transaction = asked;
    }
  }

  /** A guest that rewrote its TX since its call asked for nothing that can be compared. */
  private unchanged(pe: number): void {
    const exchange = this.bench.model.door.of(pe);
    const wish = this.wish(pe);
    if (exchange.purpose !== PURPOSE_SEND || wish.transaction === null) return;
    this.bench.machine.frames.contents.read(wish.txFrame * PAGE_SIZE_BYTES, this.now, 0, wish.length);
    for (let n = 0; n < wish.length; n++) {
      if (this.now[n] !== wish.page[n]) {
        wish.transaction = null;
        return;
      }
    }
  }

  private answered(call: GuestCall): void {
    const w0 = call.a(0);
    if (w0 !== FFA_SUCCESS_32 && w0 !== FFA_SUCCESS_64) return;
    const fid = call.w(0);
    if (kindOf(fid) !== 0 || fid === FFA_MEM_FRAG_TX) this.sent(call);
    else if (fid === FFA_MEM_RECLAIM) this.reclaimed(call);
    else if (fid === FFA_PARTITION_INFO_GET) this.listed(call);
  }

  private sent(call: GuestCall): void {
    const { vm } = call;
    const transaction = this.bench.model.transactions.find(call.a(2), call.a(3));
    if (transaction === null || transaction.state !== STATE_LIVE || transaction.sender !== vm) {
      if (call.sent.length === 0 && this.relaxed('success-without-share')) return;
      const name = functionName(call.w(0));
      const handle = nameHandle(call.a(2), call.a(3));
      this.report(`${name} of VM ${vm} succeeds without a transaction of that handle`, { vm, handle });
      return;
    }
    let live = 0;
    for (const one of call.sent) if (one.state === STATE_LIVE) live++;
    if (live > 1) {
      const anomaly = `one ${functionName(call.w(0))} of VM ${vm} leaves more than one transaction`;
      this.report(anomaly, { vm, handle: transaction.handle, live });
    }
    const asked = this.wish(call.pe).transaction;
    if (asked !== null && call.sent.includes(transaction)) this.compare(asked, transaction);
    if ((transaction.flags & MEMORY_FLAG_ZERO) !== 0) this.zeroed(transaction, functionName(call.w(0)));
  }

  private compare(asked: Transaction, made: Transaction): void {
    const { sender: vm } = made;
    const differs = (what: string, wanted: number | string, got: number | string): void => {
      this.report(`the transaction of VM ${vm} has other ${what} than asked for`, {
        vm,
        handle: made.handle,
        asked: wanted,
        made: got,
      });
    };
    if (asked.misaligned) differs('addresses', 'not at a page', 'at a page');
    if (asked.kind !== made.kind) differs('type', KIND_NAMES[asked.kind], KIND_NAMES[made.kind]);
    if (asked.attributes !== made.attributes) differs('attributes', asked.attributes, made.attributes);
    if (!this.relaxed('tag-and-flags-dropped')) {
      if (asked.flags !== made.flags) differs('flags', asked.flags, made.flags);
      if (asked.tagLow !== made.tagLow || asked.tagHigh !== made.tagHigh) {
        differs('tag', nameHandle(asked.tagLow, asked.tagHigh), nameHandle(made.tagLow, made.tagHigh));
      }
    }
    if (!sameBorrowers(asked, made)) differs('borrowers', nameBorrowers(asked), nameBorrowers(made));
    this.comparePages(asked, made, differs);
  }

  /** The memory was to be zeroed, and nobody else can have written it since. */
  private zeroed(transaction: Transaction, name: string): void {
    const { ranges, sender: vm, handle } = transaction;
    const { frames } = this.bench.machine;
    for (let n = 0; n < ranges.length; n += 2) {
      if (!frames.has(ranges[n]) || frames.contents.firstNonZero(ranges[n], ranges[n + 1]) < 0) continue;
      const frame = frames.contents.firstNonZero(ranges[n], ranges[n + 1]);
      this.report(`${name} of VM ${vm} succeeds and leaves memory that was to be zeroed`, { vm, handle, frame });
      return;
    }
  }

  /** The guest's pages, through its stage 2, against those that were sent. */
  private comparePages(
    asked: Transaction,
    made: Transaction,
    differs: (what: string, wanted: number, got: number) => void,
  ): void {
    const space = this.bench.model.spaces.find(made.sender);
    if (space === null) return;
    if (asked.pageCount !== made.pageCount) {
      differs('pages', asked.pageCount, made.pageCount);
      return;
    }
    let at = 0;
    let done = 0;
    for (let n = 0; n < asked.ranges.length; n += 2) {
      for (let page = 0; page < asked.ranges[n + 1]; page++) {
        const wanted = space.stage2.translate(asked.ranges[n] + page);
        if (wanted !== made.ranges[at] + done) {
          differs('pages', wanted, made.ranges[at] + done);
          return;
        }
        if (++done === made.ranges[at + 1]) {
          at += 2;
          done = 0;
        }
      }
    }
  }

  /** What a borrower is told of a transaction is what was sent: the same pages. */
  private retrieved(pe: number): void {
    const { model, machine } = this.bench;
    const exchange = model.door.of(pe);
    const fid = exchange.w(0);
    if (fid !== FFA_MEM_RETRIEVE_REQ_32 && fid !== FFA_MEM_RETRIEVE_REQ_64) return;
    const length = exchange.a(2);
    if (exchange.a(0) !== FFA_MEM_RETRIEVE_RESP || exchange.a(1) !== length || model.door.rxAddress < 0) return;
    const told = new Transaction(KIND_SHARE, exchange.index);
    const { rxAddress, version } = model.door;
    if (!this.reader.readTransaction(machine.frames.contents, rxAddress, length, version, told)) return;
    const sent = model.transactions.find(this.reader.u32(MTD_HANDLE_OFFSET), this.reader.u32(MTD_HANDLE_OFFSET + 4));
    if (sent === null || sent.state !== STATE_LIVE) return;
    const isSame = told.ranges.length === sent.ranges.length && told.ranges.every((n, at) => n === sent.ranges[at]);
    if (isSame) return;
    const facts = { vm: exchange.caller, handle: sent.handle, sent: sent.pageCount, told: told.pageCount };
    this.report(`VM ${exchange.caller} is told of other pages than VM ${sent.sender} sent`, facts);
  }

  private reclaimed(call: GuestCall): void {
    const [ended] = call.ended;
    if (ended !== undefined && (call.w(3) & RECLAIM_FLAG_ZERO) !== 0) this.zeroed(ended, 'MEM_RECLAIM');
    const transaction = this.bench.model.transactions.find(call.w(1), call.w(2));
    if (transaction === null || transaction.sender !== call.vm || transaction.sentIndex > call.index) return;
    const { vm } = call;
    this.report(`MEM_RECLAIM of VM ${vm} succeeds though its transaction has not ended`, {
      vm,
      handle: transaction.handle,
    });
  }

  /** A count is of endpoints that there are. */
  private counted(call: GuestCall): void {
    const { spaces, domains } = this.bench.model;
    let partitions = 0;
    for (const space of spaces.list) if (space.secure) partitions++;
    const most = partitions + domains.byVm.size;
    const [vm, count] = [call.vm, call.a(2)];
    const asksForAll = (call.w(1) | call.w(2) | call.w(3) | call.w(4)) === 0;
    if (partitions === 0 || count <= (asksForAll ? most : partitions)) return;
    this.report(`the count for VM ${vm} is of more endpoints than there are`, { vm, count, most });
  }

  /** A listed endpoint is a partition, or a VM that is there. */
  private exists(call: GuestCall, endpoint: number): void {
    const { spaces, domains } = this.bench.model;
    if (!spaces.list.some((space) => space.secure)) return;
    if (isSecureEndpoint(endpoint) ? spaces.find(endpoint) !== null : domains.byVm.has(endpoint)) return;
    const { vm } = call;
    this.report(`the list for VM ${vm} names an endpoint that is not there`, { vm, endpoint });
  }

  /** Who has made a 64-bit call is listed as one that can; a VM is never listed by the UUID of a service. */
  private width(call: GuestCall, endpoint: number, properties: number): void {
    const { vm } = call;
    if (isSecureEndpoint(endpoint)) return;
    if (this.bench.model.guests.find(endpoint)?.isWide === true && (properties & PARTITION_AARCH64) === 0) {
      this.report(`the list for VM ${vm} says that VM ${endpoint} has 32 bits`, { vm, endpoint });
    }
    if ((call.w(1) | call.w(2) | call.w(3) | call.w(4)) !== 0) {
      this.report(`the list for VM ${vm} has VM ${endpoint} under the UUID of a service`, { vm, endpoint });
    }
  }

  private listed(call: GuestCall): void {
    const rx = this.bench.model.guests.find(call.vm)?.rxFrame ?? -1;
    if (this.relaxed('duplicates-listed')) return;
    if ((call.w(5) & PARTITION_INFO_GET_FLAG_COUNT_ONLY) !== 0) {
      this.counted(call);
      return;
    }
    if (rx < 0) return;
    const size = call.a(3) === 0 ? PARTITION_INFO_1_0_SIZE_BYTES : call.a(3);
    const count = call.a(2);
    if (count * size > PAGE_SIZE_BYTES) return;
    this.reader.load(this.bench.machine.frames.contents, rx * PAGE_SIZE_BYTES, count * size);
    const seen = new Set<string>();
    for (let n = 0; n < count; n++) {
      const at = n * size;
      this.exists(call, this.reader.u16(at));
      this.width(call, this.reader.u16(at), this.reader.u32(at + PARTITION_INFO_PROPERTIES_OFFSET));
      let key = `${this.reader.u16(at)}`;
      if (size >= PARTITION_INFO_1_1_SIZE_BYTES) {
        for (let word = 0; word < 4; word++) key += `:${this.reader.u32(at + PARTITION_INFO_UUID_OFFSET + 4 * word)}`;
      }
      if (seen.has(key)) {
        const { vm } = call;
        this.report(`the list for VM ${vm} names an endpoint twice`, {
          vm,
          endpoint: this.reader.u16(at),
          entries: count,
        });
        return;
      }
      seen.add(key);
    }
  }
}

function sameBorrowers(a: Transaction, b: Transaction): boolean {
  if (a.receivers.length !== b.receivers.length) return false;
  for (let n = 0; n < a.receivers.length; n++) {
    if (a.receivers[n].id !== b.receivers[n].id || a.receivers[n].permissions !== b.receivers[n].permissions)
      return false;
  }
  return true;
}

function nameBorrowers(one: Transaction): string {
  return one.receivers.map(({ id, permissions }) => `0x${id.toString(16)}:${permissions}`).join(' ');
}

function kindOf(fid: number): 0 | 1 | 2 | 3 {
  switch (fid) {
    case FFA_MEM_SHARE_32:
    case FFA_MEM_SHARE_64:
      return KIND_SHARE;
    case FFA_MEM_LEND_32:
    case FFA_MEM_LEND_64:
      return KIND_LEND;
    case FFA_MEM_DONATE_32:
    case FFA_MEM_DONATE_64:
      return KIND_DONATE;
    default:
      return 0;
  }
}
