import { commandNames, commandTable } from '../../src/cli/commandTable.ts';
import { presets } from '../../src/providers/index.ts';
import { code, markdownTable } from './markdown.ts';
import { guidePath } from './providersPage.ts';

/** The commands in a table, each with a link to its help. */
export function commandsSection(): string {
  const rows = commandNames.map((name) => {
    const { usage, summary } = commandTable[name];
    return [`[${code(usage)}](docs/COMMANDS.md#${name})`, summary];
  });
  return markdownTable(['./manage', 'what it does'], rows);
}

/** The instances for which there are examples. */
export function instancesSection(): string {
  const rows = presets.flatMap((preset) => {
    const { name, title, port, links } = preset;
    if (port === undefined) return [];
    const guide = guidePath(preset);
    const provider = guide === undefined ? title : `[${title}](docs/${guide})`;
    return [[code(name), String(port), provider, links.keys === undefined ? 'not needed' : `<${links.keys}>`]];
  });
  return markdownTable(
    ['instance', 'port', 'provider', 'where to get a key'],
    rows.sort(([, one], [, other]) => Number(one) - Number(other)),
  );
}
