import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { onTestFinished } from 'vitest';
import { builtInTargets, DIRECT, PROXY } from '../../bench/processes/builtInTargets.ts';
import { type Subject, startSubject } from '../../bench/processes/subject.ts';
import type { Target } from '../../bench/processes/target.ts';
import { startUpstream } from '../../bench/processes/upstreamProcess.ts';
import { executablePath } from '../../src/host/workers.ts';

/** Whether the figures are taken, at full size (`npm run test:long`); else only the correctness of the answers counts. */
export const LONG = process.env['LONG'] !== undefined;

export interface LoadStage {
  /** The upstream itself, to compare with. */
  direct(): Promise<Subject>;
  /** The built executable before the upstream, with further lines of its env file. */
  proxy(...lines: readonly string[]): Promise<Subject>;
}

function withLines(target: Target, lines: readonly string[]): Target {
  const files = Object.entries(target.files).map(([path, text]) => [path, `${text}${lines.join('\n')}\n`]);
  return { ...target, files: Object.fromEntries(files) };
}

/** The benchmark's upstream in a process of its own; all is gone when the test ends. */
export async function openLoadStage(): Promise<LoadStage> {
  const folder = mkdtempSync(join(tmpdir(), 'claude-code-proxy-load-'));
  const upstream = await startUpstream();
  const started: Subject[] = [];
  onTestFinished(async () => {
    await Promise.all(started.map((subject) => subject.stop()));
    await upstream.stop();
    rmSync(folder, { recursive: true, force: true });
  });
  const targets = builtInTargets(executablePath(resolve(import.meta.dirname, '../..')));
  const start = async (name: string, lines: readonly string[]) => {
    const target = targets.find((one) => one.name === name);
    if (target === undefined) throw new Error(`no target ${name}`);
    const surroundings = { upstreamPort: upstream.port, folder, searchPath: process.env['PATH'] };
    const subject = await startSubject(withLines(target, lines), surroundings);
    started.push(subject);
    return subject;
  };
  return { direct: () => start(DIRECT, []), proxy: (...lines) => start(PROXY, lines) };
}
