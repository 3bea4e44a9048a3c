// What every exporter reads: kept records, in order. `EventLog` is one; nothing here needs more of it than this.

export interface EventSource {
  /** Records that can be read. */
  readonly kept: number;
  timeNs(at: number): number;
  kind(at: number): number;
  pe(at: number): number;
  /** Argument `n` (0 to 8) of record `at`. */
  argument(at: number, n: number): number;
}
