import { searchChoices } from '../../providers/searchApis.ts';
import {
  baseUrl,
  choice,
  duration,
  host,
  hostList,
  integer,
  number,
  proxyAddress,
  secret,
  size,
  text,
  tokens,
} from '../parsers.ts';
import { type FieldsOf, type SettingRow, setting, type ValueOf } from './setting.ts';
import { telemetrySettings } from './telemetrySettings.ts';

/** Every setting of an env file, in the order of docs/ENVIRONMENT.md, which is generated from this table. A new one is one entry here. */
const settingsTable = {
  PROVIDER: setting(text, {
    otherwise: 'guessed from OPENAI_BASE_URL; `openai` when only OPENAI_API_KEY is given',
    about: 'Which provider this instance is for: the name of a preset (docs/PROVIDERS.md), or `custom`.',
    aliases: ['PREFERRED_PROVIDER'],
    namesElsewhere: ['MODEL_PROVIDER', 'LLM_PROVIDER'],
    choosesServer: true,
    environment: { unless: ['PROVIDER', 'OPENAI_BASE_URL'] },
  }),
  PROTOCOL: setting(choice('chat', 'responses', 'anthropic'), {
    otherwise: 'the preset’s; at `openai`, `azure` and `xai` chosen for each model',
    about:
      'What is spoken to the provider: `chat` translates to OpenAI’s chat completions, `responses` to OpenAI’s Responses API, `anthropic` hands everything on unchanged to a provider with a Messages API of its own.',
    choosesServer: true,
    environment: 'never',
    ownProviderOnly: true,
  }),
  REGION: setting(text, {
    about: 'Chooses another address of the provider where it has one: `cn` for China. Keys belong to one region.',
    choosesServer: true,
    environment: 'never',
    ownProviderOnly: true,
  }),
  OPENAI_API_KEY: setting(secret, {
    about:
      'The provider’s key. The provider’s own names for it (docs/PROVIDERS.md) work too and go first. Empty: the key that Claude Code sends goes to the provider.',
    secret: true,
    environment: { unless: ['OPENAI_API_KEY'] },
    ownProviderOnly: true,
  }),
  OPENAI_BASE_URL: setting(baseUrl, {
    otherwise: 'the provider’s',
    about:
      'Address of the provider’s API; `/chat/completions` or `/responses` is appended, with PROTOCOL=anthropic `/v1/messages`. Of a known provider the bare host is enough.',
    namesElsewhere: ['OPENAI_API_BASE', 'OPENAI_API_URL', 'OPENAI_ENDPOINT', 'BASE_URL', 'API_BASE'],
    choosesServer: true,
    environment: { unless: ['OPENAI_BASE_URL', 'PROVIDER', 'REGION'] },
    ownProviderOnly: true,
  }),
  API_VERSION: setting(text, {
    about:
      'Version of the API, for a provider with dated ones (docs/PROVIDERS.md says which); the model then stands in the path.',
    aliases: ['AZURE_API_VERSION'],
    ownProviderOnly: true,
  }),
  BIG_MODEL: setting(text, {
    otherwise: 'ROUTER_DEFAULT, else the provider’s',
    about:
      'Model for opus and for Claude names that nobody knows. It may be one of the models file or, as `<provider>,<model>`, of the providers file. A suffix `[1m]`, which is Claude Code’s own, is left out of every model’s name.',
    aliases: ['CLAUDE_PROXY_BIG_MODEL'],
  }),
  MIDDLE_MODEL: setting(text, {
    otherwise: 'BIG_MODEL where that is set, else the provider’s',
    about: 'Model for sonnet.',
    aliases: ['CLAUDE_PROXY_MIDDLE_MODEL'],
  }),
  SMALL_MODEL: setting(text, {
    otherwise: 'ROUTER_BACKGROUND, else the provider’s, else MIDDLE_MODEL',
    about: 'Model for haiku: titles, summaries and other work in the background.',
    aliases: ['CLAUDE_PROXY_SMALL_MODEL'],
  }),
  ROUTER_DEFAULT: setting(text, {
    otherwise: 'the tier’s model',
    about:
      'Model for whatever no other line of the router is for. A target of the router is a model of the first provider, `custom/<id>` of the models file, or `<provider>,<model>` of the providers file. A model that the user names goes before the router.',
    route: 'default',
  }),
  ROUTER_BACKGROUND: setting(text, {
    about: 'Model for work in the background and for whatever else asks for haiku.',
    route: 'background',
  }),
  ROUTER_THINK: setting(text, { about: 'Model for requests with thinking.', route: 'think' }),
  ROUTER_LONG_CONTEXT: setting(text, {
    about: 'Model for requests of LONG_CONTEXT_THRESHOLD tokens and more.',
    route: 'longContext',
  }),
  LONG_CONTEXT_THRESHOLD: setting(tokens, {
    fallback: '128k',
    about: 'Estimated tokens of input from which on ROUTER_LONG_CONTEXT is asked.',
    field: 'longContextThreshold',
  }),
  ROUTER_IMAGE: setting(text, {
    about: 'Model for requests with images, where the one that is due sees none.',
    route: 'image',
  }),
  VISION_MODEL: setting(text, {
    otherwise: 'none: such a picture becomes a line of text that says so',
    about:
      'Model that describes pictures to models that cannot see them (docs/VISION.md): the description takes the picture’s place, and the conversation stays with its model. A model of the first provider, `custom/<id>` of the models file, or `<provider>,<model>` of the providers file; with VISION_URL the model that is asked for there.',
    environment: 'never',
  }),
  VISION_URL: setting(baseUrl, {
    about:
      'Address of another instance, or of any server with a Messages API, that describes the pictures in place of a provider of this instance.',
    choosesServer: true,
    environment: 'never',
  }),
  VISION_TOKEN: setting(secret, {
    about: 'Token or key that the server of VISION_URL asks for. Nothing else is ever sent there as a key.',
    secret: true,
    environment: 'never',
  }),
  VISION_TIMEOUT: setting(duration('seconds', 1, 3600), {
    fallback: '120',
    about: 'Seconds until the description of a picture must be complete, its one repetition included.',
    field: 'visionTimeoutMs',
  }),
  ROUTER_SUBAGENT: setting(text, { about: 'Model for the requests of subagents.', route: 'subagent' }),
  ROUTER_WEB_SEARCH: setting(text, { about: 'Model for Claude Code’s searches of the web.', route: 'webSearch' }),
  WEB_SEARCH: setting(choice(...searchChoices), {
    otherwise: 'QUIRK_WEB_SEARCH decides',
    about:
      'Who searches the web when Claude Code asks for it (docs/SEARCH.md): a search API that this proxy asks, `provider` for the provider’s own search, or `off`. Without it an honest failure is answered, unless the provider searches by itself.',
    environment: 'never',
  }),
  SEARCH_API_KEY: setting(secret, {
    otherwise: 'the provider’s key, where WEB_SEARCH names its own search API',
    about: 'Key of the search API.',
    secret: true,
    environment: 'never',
  }),
  SEARCH_URL: setting(baseUrl, {
    otherwise: 'that of the search API; SearXNG has none',
    about: 'Address of the search API: of the server, or in full.',
    mayBeInFile: true,
    environment: 'never',
  }),
  SEARCH_COST: setting(number(0, 100), {
    otherwise: 'that of the search API (docs/SEARCH.md)',
    about: 'What a search costs, in US dollars, for `./manage usage`.',
    environment: 'never',
  }),
  MODELS_FILE: setting(text, {
    otherwise: '`models.yaml`, `models.yml`, `models.json` or `custom_models.yaml` beside the env file',
    about:
      'File of further models with addresses, keys and settings of their own, in YAML or JSON, which the keys above may name (docs/ENVIRONMENT.md); relative to the folder in which it is started (under PM2 the project).',
    aliases: ['CUSTOM_MODELS_FILE'],
  }),
  PROVIDERS_FILE: setting(text, {
    otherwise: '`config/providers.json` or `providers.json` beside the env file',
    about:
      'File of several providers behind this one instance, in JSON or YAML (docs/ENVIRONMENT.md); relative to the folder in which it is started (under PM2 the project).',
  }),
  PRICES_FILE: setting(text, {
    about:
      'File with prices of your own, which go before the built-in ones, in YAML or JSON (docs/ENVIRONMENT.md); relative to the folder in which it is started (under PM2 the project).',
  }),
  HOOKS_FILE: setting(text, {
    about:
      'JavaScript file with functions of yours that see each request and each answer and may change them (docs/HOOKS.md); relative to the folder in which it is started (under PM2 the project).',
  }),
  CLIENT_TOKENS_FILE: setting(text, {
    about: 'YAML or JSON file of clients with tokens and limits of their own (docs/TEAM.md); ./manage token writes it.',
  }),
  HOST: setting(host, {
    fallback: '127.0.0.1',
    about:
      'Address on which the instance listens. Anything but this machine itself (loopback) needs ANTHROPIC_API_KEY with at least 24 characters.',
    aliases: ['CLAUDE_PROXY_HOST'],
    field: 'host',
    needsRestart: true,
  }),
  PORT: setting(integer(1, 65_535), {
    otherwise: 'the provider’s (docs/PROVIDERS.md), else 8080',
    about: 'Port on which the instance listens. Each instance needs its own.',
    aliases: ['CLAUDE_PROXY_PORT'],
    field: 'port',
    needsRestart: true,
  }),
  ANTHROPIC_API_KEY: setting(secret, {
    otherwise: 'none: any local client may call',
    about:
      'The token that clients must present, as ANTHROPIC_AUTH_TOKEN or ANTHROPIC_API_KEY of theirs. Not taken from the process’s environment, where it is Claude Code’s own key; CLAUDE_PROXY_AUTH_KEY is.',
    aliases: ['CLAUDE_PROXY_AUTH_KEY'],
    secret: true,
    environment: 'never',
  }),
  ALLOWED_HOSTS: setting(hostList, {
    fallback: '',
    about: 'Further host names by which clients may call, separated by commas; loopback names always may.',
    field: 'allowedHosts',
  }),
  ALLOW_LINK_LOCAL: setting(choice('on', 'off'), {
    fallback: 'off',
    about:
      'Whether a provider may be at a link-local address (169.254.…, fe80:…), where clouds give their machines their credentials.',
  }),
  MAX_TOKENS_LIMIT: setting(tokens, {
    otherwise: 'the model’s own limit',
    about: 'Most output tokens asked of the provider, whatever the client wishes.',
    aliases: ['CLAUDE_PROXY_MAX_TOKENS_LIMIT'],
    field: 'limits.maxTokens',
  }),
  MIN_TOKENS_LIMIT: setting(tokens, {
    about: 'Fewest output tokens asked of the provider.',
    aliases: ['CLAUDE_PROXY_MIN_TOKENS_LIMIT'],
    field: 'limits.minTokens',
  }),
  MAX_BODY_BYTES: setting(size(65_536), {
    fallback: '64M',
    about: 'Largest request that is accepted.',
    field: 'limits.maxBodyBytes',
    needsRestart: true,
  }),
  REQUEST_TIMEOUT: setting(duration('seconds', 1, 86_400), {
    fallback: '600',
    about:
      'Seconds until the provider’s answer must have begun. Long, because a model that thinks before its first token may be silent for minutes, while the client is kept waiting by pings; where another provider can be asked, FALLBACK_SECONDS limits that silence. An answer that has begun has no total limit.',
    aliases: ['CLAUDE_PROXY_REQUEST_TIMEOUT'],
    field: 'requestTimeoutMs',
  }),
  MAX_RETRIES: setting(integer(0, 20), {
    fallback: '2',
    about:
      'How often a failed request is repeated before the client gets the error. Nothing is repeated once the answer began.',
    field: 'maxRetries',
  }),
  MAX_ATTEMPTS: setting(integer(1, 100), {
    fallback: '8',
    about:
      'Most requests to providers for one request of the client, over all models, keys and providers that are tried in turn.',
    field: 'budget.attempts',
  }),
  FALLBACK_SECONDS: setting(duration('seconds', 0, 86_400), {
    fallback: '120',
    about:
      'Time after which a failed request is not handed to a further model, key or provider any more. As long as another provider can be asked, one that sends nothing of a streamed answer is waited for up to its timeout if that leaves time for the other, else for half of the time that is left.',
    field: 'budget.timeMs',
  }),
  BREAKER_FAILURES: setting(integer(1, 1000), {
    fallback: '5',
    about: 'So many failures within BREAKER_WINDOW keep requests away from a provider for BREAKER_SECONDS.',
    field: 'breaker.failures',
  }),
  BREAKER_WINDOW: setting(duration('seconds', 1, 86_400), {
    fallback: '30',
    about: 'Time within which failures count together.',
    field: 'breaker.windowMs',
  }),
  BREAKER_SECONDS: setting(duration('seconds', 1, 86_400), {
    fallback: '10',
    about:
      'How long a provider that failed so is left alone; then one request tries it. At most a second for a server on this machine that is the only one.',
    field: 'breaker.openMs',
  }),
  MAX_CONCURRENT: setting(integer(0, 100_000), {
    fallback: '0',
    about:
      'How many requests the provider gets at the same time; the others wait, and the client is kept waiting by pings. Coding plans often allow few. 0: no limit.',
    field: 'concurrency.places',
  }),
  MAX_QUEUE: setting(integer(0, 100_000), {
    fallback: '100',
    about:
      'How many requests may wait behind MAX_CONCURRENT; one more is refused at once and asked to come back later (529).',
    field: 'concurrency.queueLength',
  }),
  HTTPS_PROXY: setting(proxyAddress, {
    about:
      'Proxy between this machine and a provider with an https:// address, where the network needs one. One with a password belongs here, not into the shell: under PM2 such a one is not passed on.',
    aliases: ['https_proxy'],
    field: 'networkProxy.httpsProxy',
  }),
  HTTP_PROXY: setting(proxyAddress, {
    about: 'The same for a provider with an http:// address.',
    aliases: ['http_proxy'],
    field: 'networkProxy.httpProxy',
  }),
  NO_PROXY: setting(text, {
    about: 'Hosts that are reached without the proxy, separated by commas. This machine always is.',
    aliases: ['no_proxy'],
    field: 'networkProxy.noProxy',
  }),
  CA_FILE: setting(text, {
    about:
      'File with certificates of authorities, in PEM, that providers’ servers are trusted by in addition to the usual ones: of a company whose network opens TLS, or of a server of your own (docs/COMPANY-NETWORK.md); relative to the folder in which it is started (under PM2 the project).',
    namesElsewhere: ['NODE_EXTRA_CA_CERTS', 'SSL_CERT_FILE', 'REQUESTS_CA_BUNDLE', 'CURL_CA_BUNDLE', 'CA_BUNDLE'],
    environment: 'never',
  }),
  SYSTEM_CA: setting(choice('on', 'off'), {
    fallback: 'off',
    about:
      'Whether providers’ servers are also trusted by the authorities that this machine trusts, among which a company puts its own. On Linux SSL_CERT_FILE and SSL_CERT_DIR say where they are, if not at the usual place.',
    namesElsewhere: ['NODE_USE_SYSTEM_CA'],
    environment: 'never',
  }),
  ...telemetrySettings,
  PERMISSION_MODEL: setting(choice('on', 'off'), {
    fallback: 'on',
    about:
      'Whether the process may only do what it has to: use the network, read its configuration and hooks, write its logs and state, and start no other program (docs/SECURITY.md). Not under Windows.',
    field: 'permissionModel',
    needsRestart: true,
  }),
  DRAIN_SECONDS: setting(duration('seconds', 0, 3600), {
    fallback: '30',
    about: 'How long running answers may go on after a stop.',
    field: 'drainMs',
    needsRestart: true,
    shown: { line: 'drain' },
  }),
} as const;

type SettingsTable = typeof settingsTable;
export type SettingName = keyof SettingsTable;
export const settingNames = Object.keys(settingsTable) as SettingName[];

/** The row of a setting, without the type of its value. */
export function settingRow(name: SettingName): SettingRow<unknown> {
  return settingsTable[name] as SettingRow<unknown>;
}

/** The checked values of one env file. */
export type SettingValues = { readonly [Name in SettingName]: ValueOf<SettingsTable[Name]> };

/** The part of the configuration that takes its settings over as they are. */
export type SettingFields = FieldsOf<SettingsTable>;

type RoutedRow = Extract<SettingsTable[SettingName], { readonly route: string }>;
/** What a request is, for which ROUTER_* may name a model of its own. */
export type RouteName = RoutedRow['route'];

/** The settings of the router by the names that routing knows. */
export const routerSettings: readonly (readonly [SettingName, RouteName])[] = settingNames.flatMap((name) => {
  const { route } = settingRow(name);
  return route === undefined ? [] : [[name, route as RouteName] as const];
});
