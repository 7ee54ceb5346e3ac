// A bar that fills from left to right.

/** `fraction` 0 to 1 over `width` characters; full only at 1. */
export function renderBar(fraction: number, width: number): string {
  const part = Math.min(1, Math.max(0, fraction));
  const full = Math.floor(part * width);
  return `[${'='.repeat(full)}${full < width ? '>' : ''}${' '.repeat(Math.max(0, width - full - 1))}]`;
}
