import { resolve } from 'node:path';
import type { Page } from 'playwright-core';
import { beforeEach, describe, expect, onTestFinished } from 'vitest';
import type { RequestRow } from '../../src/cli/ui/records.ts';
import { waitUntil } from '../helpers/waitUntil.ts';
import {
  endBrowserAfterAll,
  findAccessFaults,
  missing,
  type OpenPage,
  openWindow,
  readOverhang,
  SECRET,
  show,
  test,
  untilLive,
} from './browser.ts';
import { type FakeServer, startFakeServer } from './fakeServer.ts';
import { instances, NOW, now, requests, rows, sessions, setup, usage } from './sampleAnswers.ts';

/** The views with fixed answers: how they show what they get, whoever uses them and however wide the window is. */
const folder = resolve(import.meta.dirname, '..', '..', 'dist', 'page');
const VIEWS = ['now', 'requests', 'usage', 'sessions', 'setup'] as const;

let server: FakeServer;
endBrowserAfterAll();
beforeEach(async () => {
  if (missing !== undefined) return;
  server = await startFakeServer(folder);
  onTestFinished(() => server.close());
});

async function open(options: Parameters<typeof openWindow>[0] = {}, view = 'now'): Promise<OpenPage> {
  const opened = await openWindow(options);
  await opened.page.clock.setFixedTime(NOW);
  await opened.page.goto(`${server.url}/#${SECRET}`);
  await untilLive(opened.page);
  if (view !== 'now') await show(opened.page, view);
  return opened;
}

const openFirstRow = (page: Page) => page.locator('button.opener').nth(1).click();

describe('what the proxy supplies', () => {
  test('an instance says who describes pictures, who searches, and how many tools are sent', async () => {
    const { page } = await open();
    await page.getByRole('button', { name: 'review', exact: true }).click();
    const text = await page.locator('tr.detail').innerText();
    expect(text).toContain('described by atlas-flash: 41, 1 failed');
    expect(text).toMatch(/by brave: 136, 2 failed, last .* no answer within 10 s/);
    expect(text).toContain('128 at most; 3 sessions had more, 172 left out of the latest request');
    await page.getByRole('button', { name: 'work', exact: true }).click();
    expect(await page.locator('tr.detail').innerText()).not.toContain('Supplied by the proxy');
  });

  test('a request says which of it it needed, and its list of usage what is beside the cost', async () => {
    const { page } = await open({}, 'requests');
    await page.locator('button.opener').nth(2).click();
    const detail = page.locator('tr.detail');
    await detail.getByRole('heading', { name: 'Supplied by the proxy' }).waitFor();
    expect(await detail.innerText()).toMatch(
      /Pictures\s+3, 1 described now \(\S*0\.0009\)\s+Web searches\s+2, 1 failed \(\S*0\.01\S*\)\s+Tools left out\s+172/,
    );
    await show(page, 'usage?by=side');
    expect(server.asked.at(-1)).toContain('by=side');
    const text = await page.locator('main').innerText();
    expect(text).toContain('41 questions to side models');
    expect(text).toMatch(/136 searches of the web cost \S*0\.68/);
  });
});

test('thousands of sessions are a table of 200, with more on demand', async () => {
  const [line] = usage.lines;
  const lines = Array.from({ length: 6000 }, (_, index) => ({ ...line, group: `session-${index}`, name: null }));
  server.answers['/api/usage'] = { ...usage, by: 'session', lines };
  const { page } = await open({}, 'usage?by=session');
  await page.locator('table.usage tbody tr').first().waitFor();
  const names = async () => (await page.locator('table.usage tbody th').allInnerTexts()).map((text) => text.trim());
  expect((await names()).length).toBe(200);
  expect((await names()).at(-1)).toBe('session-5999');
  await page.getByText('The latest 200 of 6,000; the CSV has all.').waitFor();
  await page.getByRole('button', { name: 'Show more' }).click();
  await page.getByText('The latest 400 of 6,000').waitFor();
  expect((await names()).length).toBe(400);
});

