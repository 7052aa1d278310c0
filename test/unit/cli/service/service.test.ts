import { mkdtempSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Context } from '../../../../src/cli/command.ts';
import { describeMissing, missingExecutables, runServiceAction } from '../../../../src/cli/service/service.ts';
import type { Output } from '../../../../src/cli/terminal/output.ts';
import { sampleInstance, sampleRow } from '../supervisor/sampleInstance.ts';

let root: string;
let printed: string[];
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'service-'));
  printed = [];
  writeFileSync(join(root, 'systemctl'), '#!/bin/sh\n', { mode: 0o755 });
});
afterEach(() => rm(root, { recursive: true }));

test('without sudo --dry-run shows each step all the same, and without it is said what is missing', async () => {
  vi.spyOn(process, 'getuid').mockReturnValue(1000);
  const output = { print: (text: string) => void printed.push(text) } as Output;
  const list = async () => [sampleRow(sampleInstance('demo'))];
  const environment = { PATH: root, HOME: root, USER: 'somebody' };
  const context = { root, output, environment, pm2: { list } } as unknown as Context;
  const install = (dryRun: boolean) =>
    runServiceAction(context, {
      command: 'service',
      names: ['install'],
      rest: [],
      dryRun,
      yes: !dryRun,
      input: false,
      json: false,
    });
  expect(await install(true)).toBe(0);
  expect(printed.join('\n')).toMatch(/^ {5}sudo env PATH=.* startup systemd -u somebody$/m);
  await expect(install(false)).rejects.toThrow('sudo is not on PATH; let root run what begins with sudo above');
});

test('a folder that no file of a service can name is refused, with what to do instead', async () => {
  const environment = { PATH: root, HOME: root, USER: 'somebody' };
  const context = { root: join(root, "it's 100%"), environment, output: {} } as unknown as Context;
  const words = {
    command: 'service',
    names: ['install'],
    rest: [],
    dryRun: true,
    yes: false,
    input: false,
    json: false,
  };
  await expect(runServiceAction(context, words)).rejects.toThrow(
    `PM2 makes no service that works for a folder with "'" in its path (${root}/it's 100%); move it, or have this run by other means (cron: @reboot; a container: its own command): '${root}/it'\\''s 100%/manage' start all`,
  );
});

test('of the saved list our executables that are gone are named, nothing else', () => {
  const file = join(root, 'dump.pm2');
  expect(missingExecutables(file)).toEqual([]);
  const apps = ['/gone/dist/claude-code-proxy', '/gone/other', join(root, 'systemctl')];
  writeFileSync(file, JSON.stringify(apps.map((path) => ({ name: 'a', pm_exec_path: path }))));
  expect(missingExecutables(file)).toEqual(['/gone/dist/claude-code-proxy']);
  expect(describeMissing(missingExecutables(file))).toContain('no longer there: /gone/dist/claude-code-proxy');
  writeFileSync(file, 'no JSON');
  expect(missingExecutables(file)).toEqual([]);
});
