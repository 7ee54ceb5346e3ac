/** Where the packages are, or will be. */
export function npmPeersFolder(): URL;
/** Installs once; later calls cost nothing. Gives whether the packages are there. */
export function installNpmPeers(): boolean;
