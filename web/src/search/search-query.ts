// What is searched for, as the form has it and as the address and the API have it.

export const SORTS = ['relevance', 'date', 'size', 'seeds'] as const;
export const PAGE = 25;
/** The API goes no further. */
const MAX_OFFSET = 5000;
/** Fields of the address that the API takes as they are. */
const NUMBERS = ['minSize', 'maxSize', 'minSeeds', 'since', 'until'] as const;

/** The form's fields, all as text. */
export interface SearchForm {
  readonly q: string;
  /** In megabytes. */
  readonly minSize: string;
  readonly maxSize: string;
  readonly minSeeds: string;
  /** `2026-11-21`, in the reader's time zone; `until` is the last day. */
  readonly since: string;
  readonly until: string;
  readonly sort: string;
  readonly order: string;
}

const MB = 1e6;

/** Fields that say nothing are left out. */
export function queryOf(form: SearchForm): URLSearchParams {
  const query = new URLSearchParams();
  const set = (name: string, value: number | string | null): void => {
    if (value !== null && value !== '' && !(typeof value === 'number' && Number.isNaN(value))) {
      query.set(name, String(value));
    }
  };
  const number = (text: string, unit: number): number | null =>
    text.trim() === '' ? null : Math.round(Number(text) * unit);
  set('q', form.q.trim());
  set('minSize', number(form.minSize, MB));
  set('maxSize', number(form.maxSize, MB));
  set('minSeeds', number(form.minSeeds, 1));
  set('since', secondsOf(form.since, 0));
  set('until', secondsOf(form.until, 1));
  if (form.sort !== 'relevance') set('sort', form.sort);
  if (form.order === 'ascending') set('order', form.order);
  return query;
}

export function formOf(query: URLSearchParams): SearchForm {
  const text = (name: string): string => query.get(name) ?? '';
  const mega = (name: string): string => (text(name) === '' ? '' : String(Number(text(name)) / MB));
  return {
    q: text('q'),
    minSize: mega('minSize'),
    maxSize: mega('maxSize'),
    minSeeds: text('minSeeds'),
    since: dayOf(text('since'), 0),
    until: dayOf(text('until'), 1),
    sort: text('sort') || 'relevance',
    order: text('order') || 'descending',
  };
}

/** Of an address that somebody may have written by hand: the API refuses what is wrong in words, unknown fields are dropped. */
export function apiQuery(query: URLSearchParams): URLSearchParams {
  const asked = new URLSearchParams({ limit: String(PAGE), offset: String(offsetOf(query)) });
  for (const name of ['q', 'sort', 'order', ...NUMBERS]) {
    const value = query.get(name);
    if (value !== null) asked.set(name, value);
  }
  return asked;
}

/** The same search as a feed, which has its own order. */
export function feedQuery(query: URLSearchParams): URLSearchParams {
  const asked = apiQuery(query);
  for (const name of ['sort', 'order', 'offset', 'limit']) asked.delete(name);
  return asked;
}

export function offsetOf(query: URLSearchParams): number {
  const offset = Number(query.get('offset') ?? 0);
  return Number.isInteger(offset) && offset > 0 ? Math.min(offset, MAX_OFFSET) : 0;
}

/** The page before or behind; null: there is none. `total` may be a lower bound. */
export function pageQuery(query: URLSearchParams, steps: -1 | 1, total: number): URLSearchParams | null {
  const offset = offsetOf(query) + steps * PAGE;
  if (offset < 0 ? offset <= -PAGE : offset >= Math.min(total, MAX_OFFSET + 1)) return null;
  const page = new URLSearchParams(query);
  if (offset <= 0) page.delete('offset');
  else page.set('offset', String(offset));
  return page;
}

/** Midnight at the begin of the day, so many days later; null for no day. */
function secondsOf(day: string, daysLater: number): number | null {
  const [year, month, date] = day.split('-').map(Number);
  if (year === undefined || month === undefined || date === undefined) return null;
  // A day ends one second before the next.
  return Math.floor(new Date(year, month - 1, date + daysLater).getTime() / 1000) - daysLater;
}

function dayOf(seconds: string, daysLater: number): string {
  const date = new Date(1000 * (Number(seconds) + daysLater));
  if (seconds === '' || Number.isNaN(date.getTime())) return '';
  date.setDate(date.getDate() - daysLater);
  const two = (value: number): string => String(value).padStart(2, '0');
  return `${String(date.getFullYear()).padStart(4, '0')}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}
