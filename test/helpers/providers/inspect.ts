import { isObject, type JsonObject } from '../../../src/core/json.ts';
import type { Body } from './scriptedProvider.ts';

/** A message of a request as a provider reads it: nothing is known of it beforehand. */
export type WireMessage = JsonObject & { role: string };

export const messagesOf = (body: Body): WireMessage[] => body.messages as unknown as WireMessage[];

export const list = (value: unknown): JsonObject[] => (Array.isArray(value) ? value.filter(isObject) : []);

/** All parts of array contents. */
export const partsOf = (body: Body): JsonObject[] => messagesOf(body).flatMap((message) => list(message['content']));

/** Functions of the tools. */
export const functionsOf = (body: Body): JsonObject[] =>
  list(body['tools']).flatMap((tool) => (isObject(tool['function']) ? [tool['function']] : []));

export const thinkingOf = (body: Body): JsonObject => (isObject(body['thinking']) ? body['thinking'] : {});

/** Fields of the request that are not in the list. */
export const unknownFields = (body: Body, known: readonly string[]): string[] =>
  Object.keys(body).filter((name) => !known.includes(name));

/** A problem when the condition holds. */
export const when = (condition: boolean, problem: string): string[] => (condition ? [problem] : []);

/** Addresses of images that the provider would have to load itself. */
export const linkedImages = (body: Body): string[] =>
  partsOf(body)
    .map((part) => (isObject(part['image_url']) ? String(part['image_url']['url']) : 'data:'))
    .filter((url) => !url.startsWith('data:'));

/** Every schema of a tool, its own and all below, with their paths. */
export function schemasOf(schema: JsonObject, path = '#'): { path: string; schema: JsonObject }[] {
  const below = [
    ...Object.entries(isObject(schema['properties']) ? schema['properties'] : {}),
    ...(isObject(schema['items']) ? [['items', schema['items']] as const] : []),
    ...list(schema['anyOf']).map((branch, index) => [`anyOf/${index}`, branch] as const),
  ];
  return [
    { path, schema },
    ...below.flatMap(([name, child]) => (isObject(child) ? schemasOf(child, `${path}/${name}`) : [])),
  ];
}

export const toolSchemasOf = (body: Body): { path: string; schema: JsonObject }[] =>
  functionsOf(body).flatMap((tool) => (isObject(tool['parameters']) ? schemasOf(tool['parameters']) : []));
