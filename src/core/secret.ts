/**
 * A value that must not be printed. Every implicit way to text (template, JSON, console, error message) shows the mask;
 * only `reveal()` gives the value, so that each use of a key can be found by searching for that word.
 */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  reveal(): string {
    return this.#value;
  }

  /** Stars and the last four characters; short values are masked whole. */
  get masked(): string {
    return this.#value.length >= 12 ? `****${this.#value.slice(-4)}` : '****';
  }

  toString(): string {
    return this.masked;
  }

  toJSON(): string {
    return this.masked;
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.masked;
  }
}

/** Stands in place of a credential. */
const MASK = '****';

/** Shorter secrets are masked only as they are written, as their letters in another order or case may well be a word. */
const LEAST_UNMISTAKABLE = 12;

/**
 * A word that stands where a key is not needed, as `none`, `unused` or `ollama`. It is part of many a sentence, and nobody is kept
 * out by it.
 */
const PLAIN_WORD = /^(?:[A-Za-z]{1,7}|placeholder|dummy-key|not-needed|no-key)$/;

/** A text of a secret that is looked for, and whether single letters of it may be escaped as `%31` or `\u0031`. */
interface SecretForm {
  readonly text: string;
  readonly isEscapable: boolean;
}

function encodedForms(value: string): string[] {
  const bytes = Buffer.from(value);
  return [
    encodeURIComponent(value),
    JSON.stringify(value).slice(1, -1),
    bytes.toString('base64').replace(/=+$/, ''),
    bytes.toString('base64url'),
  ];
}

function formsOf(value: string): SecretForm[] {
  const reversed = [...value].reverse().join('');
  const encoded = [...encodedForms(value), Buffer.from(value).toString('hex'), reversed];
  return [{ text: value, isEscapable: true }, ...encoded.map((text) => ({ text, isEscapable: false }))];
}

/** A letter as a regular expression. */
function spell(letter: string, isEscapable: boolean): string {
  const code = letter.codePointAt(0) ?? 0;
  const plain = `\\u{${code.toString(16)}}`;
  if (!isEscapable || code > 0x7f) return plain;
  const hex = code.toString(16).padStart(2, '0');
  return `(?:${plain}|%${hex}|\\\\u00${hex})`;
}

const ESCAPED_LETTER = /(?:%|\\u00)([0-9a-f]{2})/gi;

