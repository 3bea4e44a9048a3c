// The exit codes of every verb.

/** All held. */
export const EXIT_HELD = 0;
/** A property, an expectation or a comparison failed; or what was decoded breaks a rule. */
export const EXIT_FAILED = 1;
/** Bad usage or bad input. */
export const EXIT_USAGE = 2;
/** Inconclusive: time ran out first. */
export const EXIT_INCONCLUSIVE = 3;
/** A failure of ffabric's own. */
export const EXIT_OWN_FAILURE = 4;
/** Ctrl-C. */
export const EXIT_INTERRUPTED = 130;
