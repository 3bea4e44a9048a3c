// What the oracle is told beside events: which properties are off, which known weaknesses of an imitated hypervisor are
// not held against it, and the limits that the world's profile promises.

/** Known ways in which a hypervisor does less than a property asks. A profile's user names those that apply. */
export const RELAXATIONS = {
  'unknown-outcome-released': 'P1, P1b: what is not clearly a success or a fragment wanted counts as a refusal',
  'messages-forgotten': 'P6, P7, P15: a partition may believe for ever in a VM that is gone, and its id be used again',
  'buffers-forgotten': 'P1, P3, P15: buffers that the SPMC did not unmap may be returned',
  'bitmaps-forgotten': 'P15: a notification bitmap may outlive its VM',
  'unmapped-while-owned': 'P9: a guest may unmap RX while it has it',
  'undocumented-errors': 'P13: a call may fail with an error that nobody documents for it',
  'reserved-not-zero': 'P13: registers of an answer that nothing defines need not be zero',
  'success-without-share': 'P14: a send may succeed though nothing was sent',
  'duplicates-listed': 'P14: a list may name an endpoint twice',
  'tag-and-flags-dropped': 'P14: tag and flags of a transaction need not reach the SPMC',
  'framework-bit-relayed': 'P11: a guest may set the framework bit of a direct message',
  'run-unchecked': 'P11: FFA_RUN may reach a partition that serves another VM',
  'reply-unchecked': 'P11: a direct response is relayed whatever ids it carries',
  'version-renegotiated': 'P17: an endpoint may change its version at any time',
  'refused-for-good-early': 'P7: any answer but DENIED may end a reclaim for good',
  unscrubbed: 'P18: pages need not be zero for their next owner',
} as const;

export type Relaxation = keyof typeof RELAXATIONS;

export interface OracleOptionsInput {
  /** Properties that are not judged: `P1`, `P1b`, ... */
  readonly off?: readonly string[];
  readonly relax?: readonly Relaxation[];
  /** Most SMCs in one hypercall of a guest; absent: not judged. */
  readonly smcsPerCallMax?: number;
  /** Most SMCs in one firing of a timer; absent: not judged. */
  readonly smcsPerTickMax?: number;
  /** Ranks of locks that may be held over an SMC; absent: not judged. */
  readonly lockRanksOverSmc?: readonly number[];
  /** Most transactions that one guest may have in the secure world; absent: not judged. */
  readonly sharesPerGuestMax?: number;
  /** Most transactions of all guests together; absent: not judged. */
  readonly sharesPerHostMax?: number;
  /** How many of them are kept for guests with no more than `sharesAssured`. */
  readonly sharesReserved?: number;
  readonly sharesAssured?: number;
  /** Most transactions that one endpoint may be a borrower of; absent: not judged. */
  readonly sharesPerBorrowerMax?: number;
  /** Most pages that one guest may have pinned by them; absent: not judged. */
  readonly pinnedPagesPerGuestMax?: number;
  /** Memory transactions that the SPMC can keep at once; absent: not judged. */
  readonly spmcSlots?: number;
  /** How much later than announced a retry may begin. Default: one second. */
  readonly retrySlackNs?: number;
  /** Whether the SPMC's answers, to the hypervisor and to partitions, are judged too (P13). Default: not. */
  readonly spmcJudged?: boolean;
}

export interface OracleOptions {
  readonly off: ReadonlySet<string>;
  readonly relax: ReadonlySet<string>;
  readonly smcsPerCallMax: number;
  readonly smcsPerTickMax: number;
  readonly lockRanksOverSmc: ReadonlySet<number> | null;
  readonly sharesPerGuestMax: number;
  readonly sharesPerHostMax: number;
  readonly sharesReserved: number;
  readonly sharesAssured: number;
  readonly sharesPerBorrowerMax: number;
  readonly pinnedPagesPerGuestMax: number;
  readonly spmcSlots: number;
  readonly retrySlackNs: number;
  readonly spmcJudged: boolean;
}

const RETRY_SLACK_NS = 1_000_000_000;

export function completeOptions(input: OracleOptionsInput): OracleOptions {
  return {
    off: new Set(input.off ?? []),
    relax: new Set(input.relax ?? []),
    smcsPerCallMax: input.smcsPerCallMax ?? Number.POSITIVE_INFINITY,
    smcsPerTickMax: input.smcsPerTickMax ?? Number.POSITIVE_INFINITY,
    lockRanksOverSmc: input.lockRanksOverSmc === undefined ? null : new Set(input.lockRanksOverSmc),
    sharesPerGuestMax: input.sharesPerGuestMax ?? Number.POSITIVE_INFINITY,
    sharesPerHostMax: input.sharesPerHostMax ?? Number.POSITIVE_INFINITY,
    sharesReserved: input.sharesReserved ?? 0,
    sharesAssured: input.sharesAssured ?? 0,
    sharesPerBorrowerMax: input.sharesPerBorrowerMax ?? Number.POSITIVE_INFINITY,
    pinnedPagesPerGuestMax: input.pinnedPagesPerGuestMax ?? Number.POSITIVE_INFINITY,
    spmcSlots: input.spmcSlots ?? 0,
    retrySlackNs: input.retrySlackNs ?? RETRY_SLACK_NS,
    spmcJudged: input.spmcJudged ?? false,
  };
}
