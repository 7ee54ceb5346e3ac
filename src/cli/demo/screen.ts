// What the demo says: steps and lines on stdout, with a live display at the end of them on a terminal.

import { createLogUpdate } from 'log-update';
import colors from 'picocolors';
import { onOutput } from '../output.ts';
import { printable } from '../render/printable.ts';

/** Fast enough to look alive, slow enough to cost nothing. */
const REDRAW_MS = 200;
/** Where nothing can be redrawn, a line so often. */
const PLAIN_MS = 3000;

/** What changes while it is looked at, in both forms. */
export interface LiveView {
  /** Lines for a terminal, each at most `columns` wide. */
  lines(columns: number): readonly string[];
  /** One line for a file or a pipe; null: nothing new. */
  plain(): string | null;
}

export class Screen {
  readonly #out: NodeJS.WriteStream;
  readonly #quiet: boolean;
  readonly #beganMs: number = performance.now();
  #endLive: (() => void) | null = null;
  #clearLive: () => void = () => undefined;
  #drawLive: () => void = () => undefined;

  /** With JSON stdout is for the document: what is said goes to stderr, and only where that is a terminal. */
  constructor(json: boolean) {
    this.#out = json ? process.stderr : process.stdout;
    this.#quiet = json && !process.stderr.isTTY;
  }

  get seconds(): number {
    return (performance.now() - this.#beganMs) / 1000;
  }

  /** `SECTION what it shows, in one sentence`. */
  step(title: string, meaning: string): void {
    const lines = this.#fold(meaning).map((line) => `  ${colors.dim(line)}`);
    this.#write(`\n${colors.bold(colors.cyan(title))}\n${lines.join('\n')}\n`);
  }

  /** One line below a step: something went as it should. */
  done(text: string): void {
    this.#item(colors.green('✓'), text);
  }

  /** One line below a step: something broke, by intent or not. */
  accident(text: string): void {
    this.#item(colors.red('✗'), text);
  }

  #item(mark: string, text: string): void {
    this.#write(`  ${mark} ${this.#fold(printable(text)).join('\n    ')}\n`);
  }

  /** A table or a text of several lines, made by render functions. */
  block(title: string, text: string): void {
    const lines = text.split('\n').map((line) => (line === '' ? '' : `  ${line}`));
    this.#write(`\n${colors.bold(title)}\n${lines.join('\n')}\n`);
  }

  /** A line without indent. */
  line(text: string): void {
    this.#write(`${text}\n`);
  }

  /** Shows a view below all that is said, until `still` or `end`. */
  show(view: LiveView): void {
    this.end();
    if (this.#quiet) return;
    if (this.#out.isTTY) this.#showOnTerminal(view);
    else this.#showPlain(view);
  }

  /** Takes the live display away. Idempotent. */
  end(): void {
    this.#endLive?.();
    this.#endLive = null;
  }

  #showOnTerminal(view: LiveView): void {
    const display = createLogUpdate(this.#out);
    this.#drawLive = () => display(['', ...view.lines((this.#out.columns ?? 80) - 1)].join('\n'));
    this.#clearLive = () => display.clear();
    onOutput(this.#clearLive);
    const timer = setInterval(this.#drawLive, REDRAW_MS);
    this.#drawLive();
    this.#endLive = () => {
      clearInterval(timer);
      onOutput(null);
      display.clear();
      display.done();
      this.#drawLive = () => undefined;
      this.#clearLive = () => undefined;
    };
  }

  #showPlain(view: LiveView): void {
    const timer = setInterval(() => {
      const text = view.plain();
      if (text !== null) this.#write(`  ${printable(text)}\n`);
    }, PLAIN_MS);
    this.#endLive = () => clearInterval(timer);
  }

  #write(text: string): void {
    if (this.#quiet) return;
    this.#clearLive();
    this.#out.write(text);
    this.#drawLive();
  }

  /** Broken between words, with room for an indent, so that it reads well on a narrow screen; files have long lines. */
  #fold(text: string): string[] {
    const width = (this.#out.columns ?? Number.POSITIVE_INFINITY) - 5;
    const lines: string[] = [];
    let line = '';
    for (const word of text.split(/(?<=\S) (?!%)/)) {
      if (line !== '' && line.length + 1 + word.length > width) {
        lines.push(line);
        line = word;
      } else line = line === '' ? word : `${line} ${word}`;
    }
    return [...lines, line];
  }
}
