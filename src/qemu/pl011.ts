// The serial port that endpoints of machine code may write to: a PL011 of which only the data and flag registers do
// anything. Lines are told when they end.

export const PL011_BASE = 0x0900_0000;
export const PL011_SIZE_BYTES = 0x1000;

const DATA = 0x00;
const FLAGS = 0x18;
/** Receive FIFO empty, transmit FIFO empty. */
const FLAGS_IDLE = 0x90;
/** A line without an end is told in pieces of this length. */
const LINE_MAX = 512;

export class Pl011 {
  private readonly tell: (line: string) => void;
  private line = '';

  constructor(tell: (line: string) => void) {
    this.tell = tell;
  }

  read(offset: number): number {
    return offset === FLAGS ? FLAGS_IDLE : 0;
  }

  write(offset: number, value: number): void {
    if (offset !== DATA) return;
    const code = value & 0xff;
    if (code === 0x0a) this.flush();
    else if (code !== 0x0d) this.line += printable(code);
    if (this.line.length >= LINE_MAX) this.flush();
  }

  /** Tells what has been written of a line. */
  flush(): void {
    if (this.line !== '') this.tell(this.line);
    this.line = '';
  }
}

/** A terminal must not obey what an endpoint prints. */
function printable(code: number): string {
  return code >= 0x20 && code < 0x7f ? String.fromCharCode(code) : `\\x${code.toString(16).padStart(2, '0')}`;
}
