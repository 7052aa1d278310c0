import type { Guarantee, GuaranteeGroup } from './guarantees.ts';
import { guaranteeGroups } from './guarantees.ts';
import type { GuaranteeTests } from './guaranteeTests.ts';
import { code, markdownPage, markdownTable } from './markdown.ts';
import { describeSoak, type SoakFigures, summarizeSoak } from './soakFigures.ts';

function describeProof({ id, command }: Guarantee, tests: GuaranteeTests): string {
  const proofs = [...(tests.get(id) ?? []), ...(command === undefined ? [] : [command])];
  return proofs.length === 0 ? 'nothing' : proofs.map(code).join(', ');
}

function describeFigure({ figure = 'holds', partly, open }: Guarantee): string {
  if (open !== undefined) return `**not reached**: ${open}`;
  return partly === undefined ? figure : `${figure}; **in part not reached**: ${partly}`;
}

/** The row of the soak has its figure from the last run. */
function withSoak(row: Guarantee, soak: SoakFigures): Guarantee {
  return row.id === 'L5' ? { ...row, figure: summarizeSoak(soak), date: soak.date } : row;
}

function describeGroup({ title, guarantees }: GuaranteeGroup, tests: GuaranteeTests): readonly string[] {
  const rows = guarantees.map((row) => [row.id, row.promise, describeProof(row, tests), describeFigure(row), row.date]);
  return [`## ${title}`, markdownTable(['Id', 'Promise', 'How tested', 'Figure', 'Date'], rows)];
}

/** docs/RELIABILITY.md: what the proxy survives, how that is tested, and what was measured. */
export function reliabilityPage(tests: GuaranteeTests, soak: SoakFigures): string {
  return markdownPage(
    '# Reliability',
    'What is promised, how it is tested, and what came of it. Tests stand below `test/` and name the ids in their titles; `npm test` runs all of them in their quick form, `npm run test:long` at full size with figures and 100,000 runs of each property, `npm run soak` puts two instances under load for as long as one likes. Figures were taken on two shared cores; those of time say how busy these were.',
    ...guaranteeGroups.flatMap(({ title, guarantees }) =>
      describeGroup({ title, guarantees: guarantees.map((row) => withSoak(row, soak)) }, tests),
    ),
    '## Soak',
    '`npm run soak` (20 minutes; `--minutes N`, `--hours N`) runs two instances: one is watched under edits of its env file every 15 s, every fifth a broken one, and rotating logs; of the other a new process takes over every three minutes. Conversations come and go; 10 % of the requests are broken off by the client, 5 % meet a fault of the provider that they asked for, and every answer is checked.',
    describeSoak(soak),
    '![Memory, heap and descriptors over the run](soak.svg)',
  );
}
