/** A wrong text for a message; never a secret, and never an address with a password in it. */
export function showText(text: string, isSecret: boolean): string {
  if (isSecret || text.includes('@')) return `a value of ${text.length} characters (not shown)`;
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}...` : text);
}
