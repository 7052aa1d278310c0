import { mkdir, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { chromium } from 'playwright-core';
import { bundlePage } from '../../scripts/build/bundler.ts';
import { startFakeServer } from './fakeServer.ts';
import { NOW } from './sampleAnswers.ts';

/** Takes pictures of all views from fixed data, light, dark and narrow: node test/page/pictures.ts FOLDER */
const output = resolve(process.argv[2] ?? 'pictures');
const wanted = process.argv[3] ?? '';
await mkdir(output, { recursive: true });
const root = resolve(import.meta.dirname, '..', '..');
const folder = await mkdtemp(join(tmpdir(), 'page-'));
await bundlePage(root, folder);
const server = await startFakeServer(folder);
const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] });
const views = ['now', 'requests', 'usage', 'sessions', 'setup'];
const forms = [
  ['light', { width: 1280, height: 860 }],
  ['dark', { width: 1280, height: 860 }],
  ['narrow', { width: 360, height: 740 }],
] as const;
for (const [form, viewport] of forms) {
  const context = await browser.newContext({
    viewport,
    colorScheme: form === 'dark' ? 'dark' : 'light',
    locale: 'en-GB',
    timezoneId: 'Europe/Berlin',
    deviceScaleFactor: 1,
  });
  const page = await context.newPage();
  page.on('console', (message) => console.log(form, message.type(), message.text()));
  page.on('pageerror', (error) => console.log(form, 'error', error.message));
  await page.clock.setFixedTime(NOW);
  await page.goto(`${server.url}/#${'s'.repeat(43)}`);
  await page.locator('.connection .good').waitFor();
  for (const view of views) {
    for (const state of ['', 'open']) {
      if (!`${view}-${form}${state}`.includes(wanted)) continue;
      await page.goto(`${server.url}/#${view}`);
      await page.locator('.table-frame:visible, .card').first().waitFor();
      if (state === 'open') {
        const opener = page.locator('button.opener').nth(view === 'requests' ? 3 : 1);
        if ((await opener.count()) === 0) continue;
        await opener.click();
        await page.locator('tr.detail h3, tr.detail h3').first().waitFor();
        await page.mouse.move(0, 0);
      }
      await page.screenshot({
        path: join(output, `${view}-${form}${state === '' ? '' : '-open'}.png`),
        fullPage: view !== 'requests' || state === 'open' ? view !== 'requests' : false,
      });
      if (state === 'open') await page.locator('button.opener[aria-expanded=true]').click();
    }
  }
  await context.close();
}
await browser.close();
await server.close();
