// A file of `ffabric-spmc-vectors/1`: a header with the SPMC's configuration, then one recording a line. README-spmc.md
// of the vectors describes it.

import { DEFAULT_LIMITS } from '../../spmc/limits.ts';
import { Fields } from '../fields.ts';
import type { RecordedFile, RunnableSession } from '../recorded-file.ts';
import { parseLine, wrongLine } from '../vector-line.ts';
import type { RecordedConfig } from './recorded-machine.ts';
import { SpmcReplay } from './spmc-replay.ts';

export const SPMC_FORMAT = 'ffabric-spmc-vectors/1';

const ENDPOINTS = ['0', '0x8001', '0x8002', '0x8003'];
const VERSION = /^1\.[0-3]$/;
/** Integers that a double may not hold stand between these. A text's content never does: quotes surround it. */
const LONG_INTEGERS = /(?<=[[,:])(\d{16,20})(?=[\],}])/g;

export class SpmcFile implements RecordedFile {
  readonly category = '';
  private readonly file: string;
  private replay: SpmcReplay | null = null;

  constructor(file: string) {
    this.file = file;
  }

  line(text: string, number: number): RunnableSession | null {
    if (this.replay === null) {
      this.replay = new SpmcReplay(this.file, this.header(text, number));
      return null;
    }
    const { replay } = this;
    // Registers are 64 bits wide: the long ones are read as text, digit by digit.
    const { id, steps } = parseLine(this.file, text.replace(LONG_INTEGERS, '"$1"'), number);
    if (typeof id !== 'string') throw wrongLine(this.file, number, 'a recording without an id', '"id" must be text');
    if (!Array.isArray(steps)) throw wrongLine(this.file, number, '"steps" is no list', 'it must hold the calls');
    return { name: id, run: () => replay.run({ id, line: number, steps }) };
  }

  private header(text: string, line: number): RecordedConfig {
    const place = { file: this.file, line, where: 'the header' };
    const config = new Fields(parseLine(this.file, text, line), place, 'the header').fields('config');
    const versions = config.fields('ffa_versions');
    return {
      versions: ENDPOINTS.map((id) => {
        const version = versions.text(id);
        if (!VERSION.test(version)) versions.fail(id, 'a version, "1.0" to "1.3"');
        return 0x10000 + Number(version.slice(2));
      }),
      limits: {
        slots: config.number('max_mem_shares', DEFAULT_LIMITS.slots, 1, DEFAULT_LIMITS.slots),
        fragments: config.number('max_fragments', DEFAULT_LIMITS.fragments, 1, DEFAULT_LIMITS.fragments),
        receivers: config.number('max_recipients', DEFAULT_LIMITS.receivers, 1, DEFAULT_LIMITS.receivers),
        // The recorded machine has room for one page of each buffer.
        bufferPages: config.number('rxtx_pages', 1, 1, 1),
      },
    };
  }
}
