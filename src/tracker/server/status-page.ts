// The page that a person sees who opens the tracker's address: numbers, light and dark, nothing loaded from elsewhere.

import type { TrackerStats } from './stats.ts';

const STYLE = `:root{color-scheme:light dark;--line:#8884}
body{font:1rem/1.5 system-ui,sans-serif;max-width:40rem;margin:3rem auto;padding:0 1rem}
dl{display:grid;grid-template-columns:repeat(auto-fit,minmax(8rem,1fr));gap:1rem}
div{border:1px solid var(--line);border-radius:.5rem;padding:.75rem 1rem}
dt{font-size:.85rem}dd{margin:0;font-size:1.6rem;font-variant-numeric:tabular-nums}
footer{font-size:.85rem}`;

/** HTML; it loads itself again every ten seconds. */
export function statusPage(stats: TrackerStats): string {
  const cells: [string, number][] = [
    ['Torrents', stats.swarms],
    ['Peers', stats.peers],
    ['Seeds', stats.seeds],
    ['Leeches', stats.leeches],
    ['HTTP announces', stats.http.announces],
    ['UDP announces', stats.udp.announces],
    ['Scrapes', stats.http.scrapes + stats.udp.scrapes],
    ['Errors', stats.http.errors + stats.udp.errors],
  ];
  const list = cells.map(([name, value]) => `<div><dt>${name}</dt><dd>${group(value)}</dd></div>`).join('\n');
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="refresh" content="10">
<title>Shoal tracker</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<h1>Shoal tracker</h1>
<dl>
${list}
</dl>
</main>
<footer>Up ${duration(stats.uptimeS)}. Announce at <code>/announce</code>; numbers for programs at <a href="/stats">/stats</a>.</footer>
</body>
</html>
`;
}

/** Thousands apart: 12 345. */
function group(value: number): string {
  return String(value).replace(/\B(?=(\d{3})+$)/g, '\u202f');
}

function duration(seconds: number): string {
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} days`;
}
