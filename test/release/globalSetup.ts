import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { run } from '../cli/temporaryProject.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Where the images of this run are, so that the second file of tests that needs them finds them built. */
    imageFolder: string;
  }
}

/** A folder for images, which goes with the run. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), 'ccp-image-'));
  project.provide('imageFolder', folder);
  return async () => {
    // Podman leaves its storage mounted upon itself, perhaps more than once.
    const unmount = () =>
      run('umount', [join(folder, 'root', 'overlay')], tmpdir(), process.env as Record<string, string>);
    while ((await unmount()).code === 0);
    await rm(folder, { recursive: true, force: true });
  };
}
