// A fault in the API's words; where keys are missing, the place for them.

import type { JSX } from 'preact';
import { KeysForm } from './access/keys-form.tsx';
import { visible } from './text.ts';
import { ApiFault } from './tracker-api.ts';

/** `onRetry`: asks again, with the keys that were typed in. */
export function FaultNote({ fault, onRetry }: { fault: Error; onRetry: () => void }): JSX.Element {
  const isRefused = fault instanceof ApiFault && fault.code === 'TOKEN_REFUSED';
  return (
    <div class="fault">
      <p role="alert">{visible(fault.message)}</p>
      {isRefused ? (
        <KeysForm withPasskey onUse={onRetry} />
      ) : (
        <button type="button" onClick={onRetry}>
          Try again
        </button>
      )}
    </div>
  );
}
