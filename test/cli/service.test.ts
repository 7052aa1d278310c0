import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createProject, type TemporaryProject } from './temporaryProject.ts';

/**
 * Stand-ins for what belongs to the machine: `systemctl` knows a service when PM2 has been asked to make it, and `env`, with which the
 * command that needs root's rights begins, only writes down what it was to run.
 */
const fakePrograms = {
  systemctl: '#!/bin/sh\n[ -e "$0.enabled" ] && echo enabled || echo disabled\n',
  sudo: '#!/bin/sh\nexec "$@"\n',
  env: `#!/bin/sh
here=\${0%/*}
echo "$@" >> "$here/asked"
case "$*" in
  *' startup '*) : > "$here/systemctl.enabled" ;;
  *' unstartup '*) rm "$here/systemctl.enabled" ;;
esac
`,
};

let project: TemporaryProject;
let folder: string;
let environment: Record<string, string>;
beforeAll(async () => {
  project = await createProject();
  await project.addInstance('demo');
  folder = join(dirname(project.root), 'bin');
  await mkdir(folder);
  for (const [name, text] of Object.entries(fakePrograms)) await writeFile(join(folder, name), text, { mode: 0o755 });
  environment = { PATH: `${folder}:/bin`, USER: 'somebody' };
});
afterAll(() => project.dispose());

const service = (...words: string[]) => project.manage(['service', ...words], environment);
const savedList = () => readFile(join(project.pm2Home, 'dump.pm2'), 'utf8').catch(() => undefined);
const asked = () => readFile(join(folder, 'asked'), 'utf8').catch(() => '');

// One story, in order.
test('without an init system it is said what is missing, and what to do instead', async () => {
  const { code, stderr } = await project.manage(['service', 'install', '--yes'], { PATH: dirname(folder) });
  expect(code).toBe(1);
  expect(stderr).toContain('none of systemctl, update-rc.d, ');
  expect(stderr).toContain(`${join(project.root, 'manage')} start all`);
});

test('with nothing running there is nothing to install', async () => {
  const { code, stderr } = await service('install', '--yes');
  expect(code).toBe(1);
  expect(stderr).toContain('nothing runs under PM2; start what shall come back');
});

test('--dry-run shows each command and does none; without a yes nothing is done either', async () => {
  await project.manage(['start', 'demo']);
  const shown = await service('install', '--dry-run');
  expect(shown.code).toBe(0);
  expect(shown.stdout).toContain('Write down what PM2 runs now (demo)');
  expect(shown.stdout).toContain('Let systemd start PM2 with that list when the machine starts, as somebody');
  expect(shown.stdout).toMatch(
    new RegExp(` env PATH=\\S+ PM2_HOME=${project.pm2Home} .* startup systemd -u somebody$`, 'm'),
  );
  expect((await service('install')).code).toBe(2);
  expect([await savedList(), await asked()]).toEqual([undefined, '']);
});

test('install saves the list and asks for the service; status says so', async () => {
  const before = await service('status');
  expect(before.stdout).toContain('service  pm2-somebody of systemd is not enabled');
  expect((await service('install', '--yes')).code).toBe(0);
  expect(JSON.parse((await savedList()) ?? '').map(({ name }: { name: string }) => name)).toEqual(['demo']);
  expect(await asked()).toContain('startup systemd -u somebody');
  const { stdout } = await service('status', '--json');
  expect(JSON.parse(stdout)).toEqual({
    schema: 1,
    init_system: 'systemd',
    name: 'pm2-somebody',
    user: 'somebody',
    enabled: true,
    saved: 'demo',
    running: 'demo',
    is_current: true,
  });
});

test('status says when something else runs than was saved', async () => {
  await project.manage(['stop', 'demo']);
  const { stdout, stderr } = await service('status');
  expect(stdout).toMatch(/^saved {4}demo$/m);
  expect(stdout).toMatch(/^running {2}nothing$/m);
  expect(stderr).toContain('./manage service install saves it anew');
});

test('after a restart of the machine, which is a resurrect, the saved instance serves', async () => {
  await project.pm2(['kill']);
  await project.pm2(['resurrect']);
  await expect.poll(async () => (await project.status())[0]?.state, { timeout: 20_000 }).toBe('serving');
});

test('uninstall takes the service back', async () => {
  const { code, stdout } = await service('uninstall', '--yes');
  expect(code).toBe(0);
  expect(stdout).toContain('this stops PM2 and all that it runs');
  expect(await asked()).toContain('unstartup systemd -u somebody');
  expect((await service('status')).stdout).toContain('is not enabled');
});

test('a failing command is reported', async () => {
  await writeFile(join(folder, 'env'), '#!/bin/sh\nexit 7\n', { mode: 0o755 });
  const { code, stderr } = await service('uninstall', '--yes');
  expect(code).toBe(1);
  expect(stderr).toContain('unstartup systemd -u somebody" failed (exit status 7)');
});
