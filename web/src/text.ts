// What people read: numbers with their units, and names that strangers have chosen, made harmless to the eye.

export { formatBytes, formatPieceLength } from '../../src/base/quantities.ts';

const WHOLE = new Intl.NumberFormat('en', { useGrouping: true, maximumFractionDigits: 0 });

/** `12,345`. */
export function formatCount(value: number): string {
  return WHOLE.format(value);
}

/** Per second, of what is counted: `0`, `0.4`, `12`, `12,345`. */
export function formatPerSecond(value: number): string {
  return value > 0 && value < 9.95 ? value.toFixed(1) : formatCount(value);
}

/** `45 s`, `12 min`, `3 h 07 min`, `12 days`. */
export function formatDuration(seconds: number): string {
  if (seconds < 60) return `${Math.floor(seconds)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ${String(minutes % 60).padStart(2, '0')} min` : `${Math.floor(hours / 24)} days`;
}

/** `2026-11-21 08:15`, in the reader's time zone. `seconds` since 1970. */
export function formatDate(seconds: number): string {
  const date = new Date(1000 * seconds);
  if (Number.isNaN(date.getTime())) return 'unknown';
  const two = (value: number): string => String(value).padStart(2, '0');
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}`;
}

/** `1 file`, `2 files`. */
export function countOf(number: number, noun: string): string {
  return `${formatCount(number)} ${noun}${number === 1 ? '' : 's'}`;
}

/** Controls, what turns the writing direction, what cannot be seen; not the joiners that scripts and emoji need. */
const UNSEEN = /(?![\u200c\u200d])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;
/** Longer than what anybody reads in a list. */
const MAX_SHOWN = 1000;

/** A name as it may be shown: what would not be seen is named by its code point, what is too long ends in `…`. */
export function visible(text: string): string {
  const cut = text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text;
  return cut.replace(UNSEEN, (each) => `‹U+${each.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}›`);
}