function unescapeLetters(text: string): string {
  return text.replace(ESCAPED_LETTER, (_match, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

/** No form of a secret is shorter. */
const LEAST_LETTERS = 4;

/** The hash of the four letters that end with this one, from that of the four before. */
function hashOn(hash: number, code: number): number {
  return ((hash << 4) ^ code) & 0xffff;
}

/** Finds many words in a text in the time of one: each letter is a look into a table of how the words begin. */
class WordFinder {
  readonly #begins = new Uint8Array(2 ** 16);
  readonly #byBeginning = new Map<number, string[]>();

  /** @param words of four letters at least */
  constructor(words: readonly string[]) {
    for (const word of words) {
      let hash = 0;
      for (let index = 0; index < LEAST_LETTERS; index += 1) hash = hashOn(hash, word.charCodeAt(index));
      this.#begins[hash] = 1;
      this.#byBeginning.set(hash, [...(this.#byBeginning.get(hash) ?? []), word]);
    }
  }

  /** The words that stand in the text, in any order. */
  find(text: string): ReadonlySet<string> {
    const found = new Set<string>();
    let hash = 0;
    for (let index = 0; index < text.length; index += 1) {
      hash = hashOn(hash, text.charCodeAt(index));
      if (this.#begins[hash] === 0) continue;
      const start = index + 1 - LEAST_LETTERS;
      for (const word of this.#byBeginning.get(hash) ?? []) if (text.startsWith(word, start)) found.add(word);
    }
    return found;
  }
}

/** Masks long secrets however they are written. Looking for them is quick, and only where one is found the text is changed. */
function createSecretMask(values: readonly string[]): (text: string) => string {
  if (values.length === 0) return (text) => text;
  // Longest first, so that one that contains another is replaced whole.
  const forms = values.flatMap(formsOf).sort((a, b) => b.text.length - a.text.length);
  const finder = new WordFinder([...new Set(forms.map(({ text }) => text.toLowerCase()))]);
  const has = (text: string) => finder.find(text).size > 0;
  let pattern: RegExp | undefined;
  return (text) => {
    const lower = text.toLowerCase();
    const isFound = has(lower) || (/[%\\]/.test(lower) && has(unescapeLetters(lower).toLowerCase()));
    if (!isFound) return text;
    pattern ??= new RegExp(
      forms.map((form) => [...form.text].map((letter) => spell(letter, form.isEscapable)).join('')).join('|'),
      'giu',
    );
    return text.replace(pattern, MASK);
  };
}

/**
 * How a credential looks of which we do not know the value. `start` matches a few letters only, and `locate` walks from there over each
 * letter once: a regular expression with an open end overflows the engine's stack on a run of some million letters.
 */
interface CredentialShape {
  readonly start: RegExp;
  /** Gives what to mask, which is nothing where `begin` is `end`; the next start is looked for behind `end`. */
  readonly locate: (text: string, start: number, from: number) => { readonly begin: number; readonly end: number };
}

function lettersOf(letters: string): Uint8Array {
  const table = new Uint8Array(128);
  for (const letter of letters) table[letter.charCodeAt(0)] = 1;
  return table;
}

const ALPHANUMERIC = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
const KEY_LETTERS = lettersOf(`${ALPHANUMERIC}_-`);
const TOKEN_LETTERS = lettersOf(`${ALPHANUMERIC}_-.`);
const BASE64_LETTERS = lettersOf(`${ALPHANUMERIC}+_`);

function endOfRun(text: string, from: number, letters: Uint8Array): number {
  let at = from;
  while (at < text.length && letters[text.charCodeAt(at)] === 1) at += 1;
  return at;
}

/** The first place from `from` on that a pattern of one letter matches; the end of the text where there is none. */
function findLetter(text: string, from: number, letter: RegExp): number {
  letter.lastIndex = from;
  return letter.exec(text)?.index ?? text.length;
}

const NOT_SPACE = /\S/g;
const END_OF_WORD = /[\s"',;]/g;

function locateBearer(text: string, _start: number, from: number) {
  const begin = findLetter(text, from, NOT_SPACE);
  return { begin, end: findLetter(text, begin, END_OF_WORD) };
}

/** A key that goes on with so many letters at least, a digit among them: a long word without a digit is a word. */
function locateKey(least: number): CredentialShape['locate'] {
  return (text, start, from) => {
    const end = endOfRun(text, from, KEY_LETTERS);
    const isKey = end - from >= least && /\d/.test(text.slice(from, end));
    return { begin: isKey ? start : end, end };
  };
}

/** Header, claims and signature, with dots between them. */
function locateSignedToken(text: string, start: number, from: number) {
  const dot = endOfRun(text, from, KEY_LETTERS);
  if (text[dot] !== '.' || dot - from < 10) return { begin: dot, end: dot };
  const end = endOfRun(text, dot + 1, TOKEN_LETTERS);
  return { begin: end > dot + 1 ? start : end, end };
}

function locateLongRun(text: string, start: number, from: number) {
  const run = endOfRun(text, from, BASE64_LETTERS);
  const padding = ['==', '='].find((signs) => text.startsWith(signs, run)) ?? '';
  const word = text.slice(start, run);
  const end = run + padding.length;
  return { begin: /\d/.test(word) && /[A-Za-z]/.test(word) ? start : end, end };
}

/** `Bearer x`, `sk-...`, a signed token, a long run of letters and digits; names of models and paths are none of these. */
const CREDENTIAL_SHAPES: readonly CredentialShape[] = [
  { start: /\bBearer\s/gi, locate: locateBearer },
  { start: /\b(?:sk|pk|rk|key|api|xai|gsk|tp|AIza)[-_]/g, locate: locateKey(8) },
  { start: /\bAIza/g, locate: locateKey(20) },
  { start: /\beyJ/g, locate: locateSignedToken },
];

const LONG_RUN: CredentialShape = { start: /(?<![A-Za-z0-9+_])[A-Za-z0-9+_]{40}/g, locate: locateLongRun };

/** As many as LONG_RUN begins with. */
const LONG_RUN_LETTERS = 40;

/** Whether LONG_RUN can begin anywhere, found in a fifth of the time that its expression takes: most texts have none. */
function hasLongRun(text: string): boolean {
  let length = 0;
  for (let index = 0; index < text.length && length < LONG_RUN_LETTERS; index += 1) {
    length = BASE64_LETTERS[text.charCodeAt(index)] === 1 ? length + 1 : 0;
  }
  return length === LONG_RUN_LETTERS;
}

function maskShape(text: string, { start, locate }: CredentialShape): string {
  let clean = '';
  let copied = 0;
  start.lastIndex = 0;
  for (let match = start.exec(text); match !== null; match = start.exec(text)) {
    const { begin, end } = locate(text, match.index, start.lastIndex);
    if (begin < end) {
      clean += text.slice(copied, begin) + MASK;
      copied = end;
    }
    start.lastIndex = end;
  }
  return copied === 0 ? text : clean + text.slice(copied);
}

/**
 * Removes credentials from text that goes to a client or a log: first the given secrets by value, in the forms that programs write
 * them in (base64, hex, URL, JSON, other case, reversed), then whatever has the shape of a key. It takes time in proportion to the
 * text, which clients and providers choose, and any length of it. A key in parts, or in a code made up for it, passes: this is
 * against accidents and simple tricks, and whoever knows a key has other ways to give it away.
 */
export function createRedactor(secrets: readonly Secret[]): (text: string) => string {
  const all = new Set(secrets.map((secret) => secret.reveal()));
  const values = [...all].filter((value) => value.length >= LEAST_LETTERS && !PLAIN_WORD.test(value));
  const short = values.filter(({ length }) => length < LEAST_UNMISTAKABLE);
  const shortForms = [...new Set(short.flatMap((value) => [value, ...encodedForms(value)]))].sort(
    (a, b) => b.length - a.length,
  );
  const shortFinder = new WordFinder(shortForms);
  const maskSecrets = createSecretMask(values.filter((value) => !short.includes(value)));
  return (text) => {
    let clean = maskSecrets(text);
    const found = shortForms.length === 0 ? undefined : shortFinder.find(clean);
    if (found?.size) for (const form of shortForms) if (found.has(form)) clean = clean.replaceAll(form, MASK);
    for (const shape of CREDENTIAL_SHAPES) clean = maskShape(clean, shape);
    return hasLongRun(clean) ? maskShape(clean, LONG_RUN) : clean;
  };
}

/** So much of a text is read to show its beginning. */
const MOST_READ = 8192;
/** Longer credentials there are none: what is cut off cannot be the rest of one that begins before it. */
const LONGEST_CREDENTIAL = 4096;

/**
 * The beginning of a text of any length, at most `length` letters, masked. It is masked before it is cut, as half a key no longer
 * looks like one; and of a very long text the end of what was read is left out, since it may be half a key.
 */
export function redactBeginning(text: string, length: number, redact: (text: string) => string): string {
  if (text.length <= MOST_READ) return redact(text).slice(0, length);
  const clean = redact(text.slice(0, MOST_READ));
  return clean.slice(0, Math.min(length, Math.max(0, clean.length - LONGEST_CREDENTIAL)));
}

/** So many configurations' secrets are remembered: of answers still under way, whose provider may repeat an old key. */
const REMEMBERED = 20;

/** Masks the secrets of a configuration that may change while the process runs, those of earlier ones among them. */
export class ReloadableRedactor {
  #configurations: (readonly Secret[])[] = [];
  #redact: (text: string) => string = createRedactor([]);

  constructor(secrets: readonly Secret[]) {
    this.addSecrets(secrets);
  }

  /** Adds the secrets of a further configuration. */
  addSecrets(secrets: readonly Secret[]): void {
    this.#configurations = [secrets, ...this.#configurations].slice(0, REMEMBERED);
    this.#redact = createRedactor(this.#configurations.flat());
  }

  readonly redact = (text: string): string => this.#redact(text);
}
