import type { Form } from '../parsers.ts';

/** All that is known of one setting, beside the form of its value. */
export interface SettingFacts<T> {
  /** As a user would write it; absent when the setting has no default of its own. */
  readonly fallback?: string;
  /** Shown in place of a fallback, where the default depends on something else. */
  readonly otherwise?: string;
  /** For docs/ENVIRONMENT.md and the example files. */
  readonly about: string;
  /** Names of the earlier systems that mean the same. */
  readonly aliases?: readonly string[];
  /** Names by which other programs know it. Here they mean nothing, and the message about them names the setting. */
  readonly namesElsewhere?: readonly string[];
  /** Whether it says to which company requests and the key go, so that a misspelt name is an error. */
  readonly choosesServer?: true;
  /** Never shown; may also come from a file named by `<NAME>_FILE`. */
  readonly secret?: true;
  /** Whether it may come from a file named by `<NAME>_FILE`, although it is no secret. */
  readonly mayBeInFile?: true;
  /**
   * How the process's own environment counts: it wins over the file unless stated; with `unless`, only where the file
   * names none of these settings; `never`: not at all, as the name belongs to another program.
   */
  readonly environment?: 'never' | { readonly unless: readonly string[] };
  /** Where the value stands in the configuration, like `limits.maxBodyBytes`; absent for one that others are made of. */
  readonly field?: string;
  /** Whether it names a folder, which becomes absolute in the configuration. */
  readonly isFolder?: true;
  /** Whether a running process keeps what it started with, so that a change of the field needs a restart. */
  readonly needsRestart?: true;
  /** The line of `--check` that shows it alone, and the words there; one without words is shown as its form is written. */
  readonly shown?: { readonly line: string; readonly words?: (value: T) => string };
  /** Whether it means the env file's own provider only, so that it has no effect where all providers stand in the providers file. */
  readonly ownProviderOnly?: true;
  /** Which requests it sends to another model than their tier's. */
  readonly route?: string;
}

export interface SettingRow<T> extends SettingFacts<T> {
  readonly form: Form<T>;
}

/** Declares one setting. Everything else, the type of its value too, follows from this. */
export function setting<T, const Facts extends SettingFacts<T>>(
  form: Form<T>,
  facts: Facts,
): Facts & { readonly form: Form<T> } {
  return { form, ...facts };
}

/** The type of a row's value: undefined where nobody sets it and it has no default of its own. */
export type ValueOf<Row> = Row extends { readonly form: Form<infer T> }
  ? Row extends { readonly fallback: string }
    ? T
    : T | undefined
  : never;

/** `limits.maxTokens` and number -> `{ limits: { maxTokens: number } }` */
type Nested<Path extends string, T> = Path extends `${infer Outer}.${infer Inner}`
  ? { readonly [K in Outer]: Nested<Inner, T> }
  : { readonly [K in Path]: T };

type FieldOf<Row> = Row extends { readonly field: infer Path extends string } ? Nested<Path, ValueOf<Row>> : never;

type Intersection<U> = (U extends unknown ? (one: U) => void : never) extends (all: infer I) => void ? I : never;

/** The part of a configuration that the rows of a table name as their fields. */
export type FieldsOf<Table> = Intersection<FieldOf<Table[keyof Table]>>;
