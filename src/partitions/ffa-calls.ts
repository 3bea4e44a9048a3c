// The calls of FF-A as an endpoint's vCPU makes them, each a task: `const reply = yield* ffa.request(0x8001, [1, 2]);`.
// What guests and SPs have in common; driver-cpu.ts and sp-calls.ts add what only they do.
//
// Every method gives a CallResult: `ok` with the value, or the outcome: an FF-A error code or an `OUTCOME_...`. What
// BUSY, RETRY, FFA_INTERRUPT and FFA_YIELD lead to is the policy's affair (caller.ts): by default a request is
// repeated ten times, 1 ms apart, and a partition that was preempted or yields is run until it answers.
//
// Not here: FFA_RX_ACQUIRE, FFA_NOTIFICATION_BITMAP_CREATE and others that only a hypervisor makes; FF-A 1.3's calls.
//
// Limits: payloads as the calls have them (5 or 14 registers; one TX of bytes); a descriptor goes in fragments of TX.

import { RECLAIM_FLAG_ZERO, RELINQUISH_FLAG_ZERO } from '../abi/layout/memory-bits.ts';
import { NOTIFICATION_GET_FLAGS_MASK } from '../abi/layout/notifications.ts';
import type { MemoryPermissions } from '../abi/memory-permissions.ts';
import type { NotificationList } from '../abi/notification-info.ts';
import type { PartitionInformation } from '../abi/partition-information.ts';
import { NIL_UUID, type Uuid } from '../abi/uuid.ts';
import { type Words64, wordsOf } from '../abi/words.ts';
import { present } from '../base/assert.ts';
import type { Ipa, Nanoseconds } from '../base/units.ts';
import type { VcpuContext } from '../hardware/partition-entry.ts';
import { type CallResult, resultOf } from './call-result.ts';
import { CALL_DONE, CALL_WAIT, type Caller, type CallPolicy, DEFAULT_CALL_POLICY, type Operation } from './caller.ts';
import type { Endpoint } from './endpoint.ts';
import type { MemoryKind, MemoryRegion, PageRange } from './memory-region.ts';
import { asciiBytes, ConsoleLog } from './operations/console-log.ts';
import { DirectRequest, type DirectRequestOptions } from './operations/direct-request.ts';
import { DiscoverByRegisters } from './operations/discover-by-registers.ts';
import { DiscoverPartitions } from './operations/discover-partitions.ts';
import { ReceiveMessage, SendMessage, type SendMessageOptions } from './operations/indirect-message.ts';
import { MapBuffers, UnmapBuffers } from './operations/map-buffers.ts';
import { GetMemoryPermissions, SetMemoryPermissions } from './operations/memory-permissions.ts';
import { NegotiateVersion } from './operations/negotiate-version.ts';
import {
  BindNotifications,
  GetNotifications,
  NotificationInfoGet,
  SetNotifications,
  type SetNotificationsOptions,
} from './operations/notifications.ts';
import { QueryFeatures } from './operations/query-features.ts';
import { ReclaimMemory } from './operations/reclaim-memory.ts';
import { RelinquishMemory } from './operations/relinquish-memory.ts';
import { RetrieveMemory, type RetrieveMemoryOptions } from './operations/retrieve-memory.ts';
import { RunPartition } from './operations/run-partition.ts';
import { SendMemory, type SendMemoryOptions } from './operations/send-memory.ts';
import { OUTCOME_NO_REGION, OUTCOME_SUCCESS, type Outcome } from './outcome.ts';
import type { PagePlan } from './page-plan.ts';
import { TASK_WAIT, type Task } from './task.ts';

/** One register of a payload: a number below 2^53, or 64 bits as words. */
export type PayloadWord = number | Words64;

/** What FFA_FEATURES answers in w2 and w3. */
export interface FeatureAnswer {
  readonly w2: number;
  readonly w3: number;
}

/** The answer to a direct request: its payload registers from the first on. */
export interface DirectReply {
  /** Lower halves, unsigned. */
  readonly words: readonly number[];
  readonly registers: readonly Words64[];
}

/** An indirect message from RX. */
export interface IndirectMessage {
  readonly sender: number;
  readonly payload: Uint8Array;
}

