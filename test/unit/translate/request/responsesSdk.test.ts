import type OpenAI from 'openai';
import { expectTypeOf, test } from 'vitest';
import type { ResponseItem, ResponsesRequest } from '../../../../src/protocol/openai/types.ts';

type Sdk = OpenAI.Responses.ResponseCreateParams;

/** Nothing is stored, so that items of earlier answers go without the ids, by which they would be looked for. */
type WithoutId =
  | Omit<OpenAI.Responses.ResponseReasoningItem, 'id'>
  | (Pick<OpenAI.Responses.ResponseOutputMessage, 'role' | 'phase'> & {
      content: string | Pick<OpenAI.Responses.ResponseOutputText, 'type' | 'text'>[];
    });
type SdkItem = OpenAI.Responses.ResponseInputItem | WithoutId;

/** Without the signature that lets it hold any other field. */
type Declared<T> = { [K in keyof T as string extends K ? never : K]: T[K] };
type Built = Declared<ResponsesRequest>;
/** Efforts may be the user's own words. */
type Effort<T> = Omit<NonNullable<T>, 'effort'>;

test('R601 the types of the official SDK know every field of a request', () => {
  expectTypeOf<Exclude<keyof Built, keyof Sdk>>().toBeNever();
  expectTypeOf<Omit<Built, 'input' | 'reasoning'>>().toExtend<Omit<Sdk, 'input' | 'reasoning'>>();
  expectTypeOf<Effort<Built['reasoning']>>().toExtend<Effort<Sdk['reasoning']>>();
});

test('R610 R618 R620 the types of the official SDK accept every item', () => {
  expectTypeOf<ResponseItem>().toExtend<SdkItem>();
  expectTypeOf<
    Extract<ResponseItem, { type: 'function_call' | 'function_call_output' }>
  >().toExtend<OpenAI.Responses.ResponseInputItem>();
});
