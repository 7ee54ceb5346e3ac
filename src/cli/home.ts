// Shoal's own folder.

/** Two above this file: in `src/cli` as in `dist/cli`, and in `dist/bundle` as well. Ends with a slash. */
export const HOME: URL = new URL('../../', import.meta.url);