/** What FFA_NOTIFICATION_GET gave and cleared. */
export interface PendingNotifications {
  readonly fromSp: Words64;
  readonly fromVm: Words64;
  /** Framework bitmaps: bit 0 is RX full. */
  readonly fromSpm: number;
  readonly fromHypervisor: number;
}

/** What to send, and to whom. Say `pages` to take free pages of the endpoint's plan, or `ranges` for your own. */
export interface SendSpec extends SendMemoryOptions {
  /** The borrower's id, or all of them. */
  readonly to: number | readonly number[];
  /** Pages of 4 KiB; default 1. */
  readonly pages?: number;
  /** With `pages`: each in a range of its own. */
  readonly scattered?: boolean;
  readonly ranges?: readonly PageRange[];
  /** A tag of 64 bits that borrowers must know. */
  readonly tag?: Words64;
  /** Under which name the endpoint keeps the region; default `region 0`, `region 1`, ... */
  readonly name?: string;
}

/** What a borrower was told of a region: the words of a message, usually. */
export interface RetrieveSpec extends RetrieveMemoryOptions {
  readonly owner: number;
  readonly handleLow: number;
  readonly handleHigh: number;
  /** Default `share`. */
  readonly kind?: MemoryKind;
  /** Borrowers beside this one that the owner named, and that must be named too. */
  readonly others?: readonly number[];
  readonly tag?: Words64;
  readonly name?: string;
}

export interface DiscoverOptions {
  /** Only those that offer this service; default: all. */
  readonly uuid?: Uuid;
  /** `buffer` (default): FFA_PARTITION_INFO_GET; `registers`: FFA_PARTITION_INFO_GET_REGS (1.1 and later). */
  readonly by?: 'buffer' | 'registers';
}

/** Payload registers as an operation wants them: low and high words in turn. */
export function payloadWords(payload: readonly PayloadWord[]): number[] {
  const words: number[] = [];
  for (const word of payload) {
    const { low, high } = typeof word === 'number' ? wordsOf(word) : word;
    words.push(low, high);
  }
  return words;
}

export class FfaCalls {
  readonly caller: Caller;
  /** The vCPU as it runs now; set at each entry. */
  context: VcpuContext | null = null;
  policy: CallPolicy = DEFAULT_CALL_POLICY;
  /** Free pages of the endpoint's own, for `share`, `lend` and `donate`; null: only `ranges` may be sent. */
  pages: PagePlan | null = null;
  /** When a TASK_WAIT of this vCPU is over. */
  waitUntilNs: Nanoseconds = 0;

  constructor(caller: Caller) {
    this.caller = caller;
  }

  get endpoint(): Endpoint {
    return this.caller.endpoint;
  }

  /** The endpoint's id; -1 before `version`. */
  get id(): number {
    return this.endpoint.id;
  }

  get nowNs(): Nanoseconds {
    return this.now.nowNs;
  }

  /** The context, which a running task always has. */
  protected get now(): VcpuContext {
    return present(this.context, 'a task runs inside its vCPU');
  }

  /** What must be done first where an interrupt can be taken; null: nothing. Registers are nobody's there. */
  protected attend(): Task | null {
    return null;
  }

  /** Makes the calls of one operation, and gives its outcome: 0, an FF-A error, or an `OUTCOME_...`. */
  *perform(operation: Operation, policy: CallPolicy = this.policy): Task<Outcome> {
    const before = this.attend();
    if (before !== null) yield* before;
    let step = this.caller.begin(operation, this.now, policy);
    while (step !== CALL_DONE) {
      if (step === CALL_WAIT && !this.endpoint.usesBuffers(this.caller.vcpu)) {
        const meanwhile = this.attend();
        if (meanwhile !== null) yield* meanwhile;
      }
      this.waitUntilNs = this.caller.waitUntilNs;
      yield step;
      step = this.caller.resume(this.now);
    }
    return this.caller.outcome;
  }

  /** Lets `durationNs` pass. */
  *wait(durationNs: Nanoseconds): Task {
    const untilNs = this.now.nowNs + durationNs;
    for (;;) {
      const first = this.attend();
      if (first !== null) yield* first;
      if (this.now.nowNs >= untilNs) return;
      this.waitUntilNs = untilNs;
      yield TASK_WAIT;
    }
  }

  // Setting up --------------------------------------------------------------------------------------------------------

