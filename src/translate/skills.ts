/** How Claude Code begins the text of a skill that was called; the last folder of the path is its name (seen with 2.1.328). */
const SKILL_HEAD = /^Base directory for this skill: [^\n]*[/\\]([^/\\\n]+)\n/;

/**
 * Leaves out the text of a skill that only makes sense for Claude (R153), such as the bundled guide to Anthropic's own API of some
 * 30,000 tokens, and says so in its place. Only for the names that QUIRK_ELIDE_SKILLS lists; undefined for any other text.
 */
export function elideSkill(text: string, names: readonly string[]): string | undefined {
  if (names.length === 0) return undefined;
  const name = SKILL_HEAD.exec(text)?.[1];
  if (name === undefined || !names.includes(name)) return undefined;
  return `[The text of the skill ${name} was left out: it is not meant for this model.]`;
}
