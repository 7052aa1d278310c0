import type { Config, CustomModel, Problem, ProviderKey } from './config.ts';

const KEY_SOURCES: Record<ProviderKey['source'], string> = {
  file: 'in the env file',
  environment: 'from the environment',
  'secret file': 'from the file it names',
  client: 'passed through from the client',
  none: 'none needed',
};

function describeKey({ source, variable, secret }: ProviderKey): string {
  return secret === undefined ? KEY_SOURCES[source] : `${variable} ${KEY_SOURCES[source]}, ${secret.masked}`;
}

function describeModel({ name, model, provider }: CustomModel): string {
  return `${name}: ${model} at ${provider.baseUrl || provider.preset.name}, key ${describeKey(provider.key)}`;
}

function duration(milliseconds: number): string {
  const seconds = milliseconds / 1000;
  return seconds >= 86_400 ? `${Number((seconds / 86_400).toFixed(2))} days` : `${seconds} s`;
}

function size(bytes: number): string {
  const power = Math.min(3, Math.floor(Math.log(bytes) / Math.log(1024)));
  return `${Number((bytes / 1024 ** power).toFixed(1))}${['', 'K', 'M', 'G'][power]}`;
}

/** The effective configuration for people, one line per subject, secrets masked. */
export function describeConfig(config: Config): readonly string[] {
  const { provider, tiers, limits, logs } = config;
  const host = config.host.includes(':') ? `[${config.host}]` : config.host;
  const headers = Object.keys(provider.headers);
  const overrides = Object.keys(provider.overrides);
  const rows: [string, string][] = [
    ['instance', `${config.instance} (${config.file})`],
    ['listens on', `http://${host}:${config.port}`],
    ['client token', config.clientToken?.masked ?? 'none'],
    ['provider', [provider.preset.name, provider.baseUrl].filter((part) => part !== '').join(', ')],
    ['provider key', describeKey(provider.key)],
    ['models', `big ${tiers.big}, middle ${tiers.middle}, small ${tiers.small}`],
    ...[...config.customModels.values()].map((model): [string, string] => ['model', describeModel(model)]),
    ...(config.modelsFile === undefined ? [] : [['models file', config.modelsFile] as [string, string]]),
    ['output tokens', `${limits.minTokens ?? 1} to ${limits.maxTokens ?? 'the model’s own limit'}`],
    [
      'request',
      `at most ${size(limits.maxBodyBytes)}; answer within ${duration(config.requestTimeoutMs)}, ${config.maxRetries} retries`,
    ],
    [
      'concurrency',
      config.concurrency.places === 0
        ? 'any number of requests'
        : `${config.concurrency.places} requests, ${config.concurrency.queueLength} more may wait`,
    ],
    [
      'logs',
      `${logs.directory}, level ${logs.level}, rotated at ${size(logs.maxSizeBytes)}, kept ${duration(logs.retentionMs)}, together at most ${size(logs.maxTotalBytes)}`,
    ],
    ['state', config.stateDirectory],
    ['drain', duration(config.drainMs)],
    ...(config.allowedHosts.length > 0 ? [['further hosts', config.allowedHosts.join(', ')] as [string, string]] : []),
    ...(headers.length > 0 ? [['custom headers', headers.join(', ')] as [string, string]] : []),
    ...(overrides.length > 0 ? [['quirks set', overrides.join(', ')] as [string, string]] : []),
    ['hash', config.hash],
  ];
  return rows.map(([name, value]) => `${name.padEnd(15)}${value}`);
}

const ANSI_STYLES = { bold: 1, error: 31, warning: 33 };

/** Problems for people, two lines each: where and what was found, then how to mend it. */
export function formatProblems(problems: readonly Problem[], { color = false }: { color?: boolean } = {}): string {
  const paint = (style: keyof typeof ANSI_STYLES, text: string) =>
    color ? `\u001b[${ANSI_STYLES[style]}m${text}\u001b[0m` : text;
  return problems
    .map(({ file, line, key, found, fix, severity }) => {
      const place = paint('bold', line === undefined ? file : `${file}:${line}`);
      const word = paint(severity, severity);
      return `${place}  ${key}  ${word}: found ${found}\n    -> ${fix}`;
    })
    .join('\n');
}
