import { type ConfigResult, readField, settingFields, takeFields } from '../config/buildConfig.ts';
import { type Config, fingerprint, type Problem } from '../config/config.ts';
import { formatProblemLine } from '../config/diagnostics.ts';
import type { Clock } from '../core/clock.ts';
import type { ConfigurationStatus } from '../gateway/introspection.ts';
import type { Logger } from '../telemetry/logger.ts';

export interface ReloaderOptions {
  /** What the process serves with. */
  readonly started: ConfigResult & { readonly config: Config };
  /** Reads the files anew. */
  readonly load: () => ConfigResult;
  /** Serves the requests from now on with this configuration. */
  readonly apply: (config: Config) => void;
  readonly logger: Logger;
  readonly clock: Clock;
}

/** Takes a changed configuration over, or reports why not while the old one goes on serving. */
export class Reloader {
  readonly #options: ReloaderOptions;
  #files: readonly string[];
  #hash: string;
  /** Whether the configuration that serves asks clients for a token. */
  #hasToken: boolean;
  #loadedAt: number;
  #problems: readonly Problem[] = [];
  #restartNeeded: readonly string[] = [];
  #reported: string;

  constructor(options: ReloaderOptions) {
    const { config, files, problems } = options.started;
    this.#options = options;
    this.#files = files;
    this.#hash = config.hash;
    this.#hasToken = config.clientToken !== undefined;
    this.#loadedAt = options.clock.now();
    this.#reported = problems.map(formatProblemLine).join('\n');
  }

  /** All files of which the configuration is made, as they were last looked for. */
  get files(): readonly string[] {
    return this.#files;
  }

  get status(): ConfigurationStatus {
    return { loadedAt: this.#loadedAt, problems: this.#problems, restartNeeded: this.#restartNeeded };
  }

  /** Reads the configuration, and applies it if it is valid and has changed. */
  readonly check = (): void => {
    const { config, files, problems } = this.#options.load();
    this.#files = files;
    this.#report(problems);
    const wasWrong = this.#problems.length > 0;
    this.#problems = config === undefined ? problems.filter(({ severity }) => severity === 'error') : [];
    if (config === undefined) return;
    const { logger } = this.#options;
    this.#takeOver(config);
    if (wasWrong) logger.lifecycle('the configuration is right again', { config_hash: this.#hash });
  };

  /** Logs what is wrong, once. */
  #report(problems: readonly Problem[]): void {
    const text = problems.map(formatProblemLine).join('\n');
    if (text === this.#reported) return;
    this.#reported = text;
    const { logger } = this.#options;
    for (const problem of problems) {
      if (problem.severity === 'warning') logger.warn(formatProblemLine(problem));
      else
        logger.error(`the configuration is wrong, and the one before goes on serving: ${formatProblemLine(problem)}`);
    }
  }

  #takeOver(wanted: Config): void {
    const { started, apply, logger, clock } = this.#options;
    const changed = changedRestartOnlySettings(started.config, wanted);
    // A token may be left out on some hosts only: with the old host the rest of the new configuration could let anybody in. So could
    // a file that was cut in half, as one is that an editor has not written to its end.
    const losesToken = this.#hasToken && wanted.clientToken === undefined;
    const mayHold = !changed.includes('HOST') && !losesToken;
    const restartNeeded = losesToken && !changed.includes('HOST') ? [...changed, 'ANTHROPIC_API_KEY'] : changed;
    const isNews = restartNeeded.join() !== this.#restartNeeded.join();
    this.#restartNeeded = restartNeeded;
    if (mayHold && wanted.hash !== this.#hash) {
      apply(withRestartOnlySettings(started.config, wanted));
      this.#hash = wanted.hash;
      this.#hasToken = wanted.clientToken !== undefined;
      this.#loadedAt = clock.now();
      logger.lifecycle('the configuration was changed', { config_hash: wanted.hash });
    }
    if (isNews && restartNeeded.length > 0) {
      const rest = mayHold ? 'the rest holds already' : 'the rest waits with it';
      logger.warn(`a restart is needed for ${restartNeeded.join(', ')}; ${rest}`);
    }
  }
}

/** The settings that the process takes once, when it starts. */
const RESTART_ONLY = settingFields.filter(({ row }) => row.needsRestart === true);

/** The names of the settings that have changed and hold only after a restart. */
export function changedRestartOnlySettings(started: Config, wanted: Config): readonly string[] {
  const heldBy = (config: Config, field: (typeof RESTART_ONLY)[number]) => fingerprint([readField(config, field)]);
  return RESTART_ONLY.filter((field) => heldBy(started, field) !== heldBy(wanted, field)).map(({ name }) => name);
}

/** The wanted configuration as far as it can hold without a restart. Its hash stays that of the wanted one. */
export function withRestartOnlySettings(started: Config, wanted: Config): Config {
  return takeFields(wanted, started, RESTART_ONLY);
}
