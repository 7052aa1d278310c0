import type { Form } from './parsers.ts';

/** What is known about one key of an env file. `docs/ENVIRONMENT.md` is generated from the table of them. */
export interface KeyRow<T> {
  readonly form: Form<T>;
  /** As a user would write it; absent when the key has no default of its own. */
  readonly fallback?: string;
  /** Told instead of a fallback, where the default depends on something else. */
  readonly otherwise?: string;
  readonly about: string;
  /** Names of the earlier systems that mean the same. */
  readonly aliases?: readonly string[];
  /** Never shown; may also come from a file named by `<KEY>_FILE`. */
  readonly secret?: true;
  /**
   * How the process's own environment counts: it wins over the file unless stated; with `unless`, only where the file
   * names none of these keys; `never`: not at all, as the name belongs to another program.
   */
  readonly environment?: 'never' | { readonly unless: readonly string[] };
}

/** A key of which the default depends on something else, or which has none. */
export const row = <T>(facts: KeyRow<T>): KeyRow<T> => facts;

/** A key with a default of its own. */
export const withDefault = <T>(
  facts: KeyRow<T> & { readonly fallback: string },
): KeyRow<T> & { readonly fallback: string } => facts;