test('hundreds of sessions come one part after the other, until all are there', async () => {
  const [line] = sessions.sessions;
  const many = Array.from({ length: 200 }, (_, index) => ({ ...line, session: `session-${index}` }));
  server.answers['/api/sessions'] = { ...sessions, sessions: many, found: 900 };
  const { page } = await open({}, 'now');
  await page.evaluate(`window.counts = new Set();
    new MutationObserver(() => window.counts.add(document.querySelectorAll('table.sessions tbody tr').length))
      .observe(document.body, { childList: true, subtree: true });`);
  await show(page, 'sessions');
  await page.locator('table.sessions tbody tr:nth-child(200)').waitFor();
  expect(await page.evaluate('[...window.counts].filter((count) => count > 0)')).toEqual([40, 80, 120, 160, 200]);
  await page.getByRole('button', { name: 'Show more' }).click();
  await waitUntil('the question', async () => server.asked.at(-1)?.includes('limit=400') === true);
});

describe('for everybody', () => {
  for (const colorScheme of ['light', 'dark'] as const) {
    for (const view of VIEWS) {
      test(`${view}, ${colorScheme}: axe finds nothing, also in an open row`, async () => {
        const { page, errors } = await open({ colorScheme }, view);
        expect(await findAccessFaults(page)).toEqual([]);
        if ((await page.locator('button.opener').count()) > 0) {
          await openFirstRow(page);
          await page.locator('tr.detail h3').first().waitFor();
          expect(await findAccessFaults(page)).toEqual([]);
        }
        expect(errors).toEqual([]);
      });
    }
  }

  for (const view of VIEWS) {
    test(`${view}: 360 px are wide enough, and so are 1280 at 200 %`, async () => {
      for (const width of [360, 640]) {
        const { page } = await open({ viewport: { width, height: 740 } }, view);
        expect(await readOverhang(page), `${width} px`).toBeLessThanOrEqual(0);
        if ((await page.locator('button.opener').count()) === 0) continue;
        await openFirstRow(page);
        await page.locator('tr.detail h3').first().waitFor();
        expect(await readOverhang(page), `${width} px, open`).toBeLessThanOrEqual(0);
        expect(await findAccessFaults(page)).toEqual([]);
      }
    });
  }

  test('the keyboard alone leads through the views, opens a row and asks before it stops an instance', async () => {
    const { page } = await open();
    const focused = () => page.evaluate<string>('document.activeElement.textContent.trim()');
    const tabTo = async (word: RegExp) => {
      for (let steps = 0; steps < 60; steps += 1) {
        await page.keyboard.press('Tab');
        if (word.test(await focused())) return;
      }
      throw new Error(`the focus never came to ${word}`);
    };
    await page.keyboard.press('Tab');
    expect(await focused()).toBe('Skip to the figures');
    await page.keyboard.press('Enter');
    expect(await page.evaluate('document.activeElement.tagName')).toBe('MAIN');
    await tabTo(/^▸work$/);
    await page.keyboard.press('Enter');
    await page.locator('tr.detail').waitFor();
    await tabTo(/^Stop…$/);
    await page.keyboard.press('Enter');
    await page.getByRole('dialog', { name: 'Stop work?' }).waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'hidden' });
    expect(server.asked.filter((path) => path.startsWith('/api/actions'))).toEqual([]);
    expect(await focused()).toBe('Stop…');
    await page.evaluate('document.activeElement.blur()');
    await tabTo(/^Usage$/);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Usage' }).waitFor({ state: 'attached' });
    await page.locator('table.usage').waitFor();
  });

  test('what has the focus is seen: an outline of two pixels', async () => {
    const { page } = await open();
    await page.keyboard.press('Tab');
    await page.keyboard.press('Tab');
    const outline = await page.evaluate<string>(
      '(({ outlineStyle, outlineWidth }) => `${outlineStyle} ${outlineWidth}`)(getComputedStyle(document.activeElement))',
    );
    expect(outline).toBe('solid 2px');
  });

  test('numbers and times are those of the reader’s language and zone', async () => {
    const german = await open({ locale: 'de-DE', timezoneId: 'Asia/Tokyo' }, 'usage');
    await german.page.getByRole('cell', { name: '301.896.089' }).waitFor();
    await show(german.page, 'requests');
    await german.page.getByText('00:42:09').first().waitFor();
    const english = await open({ locale: 'en-US', timezoneId: 'America/New_York' }, 'requests');
    await english.page.getByText('10:42:09').first().waitFor();
  });

  test('nothing moves where the reader wants no motion', async () => {
    const moving = `[...document.querySelectorAll('*')].filter((element) => {
      const style = getComputedStyle(element);
      return style.transitionDuration !== '0s' || style.animationName !== 'none';
    }).length`;
    const { page } = await open({ reducedMotion: 'reduce' });
    expect(await page.evaluate(moving)).toBe(0);
  });

  test('each plot has a table with the same figures', async () => {
    const { page } = await open({}, 'usage');
    await page.getByText('The bars as a table').click();
    const table = page.getByRole('table', { name: 'Cost by day' });
    expect(await table.getByRole('row').count()).toBe(31);
    await show(page, 'now');
    await page.getByRole('button', { name: 'work', exact: true }).click();
    await page.getByText('The same as a table').click();
    expect(await page.locator('tr.detail tbody tr').count()).toBe(60);
  });
});

