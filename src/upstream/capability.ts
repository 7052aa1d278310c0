/**
 * Feature classes that Claude Code drops by itself when a 400 names them (R406). Only those whose refusal cannot be
 * translated away here stand in the table; the first that fits is answered.
 */
const CLASSES: readonly (readonly [RegExp, string])[] = [
  [/response_format|json_schema|structured output/i, 'structured_outputs_unsupported'],
  [/reasoning_effort|effort parameter|unsupported.{0,20}effort/i, 'effort_unsupported'],
  [
    /(?:image|vision)[^.]{0,60}(?:not support|unsupported|not allowed)|does not support (?:image|vision)/i,
    'image_block',
  ],
  [/(?:pdf|document|file)[^.]{0,60}(?:not support|unsupported|not allowed)/i, 'document_block'],
];

/** The class of feature that a provider's 400 refuses, or undefined. */
export function capabilityOf(text: string): string | undefined {
  return CLASSES.find(([words]) => words.test(text))?.[1];
}
