import { createReport } from '../../../src/config/diagnostics.ts';
import { type ParsedDocument, type Path, parseDocumentText } from '../../../src/config/files/document.ts';
import { asNumber, isObject, type JsonObject } from '../../../src/core/json.ts';
import { Failure } from '../exitCodes.ts';
import { envLine } from '../setUp/envValue.ts';
import type { Move, Remark } from './move.ts';
import { type RouterProvider, readRouterProvider } from './routerProvider.ts';
import { type RouterRoutes, readRoutes } from './routerRoutes.ts';
import { readSettings } from './routerSettings.ts';
import { withoutComments } from './withoutComments.ts';

/** What a config.json of claude-code-router is to become. */
export interface RouterMove {
  readonly source: string;
  readonly text: string;
  /** Paths of the new env file and its providers file, relative to the project. */
  readonly path: string;
  readonly providersFile: string;
  readonly port: number;
}

interface RouterDocument {
  readonly config: JsonObject;
  /** The field that lists the providers; it is written in two ways. */
  readonly field: 'Providers' | 'providers';
  readonly lineOf: ParsedDocument['lineOf'];
}

/** Reads a config.json of claude-code-router (version 2, as its README describes it); undefined for another text. */
function readRouterFile(text: string): RouterDocument | undefined {
  const document = parseDocumentText(withoutComments(text), createReport(''));
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

/**
 * One instance with all the providers of a config.json of claude-code-router.
 * @throws Failure when the text is no such file, or names no provider.
 */
export function moveRouter({ source, text, path, providersFile, port }: RouterMove): Move {
  const document = readRouterFile(text);
  if (document === undefined) throw new Failure(`${source} is no config.json of claude-code-router`);
  const { config, field } = document;
  const remarks: Remark[] = [];
  const tell = (at: Path, setting: string, reason: string) =>
    void remarks.push({ source, line: document.lineOf(at), setting, reason });

  const providers = readProviders(document, path, tell);
  if (providers.length === 0) throw new Failure(`${source} names no provider with models`);
  if (providers.length > 1) {
    const reason = 'different here: when one fails, the next is asked; "enabled": false in the new file takes one out';
    tell([field], field, reason);
  }
  const router = isObject(config['Router']) ? config['Router'] : {};
  const routes = readRoutes(router, providers, (name, reason) => tell(['Router', name], `Router.${name}`, reason));
  const settings = readSettings(config, (name, reason) => tell([name], name, reason));

  const keys = new Map(providers.map(({ variable }) => [variable.name, variable.value]));
  const lines = [...keys, ...routes.settings, ...settings].map(([name, value]) => envLine(name, value));
  const env = [`# Made from ${source}`, `PORT=${port}`, envLine('PROVIDERS_FILE', providersFile), ...lines];
  const file = { providers: orderProviders(providers, routes) };
  return {
    files: [
      { path: providersFile, source, text: `${JSON.stringify(file, undefined, 2)}\n` },
      { path, source, text: `${env.join('\n')}\n` },
    ],
    remarks,
  };
}

function readProviders(
  { config, field }: RouterDocument,
  path: string,
  tell: (at: Path, setting: string, reason: string) => void,
): readonly RouterProvider[] {
  const items = config[field];
  return (Array.isArray(items) ? items : []).flatMap((item, index) => {
    const provider = readRouterProvider(item);
    if (provider === undefined) {
      tell([field, index], `${field}[${index}]`, 'a provider without a name or without models');
      return [];
    }
    const { name, variable, left } = provider;
    for (const reason of left) tell([field, index, 'transformer'], name, reason);
    if (variable.value === '') tell([field, index, 'api_key'], name, `put the key into ${path}: ${variable.name}=...`);
    return provider;
  });
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
