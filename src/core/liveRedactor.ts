import { createRedactor, type Secret } from './secret.ts';

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
