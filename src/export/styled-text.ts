// Text with style marks: what every picture here returns. A picture knows what is a wrong byte or an actor's own
// colour; only the command line (or a page) knows how that looks, or that it must look like nothing at all.

/** What a piece of text is. Hues tell neighbours apart and mean nothing by themselves. */
export type Style =
  | 'plain'
  | 'dim'
  | 'strong'
  | 'title'
  | 'good'
  | 'warning'
  | 'wrong'
  | 'hue0'
  | 'hue1'
  | 'hue2'
  | 'hue3'
  | 'hue4'
  | 'hue5'
  | 'hue6'
  | 'hue7'
  | 'hue8'
  | 'hue9';

/** The hues in the order in which they are handed out: neighbours differ most. Red is left to what is wrong. */
export const HUES: readonly Style[] = ['hue0', 'hue1', 'hue2', 'hue3', 'hue4', 'hue5', 'hue6', 'hue7', 'hue8', 'hue9'];

export interface StyledSpan {
  readonly text: string;
  readonly style: Style;
}

/** One line of a picture, without its line break. */
export type StyledLine = readonly StyledSpan[];

export function span(text: string, style: Style = 'plain'): StyledSpan {
  return { text, style };
}

/** A line in one style. */
export function line(text: string, style: Style = 'plain'): StyledLine {
  return text === '' ? [] : [span(text, style)];
}

/** The hue of the `n`th of a row of neighbours. */
export function hue(n: number): Style {
  return HUES[n % HUES.length];
}

/** The text alone, each line ended by a line break, without blanks at the ends of lines. */
export function plainText(lines: readonly StyledLine[]): string {
  let text = '';
  for (const spans of lines) text += `${lineText(spans).trimEnd()}\n`;
  return text;
}

/** One line's text alone. */
export function lineText(spans: StyledLine): string {
  let text = '';
  for (const one of spans) text += one.text;
  return text;
}

/** Builds a line span by span; neighbours of one style become one span. */
export class LineBuilder {
  private readonly spans: StyledSpan[] = [];

  add(text: string, style: Style = 'plain'): this {
    if (text === '') return this;
    const last = this.spans.length - 1;
    if (last >= 0 && this.spans[last].style === style) {
      this.spans[last] = { text: this.spans[last].text + text, style };
    } else {
      this.spans.push({ text, style });
    }
    return this;
  }

  done(): StyledLine {
    return this.spans;
  }
}
