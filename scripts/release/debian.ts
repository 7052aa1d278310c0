import { execFile } from 'node:child_process';
import { chmod, cp, mkdir, mkdtemp, readdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { LICENCES, type Manifest, makeMainPackage } from './npmPackages.ts';

const run = promisify(execFile);

const NAME = 'claude-code-proxy';

/** Where the program is. */
const LIBRARY = `usr/lib/${NAME}`;
/** The folder in which instances run, which looks like a checkout (decision 0031). */
const HOME = `var/lib/${NAME}`;
const CONFIGURATION = `etc/${NAME}`;
const DOCUMENTS = `usr/share/doc/${NAME}`;

/** What all files of a release are made of. */
export interface Release {
  readonly root: string;
  /** The folder in which they are made. */
  readonly output: string;
  readonly version: string;
  /** The time that all files bear. */
  readonly time: Date;
  /** The text of the licences of what is bundled. */
  readonly licences: string;
}

/** debian/control of the binary package. The libraries are those that Node's own executable names. */
function control(version: string, architecture: string, kilobytes: number): string {
  return `Package: ${NAME}
Version: ${version}
Architecture: ${architecture}
Maintainer: ${NAME} <${NAME}@localhost>
Installed-Size: ${kilobytes}
Depends: libc6 (>= 2.28), libgcc-s1, libstdc++6 (>= 8), libatomic1, passwd, systemd
Section: net
Priority: optional
Description: runs Claude Code on any model provider
 A proxy that speaks Anthropic's Messages API to Claude Code and the API of
 another provider upstream. systemd runs one instance for each env file in
 /etc/${NAME}: claude-code-proxy@NAME.
 .
 It brings its own Node.js and needs nothing else.
`;
}

/** The file that Debian asks for, in its machine-readable form. */
function copyright(licence: string): string {
  const lines = licence.trim().split('\n');
  return `Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: ${NAME}
Comment: Node.js and the libraries in the executable are under the licences
 in ${LICENCES}.gz beside this file.

Files: *
Copyright: the authors of ${NAME}
License: Expat
${lines.map((line) => ` ${line === '' ? '.' : line}`).join('\n')}
`;
}

/** A changelog in Debian's form, which leads to ours. */
function changelog(version: string, time: Date): string {
  const date = time.toUTCString().replace('GMT', '+0000');
  return `${NAME} (${version}) unstable; urgency=medium\n\n  * See CHANGELOG.md.gz.\n\n -- ${NAME} <${NAME}@localhost>  ${date}\n`;
}

const MANUAL = `.TH CLAUDE-CODE-PROXY 1
.SH NAME
claude-code-proxy, ccp \\- runs Claude Code on any model provider
.SH SYNOPSIS
.B claude-code-proxy
.RI \\-\\-env " FILE"
.br
.B ccp
.I COMMAND
.SH DESCRIPTION
systemd runs an instance for each env file /etc/claude-code-proxy/NAME.env as claude-code-proxy@NAME.
.B ccp
looks after them: ccp status, ccp logs, ccp usage, ccp doctor; ccp help lists all.
.SH FILES
/etc/claude-code-proxy, /var/log/claude-code-proxy, /var/lib/claude-code-proxy/state
.SH SEE ALSO
.BR systemctl (1),
/usr/share/doc/claude-code-proxy/INSTALL.md.gz
`;

/** Lays out the home, in which the manager and the instances find everything as in a checkout. Only systemd's folders in it are written. */
async function layOutHome(home: string, library: string): Promise<void> {
  await mkdir(home, { recursive: true });
  const links = { dist: `/${LIBRARY}/dist`, bin: `/${LIBRARY}/bin`, scripts: `/${LIBRARY}/scripts` };
  const folders = { envs: `/${CONFIGURATION}`, logs: `/var/log/${NAME}` };
  for (const [name, target] of Object.entries({ ...links, ...folders })) await symlink(target, join(home, name));
  for (const name of ['package.json', 'ecosystem.config.cjs']) await cp(join(library, name), join(home, name));
}

/** What is run. */
const PROGRAMS = ['usr/bin/ccp', `${LIBRARY}/dist/${NAME}`, 'DEBIAN/postinst', 'DEBIAN/prerm', 'DEBIAN/postrm'];

/** Gives folders and files the rights that Debian expects. */
async function setModes(tree: string, folder = tree): Promise<void> {
  await chmod(folder, 0o755);
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) await setModes(tree, path);
    else if (entry.isFile()) await chmod(path, PROGRAMS.includes(relative(tree, path)) ? 0o755 : 0o644);
  }
}

