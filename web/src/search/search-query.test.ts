import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { apiQuery, feedQuery, formOf, pageQuery, queryOf, type SearchForm } from './search-query.ts';

const EMPTY: SearchForm = formOf(new URLSearchParams());

describe('a search in the address', () => {
  it('says only what was filled in', () => {
    expect(queryOf(EMPTY).toString()).toBe('');
    expect(queryOf({ ...EMPTY, q: ' a b ', minSize: '1.5', sort: 'seeds' }).toString()).toBe(
      'q=a+b&minSize=1500000&sort=seeds',
    );
  });

  it('is the form again, days included', () => {
    const days = fc.date({ min: new Date('1971-01-02'), max: new Date('2100-01-01'), noInvalidDate: true });
    const day = fc.oneof(
      fc.constant(''),
      days.map((date) => date.toISOString().slice(0, 10)),
    );
    fc.assert(
      fc.property(fc.string(), fc.nat(), day, day, fc.boolean(), (words, size, since, until, ascending) => {
        const order = ascending ? 'ascending' : 'descending';
        const form = { ...EMPTY, q: words.trim(), minSize: String(size), since, until, order };
        expect(formOf(queryOf(form))).toEqual(form);
      }),
    );
  });

  it('includes the whole of the last day', () => {
    const query = queryOf({ ...EMPTY, since: '2026-11-21', until: '2026-11-21' });
    expect(Number(query.get('until')) - Number(query.get('since'))).toBe(86_399);
  });

  it('passes on what the API knows, and nothing else', () => {
    const query = new URLSearchParams('q=x&offset=50&sort=name&evil=1&limit=9999');
    expect(apiQuery(query).toString()).toBe('limit=25&offset=50&q=x&sort=name');
    expect(feedQuery(query).toString()).toBe('q=x');
    expect(apiQuery(new URLSearchParams('offset=-5')).get('offset')).toBe('0');
  });

  it('has a page before and behind while there is something on it', () => {
    const at = (offset: number): URLSearchParams => new URLSearchParams(`q=x&offset=${offset}`);
    expect(pageQuery(at(0), -1, 100)).toBeNull();
    expect(pageQuery(at(25), -1, 100)?.toString()).toBe('q=x');
    expect(pageQuery(at(10), -1, 100)?.toString()).toBe('q=x');
    expect(pageQuery(at(50), 1, 76)?.toString()).toBe('q=x&offset=75');
    expect(pageQuery(at(50), 1, 75)).toBeNull();
    expect(pageQuery(at(5000), 1, 1e6)).toBeNull();
  });
});
