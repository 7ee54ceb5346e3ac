// The title of a view, in it and in the browser's tab.

import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';

export function Title({ text }: { text: string }): JSX.Element {
  useEffect(() => {
    document.title = `${text} · Shoal tracker`;
  }, [text]);
  return (
    <h1 class="name" dir="auto">
      {text}
    </h1>
  );
}
