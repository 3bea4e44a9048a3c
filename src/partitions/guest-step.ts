// The steps of a guest script: plain data, as a world file or a test writes them. A step is an object with `step`, its
// kind, and the fields of that kind; `guest-steps.ts` has the same as a table, for schemas and documentation.
//
// Names. A region, a saved answer or a variable has a name of the script's choosing, shared by the guest's vCPUs. In
// a name `#` stands for the number of the innermost `repeat` (0, 1, ...), so that a loop can share `buf0`, `buf1`,
// ... An endpoint is named as the world names it, or by its id. A region of another guest is `guest:region`.
//
// Expectations. Every call step expects SUCCESS unless `expect` says otherwise: an outcome's name, a list of them, or
// `any`. A broken expectation is reported, and the script goes on.

import type { Nanoseconds } from '../base/units.ts';
import type { MemoryKind, RegionState } from './memory-region.ts';
import type { DirectForm } from './operations/direct-request.ts';
import type { ProtocolName } from './protocol.ts';
import type { WordExpression } from './word-expression.ts';

/** `SUCCESS`, an FF-A error, another outcome's name, `any`; or a list, of which one must fit. */
export type Expectation = string | readonly string[];

/** An endpoint: its name in the world, or its id. */
export type EndpointReference = string | number;

/** Pages of the guest's RAM, counted from its first page; or, with `address`, anywhere. */
export interface RangeSpec {
  readonly page?: number;
  readonly address?: WordExpression;
  readonly count: number;
}

interface CallFields {
  readonly expect?: Expectation;
}

/** FFA_VERSION (and FFA_ID_GET). */
export interface VersionStep extends CallFields {
  readonly step: 'version';
  /** Default: the script's version. */
  readonly version?: number;
  /** False: no FFA_ID_GET afterwards. */
  readonly identify?: boolean;
}

/** FFA_RXTX_MAP of the script's buffers. */
export interface MapStep extends CallFields {
  readonly step: 'map';
}

/** FFA_RXTX_UNMAP. */
export interface UnmapStep extends CallFields {
  readonly step: 'unmap';
}

/** FFA_FEATURES of a function id (FFA_...) or a feature id (1: NPI, 2: SRI, ...). */
export interface FeaturesStep extends CallFields {
  readonly step: 'features';
  readonly of: WordExpression;
  /** w2 of the question. */
  readonly input?: WordExpression;
  /** w2 that must be answered. */
  readonly properties?: WordExpression;
}

/** FFA_PARTITION_INFO_GET, or its form in registers. */
export interface DiscoverStep extends CallFields {
  readonly step: 'discover';
  /** Default `buffer`. */
  readonly by?: 'buffer' | 'registers';
  /** Only those that speak this protocol; default: all. */
  readonly uuid?: string;
  /** Ask how many there are, and nothing else. */
  readonly countOnly?: boolean;
  /** How many there must be. */
  readonly count?: number;
  /** Who must be among them. */
  readonly includes?: EndpointReference | readonly EndpointReference[];
}

/** Fields of `share`, `lend` and `donate`. */
export interface SendFields extends CallFields {
  /** Under which name the region, its handle and its pages are kept. */
  readonly name: string;
  /** The borrower, or all of them. */
  readonly to: EndpointReference | readonly EndpointReference[];
  /** Pages, taken from the guest's free RAM; or say `ranges`. Default 1. */
  readonly pages?: number;
  /** With `pages`: every page in a range of its own, with a gap behind it. */
  readonly scattered?: boolean;
  readonly ranges?: readonly RangeSpec[];
  readonly tag?: WordExpression;
  /** Ask for the memory to be zeroed. */
  readonly zero?: boolean;
  /** Permissions byte instead of the usual one. */
  readonly permissions?: number;
  /** Attributes instead of the usual ones. */
  readonly attributes?: number;
  /** Use the SMC64 form of the call. */
  readonly wide?: boolean;
  /** Send fragments of at most so many bytes. */
  readonly fragmentBytes?: number;
  /** Time between two fragments. */
  readonly fragmentPauseNs?: Nanoseconds;
  /** Sender in the descriptor instead of the own id: a lie. */
  readonly sender?: EndpointReference;
}

/** FFA_MEM_SHARE. */
export interface ShareStep extends SendFields {
  readonly step: 'share';
}

/** FFA_MEM_LEND. */
export interface LendStep extends SendFields {
  readonly step: 'lend';
}

/** FFA_MEM_DONATE. */
export interface DonateStep extends SendFields {
  readonly step: 'donate';
}