  /**
   * FFA_VERSION, then FFA_ID_GET. Gives the version of both sides, as a number (major in [30:16], minor in [15:0]);
   * NOT_SUPPORTED when the major versions differ. [Linux arm_ffa]
   */
  *version(wanted = this.endpoint.wantedVersion): Task<CallResult<number>> {
    const outcome = yield* this.perform(new NegotiateVersion(wanted));
    return resultOf('FFA_VERSION', outcome, this.endpoint.version);
  }

  /** FFA_FEATURES of a function id, or of a feature id such as FFA_FEATURE_NPI; NOT_SUPPORTED when it is not there. */
  *features(of: number, input = 0): Task<CallResult<FeatureAnswer>> {
    const query = new QueryFeatures(of, input);
    const outcome = yield* this.perform(query);
    return resultOf('FFA_FEATURES', outcome, { w2: query.w2, w3: query.w3 });
  }

  /** FFA_RXTX_MAP of the endpoint's buffers: DENIED when they are mapped, NO_MEMORY, INVALID_PARAMETERS. */
  *mapBuffers(): Task<CallResult> {
    return resultOf('FFA_RXTX_MAP', yield* this.perform(new MapBuffers()), undefined);
  }

  /** FFA_RXTX_UNMAP: INVALID_PARAMETERS when nothing is mapped. */
  *unmapBuffers(): Task<CallResult> {
    return resultOf('FFA_RXTX_UNMAP', yield* this.perform(new UnmapBuffers()), undefined);
  }

  /** Who is there, in either form. The list is kept in `endpoint.partitions` too. */
  *discover(options: DiscoverOptions = {}): Task<CallResult<readonly PartitionInformation[]>> {
    const uuid = options.uuid ?? NIL_UUID;
    if (options.by === 'registers') {
      const outcome = yield* this.perform(new DiscoverByRegisters(uuid));
      return resultOf('FFA_PARTITION_INFO_GET_REGS', outcome, this.endpoint.partitions);
    }
    const outcome = yield* this.perform(new DiscoverPartitions(uuid));
    return resultOf('FFA_PARTITION_INFO_GET', outcome, this.endpoint.partitions);
  }

  /** How many partitions there are (1.1 and later). */
  *count(uuid: Uuid = NIL_UUID): Task<CallResult<number>> {
    const discovery = new DiscoverPartitions(uuid, true);
    return resultOf('FFA_PARTITION_INFO_GET', yield* this.perform(discovery), discovery.count);
  }

  // Messages ----------------------------------------------------------------------------------------------------------

  /**
   * A direct request: up to 5 registers (`form` req32: 32 bits of each; req64) or 14 (req2, 1.2). Gives the answer's
   * registers. INTERRUPT or YIELD when the policy says not to run the partition on.
   */
  *request(
    to: number,
    payload: readonly PayloadWord[],
    options: DirectRequestOptions = {},
  ): Task<CallResult<DirectReply>> {
    const request = new DirectRequest(to, payloadWords(payload), options);
    const outcome = yield* this.perform(request);
    const words: number[] = [];
    const registers: Words64[] = [];
    for (let n = 0; n < request.reply.length; n += 2) {
      words.push(request.reply[n]);
      registers.push({ low: request.reply[n], high: request.reply[n + 1] });
    }
    return resultOf('FFA_MSG_SEND_DIRECT_REQ', outcome, { words, registers });
  }

  /** FFA_MSG_SEND_DIRECT_REQ2 to the service `uuid` of a partition: 14 registers of 64 bits. */
  request2(to: number, uuid: Uuid, payload: readonly PayloadWord[]): Task<CallResult<DirectReply>> {
    return this.request(to, payload, { form: 'req2', uuid });
  }

  /** FFA_RUN of a partition's vCPU, once; INTERRUPT or YIELD when that is how it came back. */
  *run(partition: number, vcpu = 0): Task<CallResult> {
    const once = { ...this.policy, runCount: 0 };
    return resultOf('FFA_RUN', yield* this.perform(new RunPartition(partition, vcpu), once), undefined);
  }

  /** FFA_MSG_SEND2: bytes through TX into the receiver's RX; BUSY when that is full. */
  *send(to: number, payload: Uint8Array, options: SendMessageOptions = {}): Task<CallResult> {
    return resultOf('FFA_MSG_SEND2', yield* this.perform(new SendMessage(to, payload, options)), undefined);
  }