describe('requests', () => {
  const asked = () => server.asked.filter((path) => path.startsWith('/api/requests'));
  /** A row that comes after those of the first answer. */
  const newRow = (number: number, changes: Partial<RequestRow> = {}): RequestRow => ({
    ...(rows[0] as RequestRow),
    cursor: `${NOW + number}.${number}`,
    id: `req_new${number}`,
    time: new Date(NOW + number * 1000).toISOString(),
    ...changes,
  });
  const firstModel = (page: Page) => page.locator('.requests tbody td.model').first().textContent();

  test('filters stand in the address, survive a reload, and are cleared', async () => {
    const { page } = await open({}, 'requests');
    await page.getByLabel('Status').selectOption('failed');
    await page.getByLabel('Text of the error').fill('rate limit');
    await page.getByLabel('Slower, seconds').fill('1.2');
    await waitUntil('the server is asked with them', async () =>
      asked().some((path) => /status=failed&error=rate\+limit&slower=1200/.test(path)),
    );
    expect(page.url()).toContain('#requests?status=failed&error=rate+limit&slower=1200');
    await page.reload();
    await untilLive(page);
    expect(await page.getByLabel('Status').inputValue()).toBe('failed');
    expect(await page.getByLabel('Slower, seconds').inputValue()).toBe('1.2');
    await page.getByRole('button', { name: 'Clear' }).click();
    expect(new URL(page.url()).hash).toBe('#requests');
  });

  test('new rows come by themselves, those that match the filters alone', async () => {
    const { page } = await open({}, 'requests?instance=work');
    await page.getByText('Requests that match').waitFor();
    server.send('requests', {
      requests: [
        newRow(1, { model: 'of-another', instance: 'review' }),
        newRow(2, { model: 'of-work', instance: 'work' }),
      ],
    });
    await page.getByText('of-work').waitFor();
    expect(await page.getByText('of-another').count()).toBe(0);
  });

  for (const [what, hold, release] of [
    [
      'under the pointer',
      (page: Page) => page.locator('.requests thead').hover(),
      (page: Page) => page.mouse.move(2, 2),
    ],
    [
      'with the focus in it',
      (page: Page) => page.locator('button.opener').nth(5).focus(),
      (page: Page) => page.evaluate('document.activeElement.blur()'),
    ],
  ] as const) {
    test(`${what} the list stands still; what has come is counted, and shown afterwards`, async () => {
      const { page } = await open({}, 'requests');
      await page.mouse.move(2, 2);
      await page.locator('.title-line .good').waitFor();
      await hold(page);
      await page.getByText('paused').waitFor();
      server.send('requests', { requests: [newRow(1, { model: 'late' })] });
      await page.getByText('paused, 1 new').waitFor();
      expect(await firstModel(page)).not.toContain('late');
      await release(page);
      await waitUntil('it is shown', async () => (await firstModel(page))?.includes('late') === true);
    });
  }

  test('rows of log files that were deleted go, also while the list stands still', async () => {
    const { page } = await open({}, 'requests');
    await page.getByRole('button', { name: 'Pause' }).click();
    const oldest = Object.fromEntries(instances.map(({ name }) => [name, rows[9]?.time ?? '']));
    server.send('kept', { oldest });
    await waitUntil('ten rows', async () => (await page.locator('.requests tr.opens').count()) === 10);
  });

  test('requests are chosen by client where clients have names', async () => {
    const { page } = await open({}, 'requests');
    await page.getByRole('combobox', { name: 'Model', exact: true }).waitFor();
    expect(await page.getByRole('combobox', { name: 'Client', exact: true }).count()).toBe(0);
    server.answers['/api/requests'] = { ...requests, index: { ...requests.index, clients: ['alice', 'bob'] } };
    await show(page, 'requests?status=ok');
    await page.getByRole('combobox', { name: 'Client', exact: true }).selectOption('bob');
    await waitUntil('the question', async () => asked().at(-1)?.includes('client=bob') === true);
    expect(await page.evaluate('location.hash')).toContain('client=bob');
  });

  test('the button pauses, and shows what has come', async () => {
    const { page } = await open({}, 'requests');
    await page.getByRole('button', { name: 'Pause' }).click();
    server.send('requests', { requests: [newRow(1, { model: 'one' }), newRow(2, { model: 'two' })] });
    await page.getByRole('button', { name: 'Show 2 new' }).click();
    await waitUntil('both are shown', async () => (await firstModel(page))?.includes('two') === true);
    await page.getByRole('cell', { name: 'one → acme-2' }).waitFor();
  });

  test('a list that lacks rows says so, and is read anew', async () => {
    const { page } = await open({}, 'requests');
    await page.mouse.move(2, 2);
    await page.locator('.title-line .good').waitFor();
    const before = asked().length;
    server.send('lost', { count: 12 }, 'x');
    await waitUntil('it is read again', async () => asked().length > before);
    await page.getByRole('button', { name: 'Pause' }).click();
    server.send('lost', { count: null }, 'y');
    await page.getByText('some are missing').waitFor();
    const then = asked().length;
    await page.getByRole('button', { name: 'Follow' }).click();
    await waitUntil('it is read again', async () => asked().length > then);
    await page.getByText('some are missing').waitFor({ state: 'hidden' });
  });

  test('older ones are added below', async () => {
    const { page } = await open({}, 'requests');
    const older = rows.map((row, index) => ({ ...row, cursor: `1.${index}`, model: `older-${index}` }));
    server.answers['/api/requests'] = { ...requests, requests: older, next: null };
    await page.getByRole('button', { name: 'Show older requests' }).click();
    await page.getByText('older-99').waitFor();
    expect(asked().at(-1)).toContain(`before=${rows.at(-1)?.cursor}`);
    expect(await page.locator('.requests tr.opens').count()).toBe(200);
    await page.getByText('These are all').waitFor();
  });

  test('a row opens to why, time, tokens and the error with its repair and page, and is copied as JSON', async () => {
    const { page, context } = await open({}, 'requests');
    await context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin: server.url });
    await page.locator('button.opener').nth(3).click();
    const detail = page.locator('tr.detail');
    await detail.getByText('claude-opus-5 stands for the big model.').waitFor();
    const text = await detail.innerText();
    expect(text).toContain('429 rate_limit_error');
    expect(text).toContain('docs/ERRORS.md');
    expect(text).toContain('Nothing: Claude Code waits');
    expect(text).toMatch(/until the first event\s+1\.24 s/);
    await detail.getByRole('button', { name: 'Copy as JSON' }).click();
    await detail.getByText('Copied').waitFor();
    const copied = JSON.parse(await page.evaluate('navigator.clipboard.readText()'));
    expect(copied).toMatchObject({ event: 'request', id: rows[3]?.id, status: 429 });
  });

  test('without a request it says how to send one, without a match how to see all', async () => {
    server.answers['/api/requests'] = { ...requests, requests: [], next: null };
    const { page } = await open({}, 'requests');
    await page.getByText('./manage run work', { exact: true }).waitFor();
    await show(page, 'requests?status=failed');
    await page.getByText('No request matches').waitFor();
    await page.getByRole('button', { name: 'Clear the filters' }).click();
    await page.getByText('No request yet').waitFor();
  });

  test('500 requests a second cause no long task over 100 ms, and all that is shown is in order', async () => {
    const { page } = await open({}, 'requests');
    await page.mouse.move(2, 2);
    await page.locator('.title-line .good').waitFor();
    await page.evaluate(`
      window.longTasks = [];
      new PerformanceObserver((list) => window.longTasks.push(...list.getEntries().map(({ duration }) => duration)))
        .observe({ type: 'longtask' });
      window.frames = 0;
      const count = () => { window.frames += 1; requestAnimationFrame(count); };
      requestAnimationFrame(count);
    `);
    const SECONDS = 5;
    let number = 0;
    const startedAt = performance.now();
    for (let batch = 0; batch < SECONDS * 4; batch += 1) {
      server.send('requests', {
        requests: Array.from({ length: 125 }, () => {
          number += 1;
          return newRow(number, { model: `model-${number}` });
        }),
      });
      server.send('now', now);
      // As the server sends them: four times a second.
      const due = startedAt + (batch + 1) * 250;
      await new Promise((done) => setTimeout(done, Math.max(0, due - performance.now())));
    }
    await page.getByText(`model-${number} →`).waitFor();
    const longTasks = await page.evaluate<number[]>('window.longTasks');
    const frames = await page.evaluate<number>('window.frames');
    // What is below the window is not drawn, and costs nothing on a slower machine.
    expect(await page.locator('.requests tr.opens').count()).toBeLessThanOrEqual(Math.ceil(860 / 31));
    await page.getByRole('button', { name: 'Pause' }).click();
    await page.locator('.requests tr.opens').nth(99).waitFor();
    const shown = await page.locator('.requests tbody td.model').allTextContents();
    expect(shown.map((text) => Number(/model-(\d+)/.exec(text)?.[1]))).toEqual(
      Array.from({ length: 100 }, (_, index) => number - index),
    );
    console.info(
      `500 requests/s: longest task ${Math.max(0, ...longTasks)} ms, ${Math.round(frames / SECONDS)} frames/s`,
    );
    expect(longTasks.filter((duration) => duration > 100)).toEqual([]);
  });
});

