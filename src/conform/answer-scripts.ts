// The answers that a recording queued for its SPMC. What was answered is in the recording already; what only the queue
// knows is what happened on other vCPUs while an SMC was under way (`ops`). So the queue is consumed as the recorder
// consumed it: for each SMC, the first entry of that function whose registers match and that has answers left.

import type { RegisterFile } from '../hardware/registers.ts';
import type { Fields } from './fields.ts';
import { parsed, parseWords } from './vector-value.ts';

interface Match {
  readonly register: number;
  readonly low: number;
  readonly high: number;
}

interface Script {
  readonly low: number;
  readonly high: number;
  readonly matches: readonly Match[];
  /** Per answer: the operations that happen meanwhile. */
  readonly operations: readonly (readonly unknown[])[];
  readonly repeat: boolean;
  used: number;
}

const NOTHING: readonly unknown[] = [];

export class AnswerScripts {
  private scripts: Script[] = [];

  reset(): void {
    this.scripts = [];
  }

  /** Queues the answers of one `spmc_script` operation. */
  add(fields: Fields): void {
    if (!parseWords(fields.values['fid'])) fields.fail('fid', 'a function id');
    const { low, high } = parsed;
    const match = fields.fields('match').values;
    this.scripts.push({
      low,
      high,
      matches: Object.keys(match).map((register) => {
        if (!/^1?\d$/.test(register) || !parseWords(match[register])) {
          fields.fail('match', 'an object of register numbers and values');
        }
        return { register: Number(register), low: parsed.low, high: parsed.high };
      }),
      operations: fields.list('responses').map((response) => {
        if (Array.isArray(response)) return NOTHING;
        return fields.entry(response, 'a response').list('ops');
      }),
      repeat: fields.flag('repeat'),
      used: 0,
    });
  }

  /** The SMC in `registers` is made: what happens on other vCPUs while it is under way. */
  take(registers: RegisterFile): readonly unknown[] {
    for (const script of this.scripts) {
      if (!applies(script, registers)) continue;
      const last = script.operations.length - 1;
      if (script.repeat && script.used >= last) return script.operations[last] ?? NOTHING;
      return script.operations[script.used++];
    }
    return NOTHING;
  }
}

function applies(script: Script, registers: RegisterFile): boolean {
  if (registers.w(0) !== script.low || registers.high(0) !== script.high) return false;
  if (!script.repeat && script.used >= script.operations.length) return false;
  if (script.operations.length === 0) return false;
  for (const match of script.matches) {
    if (registers.w(match.register) !== match.low || registers.high(match.register) !== match.high) return false;
  }
  return true;
}
