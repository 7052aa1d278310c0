import { Secret } from '../../../src/core/secret.ts';

const SECRET_NAME = String.raw`[\w.-]*(?:key|token|secret|password|authorization|cookie)[\w.-]*`;
/** `NAME=value`, also behind a #. */
const ASSIGNMENT = new RegExp(String.raw`^([^=\n]*?)(${SECRET_NAME})([ \t]*=[ \t]*)(.+)$`, 'gim');
/** `name: value` and `"name": value`, the value in quotes, a list, or one word. */
const FIELD = new RegExp(
  String.raw`(["']?)(${SECRET_NAME})(\1\s*:\s*)(\[[^\]]*\]|"[^"\n]*"|'[^'\n]*'|[^\s,}\]]+)`,
  'gi',
);
const QUOTED = /(["'`])(.*?)\1/g;
const CREDENTIALS = /(?<=:\/\/)[^\s/@]+@/g;
/** References to variables, numbers and nothing. */
const HARMLESS = /^(?:\$\{[^}]*\}|\d*)$/;

function maskValue(name: string, value: string): string {
  if (/(?:name|file)$/i.test(name)) return value;
  const mask = (text: string) => (HARMLESS.test(text) ? text : new Secret(text).masked);
  if (!/^["'`[]/.test(value)) return mask(value);
  return value.replaceAll(QUOTED, (_quoted, quote: string, inner: string) => `${quote}${mask(inner)}${quote}`);
}

/** A text of settings for people: what stands under the name of a secret is masked, but for references to variables. */
export function maskText(text: string): string {
  const mask = (_found: string, before: string, name: string, between: string, value: string) =>
    `${before}${name}${between}${maskValue(name, value)}`;
  return text.replaceAll(ASSIGNMENT, mask).replaceAll(FIELD, mask).replaceAll(CREDENTIALS, '****@');
}
