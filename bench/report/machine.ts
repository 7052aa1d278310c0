import { execFileSync } from 'node:child_process';
import { cpus, release, totalmem, type } from 'node:os';

export interface RunFacts {
  readonly mode: string;
  readonly date: Date;
  /** Cores that other programs used meanwhile, on average. */
  readonly otherCores: number;
}

/** What was measured, where, when, and how quiet the machine was. */
export function describeRun(binary: string, { mode, date, otherCores }: RunFacts): string {
  const processors = cpus();
  const model = processors[0]?.model ?? 'unknown processor';
  const memory = Math.round(totalmem() / 2 ** 30);
  const version = execFileSync(binary, ['--version'], { encoding: 'utf8' }).trim();
  return (
    `${date.toISOString().slice(0, 10)}, ${mode}: claude-code-proxy ${version}, Node ${process.version}, ` +
    `${processors.length} × ${model}, ${memory} GiB, ${type()} ${release()}. ` +
    `Other programs used ${otherCores.toFixed(2)} cores meanwhile.`
  );
}
