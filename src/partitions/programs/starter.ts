// starter: a holder that does something before its first FFA_MSG_WAIT: it says its name on the console, and what it
// finds in its boot information, and takes the right to write from the second page of its own memory, where it is
// asked to. TOUCH without a region then tries to write there.

import { FFA_DENIED, FFA_OK } from '../../abi/errors.ts';
import type { Ipa } from '../../base/units.ts';
import { manifestText } from '../boot-reader.ts';
import { OUTCOME_SUCCESS, outcomeName } from '../outcome.ts';
import { PROTOCOL_TOUCH } from '../protocol.ts';
import type { SpCalls } from '../sp-calls.ts';
import type { Part } from '../sp-service.ts';
import { SERVE_NOTHING, type Serve } from '../sp-vcpu.ts';
import type { Task } from '../task.ts';
import { type HolderOptions, HolderProgram } from './holder.ts';

export interface StarterOptions extends HolderOptions {
  readonly greeting: string;
  /** Whether it makes the page read-only. */
  readonly protect: boolean;
  /** The page. */
  readonly pageAddress: Ipa;
}

const READ_ONLY = { data: 'RO', isExecutable: false } as const;

export class StarterProgram extends HolderProgram {
  private readonly options: StarterOptions;

  constructor(options: StarterOptions) {
    super(options);
    this.options = options;
  }

  protected override *atStart(ffa: SpCalls): Task<Serve> {
    const { greeting, pageAddress, protect } = this.options;
    yield* ffa.log(greeting);
    const found = ffa.bootInformation();
    for (const { bytes, kind } of found?.contents ?? []) {
      const text = kind === 'manifest' ? manifestText(bytes, 'description') : undefined;
      yield* ffa.log(`boot information ${found?.form}: ${kind} of '${text ?? '?'}'`);
    }
    if (!protect) return SERVE_NOTHING;
    const before = yield* ffa.permissions(pageAddress);
    const set = yield* ffa.setPermissions(pageAddress, 1, READ_ONLY);
    const after = yield* ffa.permissions(pageAddress);
    const words = [before, after].map((one) => (one.ok ? one.value.data : outcomeName(one.outcome)));
    yield* ffa.log(`data page ${words[0]}, then ${words[1]}: ${outcomeName(set.outcome)}`);
    return SERVE_NOTHING;
  }

  protected override message(ffa: SpCalls): Part {
    const { vcpu } = ffa;
    const asked = vcpu.word(0) === PROTOCOL_TOUCH && (vcpu.word(1) | vcpu.word(2)) === 0 && this.held.length === 0;
    return asked ? this.touchOwn(ffa) : super.message(ffa);
  }

  /** Tries to change the page, and to change its permissions when it may no longer. */
  private *touchOwn(ffa: SpCalls): Task<Serve> {
    const { pageAddress } = this.options;
    const written = ffa.write(pageAddress, new Uint8Array([1]));
    const again = yield* ffa.setPermissions(pageAddress, 1, { data: 'RW', isExecutable: false });
    const late = again.outcome === OUTCOME_SUCCESS ? FFA_OK : again.outcome;
    return ffa.vcpu.answer(written ? FFA_OK : FFA_DENIED, late);
  }
}