describe('usage', () => {
  const asked = () => server.asked.filter((path) => path.startsWith('/api/usage?')).at(-1) ?? '';

  test('range, groups, bars and comparison stand in the address, and are asked for', async () => {
    const { page } = await open({}, 'usage');
    expect(asked()).toContain('by=model&period=day&from=2026-10-22&to=2026-11-20&compare=1');
    await page.getByRole('button', { name: '90 days' }).click();
    await page.getByRole('combobox', { name: 'By' }).selectOption('project');
    await page.getByRole('combobox', { name: 'Instance' }).selectOption('work');
    await page.getByLabel('Compare with the range before').uncheck();
    await waitUntil('the server is asked', async () =>
      asked().endsWith('by=project&period=week&from=2026-08-23&to=2026-11-20&instance=work'),
    );
    expect(new URL(page.url()).hash).toBe('#usage?range=90&by=project&instance=work&compare=0');
    await page.getByLabel('From', { exact: true }).fill('2026-11-01');
    await waitUntil('the server is asked', async () => asked().includes('from=2026-11-01&to=2026-11-20'));
  });

  test('where there is a database, all machines can be asked for, and the table says so', async () => {
    server.answers['/api/usage'] = { ...usage, has_database: true };
    const { page } = await open({}, 'usage');
    server.answers['/api/usage'] = { ...usage, has_database: true, machines: 'all' };
    await page.getByRole('combobox', { name: 'Machines' }).selectOption('all');
    await waitUntil('the server is asked', async () => asked().endsWith('&machines=all'));
    await page.getByRole('heading', { name: 'all machines that share the database' }).waitFor();
    expect(new URL(page.url()).hash).toBe('#usage?machines=all');
    server.answers['/api/usage'] = usage;
    await page.getByRole('combobox', { name: 'Machines' }).selectOption('this');
    await waitUntil(
      'it is no more',
      async () => (await page.getByRole('combobox', { name: 'Machines' }).count()) === 0,
    );
  });

  test('the bars show what is chosen; under the pointer the figures are those of one day', async () => {
    const { page } = await open({}, 'usage');
    const legend = page.locator('.legend li').first();
    expect(await legend.innerText()).toMatch(/acme-2\s+\$188\.90/);
    expect(await page.locator('.legend li').nth(4).innerText()).toMatch(/coder-30b\s+\?/);
    await page.getByRole('button', { name: 'Tokens in' }).click();
    await waitUntil('tokens are shown', async () => (await legend.innerText()).includes('302m'));
    await page.locator('.plot .u-over').hover({ position: { x: 20, y: 60 } });
    await page.locator('.plot-panel .push', { hasText: '22 Oct' }).waitFor();
    expect(page.url()).toContain('measure=input');
  });

  test('without a known price there are no bars of cost, but a word', async () => {
    const { groups, periods } = usage.series;
    const unpriced = groups.filter(({ group }) => group === 'coder-30b');
    server.answers['/api/usage'] = { ...usage, series: { periods, groups: unpriced } };
    const { page } = await open({}, 'usage');
    await page.getByText('No price is known').waitFor();
  });
});

