// How styles look on a terminal. Without colour a style looks like nothing: every picture also reads so.

import { createColors } from 'picocolors';
import type { Style, StyledLine } from '../export/styled-text.ts';

type Paint = (text: string) => string;
type Palette = Readonly<Record<Style, Paint>>;

function palette(): Palette {
  const c = createColors(true);
  return {
    plain: (text) => text,
    dim: c.gray,
    strong: c.bold,
    title: (text) => c.bold(c.underline(text)),
    good: c.green,
    warning: c.yellow,
    wrong: (text) => c.bold(c.red(text)),
    hue0: c.cyan,
    hue1: c.yellow,
    hue2: c.green,
    hue3: c.magenta,
    hue4: c.blue,
    hue5: c.cyanBright,
    hue6: c.yellowBright,
    hue7: c.greenBright,
    hue8: c.magentaBright,
    hue9: c.blueBright,
  };
}

const PALETTE = palette();

/** The lines as text for a terminal (`colour`) or for anything else, each ended by a line break. */
export function paint(lines: readonly StyledLine[], colour: boolean): string {
  let text = '';
  for (const spans of lines) {
    let row = '';
    let end = spans.length;
    while (end > 0 && spans[end - 1].text.trim() === '') end--;
    for (let n = 0; n < end; n++) {
      const piece = n === end - 1 ? spans[n].text.trimEnd() : spans[n].text;
      row += colour ? PALETTE[spans[n].style](piece) : piece;
    }
    text += `${row}\n`;
  }
  return text;
}
