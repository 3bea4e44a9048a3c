// What a PE executes at EL2 or in the SPMC is a coroutine: a generator that yields exactly where real PEs can
// interleave. Code between two yields is atomic. What a yield means is in the yielded `Wait`; what the next step
// touches is announced in the PE's `Announcement` before it yields (see announcement.ts).
//
// A call may have a plain path that cannot be interleaved. Such a function returns `null` when it has done all its
// work already, or the coroutine that will do it:
//
//     const pending = conduit.smc(pe);
//     if (pending !== null) yield* pending;

/** Why a coroutine stands still. */
export type Wait = 0 | 1 | 2 | 3 | 4;
/** Ready at once; the step that follows has been announced. */
export const WAIT_STEP = 0;
/** Until the lock named in the PE's announcement is free. */
export const WAIT_LOCK = 1;
/** Until virtual time reaches the PE's `wakeNs`. */
export const WAIT_TIME = 2;
/** Until somebody outside the PE wakes it (`Pe.wake`): a recorded answer, an external PE, a condition. */
export const WAIT_WAKE = 3;
/** Ready at once, and it would be polite to let another PE go first (a retry loop). */
export const WAIT_POLITE = 4;

/** A computation of one PE that yields at each point where another PE can interleave. */
export type Coroutine<T = void> = Generator<Wait, T, void>;

/** `null`: done already. */
export type Pending = Coroutine<void> | null;
