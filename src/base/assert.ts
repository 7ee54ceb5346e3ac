// Programmer errors. An assertion that fails is a bug in Shoal, never a consequence of input.

/** Throws when `condition` is false. Use for invariants only; bad input gets a ShoalError or a returned fault. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Error(`assertion failed: ${message}`);
}

/** Marks a branch that the types say cannot be reached. */
export function unreachable(value: never): never {
  throw new Error(`unreachable: ${String(value)}`);
}
