import { execFileSync } from 'node:child_process';
import {
  closeSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { LogProblem } from '../../src/telemetry/log/queue.ts';
import { repairTruncatedLine } from '../../src/telemetry/log/retention.ts';
import type { RotatingLog } from '../../src/telemetry/log/rotatingLog.ts';
import {
  canMount,
  listFolder,
  makeFolder,
  mountFolder,
  openFilesIn,
  openTestLog,
  readLines,
  remount,
  totalSize,
  until,
} from '../helpers/logFolder.ts';

/** Fills the file system to the last byte. */
function fill(path: string): void {
  const file = openSync(path, 'w');
  try {
    for (let size = 64 * 1024; size >= 1; size /= 2) {
      try {
        for (;;) writeSync(file, Buffer.alloc(size));
      } catch {
        // Full for this size: try a smaller one.
      }
    }
  } finally {
    closeSync(file);
  }
}

/** Makes empty files until there is no inode left; gives their paths. */
function fillInodes(directory: string): string[] {
  const paths: string[] = [];
  for (;;) {
    const path = join(directory, `filler-${paths.length}`);
    try {
      writeFileSync(path, '');
    } catch {
      return paths;
    }
    paths.push(path);
  }
}

/** Every line of the files is JSON, and they are all that were written, less those that were dropped, with one notice. */
function expectAccount(directory: string, log: RotatingLog, total: number): void {
  const parsed = readLines(directory).map((line): Record<string, unknown> => JSON.parse(line));
  const numbers = parsed.flatMap((line) => (typeof line['number'] === 'number' ? [line['number']] : []));
  expect(openFilesIn(directory)).toEqual([]);
  const notices = parsed.filter((line) => line['event'] === 'log_recovered');
  const { written, dropped } = log.status();
  expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b));
  expect({ written, total: written + dropped }).toEqual({ written: numbers.length, total });
  expect(notices.map((line) => line['dropped']).reduce((sum: number, count) => sum + Number(count), 0)).toBe(dropped);
}

function numberedLine(number: number): string {
  return JSON.stringify({ number, text: 'y'.repeat(200) });
}

const reason = canMount ? '' : ' (SKIPPED: this machine does not allow mounting a tmpfs)';

describe.skipIf(!canMount)(`on a file system of its own${reason}`, () => {
  test('G1 a full disk: drops are counted exactly, logging comes back, and one line reports the gap', async () => {
    const directory = mountFolder('256k');
    const problems: LogProblem[] = [];
    const log = openTestLog({ directory, maxTotalBytes: 8_000_000, onProblem: (problem) => problems.push(problem) });
    let number = 0;
    for (; number < 100; number++) log.write(numberedLine(number));
    await log.flush();
    fill(join(directory, 'filler'));
    for (; number < 300; number++) log.write(numberedLine(number));
    await log.flush();
    const full = log.status();
    expect(full).toMatchObject({ healthy: false, lastError: expect.stringMatching(/ENOSPC|bytes could be written/) });
    expect(full.dropped).toBeGreaterThan(150);
    expect(full.nextTryAt).toBeGreaterThan(Date.now() - 2_000);
    for (; number < 400; number++) log.write(numberedLine(number));
    expect(log.status().dropped).toBe(full.dropped + 100);

    unlinkSync(join(directory, 'filler'));
    await until(() => log.status().healthy, 'the log to recover');
    for (; number < 500; number++) log.write(numberedLine(number));
    await log.close();
    expectAccount(directory, log, 500);
    expect(log.status().nextTryAt).toBe(undefined);
    expect(problems.map((problem) => problem.kind)).toEqual(['failing', 'recovered']);
    expect(problems[1]?.message).toContain(`${log.status().dropped} lines were dropped since 20`);
  });

  test('G1 a disk that fills up in the midst of a write leaves no half line', async () => {
    const directory = mountFolder('256k');
    const log = openTestLog({ directory, maxTotalBytes: 8_000_000 });
    for (let number = 0; number < 2_000; number++) log.write(numberedLine(number));
    await log.flush();
    expect(log.status()).toMatchObject({ healthy: false });
    await log.close();
    const reopened = openTestLog({ directory, maxTotalBytes: 8_000_000 });
    await reopened.flush();
    const lines = readLines(directory);
    expect(lines).toEqual(Array.from({ length: lines.length }, (_, number) => numberedLine(number)));
    expect(log.status()).toMatchObject({ written: lines.length, dropped: 2_000 - lines.length });
  });

  test('G1 rotation on a disk with room for half of the files goes on and accounts for each line', async () => {
    const directory = mountFolder('256k');
    const log = openTestLog({ directory, maxSizeBytes: 30_000, maxTotalBytes: 120_000 });
    for (let number = 0; number < 5_000; number++) {
      log.write(numberedLine(number));
      if (number % 100 === 99) await log.flush();
    }
    await log.close();
    expect(log.status().written + log.status().dropped).toBe(5_000);
    expect(log.status().written).toBeGreaterThan(4_000);
    expect(listFolder(directory).filter((name) => name.endsWith('.tmp'))).toEqual([]);
    for (const line of readLines(directory)) expect(() => JSON.parse(line)).not.toThrow();
  });

  test('G2 a read-only folder at the start, and one that becomes read-only', async () => {
    const directory = mountFolder('1m');
    remount(directory, 'ro');
    const log = openTestLog({ directory });
    for (let number = 0; number < 10; number++) log.write(numberedLine(number));
    await log.flush();
    expect(log.status()).toMatchObject({ dropped: 10, healthy: false, lastError: expect.stringContaining('EROFS') });
    remount(directory, 'rw');
    await until(() => log.status().healthy, 'the log to recover');
    for (let number = 10; number < 20; number++) log.write(numberedLine(number));
    await log.close();
    expectAccount(directory, log, 20);
  });
});

