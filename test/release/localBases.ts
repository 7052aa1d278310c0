import { execFile } from 'node:child_process';
import { existsSync, lstatSync, realpathSync } from 'node:fs';
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/**
 * The base images of deploy/Dockerfile, made of packages that are installed on this machine, which has to be a Debian: what a registry
 * has under their names cannot be had in a test. The packages are those that the real ones consist of.
 */
const packages = {
  // What gcr.io/distroless/base-nossl-debian13 lists, of the Debian that this machine is.
  runtime: ['base-files', 'ca-certificates', 'libc6', 'netbase', 'tzdata'],
  build: [
    ...[
      'base-files',
      'base-passwd',
      'bash',
      'binutils',
      'binutils-common',
      'binutils-x86-64-linux-gnu',
      'ca-certificates',
    ],
    ...[
      'coreutils',
      'dash',
      'findutils',
      'grep',
      'gzip',
      'libacl1',
      'libatomic1',
      'libattr1',
      'libbinutils',
      'libc-bin',
    ],
    ...['libc6', 'libctf-nobfd0', 'libctf0', 'libgcc-s1', 'libgmp10', 'libgprofng0', 'libjansson4', 'libpcre2-8-0'],
    ...['libselinux1', 'libstdc++6', 'libtinfo6', 'libzstd1', 'sed', 'tar', 'zlib1g'],
  ],
} as const;

/** The variables by which a program finds what this machine's network needs. */
const networkVariables = Object.entries(process.env).filter(([name]) =>
  /^(https?_proxy|no_proxy|NODE_EXTRA_CA_CERTS|SSL_CERT_FILE|npm_config_registry)$/i.test(name),
);

/** The files of installed packages, absolute, where they really lie (Debian lists some below links such as /lib). */
async function filesOf(names: readonly string[]): Promise<string[]> {
  const { stdout } = await run('dpkg', ['-L', ...names], { maxBuffer: 1e8 });
  const listed = new Set(stdout.split('\n').filter((path) => path.startsWith('/') && existsSync(path)));
  const paths = [...listed].filter((path) => !lstatSync(path).isDirectory());
  return paths.map((path) => join(realpathSync(dirname(path)), basename(path)));
}

/** Copies files of this machine into a folder, each to its own path. */
async function copyFiles(paths: readonly string[], folder: string): Promise<void> {
  const list = `${folder}.list`;
  await writeFile(list, paths.map((path) => path.slice(1)).join('\n'));
  const pipe = 'tar -C / -cf - --no-recursion -T "$0" | tar -xf - -C "$1"';
  await run('sh', ['-c', pipe, list, folder]);
}

/** A root folder with the files of packages, links as Debian has them, and the usual folders. */
async function makeRoot(folder: string, names: readonly string[]): Promise<void> {
  for (const name of ['bin', 'lib', 'lib64', 'sbin']) {
    await mkdir(join(folder, 'usr', name), { recursive: true });
    await symlink(`usr/${name}`, join(folder, name));
  }
  await mkdir(join(folder, 'etc', 'ssl', 'certs'), { recursive: true });
  await mkdir(join(folder, 'home', 'nonroot'), { recursive: true });
  await mkdir(join(folder, 'tmp'), { mode: 0o1777 });
  await mkdir(join(folder, 'root'));
  await copyFiles([...(await filesOf(names)), realpathSync('/etc/ssl/certs/ca-certificates.crt')], folder);
  await writeFile(
    join(folder, 'etc', 'passwd'),
    'root:x:0:0:root:/root:/bin/sh\nnonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin\n',
  );
  await writeFile(join(folder, 'etc', 'group'), 'root:x:0:\nnonroot:x:65532:\n');
}

/** Adds Node, npm, and an `apt-get` that has nothing to do, as all that is asked of it is there. */
async function addNode(folder: string): Promise<void> {
  const { stdout } = await run('sh', ['-c', 'command -v npm']);
  const npm = join(folder, 'usr', 'local', 'lib', 'node_modules', 'npm');
  const programs = join(folder, 'usr', 'local', 'bin');
  await mkdir(dirname(npm), { recursive: true });
  await mkdir(programs, { recursive: true });
  await cp(join(dirname(realpathSync(stdout.trim())), '..'), npm, { recursive: true });
  await cp(process.execPath, join(programs, 'node'));
  await symlink('../lib/node_modules/npm/bin/npm-cli.js', join(programs, 'npm'));
  await writeFile(join(folder, 'usr', 'bin', 'apt-get'), '#!/bin/sh\nexit 0\n', { mode: 0o755 });
}

/** Their names, as build arguments of deploy/Dockerfile. */
export const LOCAL_BASES = {
  BUILD_IMAGE: 'localhost/base-build',
  MANAGER_IMAGE: 'localhost/base-build',
  RUNTIME_IMAGE: 'localhost/base-runtime',
};

/**
 * Makes both images.
 * @param podman runs podman with these words
 */
export async function makeLocalBases(podman: (...words: string[]) => Promise<unknown>): Promise<void> {
  const work = await mkdtemp(join(tmpdir(), 'ccp-bases-'));
  try {
    for (const kind of ['build', 'runtime'] as const) {
      const folder = join(work, kind);
      await mkdir(folder);
      await makeRoot(folder, packages[kind]);
      if (kind === 'build') await addNode(folder);
      const archive = join(work, `${kind}.tar`);
      await run('tar', ['-cf', archive, '--owner=0', '--group=0', '-C', folder, '.']);
      const variables = kind === 'build' ? networkVariables : [];
      const changes = [['PATH', '/usr/local/bin:/usr/bin:/bin'], ...variables].map((pair) => `ENV=${pair.join('=')}`);
      await podman('import', ...changes.flatMap((change) => ['--change', change]), archive, `localhost/base-${kind}`);
    }
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}
