// The lock file names every package that its packages want, those of other platforms too: npm 11 refuses `npm ci` otherwise,
// while `npm install` leaves them out without a word.

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

interface LockedPackage {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

interface Lock {
  readonly packages: Readonly<Record<string, LockedPackage>>;
}

/** `wanted by … and not locked`, found the way Node looks: in the package's own node_modules, then further and further out. */
function missingOf({ packages }: Lock): string[] {
  const missing: string[] = [];
  for (const [path, locked] of Object.entries(packages)) {
    const wanted = { ...locked.dependencies, ...locked.devDependencies, ...locked.optionalDependencies };
    for (const name of Object.keys(wanted)) {
      if (!placesFor(path, name).some((place) => place in packages)) missing.push(`${name}, of ${path}`);
    }
  }
  return missing;
}

function placesFor(path: string, name: string): string[] {
  const places = [`node_modules/${name}`];
  for (let at = path; at !== ''; at = at.slice(0, Math.max(0, at.lastIndexOf('/node_modules/')))) {
    places.push(`${at}/node_modules/${name}`);
  }
  return places;
}

describe('package-lock.json', () => {
  const lock = JSON.parse(readFileSync(new URL('../../package-lock.json', import.meta.url), 'utf8')) as Lock;

  it('names every package that one of its packages wants, whatever the platform', () => {
    expect(missingOf(lock)).toEqual([]);
  });

  it('would be found out if it left a package of another platform out', () => {
    const { 'node_modules/@rolldown/binding-darwin-arm64': left, ...packages } = lock.packages;
    expect(left).toBeDefined();
    expect(missingOf({ packages })).toEqual(['@rolldown/binding-darwin-arm64, of node_modules/rolldown']);
  });
});
