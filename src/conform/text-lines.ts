// A text's lines, one by one, into a replay.

export interface LineTaker {
  line(text: string, number: number): void;
}

/** Hands each line to `taker`, with its number from 1; yields the number after each, so that a caller may pause. */
export function* forEachLine(text: string, taker: LineTaker): Generator<number, void, void> {
  let number = 0;
  let from = 0;
  while (from < text.length) {
    let end = text.indexOf('\n', from);
    if (end < 0) end = text.length;
    taker.line(text.slice(from, end), ++number);
    from = end + 1;
    yield number;
  }
}
