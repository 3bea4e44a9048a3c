// Assertions. They state what only a bug of ffabric's own can break, and stay on in production: a failing one is a
// finding, reported with its trace. What a guest, a partition, a file or a user can cause is never asserted.

/** A bug of ffabric's own. Never thrown for a guest's or a user's mistake. */
export class AssertionFailure extends Error {
  override readonly name = 'AssertionFailure';
}

/**
 * Fails with `message` if `condition` does not hold. `message` is a constant: nothing is formatted on the good path.
 */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new AssertionFailure(message);
}

/** For a place that no value can reach; `what` names the value that did. */
export function unreachable(what: string): never {
  throw new AssertionFailure(`unreachable: ${what}`);
}

/** `value`, which cannot be absent here. */
export function present<T>(value: T | null | undefined, what: string): T {
  if (value === null || value === undefined) throw new AssertionFailure(`absent: ${what}`);
  return value;
}