  /** Reads the message in RX and gives RX back; DENIED when there is none. */
  *receive(): Task<CallResult<IndirectMessage>> {
    const message = new ReceiveMessage();
    const outcome = yield* this.perform(message);
    return resultOf('FFA_RX_RELEASE', outcome, { sender: message.sender, payload: message.payload });
  }

  // Memory ------------------------------------------------------------------------------------------------------------

  /** FFA_MEM_SHARE: borrowers get access, the sender keeps its own. Fragments follow by themselves. */
  share(spec: SendSpec): Task<CallResult<MemoryRegion>> {
    return this.sendMemory('share', spec);
  }

  /** FFA_MEM_LEND: the sender has no access until it reclaims. */
  lend(spec: SendSpec): Task<CallResult<MemoryRegion>> {
    return this.sendMemory('lend', spec);
  }

  /** FFA_MEM_DONATE: the receiver becomes the owner. */
  donate(spec: SendSpec): Task<CallResult<MemoryRegion>> {
    return this.sendMemory('donate', spec);
  }

  /** FFA_MEM_RECLAIM: DENIED while a borrower holds the region. Pages of the plan are free again. */
  *reclaim(region: MemoryRegion, options: { readonly zero?: boolean } = {}): Task<CallResult> {
    const flags = options.zero === true ? RECLAIM_FLAG_ZERO : 0;
    const outcome = yield* this.perform(new ReclaimMemory(region, flags));
    if (outcome === OUTCOME_SUCCESS) this.over(region);
    return resultOf('FFA_MEM_RECLAIM', outcome, undefined);
  }

  /** FFA_MEM_RETRIEVE_REQ, with all fragments of its answer. The region's ranges say where the pages are. */
  *retrieve(spec: RetrieveSpec): Task<CallResult<MemoryRegion>> {
    const region: MemoryRegion = {
      name: spec.name ?? this.freeName(),
      kind: spec.kind ?? 'share',
      owner: spec.owner,
      receivers: [this.endpoint.id, ...(spec.others ?? [])],
      ranges: [],
      handleLow: spec.handleLow,
      handleHigh: spec.handleHigh,
      tagLow: spec.tag?.low ?? 0,
      tagHigh: spec.tag?.high ?? 0,
      state: 'sent',
    };
    const outcome = yield* this.perform(new RetrieveMemory(region, spec));
    // An answer that cannot be read leaves this endpoint as a borrower all the same.
    if (region.state === 'held') this.endpoint.regions.set(region.name, region);
    return resultOf('FFA_MEM_RETRIEVE_REQ', outcome, region);
  }

  /** FFA_MEM_RELINQUISH of a region that this endpoint retrieved. */
  *relinquish(region: MemoryRegion, options: { readonly zero?: boolean } = {}): Task<CallResult> {
    const flags = options.zero === true ? RELINQUISH_FLAG_ZERO : 0;
    const outcome = yield* this.perform(new RelinquishMemory(region, flags));
    if (outcome === OUTCOME_SUCCESS) this.over(region);
    return resultOf('FFA_MEM_RELINQUISH', outcome, undefined);
  }

  /** Copies `length` bytes of the endpoint's own memory; null when its stage 2 refuses. */
  read(address: Ipa, length: number): Uint8Array | null {
    const bytes = new Uint8Array(length);
    return this.now.memory.read(address, bytes, 0, length) ? bytes : null;
  }

  /** Writes bytes into the endpoint's own memory; false when its stage 2 refuses. */
  write(address: Ipa, bytes: Uint8Array): boolean {
    return this.now.memory.write(address, bytes, 0, bytes.length);
  }

  // Notifications -----------------------------------------------------------------------------------------------------

  /** FFA_NOTIFICATION_BIND: `sender` may set these bits of this endpoint; DENIED when one is bound already. */
  *bind(sender: number, bits: Words64, perVcpu = false): Task<CallResult> {
    const outcome = yield* this.perform(new BindNotifications(true, sender, bits, perVcpu));
    return resultOf('FFA_NOTIFICATION_BIND', outcome, undefined);
  }

