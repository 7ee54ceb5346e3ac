// Token and passkey of who reads this page: in memory, or on request until the tab is closed. Never in a cookie, never for
// longer, and in no address but those of the API that cannot do without.

import { effect, type Signal, signal } from '@preact/signals';

const PLACE = 'shoal-keys';

const kept = read();

export const token: Signal<string> = signal(kept.token);
export const passkey: Signal<string> = signal(kept.passkey);
/** The tab keeps them: they outlive a reload. */
export const keeps: Signal<boolean> = signal(kept.token !== '' || kept.passkey !== '');

effect(() => {
  const keys = JSON.stringify({ token: token.value, passkey: passkey.value });
  try {
    if (keeps.value) sessionStorage.setItem(PLACE, keys);
    else sessionStorage.removeItem(PLACE);
  } catch {
    // Storage is switched off: then they are in memory alone.
  }
});

function read(): { token: string; passkey: string } {
  try {
    const found = JSON.parse(sessionStorage.getItem(PLACE) ?? '{}') as Record<string, unknown>;
    return { token: String(found.token ?? ''), passkey: String(found.passkey ?? '') };
  } catch {
    return { token: '', passkey: '' };
  }
}
