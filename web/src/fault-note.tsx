// A fault in the API's words; where keys are missing, the place for them.

import type { JSX } from 'preact';
import { passkey } from './access/keys.ts';
import { KeysForm } from './access/keys-form.tsx';
import { visible } from './text.ts';
import { ApiFault } from './tracker-api.ts';

/** `onRetry`: asks again, with the keys that were typed in. */
export function FaultNote({ fault, onRetry }: { fault: Error; onRetry: () => void }): JSX.Element {
  const code = fault instanceof ApiFault ? fault.code : null;
  // What was typed for a passkey goes with every question: one that is none must not stay.
  const asksKeys = code === 'TOKEN_REFUSED' || (code === 'REQUEST_INVALID' && passkey.value !== '');
  return (
    <div class="fault">
      <p role="alert">{visible(fault.message)}</p>
      {asksKeys ? (
        <KeysForm withPasskey onUse={onRetry} />
      ) : (
        <button type="button" onClick={onRetry}>
          Try again
        </button>
      )}
    </div>
  );
}
