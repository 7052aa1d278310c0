import type { DoctorFinding, SetupAnswer, SetupInstance } from '../cli/ui/contract.ts';
import { ColumnHeads, Command, Empty, Facts, format, Notice, State, Text, type Tone, Waiting } from './controls.tsx';
import { safeText, splitRemedy } from './format.ts';
import { useAnswer } from './pageState.ts';

const RESULTS: Readonly<Record<DoctorFinding['result'], { readonly tone: Tone; readonly words: string }>> = {
  ok: { tone: 'good', words: 'fine' },
  warn: { tone: 'warn', words: 'warning' },
  fail: { tone: 'bad', words: 'wrong' },
};

/** The instances as their files describe them, how Claude Code is run through them, and what is wrong. It edits nothing. */
export function SetupView() {
  const { answer, failure, isLoading, reload } = useAnswer<SetupAnswer>('/api/setup');
  if (failure !== undefined) {
    return (
      <Notice tone="bad">
        <Text>{failure.message}</Text>
        <button type="button" onClick={reload}>
          Try again
        </button>
      </Notice>
    );
  }
  if (answer === undefined) return <Waiting>Reading the files…</Waiting>;
  return (
    <div aria-busy={isLoading}>
      {answer.instances.length === 0 && (
        <Empty title="There are no instances yet">
          <p>An instance is one file in envs/. A few questions in a terminal make the first one:</p>
          <Command>./manage init</Command>
        </Empty>
      )}
      <div class="cards">
        {answer.instances.map((instance) => (
          <Instance key={instance.name} instance={instance} />
        ))}
      </div>
      {answer.ignored.map((sentence) => (
        <Notice tone="warn" key={sentence}>
          <Text>{sentence}</Text>
        </Notice>
      ))}
      <Findings answer={answer} isLoading={isLoading} onReload={reload} />
    </div>
  );
}

function Instance({ instance }: { readonly instance: SetupInstance }) {
  const { name, models, problems, settings, use } = instance;
  const title = `setup-${name}`;
  const isFine = instance.sound && problems.length === 0;
  return (
    <section class="panel card" aria-labelledby={title}>
      <div class="title-line">
        <h3 id={title} class="name">
          <Text>{name}</Text>
        </h3>
        <span class="faint">
          <Text>{instance.provider_title ?? instance.provider}</Text>
        </span>
        <span class="push">
          <State tone={isFine ? 'good' : instance.sound ? 'warn' : 'bad'}>
            {isFine ? 'file is fine' : instance.sound ? 'file has warnings' : 'file is wrong'}
          </State>
        </span>
      </div>
      {problems.map((problem) => (
        <Notice
          tone={problem.severity === 'error' ? 'bad' : 'warn'}
          key={`${problem.key} ${problem.line} ${problem.found}`}
        >
          <div>
            <code>
              {safeText(problem.file)}
              {problem.line === null ? '' : `:${problem.line}`}
            </code>{' '}
            <strong>
              <Text>{problem.key}</Text>
            </strong>{' '}
            <Text>{problem.found}</Text> <Text>{problem.fix}</Text>
          </div>
        </Notice>
      ))}
      <Facts
        rows={[
          ['File', <code key="file">{safeText(instance.env_file)}</code>],
          ['Address', <Text key="address">{instance.address}</Text>],
          [
            'Models',
            models === null ? (
              ''
            ) : (
              <Text key="models">{[...new Set([models.big, models.middle, models.small])].join(' / ')}</Text>
            ),
          ],
          ['Key', <Text key="key">{instance.key}</Text>],
          ['Change it', <Command key="edit">{`./manage edit ${name}`}</Command>],
        ]}
      />
      <h4>Claude Code through it</h4>
      <Facts
        rows={[
          ['Once', <Command key="run">{use.run}</Command>],
          ['By hand', <Command key="hand">{use.by_hand}</Command>],
          ['In a project', <Command key="project">{use.in_project}</Command>],
          [
            '',
            use.note === null ? (
              ''
            ) : (
              <span class="faint" key="note">
                {safeText(use.note)}
              </span>
            ),
          ],
        ]}
      />
      {settings.length > 0 && (
        <details>
          <summary>What is in force</summary>
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what can be scrolled has to be reached by the keyboard */}
          <section class="output mono" tabIndex={0} aria-label={`Settings in force of ${safeText(name)}`}>
            {settings.map(safeText).join('\n')}
          </section>
        </details>
      )}
    </section>
  );
}

interface FindingsProperties {
  readonly answer: SetupAnswer;
  readonly isLoading: boolean;
  onReload(): void;
}

const ORDER: Readonly<Record<DoctorFinding['result'], number>> = { fail: 0, warn: 1, ok: 2 };

const FINDING_COLUMNS = [
  ['Result', ''],
  ['Check', 'middle'],
  ['What was found', ''],
] as const;

function Findings({ answer, isLoading, onReload }: FindingsProperties) {
  const findings = answer.findings.toSorted((a, b) => ORDER[a.result] - ORDER[b.result]);
  const count = (result: DoctorFinding['result']) => findings.filter((finding) => finding.result === result).length;
  return (
    <section aria-labelledby="doctor-title">
      <div class="title-line">
        <h3 id="doctor-title">What ./manage doctor says</h3>
        <span class="faint">
          {count('fail')} wrong, {count('warn')} {count('warn') === 1 ? 'warning' : 'warnings'}, {count('ok')} fine;
          found {format.time(answer.found_at, Date.now())}
        </span>
        <button type="button" class="push" disabled={isLoading} onClick={onReload}>
          Look again
        </button>
      </div>
      <div class="table-frame">
        <table class="findings">
          <thead>
            <tr>
              <ColumnHeads columns={FINDING_COLUMNS} />
            </tr>
          </thead>
          <tbody>
            {findings.map((finding) => (
              <FindingRow key={`${finding.check} ${finding.instance} ${finding.detail}`} finding={finding} />
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

function FindingRow({ finding }: { readonly finding: DoctorFinding }) {
  const { check, instance, detail, remedy, fixable } = finding;
  const result = RESULTS[finding.result];
  const { words, command } = splitRemedy(fixable ? './manage doctor --fix' : remedy);
  return (
    <tr>
      <td>
        <State tone={result.tone}>{result.words}</State>
      </td>
      <td class="middle">
        <Text>{check}</Text>
      </td>
      <td class="words">
        {instance !== null && (
          <strong>
            <Text>{instance}</Text>{' '}
          </strong>
        )}
        <Text>{detail}</Text>
        {words !== '' && (
          <div class="faint">
            <Text>{words}</Text>
          </div>
        )}
        {command !== undefined && (
          <div>
            <Command>{command}</Command>
          </div>
        )}
      </td>
    </tr>
  );
}
