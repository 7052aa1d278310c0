import { createDiagnostics } from '../../config/diagnostics.ts';
import { type ParsedDocument, type Path, parseDocumentText } from '../../config/files/document.ts';
import { asNumber, asString, isObject, type Json, type JsonObject } from '../../core/json.ts';
import { findPreset, guessPreset } from '../../providers/index.ts';
import type { Preset } from '../../providers/preset.ts';
import { envLine } from '../envs/envFiles.ts';
import { Failure } from '../exitCodes.ts';
import { type Assignment, type ImportPlan, type UnsupportedSetting, whyUnsupported } from './envFile.ts';

/** What a config.json of claude-code-router is to become. */
export interface RouterImport {
  readonly source: string;
  readonly text: string;
  /** Paths of the new env file and its providers file, relative to the project. */
  readonly path: string;
  readonly providersFile: string;
  readonly port: number;
}

/**
 * One instance with all the providers of a config.json of claude-code-router.
 * @throws Failure when the text is no such file, or names no provider.
 */
export function importRouter({ source, text, path, providersFile, port }: RouterImport): ImportPlan {
  const document = readRouterFile(text);
  if (document === undefined) throw new Failure(`${source} is no config.json of claude-code-router`);
  const { config, field } = document;
  const unsupported: UnsupportedSetting[] = [];
  const report = (at: Path, setting: string, reason: string) =>
    void unsupported.push({ source, line: document.lineOf(at), setting, reason });

  const providers = readProviders(document, path, report);
  if (providers.length === 0) throw new Failure(`${source} names no provider with models`);
  if (providers.length > 1) {
    const reason = 'different here: when one fails, the next is asked; "enabled": false in the new file takes one out';
    report([field], field, reason);
  }
  const router = isObject(config['Router']) ? config['Router'] : {};
  const routes = readRoutes(router, providers, (name, reason) => report(['Router', name], `Router.${name}`, reason));
  const settings = readSettings(config, (name, reason) => report([name], name, reason));

  const keys = new Map(providers.map(({ variable }) => [variable.name, variable.value]));
  const lines = [...keys, ...routes.settings, ...settings].map(([name, value]) => envLine(name, value));
  const env = [`# Made from ${source}`, `PORT=${port}`, envLine('PROVIDERS_FILE', providersFile), ...lines];
  const file = { providers: orderProviders(providers, routes) };
  return {
    files: [
      { path: providersFile, source, text: `${JSON.stringify(file, undefined, 2)}\n` },
      { path, source, text: `${env.join('\n')}\n` },
    ],
    unsupported,
  };
}

/** The entries of the providers file, that of the default route first. */
function orderProviders(providers: readonly RouterProvider[], { big, small }: RouterRoutes): JsonObject[] {
  const isFirst = ({ name }: RouterProvider) => name === big?.provider;
  const ordered = [...providers.filter(isFirst), ...providers.filter((provider) => !isFirst(provider))];
  return ordered.map(({ name, entry, models }, index) => {
    const main = (big?.provider === name ? big.model : models[0]) ?? '';
    const background = small?.provider === name ? small.model : main;
    return { ...entry, priority: index + 1, models: { big: [main], middle: [main], small: [background] } };
  });
}

interface RouterDocument {
  readonly config: JsonObject;
  /** The field that lists the providers; it is written in two ways. */
  readonly field: 'Providers' | 'providers';
  readonly lineOf: ParsedDocument['lineOf'];
}

/** Reads a config.json of claude-code-router (version 2, as its README describes it); undefined for another text. */
function readRouterFile(text: string): RouterDocument | undefined {
  const document = parseDocumentText(withoutComments(text), createDiagnostics(''));
  if (document === undefined || !isObject(document.value)) return undefined;
  const { value: config, lineOf } = document;
  const field = config['Providers'] === undefined ? 'providers' : 'Providers';
  return Array.isArray(config[field]) && isObject(config['Router']) ? { config, field, lineOf } : undefined;
}

export function isRouterFile(text: string): boolean {
  return readRouterFile(text) !== undefined;
}

