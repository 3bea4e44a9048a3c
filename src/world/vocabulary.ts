// The words that a world's description may use, from the components that know them: what a reader of world files checks
// against, and what their documentation lists.

export { parseUuid } from '../abi/uuid.ts';
export { PROFILES } from '../hypervisor/profiles/profile-table.ts';
export { AVAILABILITY_ENTRY_FORM, parseAvailabilityEntry } from '../partitions/availability.ts';
export type { GuestStep } from '../partitions/guest-step.ts';
export { type FieldRow, GUEST_STEPS, type StepRow, stepRow } from '../partitions/guest-steps.ts';
export { OUTCOME_NAMES } from '../partitions/outcome.ts';
export { type ProgramParameter, SP_PROGRAMS, type SpProgramRow } from '../partitions/sp-programs.ts';
export { parseWord, WORD_EXPRESSION_FORM } from '../partitions/word-expression.ts';
export { PERSONALITIES } from '../spmc/personalities/personality-table.ts';
