import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import type { Page } from 'playwright-core';
import { bundlePage } from '../../scripts/build/bundler.ts';
import { SECRET, show, startBrowser, untilLive } from './browser.ts';
import { startFakeServer } from './fakeServer.ts';
import { NOW } from './sampleAnswers.ts';

/**
 * Takes pictures of the page with fixed answers, to be looked at after a change of how it looks:
 *
 *   node test/page/pictures.ts FOLDER    all views, light, dark and narrow, as a whole
 *   node test/page/pictures.ts           those of docs/pictures
 */
const root = resolve(import.meta.dirname, '..', '..');
const { positionals } = parseArgs({ allowPositionals: true });
const output = resolve(positionals[0] ?? join(root, 'docs', 'pictures'));

const VIEWS = ['now', 'requests', 'usage', 'sessions', 'setup'];
const WIDE = { width: 1280, height: 860 };
const FORMS = [
  { form: 'light', colorScheme: 'light', viewport: WIDE },
  { form: 'dark', colorScheme: 'dark', viewport: WIDE },
  { form: 'narrow', colorScheme: 'light', viewport: { width: 360, height: 740 } },
] as const;
/** Of docs/pictures; the height is what the view needs. */
const PICTURES = [
  { name: 'page-now', view: 'now', colorScheme: 'light', height: 690 },
  { name: 'page-requests', view: 'requests', colorScheme: 'light', height: 900, row: 2 },
  { name: 'page-usage', view: 'usage', colorScheme: 'dark', height: 940 },
] as const;

const folder = await mkdtemp(join(tmpdir(), 'page-'));
await bundlePage(root, folder);
await mkdir(output, { recursive: true });
const server = await startFakeServer(folder);
const browser = await startBrowser();

async function open(options: { colorScheme: 'light' | 'dark'; viewport: typeof WIDE }): Promise<Page> {
  const context = await browser.newContext({ ...options, locale: 'en-GB', timezoneId: 'Europe/Berlin' });
  const page = await context.newPage();
  await page.clock.setFixedTime(NOW);
  await page.goto(`${server.url}/#${SECRET}`);
  await untilLive(page);
  return page;
}

/** @param row the row that is open, if any */
async function prepare(page: Page, view: string, row?: number): Promise<boolean> {
  await page.mouse.move(0, 0);
  await show(page, view);
  if (row === undefined) return true;
  const opener = page.locator('button.opener').nth(row);
  if ((await opener.count()) === 0) return false;
  await opener.click();
  await page.locator('tr.detail h3').first().waitFor();
  await page.mouse.move(0, 0);
  return true;
}

/** The picture as WebP, which is a third of the PNG; the browser encodes it. */
async function toWebp(png: Buffer): Promise<Buffer> {
  const page = await browser.newPage();
  const url: string = await page.evaluate(`(async () => {
    const picture = new Image();
    picture.src = 'data:image/png;base64,${png.toString('base64')}';
    await picture.decode();
    const canvas = document.createElement('canvas');
    [canvas.width, canvas.height] = [picture.width, picture.height];
    canvas.getContext('2d').drawImage(picture, 0, 0);
    return canvas.toDataURL('image/webp', 0.85);
  })()`);
  await page.close();
  return Buffer.from(url.replace('data:image/webp;base64,', ''), 'base64');
}

if (positionals.length === 0) {
  for (const { name, view, colorScheme, height, ...rest } of PICTURES) {
    const page = await open({ colorScheme, viewport: { width: 1280, height } });
    await prepare(page, view, 'row' in rest ? rest.row : undefined);
    const png = await page.screenshot({ style: 'html { overflow: hidden }' });
    await writeFile(join(output, `${name}.webp`), await toWebp(png));
  }
} else {
  for (const { form, ...options } of FORMS) {
    const page = await open(options);
    for (const view of VIEWS) {
      await prepare(page, view);
      // A list of a hundred rows is seen well enough in its first window.
      await page.screenshot({ path: join(output, `${view}-${form}.png`), fullPage: view !== 'requests' });
      if (!(await prepare(page, view, view === 'requests' ? 3 : 1))) continue;
      await page.screenshot({ path: join(output, `${view}-${form}-open.png`), fullPage: view !== 'requests' });
      await page.reload();
    }
  }
}
await browser.close();
await server.close();
await rm(folder, { recursive: true });
