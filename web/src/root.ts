// Where this page lives: scripts are one step below the root, whatever the address shows or a proxy has put before it.

/** Ends with a slash. */
export const ROOT: URL = new URL(/* @vite-ignore */ '../', import.meta.url);
