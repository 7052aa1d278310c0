import type { ProvidersFile } from './readProvidersFile.ts';

/** Tells that nothing in the file can be used, unless an error says already why. */
export function reportNoProvider({ file, entries, report }: ProvidersFile): void {
  if (file === undefined || report.problems.some(({ severity }) => severity === 'error')) return;
  report.error(
    { key: 'providers' },
    entries.length === 0 ? 'no provider' : 'no provider that can be used',
    'Enable one and set the variables that it needs, or name a provider with PROVIDER in the env file.',
  );
}