test('G2 a folder that cannot be made because a file has its name', async () => {
  const parent = makeFolder();
  writeFileSync(join(parent, 'logs'), 'not a folder');
  const directory = join(parent, 'logs', 'kimi');
  const log = openTestLog({ directory });
  for (let number = 0; number < 10; number++) log.write(numberedLine(number));
  await log.flush();
  expect(log.status()).toMatchObject({ dropped: 10, written: 0, healthy: false });
  rmSync(join(parent, 'logs'));
  await until(() => log.status().healthy, 'the log to recover');
  log.write(numberedLine(10));
  await log.close();
  expectAccount(directory, log, 11);
});

test.each([
  ['the folder is deleted', (directory: string) => rmSync(directory, { recursive: true })],
  ['the file is deleted', (directory: string) => unlinkSync(join(directory, 'kimi.log'))],
  ['the file is moved away', (directory: string) => renameSync(join(directory, 'kimi.log'), join(directory, 'moved'))],
  [
    'another file is put in its place',
    (directory: string) => {
      writeFileSync(join(directory, 'new'), '');
      renameSync(join(directory, 'new'), join(directory, 'kimi.log'));
    },
  ],
])('G2 logging goes on without loss in a new file when %s', async (_name, harm) => {
  const directory = join(makeFolder(), 'kimi');
  const log = openTestLog({ directory });
  log.write('before');
  await log.flush();
  harm(directory);
  log.write('after');
  log.write('and after');
  await log.flush();
  expect(readLines(directory)).toEqual(['after', 'and after']);
  expect(log.status()).toMatchObject({ written: 3, dropped: 0, healthy: true });
});

test('G2 a file that is deleted just before it would be rotated', async () => {
  const directory = makeFolder();
  const log = openTestLog({ directory, maxSizeBytes: 2_000 });
  for (let number = 0; number < 9; number++) log.write(numberedLine(number));
  await log.flush();
  rmSync(directory, { recursive: true });
  for (let number = 9; number < 20; number++) log.write(numberedLine(number));
  await log.close();
  expect(readLines(directory).length).toBeGreaterThanOrEqual(11);
  expect(log.status()).toMatchObject({ written: 20, dropped: 0 });
});

test('an emptied file is written on', async () => {
  const directory = makeFolder();
  const log = openTestLog({ directory });
  log.write('a long line before the file is emptied by hand');
  await log.flush();
  writeFileSync(join(directory, 'kimi.log'), '');
  log.write('after');
  await log.flush();
  expect(readLines(directory)).toEqual(['after']);
  expect(log.status()).toMatchObject({ written: 2, dropped: 0 });
});

test('the memory for waiting lines is bounded, and the loss is reported in the log', async () => {
  const directory = makeFolder();
  const log = openTestLog({ directory, maxSizeBytes: 50_000_000 });
  const total = 60_000;
  for (let number = 0; number < total; number++) log.write(numberedLine(number));
  expect(log.status().dropped).toBeGreaterThan(30_000);
  await log.close();
  expectAccount(directory, log, total);
  expect(log.status().healthy).toBe(true);
});

test('a second writer of the same file is reported once', async () => {
  const directory = makeFolder();
  const problems: LogProblem[] = [];
  const onProblem = (problem: LogProblem) => problems.push(problem);
  const [first, second] = [openTestLog({ directory, onProblem: onProblem }), openTestLog({ directory })];
  for (let round = 0; round < 3; round++) {
    for (const log of [first, second, first]) {
      log.write('line');
      await log.flush();
    }
  }
  expect(problems.map((problem) => problem.kind)).toEqual(['shared']);
});

test('lines after close are dropped and counted', async () => {
  const directory = makeFolder();
  const log = openTestLog({ directory });
  log.write('before');
  await log.close();
  log.write('after');
  expect(statSync(join(directory, 'kimi.log')).size).toBe('before\n'.length);
  expect(log.status()).toMatchObject({ written: 1, dropped: 1 });
});