/** FFA_MEM_RECLAIM. */
export interface ReclaimStep extends CallFields {
  readonly step: 'reclaim';
  readonly name: string;
  readonly zero?: boolean;
}

/** FFA_MEM_RETRIEVE_REQ, as a borrower, of a region that another guest sent (`guest:region`). */
export interface RetrieveStep extends CallFields {
  readonly step: 'retrieve';
  readonly name: string;
  readonly zero?: boolean;
  readonly permissions?: number;
  readonly bypassOthers?: boolean;
}

/** FFA_MEM_RELINQUISH of a region that was retrieved. */
export interface RelinquishStep extends CallFields {
  readonly step: 'relinquish';
  readonly name: string;
  readonly zero?: boolean;
}

/** A direct request. `do` speaks the protocol of the SP programs; `words` says anything else. */
export interface MessageStep extends CallFields {
  readonly step: 'message';
  readonly to: EndpointReference;
  /** What an SP program is to do; its status decides the outcome. */
  readonly do?: ProtocolName;
  /** With `do`: which region it is about. */
  readonly region?: string;
  /** With `do`: for how long (dma, work). */
  readonly durationNs?: Nanoseconds;
  /** The payload; with `do`: the words after the operation, where nothing else fills them. */
  readonly words?: readonly WordExpression[];
  /** The call that carries it; default `req32`. */
  readonly form?: DirectForm;
  /** With `req2`: the service, as a canonical UUID. */
  readonly uuid?: string;
  /** The payload that must come back. */
  readonly reply?: readonly WordExpression[];
  /** Keeps the answer's registers under this name. */
  readonly save?: string;
  /** `run` (default): FFA_RUN after FFA_INTERRUPT and FFA_YIELD until it answers. `return`: end with them. */
  readonly onInterrupt?: 'run' | 'return';
  /** w2 of the request: 0x80000000 and a type pretends to be a framework message. */
  readonly flags?: number;
  /** Sender instead of the own id: a lie. */
  readonly sender?: EndpointReference;
}

/** FFA_RUN of a partition's vCPU, once; the answer counts as for `message`. */
export interface RunStep extends CallFields {
  readonly step: 'run';
  readonly to: EndpointReference;
  /** Index of its vCPU, default 0. */
  readonly vcpu?: number;
  readonly save?: string;
}

/** FFA_MSG_SEND2. */
export interface SendMessageStep extends CallFields {
  readonly step: 'send';
  readonly to: EndpointReference;
  /** The payload. */
  readonly hex: string;
  /** The protocol, from FF-A 1.2 on. */
  readonly uuid?: string;
  readonly delaySri?: boolean;
  /** Sender in the header: a lie. */
  readonly sender?: EndpointReference;
}

/** Reads the message in RX, then FFA_RX_RELEASE. */
export interface ReceiveStep extends CallFields {
  readonly step: 'receive';
  /** Who must have sent it. */
  readonly from?: EndpointReference;
  /** The payload that must be there. */
  readonly hex?: string;
}

/** FFA_NOTIFICATION_BIND. */
export interface BindStep extends CallFields {
  readonly step: 'bind';
  /** Who may set the bits. */
  readonly from: EndpointReference;
  readonly bits: WordExpression;
  readonly perVcpu?: boolean;
}

/** FFA_NOTIFICATION_UNBIND. */
export interface UnbindStep extends CallFields {
  readonly step: 'unbind';
  readonly from: EndpointReference;
  readonly bits: WordExpression;
}

/** FFA_NOTIFICATION_SET. */
export interface NotifyStep extends CallFields {
  readonly step: 'notify';
  readonly to: EndpointReference;
  readonly bits: WordExpression;
  readonly perVcpu?: boolean;
  /** With `perVcpu`: the receiver's vCPU. */
  readonly vcpu?: number;
  readonly delaySri?: boolean;
  /** Sender: a lie. */
  readonly sender?: EndpointReference;
}

/** FFA_NOTIFICATION_GET. */
export interface NotificationsStep extends CallFields {
  readonly step: 'notifications';
  /** w2: 1 SPs, 2 VMs, 4 SPM, 8 hypervisor; default 15, all. */
  readonly flags?: number;
  /** Bits that must be pending, by who sent them. */
  readonly sp?: WordExpression;
  readonly vm?: WordExpression;
  readonly spm?: WordExpression;
  readonly hypervisor?: WordExpression;
  readonly save?: string;
}

/** FFA_NOTIFICATION_INFO_GET. */
export interface NotificationInfoStep extends CallFields {
  readonly step: 'notification-info';
  /** Use the SMC64 form of the call. */
  readonly wide?: boolean;
  /** Who must be listed. */
  readonly includes?: EndpointReference | readonly EndpointReference[];
}

