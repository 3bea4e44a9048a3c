// What every endpoint may do with every page that recordings tell of, and which pages became zero: compared after each
// call, so that a page that changed and was not recorded differs as well.

import { PAGE_SIZE_BYTES } from '../../base/units.ts';
import {
  STAGE2_DEVICE,
  STAGE2_EXECUTE,
  STAGE2_INVALID,
  STAGE2_NON_SECURE,
  STAGE2_READ,
  STAGE2_SHARED,
  STAGE2_UNOWNED,
  STAGE2_WRITE,
} from '../../hardware/stage2.ts';
import type { Difference } from '../difference.ts';
import type { Fields } from '../fields.ts';
import { endpointId, endpointIndex, type RecordedMachine, WATCHED } from './recorded-machine.ts';

const PAGE_COUNT = WATCHED.reduce((sum, [, count]) => sum + count, 0);
/** In place of attributes: the endpoint's page is another page of the machine. No recording has that. */
const ELSEWHERE = -1;

const FLAGS: readonly (readonly [bit: number, text: string])[] = [
  [STAGE2_DEVICE, '+DEVICE'],
  [STAGE2_INVALID, '+INVALID'],
  [STAGE2_UNOWNED, '+UNOWNED'],
  [STAGE2_SHARED, '+SHARED'],
  [STAGE2_NON_SECURE, '+NS'],
];

/** A page's state as recordings write it. */
function stateText(attributes: number): string {
  if (attributes === 0) return 'unmapped';
  if (attributes === ELSEWHERE) return 'another page';
  let access = (attributes & STAGE2_READ) !== 0 ? 'R' : '';
  if ((attributes & STAGE2_WRITE) !== 0) access += 'W';
  if ((attributes & STAGE2_EXECUTE) !== 0) access += 'X';
  let text = access === '' ? '-' : access;
  for (const [bit, flag] of FLAGS) if ((attributes & bit) !== 0) text += flag;
  return text;
}

export class PageWatch {
  private readonly recorded: RecordedMachine;
  /** Numbers of the watched pages. */
  private readonly pages: readonly number[];
  /** Attributes, endpoint after endpoint, each with all pages. */
  private readonly before: Int32Array;
  /** Where a change was recorded: its state. */
  private readonly expected: (string | undefined)[];
  /** Pages whose content is still the pattern, or something else that is not zero. */
  private readonly filled = new Uint8Array(PAGE_COUNT);
  private readonly zeroed = new Uint8Array(PAGE_COUNT);

  constructor(recorded: RecordedMachine) {
    this.recorded = recorded;
    this.pages = WATCHED.flatMap(([first, count]) => Array.from({ length: count }, (_, n) => first + n));
    this.before = new Int32Array(recorded.endpoints.length * PAGE_COUNT);
    this.expected = new Array(this.before.length).fill(undefined);
  }

  /** Takes the state after the machine's reset. */
  begin(): void {
    const { contents } = this.recorded.machine.frames;
    for (let n = 0; n < this.before.length; n++) this.before[n] = this.now(n);
    for (let n = 0; n < PAGE_COUNT; n++) this.filled[n] = contents.isZero(this.pages[n]) ? 0 : 1;
    for (const { txFrame, rxFrame } of this.recorded.endpoints) {
      for (let n = 0; n < PAGE_COUNT; n++) {
        if (this.pages[n] === txFrame || this.pages[n] === rxFrame) this.filled[n] = 0;
      }
    }
  }

  /** What differs from the list "pages" of an answer; null: nothing. */
  comparePages(answer: Fields): Difference | null {
    const { expected, before } = this;
    expected.fill(undefined);
    for (const change of answer.list('pages')) this.expect(answer, change);
    let difference: Difference | null = null;
    for (let n = 0; n < before.length; n++) {
      const now = this.now(n);
      const state = expected[n];
      if (difference === null && (state === undefined ? now !== before[n] : stateText(now) !== state)) {
        const endpoint = endpointId(Math.floor(n / PAGE_COUNT));
        difference = {
          field: `pages 0x${endpoint.toString(16)} ${this.address(n % PAGE_COUNT)}`,
          expected: state ?? `${stateText(before[n])}, unchanged`,
          got: stateText(now),
        };
      }
      before[n] = now;
    }
    return difference;
  }

  /** What differs from the list "zeroed" of an answer; null: nothing. */
  compareZeroed(answer: Fields): Difference | null {
    const { contents } = this.recorded.machine.frames;
    this.zeroed.fill(0);
    for (const range of answer.list('zeroed')) {
      if (!Array.isArray(range) || range.length !== 2) answer.fail('zeroed', 'a list of [address, pages]');
      const [address, count] = range as unknown[];
      this.forRange(answer, 'zeroed', address, count, (n) => {
        this.zeroed[n] = 1;
      });
    }
    for (let n = 0; n < PAGE_COUNT; n++) {
      const became = this.filled[n] === 1 && contents.isZero(this.pages[n]);
      if (became !== (this.zeroed[n] === 1)) {
        return {
          field: `zeroed ${this.address(n)}`,
          expected: became ? 'not zeroed' : 'zeroed',
          got: became ? 'zeroed' : 'not zeroed',
        };
      }
      if (became) this.filled[n] = 0;
    }
    return null;
  }

  private expect(answer: Fields, change: unknown): void {
    const shape = 'a list of [endpoint, address, pages, state]';
    if (!Array.isArray(change) || change.length !== 4) answer.fail('pages', shape);
    const [endpoint, address, count, state] = change as unknown[];
    const index = typeof endpoint === 'number' ? endpointIndex(endpoint) : undefined;
    if (index === undefined || typeof state !== 'string') answer.fail('pages', shape);
    this.forRange(answer, 'pages', address, count, (n) => {
      this.expected[(index as number) * PAGE_COUNT + n] = state as string;
    });
  }

  /** Calls `each` with the number of each watched page in a range; pages that nobody watches are the file's mistake. */
  private forRange(answer: Fields, name: string, address: unknown, count: unknown, each: (n: number) => void): void {
    const first = typeof address === 'number' ? address / PAGE_SIZE_BYTES : Number.NaN;
    let base = 0;
    for (const [start, length] of WATCHED) {
      const from = first - start;
      if (from >= 0 && from < length && Number.isInteger(from) && typeof count === 'number' && from + count <= length) {
        for (let n = 0; n < count; n++) each(base + from + n);
        return;
      }
      base += length;
    }
    answer.fail(name, 'of pages that the recorded machine has');
  }

  /** Attributes of entry `n` now. */
  private now(n: number): number {
    const table = this.recorded.endpoints[Math.floor(n / PAGE_COUNT)].pages;
    const page = this.pages[n % PAGE_COUNT];
    const frame = table.translate(page);
    if (frame < 0) return 0;
    return frame === page ? table.attributes : ELSEWHERE;
  }

  private address(n: number): string {
    return `0x${(this.pages[n] * PAGE_SIZE_BYTES).toString(16)}`;
  }
}
