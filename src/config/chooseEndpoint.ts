import type { Preset } from '../providers/preset.ts';
import type { Report, Written } from './report.ts';

/**
 * Full address of chat completions or, at a native endpoint, of messages; `{model}` in it stands for the model's name. A provider
 * with paths of its own takes its address in every form that is in use: bare, or with any of these paths.
 */
export function chooseEndpoint(
  baseUrl: string,
  preset: Preset | undefined,
  version: Written | undefined,
  report: Report,
): string {
  const endpoints = preset?.endpoints;
  if (version !== undefined && preset !== undefined && endpoints === undefined)
    report.warning(version, `a version, of which ${preset.name} has none`, 'Remove it.');
  if (preset?.protocol === 'anthropic') return `${baseUrl.replace(/\/v1(?:\/messages)?$/, '')}/v1/messages`;
  if (endpoints === undefined) return `${baseUrl}/chat/completions`;
  const path =
    version === undefined
      ? endpoints.plain
      : endpoints.versioned.replace('{version}', encodeURIComponent(version.value));
  const url = URL.parse(baseUrl);
  const before = url?.pathname.split(endpoints.root)[0]?.replace(/\/$/, '') ?? '';
  return `${url?.origin ?? ''}${before}${path}`;
}
