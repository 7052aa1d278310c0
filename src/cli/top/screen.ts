import { setTimeout as pause } from 'node:timers/promises';
import { localDay } from '../../core/clock.ts';
import type { UsageTotals } from '../../telemetry/usage/totals.ts';
import type { Context, Invocation } from '../command.ts';
import { type ExitCode, exitCodes, Failure } from '../exitCodes.ts';
import { type Instance, loadInstances, selectInstances } from '../supervisor/instances.ts';
import { mergeUsage, readDatabases } from '../usage/read.ts';
import { type InstanceSample, sampleInstances, withSharedToday } from './sample.ts';
import { nextOrder, SHARED_HEADING, type SortOrder, topFrame, topJson, topTable } from './topView.ts';

/** Escape sequences of ECMA-48 and of DEC's and xterm's private modes, https://invisible-island.net/xterm/ctlseqs/ctlseqs.html */
const ESCAPE = '\u001b[';
/** The alternate screen, no cursor, no wrapping at the right edge. */
const ENTER = `${ESCAPE}?1049h${ESCAPE}?25l${ESCAPE}?7l`;
const LEAVE = `${ESCAPE}?7h${ESCAPE}?25h${ESCAPE}?1049l`;
const HOME = `${ESCAPE}H`;
const CLEAR_LINE_END = `${ESCAPE}K`;
const CLEAR_BELOW = `${ESCAPE}J`;
const CLEAR = `${ESCAPE}2J`;
/** Terminals that know synchronized output show a frame only when it is whole; others pass over it. */
const BEGIN_FRAME = `${ESCAPE}?2026h`;
const END_FRAME = `${ESCAPE}?2026l`;

const FALLBACK_COLUMNS = 80;
const FALLBACK_ROWS = 24;

/** The keys that end a live view: q, and Ctrl-C and Ctrl-D, which are letters in raw mode. */
const QUIT_KEYS = ['q', 'Q', '\u0003', '\u0004'];
const SUSPEND_KEY = '\u001a';
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Makes the lines for a size of the terminal. */
export type Frame = (size: { readonly columns: number; readonly rows: number }) => readonly string[];

/**
 * A live view on this process's terminal, until the user leaves it.
 * @param refreshMs from the end of one sample to the begin of the next
 * @param sample what is to be shown now; aborted when the user leaves
 * @param onKey called for each key that does not end the view, which is then painted again
 */
export async function showLive(
  refreshMs: number,
  sample: (signal: AbortSignal) => Promise<Frame>,
  onKey: (key: string) => void = () => undefined,
): Promise<void> {
  const screen = new Screen(process.stdin, process.stdout, onKey);
  let frame: Frame | undefined;
  const paint = () => {
    if (frame !== undefined) screen.draw(frame(screen.size).slice(0, screen.size.rows));
  };
  screen.open(paint);
  try {
    while (!screen.closed.aborted) {
      frame = await sample(screen.closed);
      if (screen.closed.aborted) break;
      paint();
      await pause(refreshMs, undefined, { signal: screen.closed }).catch(() => undefined);
    }
  } finally {
    screen.close();
  }
}

/** A terminal that is painted on. However the process ends, the terminal is then as it was. */
export class Screen {
  readonly #input: NodeJS.ReadStream;
  readonly #output: NodeJS.WriteStream;
  readonly #closing = new AbortController();
  readonly #whenKey: (key: string) => void;
  #isOpen = false;
  /** Paints again, for another size. */
  #onChange: () => void = () => undefined;

  /** @param whenKey called for each key that neither ends nor suspends the view, which is then painted again */
  constructor(input: NodeJS.ReadStream, output: NodeJS.WriteStream, whenKey: (key: string) => void = () => undefined) {
    this.#whenKey = whenKey;
    this.#input = input;
    this.#output = output;
  }

  /** Aborted when the user wants to leave. */
  get closed(): AbortSignal {
    return this.#closing.signal;
  }