  /** FFA_NOTIFICATION_UNBIND; DENIED while one of the bits is pending. */
  *unbind(sender: number, bits: Words64): Task<CallResult> {
    const outcome = yield* this.perform(new BindNotifications(false, sender, bits));
    return resultOf('FFA_NOTIFICATION_UNBIND', outcome, undefined);
  }

  /** FFA_NOTIFICATION_SET of another endpoint's bits; DENIED when they are not bound to this one. */
  *notify(to: number, bits: Words64, options: SetNotificationsOptions = {}): Task<CallResult> {
    const outcome = yield* this.perform(new SetNotifications(to, bits, options));
    return resultOf('FFA_NOTIFICATION_SET', outcome, undefined);
  }

  /** FFA_NOTIFICATION_GET: what is pending, taken away. `flags`: `NOTIFICATION_GET_FROM_...`. */
  *notifications(flags: number = NOTIFICATION_GET_FLAGS_MASK): Task<CallResult<PendingNotifications>> {
    const got = new GetNotifications(flags, this.caller.vcpu);
    const outcome = yield* this.perform(got);
    const { fromHypervisor, fromSp, fromSpm, fromVm } = got;
    return resultOf('FFA_NOTIFICATION_GET', outcome, { fromSp, fromVm, fromSpm, fromHypervisor });
  }

  /** FFA_NOTIFICATION_INFO_GET: for whom something is pending; NO_DATA when for nobody. */
  *notificationInfo(): Task<CallResult<readonly NotificationList[]>> {
    const info = new NotificationInfoGet(this.endpoint.bits === 64);
    return resultOf('FFA_NOTIFICATION_INFO_GET', yield* this.perform(info), info.lists);
  }

  // Others ------------------------------------------------------------------------------------------------------------

  /** FFA_CONSOLE_LOG of a line of ASCII text, in as many calls as it needs. */
  *log(text: string): Task<CallResult> {
    const line = text.endsWith('\n') ? text : `${text}\n`;
    const outcome = yield* this.perform(new ConsoleLog(asciiBytes(line), this.endpoint.bits === 64));
    return resultOf('FFA_CONSOLE_LOG', outcome, undefined);
  }

  /** FFA_MEM_PERM_GET of one of the own pages. */
  *permissions(address: Ipa): Task<CallResult<MemoryPermissions>> {
    const got = new GetMemoryPermissions(address);
    return resultOf('FFA_MEM_PERM_GET', yield* this.perform(got), got.permissions);
  }

  /** FFA_MEM_PERM_SET of own pages. */
  *setPermissions(address: Ipa, pageCount: number, permissions: MemoryPermissions | number): Task<CallResult> {
    const outcome = yield* this.perform(new SetMemoryPermissions(address, pageCount, permissions));
    return resultOf('FFA_MEM_PERM_SET', outcome, undefined);
  }

  /** `share`, `lend` or `donate`. */
  *sendMemory(kind: MemoryKind, spec: SendSpec): Task<CallResult<MemoryRegion>> {
    const call = `FFA_MEM_${kind.toUpperCase()}`;
    const ranges = spec.ranges ?? this.pages?.take(spec.pages ?? 1, spec.scattered === true) ?? null;
    if (spec.ranges !== undefined) this.pages?.note(spec.ranges);
    if (ranges === null) return { ok: false, outcome: OUTCOME_NO_REGION, call };
    const region: MemoryRegion = {
      name: spec.name ?? this.freeName(),
      kind,
      owner: this.endpoint.id,
      receivers: typeof spec.to === 'number' ? [spec.to] : spec.to,
      ranges,
      handleLow: 0,
      handleHigh: 0,
      tagLow: spec.tag?.low ?? 0,
      tagHigh: spec.tag?.high ?? 0,
      state: 'sending',
    };
    this.endpoint.regions.set(region.name, region);
    const outcome = yield* this.perform(new SendMemory(region, spec));
    // What may have been sent stays taken: a half-sent region too.
    if (region.state === 'refused') this.over(region);
    return resultOf(call, outcome, region);
  }

  /** Nobody knows the region any more; pages of the own plan are free again. */
  private over(region: MemoryRegion): void {
    const { regions } = this.endpoint;
    if (regions.get(region.name) === region) regions.delete(region.name);
    if (region.owner === this.endpoint.id) this.pages?.giveBack(region.ranges);
  }

  private freeName(): string {
    return `region ${this.endpoint.regionCount++}`;
  }
}
