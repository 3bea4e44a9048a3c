// One place where a replay is not as recorded.

export interface Difference {
  /** Which part of the answer, such as "x2" or "spmc 3, in". */
  readonly field: string;
  readonly expected: string;
  readonly got: string;
}
