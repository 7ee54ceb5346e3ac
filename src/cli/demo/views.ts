// The live displays: leeches filling up, each byte in the colour of who sent it; and files being compared.

import colors from 'picocolors';
import { renderBar } from '../render/bar.ts';
import { count, formatBytes, formatDuration, formatPercent, formatRate } from '../render/quantities.ts';
import type { LiveView } from './screen.ts';
import type { DemoSwarm, Leech, Member } from './swarm.ts';

type Paint = (text: string) => string;

/** In the order of the legend: the seed, then the leeches. */
const PAINTS: readonly Paint[] = [colors.green, colors.cyan, colors.magenta, colors.yellow];
const SHORTEST_BAR = 10;
const LONGEST_BAR = 48;
/** What stands beside a bar, at its longest. */
const BESIDE_BAR = 52;
/** On narrower screens there is less beside the bars. */
const WIDE = 76;

export class SwarmView implements LiveView {
  readonly #swarm: DemoSwarm;

  constructor(swarm: DemoSwarm) {
    this.#swarm = swarm;
  }

  lines(columns: number): readonly string[] {
    const swarm = this.#swarm;
    const width = Math.max(SHORTEST_BAR, Math.min(LONGEST_BAR, columns - BESIDE_BAR));
    const senders = this.#senders();
    const fraction = swarm.out.length === 0 ? 0 : swarm.out.count / swarm.out.length;
    const beside = columns > WIDE ? '  of the pieces are out' : '';
    return [
      this.#whoRuns(),
      ...swarm.leeches.map((leech) => this.#leechLine(leech, senders, width, columns)),
      `  ${'out'.padEnd(9)} ${renderBar(fraction, width)} ${percent(fraction)}${beside}`,
      `  ${' '.repeat(9)} ${senders.map(({ name }, i) => PAINTS[i]!(`${cellOf(i)} from ${name}`)).join('  ')}`,
    ];
  }

  plain(): string | null {
    const { leeches, out, seconds } = this.#swarm;
    const parts = leeches.map((leech) => `${leech.name} ${formatPercent(fractionOf(leech))}`);
    const all = out.length === 0 ? 0 : out.count / out.length;
    return `${formatDuration(seconds)}: ${parts.join(', ')}; ${formatPercent(all)} of the pieces are out`;
  }

  #senders(): (Member | Leech)[] {
    const { seed, leeches } = this.#swarm;
    return [...(seed ? [seed] : []), ...leeches];
  }

  #whoRuns(): string {
    const { trackers, seed, leeches, killed, seconds } = this.#swarm;
    const parts = [...trackers, ...(seed ? [seed] : [])].map(({ name }) =>
      killed.has(name) ? colors.red(`✗ ${name}`) : `${colors.green('●')} ${name}`,
    );
    const complete = leeches.filter((leech) => leech.isComplete).length;
    if (complete > 0) parts.push(colors.green(`✓ ${complete} of ${leeches.length} complete`));
    return `  ${formatDuration(seconds).padEnd(9)} ${parts.join('   ')}`;
  }

  #leechLine(leech: Leech, senders: readonly (Member | Leech)[], width: number, columns: number): string {
    const fraction = fractionOf(leech);
    const bytes = senders.map((from) => (from === leech ? 0 : this.#swarm.sent(from, leech)));
    const bar = `[${stacked(bytes, fraction, width)}]`;
    const down = leech.status?.downloadBytesPerSecond ?? 0;
    const up = leech.status?.uploadBytesPerSecond ?? 0;
    const arriving = leech.isComplete ? colors.green('✓ complete'.padEnd(13)) : `↓ ${formatRate(down)}`.padEnd(13);
    const rates = columns > WIDE - 10 ? `  ${arriving}  ↑ ${formatRate(up)}` : '';
    const name = PAINTS[senders.indexOf(leech)]!(leech.name.padEnd(9));
    return `  ${name} ${bar} ${percent(fraction)}${rates}`;
  }
}

/** Letters where there are no colours. */
function cellOf(sender: number): string {
  return colors.isColorSupported ? '█' : 'sabcdefgh'[sender]!;
}

/** `fraction` of `width` cells, shared among the senders by what each sent. */
function stacked(bytes: readonly number[], fraction: number, width: number): string {
  const sum = bytes.reduce((total, each) => total + each, 0);
  const full = sum === 0 ? 0 : Math.floor(fraction * width);
  let text = '';
  let shared = 0;
  let at = 0;
  for (const [i, each] of bytes.entries()) {
    shared += each;
    const end = sum === 0 ? 0 : Math.round((shared / sum) * full);
    text += PAINTS[i]!(cellOf(i).repeat(end - at));
    at = end;
  }
  return text + ' '.repeat(width - full);
}

function fractionOf(leech: Leech): number {
  return leech.have.length === 0 ? 0 : leech.have.count / leech.have.length;
}

function percent(fraction: number): string {
  return formatPercent(fraction).padStart(7);
}

/** Changed in place while files are compared. */
export class CompareView implements LiveView {
  readonly #totalBytes: number;
  #doneBytes = 0;
  #doneFiles = 0;

  constructor(totalBytes: number) {
    this.#totalBytes = totalBytes;
  }

  /** One more file was read. */
  add(lengthBytes: number): void {
    this.#doneBytes += lengthBytes;
    this.#doneFiles++;
  }

  lines(columns: number): readonly string[] {
    const fraction = this.#totalBytes === 0 ? 0 : this.#doneBytes / this.#totalBytes;
    const width = Math.max(SHORTEST_BAR, Math.min(LONGEST_BAR, columns - BESIDE_BAR));
    const read = `${formatBytes(this.#doneBytes)} in ${count(this.#doneFiles, 'file')} read`;
    return [`  comparing ${renderBar(fraction, width)} ${percent(fraction)}  ${read}`];
  }

  plain(): string | null {
    return null;
  }
}
