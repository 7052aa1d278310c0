import { existsSync } from 'node:fs';
import { chmod, chown, copyFile, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createProject, run, type StatusRow, type TemporaryProject } from './temporaryProject.ts';

/** Each test calls the manager a dozen times. */
const SLOW = { timeout: 120_000 };

const binary = resolve(import.meta.dirname, '..', '..', 'dist', 'claude-code-proxy');

interface App {
  readonly name: string;
  readonly pid: number;
  readonly pm2_env: { readonly namespace: string; readonly pm_cwd: string; readonly pm_exec_path: string };
}

async function appsOf(project: TemporaryProject): Promise<App[]> {
  return JSON.parse((await project.pm2(['jlist'])).stdout);
}

async function statusOf(project: TemporaryProject, name: string): Promise<StatusRow | undefined> {
  return (await project.status()).find((row) => row.name === name);
}

async function ok(project: TemporaryProject, ...words: string[]) {
  const finished = await project.manage(words);
  expect(finished.code, `${words.join(' ')}: ${finished.stderr}`).toBe(0);
  return finished;
}

describe('two checkouts side by side', SLOW, () => {
  let first: TemporaryProject;
  let second: TemporaryProject;
  beforeAll(async () => {
    first = await createProject({ binary, folder: 'proxy' });
    second = await createProject({ binary, folder: 'My Work', beside: first });
    for (const project of [first, second]) await project.addInstance('demo');
  });
  afterAll(async () => {
    await second.manage(['stop', 'all']);
    await first.dispose();
  });

  // One story, in order.
  test('M23 the second one starts beside the first, under a name and in a namespace of its own', async () => {
    await ok(first, 'start', 'all');
    expect((await ok(second, 'start', 'all')).stderr).toMatch(/^demo up on/m);
    const apps = await appsOf(first);
    expect(apps.map(({ name, pm2_env: { namespace } }) => [name, namespace])).toEqual([
      ['demo', 'claude-code-proxy'],
      ['demo@my-work', 'claude-code-proxy@my-work'],
    ]);
    for (const project of [first, second]) {
      expect(await project.status()).toMatchObject([
        { name: 'demo', state: 'serving', supervised: true, remark: null },
      ]);
    }
  });

  test('reload, restart, more processes and stop of one leave the other alone', async () => {
    const before = await statusOf(first, 'demo');
    await ok(second, 'reload', 'demo', '--force');
    await ok(second, 'restart', 'demo');
    await ok(second, 'start', 'demo', '--instances', '2');
    expect((await appsOf(first)).map(({ name }) => name)).toEqual(['demo', 'demo@my-work', 'demo@my-work']);
    const doctor = await second.manage(['doctor']);
    expect(doctor.stdout).toContain(`also runs what is not of this checkout: demo (another checkout, ${first.root})`);
    const file = join(second.root, 'envs', 'demo.env');
    await rename(file, `${file}.away`);
    expect(await second.status(), 'M1 without its env file it is one row').toMatchObject([{ name: 'demo' }]);
    await ok(second, 'stop', 'demo');
    await rename(`${file}.away`, file);
    expect((await statusOf(first, 'demo'))?.pid).toBe(before?.pid);
    expect((await appsOf(first)).map(({ name }) => name)).toEqual(['demo']);
  });

  test('pm2 kill of one asks before it ends the other, and names it', async () => {
    await ok(first, 'start', 'demo');
    for (const words of [['kill'], ['delete', 'all']]) {
      const { code, stderr } = await second.manage(['pm2', ...words]);
      expect(stderr).toContain(`too: demo (another checkout, ${first.root})`);
      expect(stderr).toContain(`./manage pm2 ${words.join(' ')} --yes`);
      expect(code).toBe(2);
    }
    expect((await appsOf(first)).map(({ name }) => name)).toEqual(['demo']);
  });

  test('plain pm2 uses the names of its checkout, too', async () => {
    const before = await statusOf(first, 'demo');
    await second.pm2(['start', 'ecosystem.config.cjs']);
    await expect.poll(async () => (await statusOf(second, 'demo'))?.state, { timeout: 20_000 }).toBe('serving');
    expect((await statusOf(first, 'demo'))?.pid).toBe(before?.pid);
    await ok(second, 'stop', 'all');
  });

  test('what runs under its plain name, as before, goes on and is reloaded under it', async () => {
    // The first has run before there were suffixes; now it is given one, as the name is taken for what it starts from now on.
    await ok(second, 'start', 'demo');
    await writeFile(join(first.root, 'state', 'pm2.json'), '{"nameSuffix":"@proxy"}\n');
    const before = await statusOf(first, 'demo');
    expect(before).toMatchObject({ state: 'serving', supervised: true });
    await ok(first, 'reload', 'demo', '--force');
    const after = await statusOf(first, 'demo');
    expect(after).toMatchObject({ state: 'serving', supervised: true });
    expect(after?.pid).not.toBe(before?.pid);
    expect((await appsOf(first)).map(({ name }) => name)).toEqual(['demo@my-work', 'demo']);
    await ok(first, 'restart', 'demo');
    expect((await appsOf(first)).map(({ name }) => name)).toEqual(['demo@my-work', 'demo@proxy']);
  });

  test('pm2 kill --yes ends both without a question', async () => {
    await ok(second, 'pm2', 'kill', '--yes');
    for (const project of [first, second])
      expect(await project.status()).toMatchObject([{ name: 'demo', state: 'not started' }]);
  });
});

