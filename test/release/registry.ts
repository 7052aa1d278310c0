import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { basename } from 'node:path';

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

/** A registry of npm's on this machine that has the packages of this project, as once they are published. */
export interface Registry {
  readonly address: string;
  /** Adds a version by its manifest and tarball, and makes it the latest. */
  publish(manifest: Manifest, tarball: string): void;
  close(): void;
}

/** The manifest of a platform's package of which there is no tarball here. */
function manifestOfPlatform(name: string, version: string): object {
  const [os, cpu] = name.split('-').slice(-2);
  return { name, version, os: [os], cpu: [cpu] };
}

/** @param upstream the registry with all other packages, to which npm is sent on */
export async function startRegistry(upstream: string): Promise<Registry> {
  const versions = new Map<string, Map<string, object>>();
  const tarballs = new Map<string, string>();
  const server = createServer((request, response) => {
    const path = decodeURIComponent(new URL(request.url ?? '/', 'http://localhost').pathname.slice(1));
    const tarball = tarballs.get(basename(path));
    const own = versions.get(path);
    if (tarball !== undefined) response.end(readFileSync(tarball));
    else if (own !== undefined) {
      response.setHeader('content-type', 'application/json');
      response.end(
        JSON.stringify({
          name: path,
          'dist-tags': { latest: [...own.keys()].at(-1) },
          versions: Object.fromEntries(own),
        }),
      );
    } else response.writeHead(307, { location: new URL(path.replace('/', '%2f'), upstream).href }).end();
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;

  function add(name: string, version: string, manifest: object, file: string, integrity: string): void {
    const dist = { tarball: `${address}-/${file}`, integrity };
    const known = versions.get(name) ?? new Map<string, object>();
    versions.set(name, known.set(version, { ...manifest, dist }));
  }

  return {
    address,
    publish: (manifest, tarball) => {
      const { name, version } = manifest;
      const integrity = `sha512-${createHash('sha512').update(readFileSync(tarball)).digest('base64')}`;
      tarballs.set(basename(tarball), tarball);
      for (const platform of Object.keys(manifest.optionalDependencies ?? {})) {
        if (!versions.get(platform)?.has(version))
          add(platform, version, manifestOfPlatform(platform, version), 'none.tgz', integrity);
      }
      add(name, version, manifest, basename(tarball), integrity);
    },
    close: () => void server.close(),
  };
}
