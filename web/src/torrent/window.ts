// Which rows of a long list are made: those that can be seen, and some around them.

export interface RowWindow {
  readonly first: number;
  /** Behind the last. */
  readonly end: number;
}

/** Rows above and below, so that fast scrolling shows no gaps. */
const AROUND = 10;

/** Of `count` rows of `rowPx` each. */
export function windowOf(scrollPx: number, viewPx: number, rowPx: number, count: number): RowWindow {
  const first = Math.min(Math.max(0, Math.floor(scrollPx / rowPx) - AROUND), Math.max(0, count - 1));
  const end = Math.min(count, Math.ceil((scrollPx + viewPx) / rowPx) + AROUND);
  return { first, end: Math.max(first, end) };
}