describe('a checkout that is moved while it runs', SLOW, () => {
  let project: TemporaryProject;
  let moved: TemporaryProject;
  beforeEach(async () => {
    project = await createProject({ binary, folder: 'before' });
    await project.addInstance('demo');
    await ok(project, 'start', 'demo');
    const root = join(dirname(project.root), 'after');
    await rename(project.root, root);
    const manager = join(root, 'scripts', 'manage.ts');
    const environment = { PATH: process.env['PATH'] ?? '', HOME: project.home, PM2_HOME: project.pm2Home };
    const manage: TemporaryProject['manage'] = (words) => run(process.execPath, [manager, ...words], root, environment);
    const status = async () => JSON.parse((await manage(['status', '--json'])).stdout).instances;
    const pm2: TemporaryProject['pm2'] = (words) =>
      run(process.execPath, [join(root, 'node_modules/pm2/bin/pm2'), ...words], root, environment);
    moved = { ...project, root, manage, status, pm2 };
  });
  afterEach(async () => {
    await moved.manage(['stop', 'all']);
    await moved.pm2(['kill']);
    await rm(dirname(project.root), { recursive: true, force: true });
  });

  test('M22 status says so, start takes it over, and then all is as before', async () => {
    await moved.pm2(['save']);
    const before = await statusOf(moved, 'demo');
    expect(before).toMatchObject({ state: 'moved', supervised: true });
    expect(before?.remark).toBe(
      `demo: runs from ${project.root}, where this checkout no longer is; take it over with: ./manage start demo`,
    );
    const { stderr } = await ok(moved, 'start', 'demo');
    expect(stderr).toContain(`demo: taking it over from ${project.root}`);
    expect(stderr).toContain(
      `no longer there: ${project.root}/dist/claude-code-proxy; then save it anew: ./manage service install`,
    );
    expect((await moved.manage(['doctor'])).stdout).toMatch(
      /^warn {2}PM2 .* no longer there: .*\n.*-> \.\/manage service install$/m,
    );
    const after = await statusOf(moved, 'demo');
    expect(after).toMatchObject({ state: 'serving', supervised: true, port: before?.port, remark: null });
    expect(after?.pid).not.toBe(before?.pid);
  });

  test('M22 a reload takes it over, too', async () => {
    expect((await ok(moved, 'reload', 'demo')).stderr).toContain('demo: the checkout was moved');
    expect(await statusOf(moved, 'demo')).toMatchObject({ state: 'serving', supervised: true });
  });

  test('M22 stop ends it', async () => {
    expect((await ok(moved, 'stop', 'demo')).stderr).toContain('demo stopped');
    expect(await statusOf(moved, 'demo')).toMatchObject({ state: 'not started' });
    expect(await appsOf(moved)).toEqual([]);
  });
});

/** Any user but root, by number; every system has this one. */
const NOBODY = 65_534;
const hasUsers = process.getuid?.() === 0 && existsSync('/usr/bin/setpriv');

