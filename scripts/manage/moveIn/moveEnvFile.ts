import { envLine } from '../setUp/envValue.ts';
import { commentOut, readAssignments, setLines } from './envLines.ts';
import { reasonToLeaveOut } from './leftOut.ts';
import type { Move } from './move.ts';

/** What an env file of an earlier system is to become. */
export interface EnvMove {
  readonly source: string;
  readonly text: string;
  /** Path of the new file, relative to the project. */
  readonly path: string;
  readonly port: number;
  /** Paths of the new models file and providers file, relative to the project. */
  readonly modelsFile: string | undefined;
  readonly providersFile: string | undefined;
}

/** The same file, line by line, with the port and the paths that hold here, and what means nothing here as a comment. */
export function moveEnvFile({ source, text, path, port, modelsFile, providersFile }: EnvMove): Move {
  const assignments = readAssignments(text);
  const remarks = assignments.flatMap((assignment) => {
    const reason = reasonToLeaveOut(assignment, assignments);
    return reason === undefined ? [] : [{ source, line: assignment.line, setting: assignment.key, reason }];
  });
  const kept = remarks.reduce((changed, { line }) => commentOut(changed, line), text);
  const settings = [
    { keys: ['PORT', 'CLAUDE_PROXY_PORT'], line: `PORT=${port}` },
    ...(modelsFile === undefined
      ? []
      : [{ keys: ['MODELS_FILE', 'CUSTOM_MODELS_FILE'], line: envLine('MODELS_FILE', modelsFile) }]),
    ...(providersFile === undefined
      ? []
      : [{ keys: ['PROVIDERS_FILE'], line: envLine('PROVIDERS_FILE', providersFile) }]),
  ];
  return { files: [{ path, source, text: setLines(kept, settings) }], remarks };
}
