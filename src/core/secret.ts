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

  /** Stars and the last four characters (reliability S4); short values are masked whole. */
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

/**
 * What looks like a credential: `Bearer x`, `sk-...`, a signed token, a long run of letters and digits. Each takes time in
 * proportion to the text, as clients and providers choose it, and leaves the names of models and paths alone.
 */
const CREDENTIAL_SHAPES = [
  /\b(Bearer\s+)[^\s"',;]+/gi,
  /\b((?:sk|pk|rk|key|api|xai|gsk|tp|AIza)[-_][A-Za-z0-9_-]{8,})/g,
  /\b(AIza[A-Za-z0-9_-]{20,})/g,
  /\beyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_.-]+/g,
  /(?<![A-Za-z0-9+_])[A-Za-z0-9+_]{40,}={0,2}/g,
];

/**
 * Removes credentials from text that goes to a client or a log (R407, reliability S2): first the given secrets by value,
 * also in their base64, URL-encoded and JSON-escaped forms, then whatever has the shape of a key.
 */
export function createRedactor(secrets: readonly Secret[]): (text: string) => string {
  const values = new Set<string>();
  for (const secret of secrets) {
    const value = secret.reveal();
    if (value.length < 4) continue;
    values.add(value);
    values.add(encodeURIComponent(value));
    values.add(JSON.stringify(value).slice(1, -1));
    values.add(Buffer.from(value).toString('base64').replace(/=+$/, ''));
    values.add(Buffer.from(value).toString('base64url'));
  }
  // Longest first, so that a value that contains another is replaced whole.
  const ordered = [...values].sort((a, b) => b.length - a.length);
  return (text) => {
    let clean = text;
    for (const value of ordered) clean = clean.replaceAll(value, '****');
    for (const shape of CREDENTIAL_SHAPES) {
      clean = clean.replace(shape, (match, prefix: unknown) => {
        if (typeof prefix === 'string' && /^bearer/i.test(prefix)) return `${prefix}****`;
        // A long word without a digit is a word.
        return /\d/.test(match) && /[A-Za-z]/.test(match) ? '****' : match;
      });
    }
    return clean;
  };
}

/** So many configurations' secrets are remembered: of answers still under way, whose provider may repeat an old key. */
const REMEMBERED = 20;

/** Masks the secrets of a configuration that may change while the process runs, those of earlier ones among them. */
export class LiveRedactor {
  #configurations: (readonly Secret[])[] = [];
  #redact: (text: string) => string = createRedactor([]);

  constructor(secrets: readonly Secret[]) {
    this.learn(secrets);
  }

  /** Adds the secrets of a further configuration. */
  learn(secrets: readonly Secret[]): void {
    this.#configurations = [secrets, ...this.#configurations].slice(0, REMEMBERED);
    this.#redact = createRedactor(this.#configurations.flat());
  }

  readonly redact = (text: string): string => this.#redact(text);
}