/** These need root, who alone can be two users. */
describe.skipIf(!hasUsers)('users', SLOW, () => {
  let project: TemporaryProject;
  let base: string;
  beforeEach(async () => {
    project = await createProject();
    base = dirname(project.root);
    await chmod(base, 0o755);
    await project.addInstance('demo');
    await mkdir(join(base, 'home'));
    await chown(join(base, 'home'), NOBODY, NOBODY);
  });
  afterEach(async () => {
    await asNobody('stop', 'all');
    if (existsSync(join(base, 'home', '.pm2'))) await asNobody('pm2', 'kill');
    await project.dispose();
  });

  const asUser = (program: readonly string[]) => {
    const environment = { PATH: process.env['PATH'] ?? '', HOME: join(base, 'home') };
    const user = [`--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups'];
    return run('/usr/bin/setpriv', [...user, ...program], project.root, environment);
  };
  const asNobody = (...words: string[]) =>
    asUser([process.execPath, join(project.root, 'scripts', 'manage.ts'), ...words]);

  test('M21 a checkout of another user is refused in a sentence, by every command that writes there', async () => {
    await mkdir(join(project.root, 'state'));
    const sentence = `this checkout (${project.root}) belongs to root, and you may not write there; clone your own`;
    for (const words of [
      ['start', 'demo'],
      ['stop', 'demo'],
      ['init', 'demo', '--as', 'other'],
      ['run', 'demo'],
    ]) {
      const { code, stderr } = await asNobody(...words);
      expect(code, words.join(' ')).not.toBe(0);
      if (words[0] !== 'run') expect(stderr, words.join(' ')).toContain(sentence);
      expect(stderr).not.toContain('EACCES');
    }
    const launcher = join(project.root, 'manage');
    await copyFile(resolve(import.meta.dirname, '..', '..', 'manage'), launcher);
    const fresh = await asUser([launcher, 'start', 'demo']);
    expect(fresh.stderr).toContain(`manage: ${sentence}`);
    const { code, stdout } = await asNobody('doctor');
    expect(code).toBe(1);
    expect(stdout).toMatch(/^fail {2}folders /m);
    expect(stdout).toContain(sentence);
  });

  test('M20 a checkout on a read-only file system is refused in a sentence, and doctor names it', async () => {
    await mkdir(join(project.root, 'state'));
    const readOnly = `mount --bind "$0" "$0" && mount -o remount,ro,bind "$0" && cd "$0" && exec "$@"`;
    const manage = (...words: string[]) => {
      const program = [process.execPath, join(project.root, 'scripts', 'manage.ts'), ...words];
      const environment = { PATH: process.env['PATH'] ?? '', HOME: project.home };
      return run('unshare', ['--mount', 'sh', '-c', readOnly, project.root, ...program], base, environment);
    };
    const start = await manage('start', 'demo');
    expect(start.code).toBe(1);
    expect(start.stderr).toBe(
      `${project.root} is read-only (its file system is mounted so), and ./manage keeps env files, logs and state there; clone it to a folder that you may write to\n`,
    );
    const doctor = await manage('doctor');
    expect(doctor.code).toBe(1);
    expect(doctor.stdout).toContain(`${project.root} is read-only`);
  });

  test('M35 root leaves an instance of another user and his PM2 alone, and says whose they are', async () => {
    await run('chown', ['-R', `${NOBODY}:${NOBODY}`, base], base, { PATH: process.env['PATH'] ?? '' });
    const lock = join(project.root, 'state', 'manage.lock');
    await asNobody('stop', 'all');
    await chown(lock, 0, 0); // as after a call by sudo
    expect((await asNobody('start', 'demo')).stderr).toContain(`${lock} belongs to root, and you may not use it`);
    await rm(lock);
    const started = await asNobody('start', 'demo');
    expect(started.code, started.stderr).toBe(0);
    const before = await statusOf(project, 'demo');
    expect(before?.remark).toBe('demo: is run by nobody, whose own PM2 knows it; only nobody can manage it');
    for (const command of ['stop', 'restart', 'start', 'reload', 'remove --yes']) {
      const { code, stderr } = await project.manage([...command.split(' '), 'demo']);
      expect(code, command).toBe(1);
      expect(stderr, command).toContain(
        'demo is run by nobody, and only nobody can manage it (as root: sudo -H -u nobody',
      );
    }
    const other = await project.manage(['stop', 'demo'], { PM2_HOME: join(base, 'home', '.pm2') });
    expect(other.code).toBe(1);
    expect(other.stderr).toContain(
      `PM2's folder ${join(base, 'home', '.pm2')} is nobody's, and only nobody can manage`,
    );
    const after = JSON.parse((await asNobody('status', '--json')).stdout).instances[0];
    expect(after).toMatchObject({ pid: before?.pid, state: 'serving', supervised: true });
  });
});