describe('without anything to show', () => {
  test('each view says what to do next', async () => {
    server.answers['/api/now'] = { ...now, instances: [], problems: [] };
    server.answers['/api/requests'] = { ...requests, requests: [], next: null };
    server.answers['/api/usage'] = { ...usage, lines: [] };
    server.answers['/api/sessions'] = { ...sessions, sessions: [], found: 0 };
    server.answers['/api/setup'] = { ...setup, instances: [] };
    const { page } = await open();
    for (const view of VIEWS) {
      await show(page, view);
      await page.locator('.empty .command').first().waitFor();
      expect(await findAccessFaults(page)).toEqual([]);
    }
  });
});

describe('commands', () => {
  test('what a command writes is shown line by line, with its end', async () => {
    const { page } = await open();
    await page.getByRole('button', { name: 'work', exact: true }).click();
    await page.getByRole('button', { name: 'Restart…' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('./manage restart work').waitFor();
    expect(await findAccessFaults(page)).toEqual([]);
    await dialog.getByRole('button', { name: 'Restart', exact: true }).click();
    await dialog.getByText('done').waitFor();
    expect(await dialog.getByRole('log').innerText()).toBe('work: stopped\nwork: ready');
    server.actionLines = [{ line: 'work: no' }, { exit_code: 1 }];
    await dialog.getByRole('button', { name: 'Close', exact: true }).click();
    await page.getByRole('button', { name: 'Reload…' }).click();
    await dialog.getByRole('button', { name: 'Reload', exact: true }).click();
    await dialog.getByText('ended with exit code 1').waitFor();
  });

  test('no second one is offered while one runs', async () => {
    const { page } = await open();
    await page.getByRole('button', { name: 'work', exact: true }).click();
    const busy = instances.map((one) => (one.name === 'work' ? { ...one, action: 'reload' as const } : one));
    server.send('now', { ...now, instances: busy });
    await page.getByText('reload is running').first().waitFor();
    expect(await page.getByRole('button', { name: 'Stop…' }).isDisabled()).toBe(true);
  });

  test('a command is copied by its button', async () => {
    const { page, context } = await open({}, 'setup');
    await context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin: server.url });
    await page.getByRole('button', { name: 'Copy ./manage run review', exact: true }).click();
    await page.getByText('Copied').waitFor();
    expect(await page.evaluate('navigator.clipboard.readText()')).toBe('./manage run review');
  });
});

