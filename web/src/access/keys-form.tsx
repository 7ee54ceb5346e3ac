// Where token and passkey are typed in.

import type { Signal } from '@preact/signals';
import type { JSX } from 'preact';
import { keeps, passkey, token } from './keys.ts';

interface KeysFormOptions {
  /** The passkey, too: for reading at a private tracker. */
  readonly withPasskey?: boolean;
  /** What is done with them; null: others ask. */
  readonly onUse?: () => void;
}

export function KeysForm({ withPasskey = false, onUse }: KeysFormOptions): JSX.Element {
  const fields = (
    <>
      {withPasskey && <KeyField label="Passkey" keySignal={passkey} />}
      <KeyField label="Token" keySignal={token} />
      <label class="check">
        <input
          type="checkbox"
          checked={keeps.value}
          onChange={(event) => {
            keeps.value = event.currentTarget.checked;
          }}
        />
        keep until this tab is closed
      </label>
    </>
  );
  if (onUse === undefined) return <div class="fields">{fields}</div>;
  return (
    <form
      class="fields panel"
      aria-label="Access"
      onSubmit={(event) => {
        event.preventDefault();
        onUse();
      }}
    >
      {fields}
      <button type="submit">Use</button>
    </form>
  );
}

function KeyField({ label, keySignal }: { label: string; keySignal: Signal<string> }): JSX.Element {
  return (
    <label>
      {label}
      <input
        type="password"
        autocomplete="off"
        spellcheck={false}
        maxLength={200}
        value={keySignal.value}
        onInput={(event) => {
          keySignal.value = event.currentTarget.value.trim();
        }}
      />
    </label>
  );
}
