// The form of a search.

import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { formOf, queryOf, type SearchForm, SORTS } from './search-query.ts';

interface SearchFieldsOptions {
  readonly query: URLSearchParams;
  readonly onSearch: (query: URLSearchParams) => void;
}

export function SearchFields({ query, onSearch }: SearchFieldsOptions): JSX.Element {
  const form = useSignal(formOf(query));
  const hasFilters = ['minSize', 'maxSize', 'minSeeds', 'since', 'until'].some((name) => query.has(name));
  const field = (name: keyof SearchForm) => ({
    value: form.value[name],
    onInput: (event: Event) => {
      form.value = { ...form.value, [name]: (event.currentTarget as HTMLInputElement).value };
    },
  });
  const submit = (event: Event): void => {
    event.preventDefault();
    onSearch(queryOf(form.value));
  };
  return (
    <search>
      <form class="panel" onSubmit={submit}>
        <div class="words">
          <label>
            <span class="hidden">Words</span>
            <input type="search" placeholder='words, "a phrase", begin*, -without' maxLength={300} {...field('q')} />
          </label>
          <button type="submit">Search</button>
        </div>
        <div class="fields">
          <label>
            Sort by
            <select {...field('sort')}>
              {SORTS.map((name) => (
                <option key={name} value={name}>
                  {name}
                </option>
              ))}
            </select>
          </label>
          <label>
            Order
            <select {...field('order')}>
              <option value="descending">largest, newest first</option>
              <option value="ascending">smallest, oldest first</option>
            </select>
          </label>
        </div>
        <details open={hasFilters}>
          <summary>Filters</summary>
          <div class="fields">
            <label>
              Size from (MB)
              <input type="number" min="0" step="any" {...field('minSize')} />
            </label>
            <label>
              Size to (MB)
              <input type="number" min="0" step="any" {...field('maxSize')} />
            </label>
            <label>
              Published from
              <input type="date" {...field('since')} />
            </label>
            <label>
              Published until
              <input type="date" {...field('until')} />
            </label>
            <label>
              Seeds at least
              <input type="number" min="0" step="1" {...field('minSeeds')} />
            </label>
          </div>
        </details>
      </form>
    </search>
  );
}
