import { asNumber, isObject, type Json } from '../../../src/core/json.ts';
import { findPreset } from '../../../src/providers/index.ts';
import type { Preset } from '../../../src/providers/preset.ts';

/** A transformer of claude-code-router: its name, and its options where it has some. */
interface Use {
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
  readonly left: readonly string[];
}

/** What the proxy does by itself. */
const BUILT_IN = new Set(['reasoning', 'enhancetool', 'cleancache', 'streamoptions', 'forcereasoning']);
const LIMITS = new Set(['maxtoken', 'maxcompletiontokens']);

function readUses(transformer: Json | undefined): readonly Use[] {
  const list = isObject(transformer) && Array.isArray(transformer['use']) ? transformer['use'] : [];
  return list.flatMap((entry): Use[] => {
    const [name, options] = Array.isArray(entry) ? entry : [entry];
    return typeof name === 'string' ? [{ name, options }] : [];
  });
}

function meaningOf({ name, options }: Use): TransformerMeaning {
  const lower = name.toLowerCase();
  const limit = asNumber(isObject(options) ? options['max_tokens'] : undefined);
  if (lower === 'anthropic') return { isNative: true, left: [] };
  if (LIMITS.has(lower) && limit !== undefined) return { maxOutput: limit, left: [] };
  if (BUILT_IN.has(lower)) return { left: [] };
  const preset = findPreset(lower);
  if (preset === undefined)
    return { left: [`transformer ${name}: no counterpart; quirks may do it (docs/ENVIRONMENT.md)`] };
  const left = options === undefined ? [] : [`options of transformer ${name}: set extra_body among the quirks instead`];
  return { preset, left };
}

/** Understands the transformers of a provider; those of single models only, as far as they need nothing. */
export function readTransformers(transformer: Json | undefined): TransformerMeaning {
  const general = readUses(transformer).map(meaningOf);
  const models = isObject(transformer) ? Object.keys(transformer).filter((name) => name !== 'use') : [];
  const single = models.flatMap((model) => {
    const uses = readUses(isObject(transformer) ? transformer[model] : undefined);
    const needed = uses.filter(({ name }) => !BUILT_IN.has(name.toLowerCase()));
    return needed.map(({ name }) => `transformer ${name} of ${model}: quirks hold for all models of a provider`);
  });
  return Object.assign({}, ...general, { left: [...general.flatMap(({ left }) => left), ...single] });
}