  get size(): { columns: number; rows: number } {
    return { columns: this.#output.columns || FALLBACK_COLUMNS, rows: this.#output.rows || FALLBACK_ROWS };
  }

  /** Takes the terminal. `onChange` is called when everything has to be painted again. */
  open(onChange: () => void): void {
    this.#onChange = onChange;
    // Also when an error nobody has caught ends the process.
    process.on('exit', this.#restore);
    for (const signal of SIGNALS) process.once(signal, this.#endBySignal);
    process.on('SIGCONT', this.#take);
    this.#output.on('resize', this.#repaint);
    this.#input.on('data', this.#onKey);
    this.#take();
  }

  draw(lines: readonly string[]): void {
    if (!this.#isOpen) return;
    const text = lines.map((line) => line + CLEAR_LINE_END).join('\r\n');
    this.#output.write(`${BEGIN_FRAME}${HOME}${text}${CLEAR_BELOW}${END_FRAME}`);
  }

  /** Gives the terminal back. */
  close(): void {
    this.#restore();
    process.off('exit', this.#restore);
    for (const signal of SIGNALS) process.off(signal, this.#endBySignal);
    process.off('SIGCONT', this.#take);
    this.#output.off('resize', this.#repaint);
    this.#input.off('data', this.#onKey).pause();
    this.#closing.abort();
  }

  readonly #take = (): void => {
    if (this.#input.isTTY) this.#input.setRawMode(true);
    this.#isOpen = true;
    this.#output.write(ENTER);
    this.#repaint();
  };

  readonly #restore = (): void => {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#output.write(LEAVE);
    if (this.#input.isTTY) this.#input.setRawMode(false);
  };

  readonly #repaint = (): void => {
    this.#output.write(CLEAR);
    this.#onChange();
  };

  readonly #endBySignal = (signal: NodeJS.Signals): void => {
    this.close();
    process.kill(process.pid, signal); // with nobody left to catch it, so that the caller sees how it ended
  };

  readonly #onKey = (keys: Buffer): void => {
    const text = keys.toString('latin1');
    if (QUIT_KEYS.some((key) => text.includes(key))) this.#closing.abort();
    if (text.includes(SUSPEND_KEY)) {
      this.#restore();
      process.kill(process.pid, 'SIGTSTP');
      return;
    }
    for (const key of text) this.#whenKey(key);
    this.#onChange();
  };
}

const REFRESH_MS = 1000;

/** What was used today on all machines is read so often, in ms. */
const SHARED_MS = 5000;

/** Reads what was used today on all machines. While a database is away its last figures hold. */
class SharedToday {
  readonly #instances: readonly Instance[];
  readonly #names: readonly string[];
  #readAt = Number.NEGATIVE_INFINITY;
  #totals: ReadonlyMap<string, UsageTotals> | undefined;
  #heading = SHARED_HEADING;

  /** @param names of the instances that are asked for; none for all */
  constructor(instances: readonly Instance[], names: readonly string[]) {
    this.#instances = instances;
    this.#names = names;
  }

  /** What is said above the figures. */
  get heading(): string {
    return this.#heading;
  }

  /** @throws Failure when a database cannot be read for the first time */
  async addTo(samples: readonly InstanceSample[], now: number): Promise<InstanceSample[]> {
    if (this.#totals === undefined) await this.#read(now);
    // Not awaited: a database that hangs stops no view.
    else if (now - this.#readAt >= SHARED_MS) void this.#read(now);
    return withSharedToday(samples, this.#totals ?? new Map());
  }

  async #read(now: number): Promise<void> {
    this.#readAt = now;
    const day = localDay(now);
    const range = { first: day, last: day };
    const { usages, failures } = await readDatabases(this.#instances, this.#names, { by: 'instance', range });
    const [failure] = failures;
    if (failure === undefined) {
      const lines = mergeUsage(usages, 'instance');
      this.#totals = new Map(lines.map((line) => [line.group, line]));
      this.#heading = SHARED_HEADING;
    } else if (this.#totals === undefined) throw new Failure(failure.message);
    else this.#heading = `today’s figures are old: ${failure.message}`;
  }
}

/** Shows how the instances fare: live on a terminal, once elsewhere. */
export async function showTop(
  context: Context,
  { names, postgres, once, json }: Invocation<'postgres' | 'once' | 'json'>,
): Promise<ExitCode> {
  const { root, output, environment, pm2 } = context;
  const all = loadInstances(root);
  const instances = selectInstances(root, all, names);
  const shared = postgres ? new SharedToday(all, names) : undefined;
  const canPaint = output.columns !== undefined && environment['TERM'] !== 'dumb';
  const sample = async (signal?: AbortSignal) => {
    const now = Date.now();
    const rows = await sampleInstances(root, instances, now, await pm2.list().catch(() => []), signal);
    return shared === undefined ? rows : shared.addTo(rows, now);
  };
  if (canPaint && !once && !json) {
    let order: SortOrder = 'name';
    const view = async (signal: AbortSignal) => {
      const rows = await sample(signal);
      const now = Date.now();
      return (size: { columns: number; rows: number }) =>
        topFrame(rows, now, output.paint, size, order, shared?.heading);
    };
    await showLive(REFRESH_MS, view, (key) => {
      if (key === 's') order = nextOrder(order);
    });
    return exitCodes.ok;
  }
  const now = Date.now();
  const rows = await sample();
  if (json) output.print(topJson(rows, now, postgres ? 'all' : 'this'));
  else if (rows.length === 0) output.say('There are no env files yet; ./manage init makes one.');
  else {
    if (shared !== undefined) output.say(`${shared.heading}.`);
    output.print(topTable(rows, output).join('\n'));
  }
  return exitCodes.ok;
}