/** All that is installed, below `tree`. */
async function layOut({ root, version, licences, time }: Release, tree: string, executable: string): Promise<void> {
  const sources = join(root, 'deploy', 'debian');
  const manifest: Manifest = { ...JSON.parse(await readFile(join(root, 'package.json'), 'utf8')), version };
  const library = join(tree, LIBRARY);
  await makeMainPackage(root, library, manifest);
  // Run by the executable, and by no Node of Debian's.
  const starter = join(library, 'bin', `${NAME}.cjs`);
  await writeFile(starter, (await readFile(starter, 'utf8')).replace(/^#!.*\n/, ''));
  await writeFile(join(library, 'package.json'), `${JSON.stringify({ name: NAME, version }, undefined, 2)}\n`);
  await cp(join(executable, NAME), join(library, 'dist', NAME));
  await cp(join(executable, 'build.json'), join(library, 'dist', 'build.json'));
  const home = { root: `/${HOME}`, envs: `/${CONFIGURATION}`, logs: `/var/log/${NAME}` };
  await writeFile(join(library, 'home.json'), `${JSON.stringify(home)}\n`);
  await layOutHome(join(tree, HOME), library);
  await mkdir(join(tree, CONFIGURATION), { recursive: true });

  const documents = join(tree, DOCUMENTS);
  await mkdir(documents, { recursive: true });
  await rename(join(library, 'envs'), join(documents, 'examples'));
  for (const name of ['README.md', 'CHANGELOG.md']) await rename(join(library, name), join(documents, name));
  await writeFile(
    join(documents, 'CHANGELOG.md.gz'),
    gzipSync(await readFile(join(documents, 'CHANGELOG.md')), { level: 9 }),
  );
  await rm(join(documents, 'CHANGELOG.md'));
  await writeFile(join(documents, 'changelog.gz'), gzipSync(changelog(version, time), { level: 9 }));
  await writeFile(join(documents, `${LICENCES}.gz`), gzipSync(licences, { level: 9 }));
  await rm(join(library, 'LICENSE'));
  await writeFile(join(documents, 'copyright'), copyright(await readFile(join(root, 'LICENSE'), 'utf8')));
  const manuals = join(tree, 'usr/share/man/man1');
  await mkdir(manuals, { recursive: true });
  for (const name of [NAME, 'ccp']) await writeFile(join(manuals, `${name}.1.gz`), gzipSync(MANUAL, { level: 9 }));

  const files = {
    ccp: 'usr/bin/ccp',
    [`${NAME}@.service`]: `lib/systemd/system/${NAME}@.service`,
    'sysusers.conf': `usr/lib/sysusers.d/${NAME}.conf`,
    'lintian-overrides': `usr/share/lintian/overrides/${NAME}`,
    postinst: 'DEBIAN/postinst',
    prerm: 'DEBIAN/prerm',
    postrm: 'DEBIAN/postrm',
  };
  for (const [name, place] of Object.entries(files)) {
    await mkdir(dirname(join(tree, place)), { recursive: true });
    await cp(join(sources, name), join(tree, place));
  }
  await symlink(`../lib/${NAME}/dist/${NAME}`, join(tree, 'usr/bin', NAME));
}

/**
 * Makes the package for Debian and what is made of it, by dpkg-deb.
 * @param architecture in Debian's words
 * @param executable the folder with it
 * @returns its path; undefined where dpkg-deb is missing
 * @throws when a step fails
 */
export async function makeDebianPackage(
  release: Release,
  architecture: string,
  executable: string,
): Promise<string | undefined> {
  const isThere = await run('dpkg-deb', ['--version']).then(
    () => true,
    () => false,
  );
  if (!isThere) return undefined;
  const { output, version, time } = release;
  const work = await mkdtemp(join(output, 'new-'));
  try {
    const tree = join(work, 'tree');
    await layOut(release, tree, executable);
    const { stdout } = await run('du', ['-sk', '--apparent-size', tree]);
    await writeFile(join(tree, 'DEBIAN', 'control'), control(version, architecture, Number.parseInt(stdout, 10)));
    await setModes(tree);
    const archive = join(output, `${NAME}_${version}_${architecture}.deb`);
    // For its times dpkg-deb takes that of the environment, for all that is newer.
    const seconds = Math.floor(time.getTime() / 1000);
    const words = [
      `SOURCE_DATE_EPOCH=${seconds}`,
      'dpkg-deb',
      '--root-owner-group',
      '-Zxz',
      '-z1',
      '--build',
      tree,
      archive,
    ];
    await run('env', words);
    return archive;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}
