import { ApiError } from '../../src/core/errors.ts';
import type { ResponseContext } from '../../src/translate/response/context.ts';
import { Translator } from '../../src/translate/response/translator.ts';

export interface RunResult {
  readonly text: string;
  readonly translator: Translator;
}

export interface RunOptions {
  readonly output?: 'events' | 'message';
  readonly ending?: 'end' | 'fail';
  /** Where to cut the bytes. */
  readonly cuts?: readonly number[];
}

/** Pushes a whole body through a translator, in pieces if asked for, and ends it. */
export function runTranslator(context: ResponseContext, bytes: Uint8Array, options: RunOptions = {}): RunResult {
  const translator = new Translator(context, options.output ?? 'events');
  let text = '';
  let from = 0;
  for (const cut of [...(options.cuts ?? []), bytes.length]) {
    text += translator.pushBytes(bytes.subarray(from, cut));
    from = cut;
  }
  text += options.ending === 'fail' ? translator.fail(new ApiError('overloaded', 'connection lost')) : translator.end();
  return { text, translator };
}