/** Writes guest memory. */
export interface WriteStep {
  readonly step: 'write';
  /** Where: an address, or `$region.address`. */
  readonly address: WordExpression;
  /** What, as hexadecimal digits; or say `byte`. */
  readonly hex?: string;
  readonly byte?: number;
  /** With `byte`: how many. Default 1. */
  readonly count?: number;
  /** SUCCESS, or FAULT where the guest's stage 2 refuses. */
  readonly expect?: Expectation;
}

/** Reads guest memory and compares. */
export interface ReadStep {
  readonly step: 'read';
  readonly address: WordExpression;
  /** The bytes that must be there; or say `byte`. */
  readonly hex?: string;
  readonly byte?: number;
  readonly count?: number;
  /** SUCCESS, MISMATCH or FAULT. */
  readonly expect?: Expectation;
}

/** Lets time pass. */
export interface WaitStep {
  readonly step: 'wait';
  readonly durationNs: Nanoseconds;
}

/** Sets a variable for sibling vCPUs. */
export interface SetStep {
  readonly step: 'set';
  readonly name: string;
  readonly value: number;
}

/** One condition; exactly one of the forms. */
export type Condition =
  /** The variable has this value (0 before it is set). */
  | { readonly variable: string; readonly is: number }
  /** The region has this state. */
  | { readonly region: string; readonly state: RegionState }
  /** This virtual interrupt came since the script began; each `until` takes one. */
  | { readonly interrupt: number }
  /** Virtual time since the world began. */
  | { readonly timeNs: Nanoseconds }
  /** The byte at this address has this value. */
  | { readonly address: WordExpression; readonly byte: number };

/** Waits for a condition. */
export interface UntilStep {
  readonly step: 'until';
  readonly condition: Condition;
  /** How often it looks; default 100 us. */
  readonly everyNs?: Nanoseconds;
  /** Gives up with TIMEOUT; default: 60 s. */
  readonly timeoutNs?: Nanoseconds;
  readonly expect?: Expectation;
}

/** Any call: registers as they are. Expects nothing unless told to. */
export interface RawCallStep {
  readonly step: 'call';
  /** x0, x1, ...; the rest is zero. */
  readonly registers: readonly WordExpression[];
  /** Keeps the answer's registers under this name. */
  readonly save?: string;
  /** Registers that must come back, from x0 on; null: whatever it is. */
  readonly answer?: readonly (WordExpression | null)[];
  readonly expect?: Expectation;
}

/** Writes raw bytes into TX, at an offset. Nobody's claim on TX is respected. */
export interface TxStep {
  readonly step: 'tx';
  readonly offset?: number;
  readonly hex: string;
  readonly expect?: Expectation;
}

/** Rewrites bytes of TX over and over, in turn: a hostile sibling of a vCPU that makes a call. */
export interface RewriteTxStep {
  readonly step: 'rewrite-tx';
  readonly offset?: number;
  /** The contents, written in turn. */
  readonly hex: readonly string[];
  /** How many writes. */
  readonly times: number;
  /** Time between two writes; 0: the others may run in between, but no time passes. Default 1 us. */
  readonly everyNs?: Nanoseconds;
}

/** Does steps several times. */
export interface RepeatStep {
  readonly step: 'repeat';
  readonly times: number;
  readonly steps: readonly GuestStep[];
}

/** Ends this vCPU's script. */
export interface StopStep {
  readonly step: 'stop';
}

/** The guest crashes. */
export interface CrashStep {
  readonly step: 'crash';
}

export type GuestStep =
  | VersionStep
  | MapStep
  | UnmapStep
  | FeaturesStep
  | DiscoverStep
  | ShareStep
  | LendStep
  | DonateStep
  | ReclaimStep
  | RetrieveStep
  | RelinquishStep
  | MessageStep
  | RunStep
  | SendMessageStep
  | ReceiveStep
  | BindStep
  | UnbindStep
  | NotifyStep
  | NotificationsStep
  | NotificationInfoStep
  | WriteStep
  | ReadStep
  | WaitStep
  | SetStep
  | UntilStep
  | RawCallStep
  | TxStep
  | RewriteTxStep
  | RepeatStep
  | StopStep
  | CrashStep;

export type GuestStepKind = GuestStep['step'];

/** The kind of memory transaction that a step sends. */
export type SendStep = ShareStep | LendStep | DonateStep;
export const SEND_KINDS: Readonly<Record<SendStep['step'], MemoryKind>> = {
  share: 'share',
  lend: 'lend',
  donate: 'donate',
};
