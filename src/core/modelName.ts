/** The name without `custom/`, in lower case: by it a model of the models file is found, however it is spelled. */
export function customId(name: string): string {
  return name.replace(/^custom\//i, '').toLowerCase();
}

/** A name in two parts where it begins with one of the prefixes and a slash, like `vendor/model`; prefixes are in lower case. */
export function splitPrefix(
  name: string,
  prefixes: readonly string[],
): { readonly prefix: string; readonly rest: string } | undefined {
  const slash = name.indexOf('/');
  const prefix = name.slice(0, Math.max(slash, 0)).toLowerCase();
  return prefixes.includes(prefix) ? { prefix, rest: name.slice(slash + 1) } : undefined;
}
