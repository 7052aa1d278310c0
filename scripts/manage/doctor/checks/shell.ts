import { type Finding, ok, warn } from '../finding.ts';
import type { Subject } from '../subject.ts';
import { instanceAt, leadingNames } from './claudeSettings.ts';

const CHECK = 'shell';
const BASE_URL = 'ANTHROPIC_BASE_URL';

/** Whether variables of this shell lead `claude` elsewhere, or contradict each other. */
export function checkShell({ environment, all }: Subject): Finding[] {
  const names = leadingNames(environment);
  const target = instanceAt(environment[BASE_URL], all);
  const others = names.filter(
    (name) => name.startsWith('CLAUDE_CODE_USE_') || (name === BASE_URL && target === undefined),
  );
  const findings = [
    ...others.map((name) => warn(CHECK, `${name} leads claude elsewhere`, { remedy: `unset ${name}` })),
    ...(names.includes('ANTHROPIC_API_KEY') && names.includes('ANTHROPIC_AUTH_TOKEN')
      ? [
          warn(CHECK, 'both ANTHROPIC_API_KEY and ANTHROPIC_AUTH_TOKEN are set, which claude warns of', {
            remedy: 'unset ANTHROPIC_API_KEY',
          }),
        ]
      : []),
    ...checkNetworkProxy(environment),
  ];
  if (findings.length > 0) return findings;
  return [ok(CHECK, target === undefined ? 'nothing leads claude elsewhere' : `${BASE_URL} leads claude to ${target}`)];
}

/** Claude Code asks a network proxy for addresses of this machine too, unless it is told not to. */
function checkNetworkProxy(environment: Subject['environment']): Finding[] {
  const name = ['http_proxy', 'HTTP_PROXY', 'https_proxy', 'HTTPS_PROXY'].find((candidate) => environment[candidate]);
  const exceptions = (environment['no_proxy'] || environment['NO_PROXY'] || '').split(/[\s,]+/);
  if (name === undefined || exceptions.some((host) => ['*', '127.0.0.1', '127.0.0.0/8'].includes(host))) return [];
  return [
    warn(CHECK, `${name} is set and NO_PROXY does not except 127.0.0.1, so that claude does not reach the instances`, {
      remedy: 'export NO_PROXY="127.0.0.1,localhost${NO_PROXY:+,$NO_PROXY}", or use ./manage run NAME',
    }),
  ];
}
