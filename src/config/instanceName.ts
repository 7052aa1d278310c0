import { basename, dirname } from 'node:path';

function clean(name: string): string {
  return name
    .toLowerCase()
    .replaceAll(/[^a-z0-9._-]+/g, '-')
    .replaceAll(/-{2,}/g, '-')
    .replaceAll(/^[.-]+|[.-]+$/g, '');
}

/**
 * Name of the instance of an env file: `work.env`, `.env-work` and `.env.work` -> work; `.env` -> its folder.
 * Lower-case letters, digits and `._-`, never two dashes in a row, which part instance and model in the model list.
 */
export function instanceName(file: string): string {
  const name = basename(file);
  const own = clean(name.replace(/^\.?env\b/i, '').replace(/\.env$/i, ''));
  return own || clean(basename(dirname(file))) || 'default';
}
