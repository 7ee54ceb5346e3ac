// Chromium for tests: a fresh profile, and a page that notes everything that a good page never does.

import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { expect } from 'vitest';

const CHROMIUM = '/usr/bin/chromium';
const AXE: string = fileURLToPath(new URL('../../node_modules/axe-core/axe.min.js', import.meta.url));
/** Nothing may leave the machine, of the browser's own accord neither. */
const FLAGS: readonly string[] = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export const hasChromium: boolean = existsSync(CHROMIUM);

/** A profile of its own in a temporary folder, which goes with it. `flags`: more of the command line. */
export function openBrowser(flags: readonly string[] = []): Promise<Browser> {
  return chromium.launch({ executablePath: CHROMIUM, headless: true, args: [...FLAGS, ...flags] });
}

export interface VisitOptions {
  /** `http://127.0.0.1:PORT`, the one place that may be spoken to. */
  readonly base: string;
  readonly isDark?: boolean;
  readonly widthPx?: number;
  /** The tracker goes away on purpose: the browser says that it cannot reach it. */
  readonly mayBeOffline?: boolean;
  /** Who may use a microphone is told the machine's addresses, and may tell others: WebRTC finds a way without a network. */
  readonly hasMicrophone?: boolean;
  /** The tracker refuses on purpose: the browser names the status. */
  readonly mayBeRefused?: boolean;
}

/** As axe-core tells it. */
interface Violation {
  readonly id: string;
  readonly nodes: readonly { readonly html: string; readonly failureSummary?: string }[];
}

/** One person's visit. */
export class Visit {
  readonly page: Page;
  /** What no visit may bring: errors on the console, requests to others, dialogs. */
  readonly faults: string[] = [];
  readonly #context: BrowserContext;

  static async open(browser: Browser, options: VisitOptions): Promise<Visit> {
    const context = await browser.newContext({
      viewport: { width: options.widthPx ?? 1100, height: 800 },
      colorScheme: options.isDark ? 'dark' : 'light',
      acceptDownloads: true,
      permissions: ['clipboard-read', 'clipboard-write', ...(options.hasMicrophone ? ['microphone', 'camera'] : [])],
    });
    return new Visit(context, await context.newPage(), options);
  }

  private constructor(context: BrowserContext, page: Page, options: VisitOptions) {
    const { base, mayBeOffline = false, mayBeRefused = false } = options;
    this.#context = context;
    this.page = page;
    page.setDefaultTimeout(30_000);
    page.on('pageerror', (error) => this.faults.push(`error: ${error.message}`));
    page.on('dialog', (dialog) => {
      this.faults.push(`dialog: ${dialog.message()}`);
      void dialog.dismiss();
    });
    page.on('console', (message) => {
      const text = message.text();
      if (!/error|warning/.test(message.type())) return;
      if (mayBeOffline && /ERR_(CONNECTION|EMPTY|SOCKET)/.test(text)) return;
      if (mayBeRefused && /status of 4\d\d/.test(text)) return;
      this.faults.push(`console: ${text} ${message.location().url}`);
    });
    page.on('request', (request) => {
      const url = request.url();
      if (!url.startsWith(`${base}/`) && !/^(data|blob):/.test(url)) this.faults.push(`request: ${url}`);
    });
  }

  /** What axe-core finds wrong, one line each. */
  async barriers(): Promise<string[]> {
    // Past the page's own rules on what is a script: the browser's tools may do that.
    await this.page.evaluate(readFileSync(AXE, 'utf8'));
    const { violations } = (await this.page.evaluate("axe.run({ resultTypes: ['violations'] })")) as {
      violations: readonly Violation[];
    };
    return violations.flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.html} ${node.failureSummary}`));
  }

  /** Pixels by which the page is wider than the window. */
  overflowPx(): Promise<number> {
    return this.page.evaluate('document.documentElement.scrollWidth - innerWidth');
  }

  /** Ends the visit; fails where something was noted. */
  async close(): Promise<void> {
    await this.#context.close();
    expect(this.faults).toEqual([]);
  }
}
