import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { type Browser, type BrowserContext, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { afterAll, test as anyTest, onTestFinished } from 'vitest';

/** Debian's, then where other systems have it. */
const PROGRAMS = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];

const program = PROGRAMS.find((path) => existsSync(path));

/** Why nothing is tested here; undefined where there is a browser. */
export const missing = program === undefined ? 'no Chromium is installed: apt-get install chromium' : undefined;

/** A test that needs the browser; it is skipped where there is none. */
export const test = anyTest.skipIf(missing !== undefined);

let browser: Browser | undefined;

/** One browser for all who ask. */
export async function startBrowser(): Promise<Browser> {
  if (program === undefined) throw new Error(missing);
  // The tests run as root in containers, where Chromium has no sandbox of its own.
  browser ??= await chromium.launch({ executablePath: program, args: ['--no-sandbox'] });
  return browser;
}

/** Ends the browser of a file of tests. */
export function endBrowserAfterAll(): void {
  afterAll(async () => {
    await browser?.close();
    browser = undefined;
  });
}

/** A secret of the form that the server makes. */
export const SECRET = 's'.repeat(43);

export interface OpenPage {
  readonly page: Page;
  readonly context: BrowserContext;
  /** What went wrong in the page: errors nobody caught, and what the console reports as one. */
  readonly errors: string[];
  /** Addresses that the page has asked for. */
  readonly addresses: string[];
}

/** Opens the page in a window of its own, which is closed when the test ends. Nothing but its server may be asked. */
export async function openWindow(options: BrowserContextOptions = {}): Promise<OpenPage> {
  const context = await (await startBrowser()).newContext({
    viewport: { width: 1280, height: 860 },
    locale: 'en-GB',
    timezoneId: 'Europe/Berlin',
    ...options,
  });
  onTestFinished(() => context.close());
  const page = await context.newPage();
  const errors: string[] = [];
  const addresses: string[] = [];
  page.on('pageerror', (error) => errors.push(String(error)));
  page.on('console', (message) => {
    // Of a server that has ended, or that refuses.
    if (message.type() === 'error' && !/ERR_|Failed to load/.test(message.text())) errors.push(message.text());
  });
  page.on('request', (request) => addresses.push(request.url()));
  return { page, context, errors, addresses };
}

/** Waits until the page says that it is connected. */
export async function untilLive(page: Page): Promise<void> {
  await page.locator('.connection .good').waitFor();
}

/** Opens a view by its address, and waits until it shows what it has. */
export async function show(page: Page, address: string): Promise<void> {
  await page.evaluate(`location.hash = ${JSON.stringify(address)}`);
  await page.locator(`nav a[aria-current][href="#${address.split('?')[0]}"]`).waitFor();
  await page.locator('.table-frame:visible, .card, .empty:not(.waits)').first().waitFor();
}

const axe = createRequire(import.meta.url).resolve('axe-core/axe.min.js');

/** What axe finds, a line each. The page's policy forbids scripts of others, so it is put in by the debugger. */
export async function findAccessFaults(page: Page): Promise<string[]> {
  await page.evaluate(`${await readFile(axe, 'utf8')}; undefined`);
  const found: { id: string; nodes: { html: string; failureSummary?: string }[] }[] = await page.evaluate(
    'axe.run().then(({ violations }) => violations)',
  );
  return found.flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => `${id}: ${html} ${failureSummary}`));
}

/** How much of the page lies to the right of the window, in pixels. */
export function readOverhang(page: Page): Promise<number> {
  return page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth');
}