/** The port of claude-code-router where its file names none. */
const USUAL_PORT = 3456;

export function routerPort(text: string): number {
  return asNumber(Number(readRouterFile(text)?.config['PORT'] ?? Number.NaN)) ?? USUAL_PORT;
}

/** A text in double or single quotes, or a comment of either kind. */
const STRING_OR_COMMENT = /"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|\/\/[^\n]*|\/\*[\s\S]*?\*\//g;

/** JSON with comments, as JSON5 has them, without them; every line keeps its number. */
export function withoutComments(text: string): string {
  return text.replaceAll(STRING_OR_COMMENT, (found) => (/^["']/.test(found) ? found : found.replaceAll(/[^\n]/g, ' ')));
}

function readProviders(
  { config, field }: RouterDocument,
  path: string,
  report: (at: Path, setting: string, reason: string) => void,
): readonly RouterProvider[] {
  const items = config[field];
  return (Array.isArray(items) ? items : []).flatMap((item, index) => {
    const provider = readRouterProvider(item);
    if (provider === undefined) {
      report([field, index], `${field}[${index}]`, 'a provider without a name or without models');
      return [];
    }
    const { name, variable, unsupported } = provider;
    for (const reason of unsupported) report([field, index, 'transformer'], name, reason);
    if (variable.value === '')
      report([field, index, 'api_key'], name, `put the key into ${path}: ${variable.name}=...`);
    return provider;
  });
}

/** A provider of claude-code-router as one of a providers file. */
export interface RouterProvider {
  readonly name: string;
  readonly models: readonly string[];
  /** Its entry in the providers file, without models and priority. */
  readonly entry: JsonObject;
  /** A line for the env file: its key, or the variable that is to hold it. */
  readonly variable: { readonly name: string; readonly value: string };
  /** What could not be carried over. */
  readonly unsupported: readonly string[];
}

const CHAT = /\/+chat\/completions\/*$/;
const MESSAGES = /(?:\/+v1)?\/+messages\/*$/;

/** Reads an entry of Providers; undefined when it has no name or no models. */
export function readRouterProvider(item: Json | undefined): RouterProvider | undefined {
  if (!isObject(item)) return undefined;
  const name = asString(item['name'])?.trim();
  const models = Array.isArray(item['models']) ? item['models'].filter((model) => typeof model === 'string') : [];
  if (!name || models.length === 0) return undefined;

  const { preset: behavesLike, isNative, maxOutput, unsupported } = readTransformers(item['transformer']);
  const address = braceReferences(asString(item['api_base_url'])?.trim() ?? '');
  const guessed = guessPreset(address);
  const isKnown = guessed.hosts.length > 0;
  const isChat = CHAT.test(address);
  const isMessages = isNative === true || MESSAGES.test(address);
  // A known provider’s own protocol at this address is none of ours; its preset knows the right one.
  const isForeign = isKnown && !isChat && !isMessages && guessed.baseUrl !== '';
  const preset = isKnown ? guessed : behavesLike;
  const key = keyOf(name, asString(item['api_key'])?.trim() ?? '');
  return {
    name,
    models,
    entry: {
      name,
      ...(preset === undefined ? {} : { preset: preset.name }),
      ...(isMessages && preset?.protocol !== 'anthropic' ? { protocol: 'anthropic' } : {}),
      ...(isForeign ? {} : { base_url: address.replace(isMessages ? MESSAGES : CHAT, '') }),
      api_key: `\${${key.name}}`,
      ...(maxOutput === undefined ? {} : { quirks: { max_output: maxOutput } }),
    },
    variable: key,
    unsupported,
  };
}

/** The variable that holds the key: the one that is referred to, else one of the provider’s name with the key itself. */
function keyOf(provider: string, written: string): RouterProvider['variable'] {
  const reference = /^\$\{(\w+)\}$/.exec(braceReferences(written))?.[1];
  if (reference !== undefined) return { name: reference, value: '' };
  const word = provider.toUpperCase().replaceAll(/\W+/g, '_');
  return { name: `${/^\d/.test(word) ? '_' : ''}${word}_API_KEY`, value: written };
}

/** `$NAME` and `${NAME}`, which are the same there, as `${NAME}`. */
export function braceReferences(text: string): string {
  return text.replaceAll(
    /\$(?:\{([A-Za-z_]\w*)\}|([A-Za-z_]\w*))/g,
    (_reference, one = '', other = '') => `\${${one}${other}}`,
  );
}

/** A transformer of claude-code-router: its name, and its options where it has some. */
interface TransformerUse {
  readonly name: string;
  readonly options: Json | undefined;
}

/** What the transformers of a provider mean here. */
export interface TransformerMeaning {
  /** The provider that the server behaves like. */
  readonly preset?: Preset;
  readonly isNative?: true;
  /** In tokens. */
  readonly maxOutput?: number;
  /** Sentences on what could not be carried over. */
  readonly unsupported: readonly string[];
}

/** What the proxy does by itself. */
const BUILT_IN = new Set(['reasoning', 'enhancetool', 'cleancache', 'streamoptions', 'forcereasoning']);

const LIMITS = new Set(['maxtoken', 'maxcompletiontokens']);

/** Understands the transformers of a provider; those of single models only, as far as they need nothing. */
export function readTransformers(transformer: Json | undefined): TransformerMeaning {
  const general = readUses(transformer).map(meaningOf);
  const models = isObject(transformer) ? Object.keys(transformer).filter((name) => name !== 'use') : [];
  const single = models.flatMap((model) => {
    const uses = readUses(isObject(transformer) ? transformer[model] : undefined);
    const needed = uses.filter(({ name }) => !BUILT_IN.has(name.toLowerCase()));
    return needed.map(({ name }) => `transformer ${name} of ${model}: quirks hold for all models of a provider`);
  });
  return Object.assign({}, ...general, {
    unsupported: [...general.flatMap(({ unsupported }) => unsupported), ...single],
  });
}

function meaningOf({ name, options }: TransformerUse): TransformerMeaning {
  const lower = name.toLowerCase();
  const limit = asNumber(isObject(options) ? options['max_tokens'] : undefined);
  if (lower === 'anthropic') return { isNative: true, unsupported: [] };
  if (LIMITS.has(lower) && limit !== undefined) return { maxOutput: limit, unsupported: [] };
  if (BUILT_IN.has(lower)) return { unsupported: [] };
  const preset = findPreset(lower);
  if (preset === undefined)
    return { unsupported: [`transformer ${name}: no counterpart; quirks may do it (docs/ENVIRONMENT.md)`] };
  const unsupported =
    options === undefined ? [] : [`options of transformer ${name}: set extra_body among the quirks instead`];
  return { preset, unsupported };
}

function readUses(transformer: Json | undefined): readonly TransformerUse[] {
  const list = isObject(transformer) && Array.isArray(transformer['use']) ? transformer['use'] : [];
  return list.flatMap((entry): TransformerUse[] => {
    const [name, options] = Array.isArray(entry) ? entry : [entry];
    return typeof name === 'string' ? [{ name, options }] : [];
  });
}

/** A model of a provider. */
export interface RouterTarget {
  readonly provider: string;
  readonly model: string;
}

/** The routes of claude-code-router by what they become here. */
export interface RouterRoutes {
  readonly big: RouterTarget | undefined;
  readonly small: RouterTarget | undefined;
  /** Lines of the env file. */
  readonly settings: readonly (readonly [key: string, value: string])[];
}

/** The routes that are settings here; `default` and `background` become the models of the tiers. */
const ROUTE_SETTINGS: Readonly<Record<string, string>> = {
  think: 'ROUTER_THINK',
  longContext: 'ROUTER_LONG_CONTEXT',
  webSearch: 'ROUTER_WEB_SEARCH',
  image: 'ROUTER_IMAGE',
};

const KNOWN_ROUTES = new Set(['default', 'background', 'longContextThreshold', ...Object.keys(ROUTE_SETTINGS)]);

/** From so many tokens on it asks its longContext model, where the file does not say. */
const USUAL_THRESHOLD = 60_000;

/** @param report Takes what could not be carried over of a route, by its name. */
export function readRoutes(
  router: JsonObject,
  providers: readonly RouterProvider[],
  report: (route: string, reason: string) => void,
): RouterRoutes {
  const readTarget = (route: string): RouterTarget | undefined => {
    const written = asString(router[route]) ?? '';
    if (written === '') return undefined;
    const [provider = '', ...rest] = written.split(',');
    const model = rest.join(',');
    if (model !== '' && providers.some(({ name }) => name === provider)) return { provider, model };
    report(route, `"${written}" names none of the providers`);
    return undefined;
  };
  const text = ({ provider, model }: RouterTarget) => `${provider},${model}`;

  const big = readTarget('default');
  const small = readTarget('background') ?? big;
  const routed = Object.entries(ROUTE_SETTINGS).flatMap(([route, key]) => {
    const target = readTarget(route);
    return target === undefined ? [] : [[key, text(target)] as const];
  });
  const threshold = asNumber(router['longContextThreshold']) ?? USUAL_THRESHOLD;
  for (const name of Object.keys(router)) if (!KNOWN_ROUTES.has(name)) report(name, 'means nothing here');
  return {
    big,
    small,
    settings: [
      ...(big === undefined ? [] : [['BIG_MODEL', text(big)] as const, ['MIDDLE_MODEL', text(big)] as const]),
      ...(small === undefined ? [] : [['SMALL_MODEL', text(small)] as const]),
      ...routed,
      ...(routed.some(([key]) => key === ROUTE_SETTINGS['longContext'])
        ? [['LONG_CONTEXT_THRESHOLD', String(threshold)] as const]
        : []),
    ],
  };
}

/** Fields that are read elsewhere, or need no counterpart. */
const KNOWN_SECTIONS = new Set([
  'Providers',
  'providers',
  'Router',
  'PORT',
  'LOG',
  'NON_INTERACTIVE_MODE',
  'CLAUDE_PATH',
]);

/** What the other fields are called here. */
const SETTING_NAMES: Readonly<Record<string, string>> = {
  HOST: 'HOST',
  APIKEY: 'ANTHROPIC_API_KEY',
  PROXY_URL: 'HTTPS_PROXY',
  API_TIMEOUT_MS: 'REQUEST_TIMEOUT',
  LOG_LEVEL: 'LOG_LEVEL',
};

const REASONS: Readonly<Record<string, string>> = {
  CUSTOM_ROUTER_PATH: 'routes are settings here (ROUTER_*), not scripts',
  transformers: 'plug-ins have no counterpart; quirks may do it (docs/ENVIRONMENT.md)',
};

/**
 * The fields of a config.json of claude-code-router that are settings of the instance, as lines of its env file.
 * @param report Takes what could not be carried over of a field, by its name.
 */
export function readSettings(
  config: JsonObject,
  report: (field: string, reason: string) => void,
): readonly (readonly [key: string, value: string])[] {
  const settings: (Assignment & { readonly field: string })[] = [];
  for (const [field, written] of Object.entries(config)) {
    const key = SETTING_NAMES[field];
    if (key !== undefined) {
      const value = braceReferences(asString(written) ?? String(written ?? '')).trim();
      const isMilliseconds = field === 'API_TIMEOUT_MS';
      if (value !== '') settings.push({ key, value: isMilliseconds ? seconds(value) : value, line: 0, field });
    } else if (!KNOWN_SECTIONS.has(field)) report(field, REASONS[field] ?? 'means nothing here');
  }
  if (config['LOG'] === false)
    report('LOG', 'one line without text per request is always kept; LOG_RETENTION_DAYS says how long');
  return settings.flatMap((setting) => {
    const reason = whyUnsupported(setting, settings);
    if (reason === undefined) return [[setting.key, setting.value] as const];
    report(setting.field, reason);
    return [];
  });
}

function seconds(milliseconds: string): string {
  return String(Math.max(1, Math.round(Number(milliseconds) / 1000)));
}
