import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { chatTemplate, END, markerOf, ROLES } from './chatTemplate.ts';
import { encodeGguf, type Tensor } from './gguf.ts';
import { piecesOf, SCRIPTS } from './scripts.ts';

/**
 * A model that plays scripts. Its tokenizer, template, grammar, cache and limits are the server's real ones; only what it says
 * is known in advance: attention and feed-forward add nothing, so that the next token depends on the last one alone.
 */

const FREQUENT = 8000;
const FEED_FORWARD = 32;
const KEY_LENGTH = 32;
const CONTEXT = 131_072;
const ROOT = join(import.meta.dirname, '../..');

/** Codes of the format for kinds of tokens. */
const NORMAL = 1;
const CONTROL = 3;

/** How a call begins where the server's grammar demands one; the grammar then forces the name of the tool. */
const OPENING = ['<tool_call>', '\n{"name": "'];

/** What closes what is open, best first: so any schema that a grammar enforces is satisfied in few tokens. */
const CLOSING = [...'"}]{[<,:4'];

/**
 * What is most frequent in the project's documents and sources: words with the space before them, and marks in a row. So a token
 * has about the length that it has in other models.
 */
function frequentTexts(): string[] {
  const counts = new Map<string, number>();
  for (const folder of ['docs', 'src']) {
    for (const name of readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' }).sort()) {
      if (!/\.(?:md|ts)$/.test(name)) continue;
      const content = readFileSync(join(ROOT, folder, name), 'utf8');
      for (const [text] of content.matchAll(/ ?[A-Z]?[a-z]+|[^A-Za-z0-9]{2,4}/g)) {
        counts.set(text, (counts.get(text) ?? 0) + 1);
      }
    }
  }
  return [...counts]
    .filter(([text]) => text.length > 1)
    .sort(([one, often], [other, oftener]) => oftener - often || (one < other ? -1 : 1))
    .slice(0, FREQUENT)
    .map(([text]) => text);
}

const escapeByte = (byte: number): string => `\\x${byte.toString(16).padStart(2, '0')}`;

/** Another way to write the same token: the format wants each text once, and the bits of `variant` say which bytes it escapes. */
function writeToken(text: string, variant: number): string {
  return [...text]
    .map((character, place) =>
      variant & (1 << place) ? [...Buffer.from(character)].map(escapeByte).join('') : character.replace('\\', '\\\\'),
    )
    .join('');
}

/** The tokens, by the place at which they are listed. */
class Vocabulary {
  readonly texts: string[] = [];
  readonly kinds: number[] = [];
  readonly #ids = new Map<string, number>();

  /** Lists a token and gives its number; what is listed already gets one more that reads the same. */
  add(text: string, kind = NORMAL): number {
    let variant = 0;
    let written = kind === CONTROL ? text : writeToken(text, variant);
    while (this.#ids.has(written)) {
      variant += 1;
      if (variant >= 2 ** text.length) throw new Error(`the text "${text}" is too short for so many tokens`);
      written = writeToken(text, variant);
    }
    return this.#list(written, kind);
  }

  addByte(byte: number): void {
    this.#list(escapeByte(byte), NORMAL);
  }

  #list(written: string, kind: number): number {
    const id = this.texts.length;
    this.texts.push(written);
    this.kinds.push(kind);
    this.#ids.set(written, id);
    return id;
  }
}

/** Which tokens follow, best first, after any of some tokens: one dimension of the model. */
interface Succession {
  readonly from: readonly number[];
  readonly to: readonly number[];
  /** What is certain beats what is only likely; a grammar of the server may forbid both. */
  readonly certain: boolean;
}

function listSuccessions(vocabulary: Vocabulary, end: number): Succession[] {
  const [opening = end, name = end] = OPENING.map((text) => vocabulary.add(text));
  const scripted: Succession[] = [];
  for (const [title, script] of Object.entries(SCRIPTS)) {
    const marker = vocabulary.add(markerOf(title), CONTROL);
    const tokens = piecesOf(script).map((piece) => vocabulary.add(piece));
    const last = script.endless ? (tokens[0] ?? end) : end;
    for (const [place, from] of [marker, ...tokens].entries()) {
      scripted.push({ from: [from], to: [tokens[place] ?? last], certain: true });
    }
  }
  const inScripts = new Set(scripted.flatMap(({ from }) => from));
  const others = [...vocabulary.texts.keys()].filter((token) => !inScripts.has(token));
  const closing = CLOSING.map((character) => character.charCodeAt(0));
  return [
    ...scripted,
    { from: [opening], to: [name], certain: true },
    { from: [...inScripts], to: [end, opening], certain: false },
    { from: others, to: [end, ...closing], certain: false },
  ];
}

/** The bytes of the model file (GGUF); the same for the same documents and sources. */
export function encodeScriptedModel(): Buffer {
  const vocabulary = new Vocabulary();
  for (let byte = 0; byte < 256; byte++) vocabulary.addByte(byte);
  for (const word of frequentTexts()) vocabulary.add(word);
  for (const role of ROLES) vocabulary.add(role, CONTROL);
  const end = vocabulary.add(END, CONTROL);
  const successions = listSuccessions(vocabulary, end);
  const size = vocabulary.texts.length;

  const width = Math.ceil(successions.length / KEY_LENGTH) * KEY_LENGTH;
  const embedding = new Float32Array(size * width);
  const output = new Float32Array(size * width);
  for (const [dimension, { from, to, certain }] of successions.entries()) {
    for (const token of from) embedding[token * width + dimension] = 1;
    for (const [place, token] of to.entries()) {
      output[token * width + dimension] = certain ? 2 * CLOSING.length : to.length - place;
    }
  }

  const nothing = (name: string, columns: number, rows: number): Tensor => ({
    name: `blk.0.${name}.weight`,
    columns,
    data: new Float32Array(columns * rows),
  });
  const norm = (name: string): Tensor => ({ name, columns: width, data: new Float32Array(width).fill(1) });
  return encodeGguf(
    {
      'general.architecture': 'llama',
      'general.name': 'scripted',
      'llama.context_length': CONTEXT,
      'llama.embedding_length': width,
      'llama.block_count': 1,
      'llama.feed_forward_length': FEED_FORWARD,
      'llama.attention.head_count': 1,
      'llama.attention.key_length': KEY_LENGTH,
      'llama.attention.value_length': KEY_LENGTH,
      'llama.attention.layer_norm_rms_epsilon': { float: 1e-6 },
      'llama.rope.dimension_count': KEY_LENGTH,
      'llama.vocab_size': size,
      // The tokenizer of RWKV: at each place the longest token that fits. It needs no table of merges.
      'tokenizer.ggml.model': 'rwkv',
      'tokenizer.ggml.tokens': vocabulary.texts,
      'tokenizer.ggml.token_type': Int32Array.from(vocabulary.kinds),
      'tokenizer.ggml.eos_token_id': end,
      'tokenizer.chat_template': chatTemplate,
    },
    [
      { name: 'token_embd.weight', columns: width, data: embedding },
      { name: 'output.weight', columns: width, data: output },
      norm('output_norm.weight'),
      norm('blk.0.attn_norm.weight'),
      norm('blk.0.ffn_norm.weight'),
      nothing('attn_q', width, KEY_LENGTH),
      nothing('attn_k', width, KEY_LENGTH),
      nothing('attn_v', width, KEY_LENGTH),
      nothing('attn_output', KEY_LENGTH, width),
      nothing('ffn_gate', width, FEED_FORWARD),
      nothing('ffn_up', width, FEED_FORWARD),
      nothing('ffn_down', FEED_FORWARD, width),
    ],
  );
}
