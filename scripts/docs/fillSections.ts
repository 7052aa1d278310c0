/** What stands between the markers of a page that is otherwise written by hand, by the words of the marker. */
export type Section = (words: readonly string[]) => string;

const SECTION = /(?<begin><!-- generated: (?<words>[^>]+?) -->\n).*?(?<end>\n<!-- end -->)/gs;

/**
 * Writes the generated parts of a page anew: what stands between `<!-- generated: NAME WORDS -->` and `<!-- end -->`.
 * @throws Error when there is no section of a name
 */
export function fillSections(text: string, sections: Readonly<Record<string, Section>>): string {
  return text.replaceAll(SECTION, (...match) => {
    const { begin, words, end }: Record<string, string> = match.at(-1);
    const [name = '', ...rest] = words?.split(' ') ?? [];
    const section = sections[name];
    if (section === undefined) throw new Error(`there is no section "${name}" to generate`);
    return `${begin}\n${section(rest)}\n${end}`;
  });
}
