// One call that gives the PE back at once, of either world: at once, or step by step when somebody explores.

import { FFA_OK } from '../abi/errors.ts';
import { FFA_VERSION } from '../abi/function-ids.ts';
import { ACCESS_WRITE, TOUCH_BUFFER, TOUCH_EVERYTHING, TOUCH_FRAME, TOUCH_SLOTS } from '../base/announcement.ts';
import type { Coroutine } from '../base/coroutine.ts';
import type { Pe } from '../hardware/pe.ts';
import type { RegisterFile } from '../hardware/registers.ts';
import { answerError } from './answers.ts';
import type { Endpoint } from './endpoint.ts';
import type { Handler } from './handlers.ts';
import type { Spmc } from './spmc.ts';

/** The call in `r`, whose handler is `handler`; its answer is in `r` afterwards. */
export function plainCall(spmc: Spmc, pe: Pe, caller: Endpoint, r: RegisterFile, handler: Handler): void {
  if (r.w(0) !== FFA_VERSION) caller.versionLocked = true;
  const staging = spmc.staging(pe);
  if (handler.fetch !== null) {
    const fetched = handler.fetch(spmc, caller, r, staging);
    if (fetched !== FFA_OK) {
      answerError(r, fetched);
      return;
    }
  }
  const result = handler.act(spmc, caller, r, staging, pe.index);
  if (result !== FFA_OK) answerError(r, result);
}

/**
 * The same in two steps: the TX buffer is copied (another PE may write it before and after), then everything else
 * happens at once, as under the SPMC's own locks. The second step may touch any page that the call names.
 */
export function* plainCallInSteps(spmc: Spmc, pe: Pe, caller: Endpoint, r: RegisterFile, handler: Handler): Coroutine {
  if (r.w(0) !== FFA_VERSION) caller.versionLocked = true;
  const staging = spmc.staging(pe);
  if (handler.fetch !== null) {
    yield pe.reads(TOUCH_FRAME, caller.txFrame);
    const fetched = handler.fetch(spmc, caller, r, staging);
    if (fetched !== FFA_OK) {
      answerError(r, fetched);
      return;
    }
  }
  pe.writes(TOUCH_SLOTS, spmc.id);
  pe.also(TOUCH_BUFFER, caller.id, ACCESS_WRITE);
  yield pe.also(TOUCH_EVERYTHING, 0, ACCESS_WRITE);
  // What ended the caller meanwhile ended its call too: nothing is given to the dead.
  if (caller.dying) return;
  const result = handler.act(spmc, caller, r, staging, pe.index);
  if (result !== FFA_OK) answerError(r, result);
}
