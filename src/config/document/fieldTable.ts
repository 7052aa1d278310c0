import type { Json, JsonObject } from '../../core/json.ts';
import type { Form } from '../parsers.ts';

/**
 * A field of a file in YAML or JSON. `docs/ENVIRONMENT.md` is generated from the tables of them.
 * - `list`: several texts of one form, or one alone.
 * - `mapping`: names of the user's own with any values; `group`: fields of a table of its own.
 * - `raw`: left as it is written, references and all, for whoever reads it further.
 */
export type FieldRow = { readonly about: string } & (
  | { readonly kind: 'scalar' | 'list'; readonly form: Form<unknown>; readonly secret?: true }
  | { readonly kind: 'mapping' }
  | { readonly kind: 'group'; readonly fields: FieldTable }
  | { readonly kind: 'raw'; readonly form: string }
);

export type FieldTable = Readonly<Record<string, FieldRow>>;

export const scalar = <T>(form: Form<T>, about: string) => ({ kind: 'scalar', form, about }) as const;
export const list = <T>(form: Form<T>, about: string) => ({ kind: 'list', form, about }) as const;
export const mapping = (about: string) => ({ kind: 'mapping', about }) as const;
export const group = <T extends FieldTable>(fields: T, about: string) => ({ kind: 'group', fields, about }) as const;
export const raw = (form: string, about: string) => ({ kind: 'raw', form, about }) as const;

type ValueOf<R> = R extends { readonly kind: 'group'; readonly fields: infer T extends FieldTable }
  ? FieldValues<T>
  : R extends { readonly kind: 'list'; readonly form: Form<infer V> }
    ? readonly V[]
    : R extends { readonly kind: 'scalar'; readonly form: Form<infer V> }
      ? V
      : R extends { readonly kind: 'raw' }
        ? Json
        : JsonObject;

/** The checked values of the fields of a table; those that are not written, or are wrong, are missing. */
export type FieldValues<T extends FieldTable> = { readonly [K in keyof T]?: ValueOf<T[K]> };

/** The row of a field; undefined for a name that is none. */
export function fieldRow(table: FieldTable, name: string): FieldRow | undefined {
  return Object.hasOwn(table, name) ? table[name] : undefined;
}
