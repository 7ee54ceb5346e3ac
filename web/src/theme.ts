// Light or dark: as the system prefers, unless the reader chose; the choice stays in this browser.

import { computed, effect, type ReadonlySignal, type Signal, signal } from '@preact/signals';

export type Theme = 'auto' | 'light' | 'dark';

const PLACE = 'shoal-theme';
const system = matchMedia('(prefers-color-scheme: dark)');
const systemIsDark = signal(system.matches);

export const theme: Signal<Theme> = signal(read());
export const isDark: ReadonlySignal<boolean> = computed(() =>
  theme.value === 'auto' ? systemIsDark.value : theme.value === 'dark',
);

system.addEventListener('change', () => {
  systemIsDark.value = system.matches;
});
effect(() => {
  document.documentElement.dataset.theme = isDark.value ? 'dark' : 'light';
  try {
    localStorage.setItem(PLACE, theme.value);
  } catch {
    // Storage is switched off: the choice is for now.
  }
});

function read(): Theme {
  try {
    const found = localStorage.getItem(PLACE);
    return found === 'light' || found === 'dark' ? found : 'auto';
  } catch {
    return 'auto';
  }
}
