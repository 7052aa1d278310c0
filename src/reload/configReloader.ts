import { statSync } from 'node:fs';
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

/** A change is seen by two looks, so that it is acted upon within little more than half a second. */
const LOOK_MS = 250;

export interface Watch {
  close(): void;
}

/**
 * Calls `onChange` when one of the files has changed, has come or has gone, as soon as it lies still. It looks at them again and again
 * (decision 0018 says why) and does not keep the process alive.
 * @param files asked before each look: absolute paths, also of files that are not there yet
 */
export function watchFiles(files: () => readonly string[], onChange: () => void): Watch {
  const detector = new ChangeDetector();
  let isClosed = false;
  let timer: NodeJS.Timeout | undefined;

  function look(): void {
    const signatures = files().map((path) => `${path}=${fileSignature(path)}`);
    if (detector.look(signatures.join('\n'))) onChange();
    if (!isClosed) plan();
  }

  function plan(): void {
    timer = setTimeout(look, LOOK_MS).unref();
  }

  plan();
  return {
    close() {
      isClosed = true;
      clearTimeout(timer);
    },
  };
}

/**
 * Decides when files that are looked at again and again are to be read: when they differ from what was read last, and have not
 * changed since the look before, so that whoever writes them has finished.
 */
export class ChangeDetector {
  #seen: string | undefined;
  #read: string | undefined;

  /**
   * Takes what was seen of the files and says whether to read them now. They are read once in the beginning, too, because they may
   * have changed while the process started.
   */
  look(signature: string): boolean {
    const isSettled = signature === this.#seen;
    this.#seen = signature;
    if (!isSettled || signature === this.#read) return false;
    this.#read = signature;
    return true;
  }
}

/**
 * What distinguishes one state of a file from another without reading it; `-` when there is none or it cannot be looked at. Links are
 * followed, so that one that is turned to another file counts as a change. Not by a promise, whose way over other threads takes 55 µs of
 * processor time in place of 3 (measured), at each of several files four times a second.
 */
function fileSignature(path: string): string {
  try {
    const stats = statSync(path, { bigint: true, throwIfNoEntry: false });
    return stats === undefined ? '-' : [stats.dev, stats.ino, stats.size, stats.mtimeNs, stats.ctimeNs].join(':');
  } catch {
    return '-';
  }
}
