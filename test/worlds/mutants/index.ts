// Every mutant: one at least for each world.

import { ANSWER_TABLE_MUTANTS } from './answer-table.ts';
import { MEDIATOR_MUTANTS } from './mediator.ts';
import { MESSAGE_MUTANTS } from './messages.ts';
import type { Mutant } from './mutant.ts';
import { OTHER_CALL_MUTANTS } from './other-calls.ts';
import { RECORD_MUTANTS } from './records.ts';
import { SECURE_WORLD_MUTANTS } from './secure-world.ts';
import { SPMC_MUTANTS } from './spmc.ts';
import { TEARDOWN_MUTANTS } from './teardown.ts';

export const MUTANTS: readonly Mutant[] = [
  ...TEARDOWN_MUTANTS,
  ...ANSWER_TABLE_MUTANTS,
  ...RECORD_MUTANTS,
  ...MEDIATOR_MUTANTS,
  ...OTHER_CALL_MUTANTS,
  ...SPMC_MUTANTS,
  ...SECURE_WORLD_MUTANTS,
  ...MESSAGE_MUTANTS,
];
