// A bar that fills from left to right.

/** `fraction` 0 to 1 over `width` characters; full only at 1. */
export function renderBar(fraction: number, width: number): string {
  const part = fraction > 0 ? Math.min(1, fraction) : 0;
  const full = Math.floor(part * width);
  return `[${'='.repeat(full)}${full < width ? '>' : ''}${' '.repeat(Math.max(0, width - full - 1))}]`;
}