describe('the connection', () => {
  test('the secret is exchanged and leaves the address at once; the page stays open in a reload', async () => {
    const { page } = await open();
    expect(page.url()).toBe(`${server.url}/`);
    expect(await page.evaluate('history.length')).toBeLessThanOrEqual(2);
    expect(server.asked.filter((path) => path.startsWith('/api/session'))).toHaveLength(1);
    await page.reload();
    await untilLive(page);
    expect(server.asked.filter((path) => path.startsWith('/api/session'))).toHaveLength(1);
  });

  test('a server that goes is said, with since when, and the page comes back by itself', async () => {
    const { page } = await open({}, 'requests');
    await page.mouse.move(2, 2);
    const port = Number(new URL(server.url).port);
    await server.close();
    await page.getByText('does not answer; what is shown is as of').waitFor();
    await page.getByText('not live: what comes now is missing').waitFor();
    const again = await startFakeServer(folder, port);
    onTestFinished(() => again.close());
    const missed = { ...(rows[0] as RequestRow), cursor: '2.1', model: 'came-meanwhile' };
    again.answers['/api/requests'] = { ...requests, requests: [missed, ...rows.slice(0, 99)] };
    await untilLive(page);
    await page.getByText('came-meanwhile').waitFor();
    await page.getByText('does not answer').waitFor({ state: 'hidden' });
    server = again;
  });

  test('after a break a list that the reader has paused stays as it is', async () => {
    const { page } = await open({}, 'requests');
    await page.locator('button.opener').nth(3).click();
    await page.locator('tr.detail h3').first().waitFor();
    const asked = server.asked.filter((path) => path.startsWith('/api/requests')).length;
    server.breakOff();
    await page.getByText('some are missing').waitFor();
    await untilLive(page);
    expect(server.asked.filter((path) => path.startsWith('/api/requests'))).toHaveLength(asked);
    await page.locator('tr.detail h3').first().waitFor();
  });

  test('a server that was started anew is opened with its new address, in this tab or another one', async () => {
    const { page, context } = await open();
    server.failure = 403;
    server.breakOff();
    await page.getByText('Open this page with its address').waitFor();
    expect(await findAccessFaults(page)).toEqual([]);
    server.failure = undefined;
    const other = await context.newPage();
    await other.goto(`${server.url}/#${SECRET.replace(/^s/, 't')}`);
    await untilLive(other);
    await page.evaluate(`location.hash = '#${SECRET}'`);
    await untilLive(page);
    expect(page.url()).not.toContain(SECRET);
  });

  test('nobody but its server is asked', async () => {
    const { page, addresses } = await open();
    for (const view of VIEWS) await show(page, view);
    expect(
      addresses.filter((address) => !address.startsWith(`${server.url}/`) && !address.startsWith('data:')),
    ).toEqual([]);
  });

  test('what fails is shown with its reason, and the rest stays usable', async () => {
    const { page } = await open();
    server.answers['/api/usage'] = undefined;
    await page.evaluate("location.hash = 'usage'");
    await page.getByText('answered 404').waitFor();
    await show(page, 'sessions');
    await page.locator('table.sessions').waitFor();
  });
});