test.runIf(canMount)(
  'G1 where no inode is free for rotating, no line is lost while the active file has room',
  async () => {
    const directory = mountFolder('4m,nr_inodes=8');
    const problems: LogProblem[] = [];
    const log = openTestLog({ directory, maxSizeBytes: 20_000, onProblem: (problem) => problems.push(problem) });
    await log.flush();
    const fillers = fillInodes(directory);
    const lines = Array.from({ length: 35 }, (_, index) => `${index}`.padEnd(999, '.'));
    for (const line of lines) {
      log.write(line);
      await log.flush();
    }
    expect([log.status().dropped, readLines(directory)]).toEqual([0, lines]);
    expect(problems[0]?.message).toContain('the full log file cannot be rotated and grows on: ENOSPC');

    for (const path of fillers) rmSync(path);
    for (const line of lines) {
      log.write(line);
      await log.flush();
    }
    await log.close();
    expect([log.status().dropped, readLines(directory)]).toEqual([0, [...lines, ...lines]]);
    expect(listFolder(directory).length).toBeGreaterThan(1);
  },
);

test.runIf(canMount)('G1 at twice its size lines are dropped and counted', async () => {
  const directory = mountFolder('4m,nr_inodes=8');
  const log = openTestLog({ directory, maxSizeBytes: 20_000 });
  await log.flush();
  fillInodes(directory);
  for (let line = 0; line < 60; line += 1) {
    log.write('.'.repeat(999));
    await log.flush();
  }
  expect(log.status().dropped).toBeGreaterThan(0);
  expect(totalSize(directory)).toBeLessThan(45_000);
});

describe('a link is nobody’s log', () => {
  test.each(['kimi-20261101-000000-001.log', 'kimi-20261101-000000-001.log.gz.tmp'])(
    'F2 %s is neither repaired, compressed nor removed, nor is what it leads to',
    async (name) => {
      const directory = makeFolder();
      const foreign = join(makeFolder(), 'foreign');
      writeFileSync(foreign, 'whole\nnot whole');
      symlinkSync(foreign, join(directory, name));
      const log = openTestLog({ directory });
      log.write('a line');
      await log.flush();
      await log.close();
      expect(readFileSync(foreign, 'utf8')).toBe('whole\nnot whole');
      expect(listFolder(directory)).toEqual([name, 'kimi.log']);
    },
  );

  test('F2 what a link leads to is not overwritten by a compressed log', async () => {
    const directory = makeFolder();
    const foreign = join(makeFolder(), 'foreign');
    writeFileSync(foreign, 'whole\n');
    writeFileSync(join(directory, 'kimi-20261101-000000-001.log'), 'a line\n');
    for (const end of ['.gz.tmp', '.gz']) symlinkSync(foreign, join(directory, `kimi-20261101-000000-001.log${end}`));
    const log = openTestLog({ directory });
    await log.close();
    expect(readFileSync(foreign, 'utf8')).toBe('whole\n');
    expect(readLines(directory)).toEqual(['a line']);
  });

  test('F2 as the active file it is refused, at the start, while the log is written and at the exit', async () => {
    const directory = makeFolder();
    const foreign = join(makeFolder(), 'foreign');
    writeFileSync(foreign, 'whole\nnot whole');
    const link = () => symlinkSync(foreign, join(directory, 'kimi.log'));
    link();
    const problems: LogProblem[] = [];
    const first = openTestLog({ directory, onProblem: (problem) => problems.push(problem) });
    first.write('a line');
    await first.close();
    first.flushSync();
    expect(problems[0]?.message).toContain('is a link, which a log does not follow; remove it');

    rmSync(join(directory, 'kimi.log'));
    const second = openTestLog({ directory });
    second.write('a line');
    await second.flush();
    rmSync(join(directory, 'kimi.log'));
    link();
    second.write('a line at the exit');
    second.flushSync();
    second.write('another line');
    await second.flush();
    await expect(repairTruncatedLine(join(directory, 'kimi.log'))).rejects.toThrow('ELOOP');
    expect(readFileSync(foreign, 'utf8')).toBe('whole\nnot whole');
    expect(second.status().dropped).toBe(2);
  });
});

test.runIf(process.platform !== 'win32')('F2 a pipe in place of the log is refused, and holds up nothing', async () => {
  const directory = makeFolder();
  const makePipe = () => execFileSync('mkfifo', [join(directory, 'kimi.log')]);
  makePipe();
  const problems: LogProblem[] = [];
  const first = openTestLog({ directory, onProblem: (problem) => problems.push(problem) });
  first.write('a line');
  await first.close();
  expect(problems[0]?.message).toContain('not a file');
  expect(first.status()).toMatchObject({ written: 0, dropped: 1 });

  rmSync(join(directory, 'kimi.log'));
  const second = openTestLog({ directory });
  second.write('a line');
  await second.flush();
  rmSync(join(directory, 'kimi.log'));
  makePipe();
  second.write('a line at the exit');
  second.flushSync();
  await second.close();
  expect(second.status()).toMatchObject({ written: 1, dropped: 1 });
});
