// A task: what a driver's user writes, a coroutine that makes FF-A calls and waits. It yields what its vCPU must do
// before it goes on, so a task of a guest and one of an SP look alike:
//
//     function* main(ffa: DriverCpu): Task {
//       const shared = must(yield* ffa.share({ to: 0x8001, pages: 4 }));
//       ...
//     }
//
// A task must be deterministic: no clock but `nowNs`, no randomness, no promises. What it keeps in its own variables
// is gone when its program is reset: it then begins anew.

/** What a vCPU does before its task goes on. */
export type TaskStep = 1 | 3 | 4 | 5;
/** It makes the call in the registers (the number of CALL_MADE). */
export const TASK_CALL = 1;
/** Nothing before `waitUntilNs` of its calls (the number of CALL_WAIT). */
export const TASK_WAIT = 3;
/** A guest: it sleeps until an interrupt. */
export const TASK_IDLE = 4;
/** An SP: FFA_YIELD; it goes on when it is run again. */
export const TASK_YIELD = 5;

/** A coroutine of a vCPU that ends with a `T`. */
export type Task<T = void> = Generator<TaskStep, T, void>;
