import { exitCodes, Failure } from './exitCodes.ts';

/** Longer than any key: something else was piped in. */
const MAX_LENGTH = 10_000;

/**
 * A secret from stdin, without the line end.
 * @param option The option that asked for it, for messages.
 * @throws Failure (usage) for a terminal, which would show what is typed, and for what cannot be a secret.
 */
export async function readSecretFromStdin(stdin: NodeJS.ReadStream, option = '--key-stdin'): Promise<string> {
  if (stdin.isTTY) throw new Failure(`${option} reads a pipe or a file: ... ${option} < FILE`, exitCodes.usage);
  let text = '';
  for await (const part of stdin.setEncoding('utf8')) {
    text += part;
    if (text.length > MAX_LENGTH) break;
  }
  const secret = text.trim();
  if (secret === '' || secret.length > MAX_LENGTH || /\s/.test(secret)) {
    throw new Failure(`${option}: stdin does not hold one key`, exitCodes.usage);
  }
  return secret;
}
