import { globSync, readFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';

/**
 * The project calls things by the terms of the field, so that nobody has to learn a language first. Here are the words that it
 * once had of its own, with the term that stands in their place, and where such a word is the right one after all.
 */
const root = resolve(import.meta.dirname, '..');

/** Words that no text of the project contains, whatever they mean there but for the exceptions. */
const WORDS: readonly (readonly [word: RegExp, term: string])[] = [
  [/\b(?:told|tells?|telling)\b/i, 'reported, says, shows, distinguishes'],
  [/\b(?:mend|mends|mended|mending)\b/i, 'repair'],
  [/\bheal(?:s|ed|ing)?\b/i, 'adapt the request, recover'],
  [/\b(?:blame|blames|blamed|blaming)\b/i, 'fault domain, classify'],
  [/\b(?:verdicts?|acquit\w*)\b/i, 'result, outcome'],
  [/\b(?:judge|judges|judged)\b/i, 'check, report the outcome'],
  [/\b(?:gates?|tickets?)\b/i, 'concurrency limiter, permit'],
  [/\b(?:key ?ring|keyrings)\b/i, 'key pool'],
  [/\bpatience\b/i, 'first-byte timeout'],
  [/\banswerers?\b/i, 'adapter'],
  [/\bdestinations?\b/i, 'backend'],
  [/\bchains?\b/i, 'fallback runner, sequence'],
  [/\b(?:mint|mints|minted)\b/i, 'create'],
  [/\b(?:swap|swaps|swapped)\b/i, 'reload, replace'],
  [/\bhalts?\b/i, 'stop'],
  [/\bremarks?\b/i, 'hint'],
  [/\b(?:room|rooms|door|doors|house)\b/i, 'module, layer'],
  [/\bprob(?:es?|ing)\b/i, 'connection test, provider test'],
];

/** What names of files and exported symbols do not say. */
const NAMES: readonly (readonly [name: RegExp, term: string])[] = [
  [/^(?:gate|ticket|inside|keyRing|verdict|trial|blame|blameFor|healing|patience)$/i, 'see the words above'],
  [/^(?:limit|chain|attempts|runRequest|live|inTurns|bodies|target|machine|accumulator)$/i, 'what it is one of'],
  [/^(?:answer(?:er|InTurn)|(?:client|reply|hooked|collect)Port|eventStream|destinations?|ableToSearch)$/i, 'adapter'],
  [/^(?:mintId|probe|testConversion|countCheck|localStop|earlierTurns|inlineSystem|calibration)$/i, 'a term'],
  [/^(?:borrowAddress|idleKeys|keyTable|linkLocal|sideFile|startSettings|heapGrowth)$/i, 'a term of the settings'],
  [
    /^(?:takePart|askPart|leaveFolder|poor_?folder|(?:giveUp)?lookAround|lookingAround|beginAnew)$/i,
    'a term of processes',
  ],
  [/^(?:memoryCheck|mendTail|logUpkeep|usageMeter|moveIn|setUp|halt|swap|bringUp|ensureUp)$/i, 'an operation'],
  [/^(?:observe|takeStock|remark|standIn\w*|askEverything|leftOut)$/i, 'inspect, list, hint, fake, warm-up, stub'],
  [/utils?$/i, 'what it is about'],
];

interface Exception {
  /** Of the lines that may contain the word. */
  readonly line: RegExp;
  /** Of the files; all of them when left out. */
  readonly file?: RegExp;
  readonly reason: string;
}

const EXCEPTIONS: readonly Exception[] = [
  {
    line: /\bmended\b/,
    file: /^(?:src\/cli\/doctor|test\/)/,
    reason: 'a field of `doctor --json`, which is a contract',
  },
  {
    line: /\bremarks?\b/,
    file: /^(?:src\/cli|test\/cli)\//,
    reason: 'a field of `--json` of status, import and bundle',
  },
  {
    line: /\b(?:no|make|too little|is|leaves|has) room\b|\broom (?:for|is kept|to)\b|with the room|leaves it room/,
    reason: 'space',
  },
  { line: /[Ss]upply chain|SELF_SIGNED_CERT_IN_CHAIN|certificate in its chain/, reason: 'a term of its field' },
  {
    line: /chain/,
    file: /^test\/(?:unit\/quirks\/schema|hostile)\//,
    reason: 'a chain of references, which schemas have',
  },
  { line: /swap(?:ped)?|viaSwap/i, file: /^src\/core\/text\.ts$/, reason: 'neighbouring letters, of an edit distance' },
  { line: /swapped or put in between/, file: /^test\/unit\/translate\//, reason: 'bytes' },
  { line: /HALT/, file: /^test\/integration\/providers/, reason: 'a stop sequence' },
  { line: /gate\.example/, file: /^test\//, reason: 'a name of a host' },
  { line: /keyring/i, file: /^test\/llamacpp\//, reason: 'the file of Debian’s signing keys' },
  {
    line: /judges?\b/,
    file: /safeguards|README|TROUBLESHOOTING|request\/request\.ts$/,
    reason: 'what a safety check does',
  },
  {
    line: /probes?\b/i,
    file: /^(?:soak|test\/(?:hostile|binary|helpers|integration|cli))\//,
    reason: 'a liveness probe, or what a hook tries',
  },
  { line: /R504|R140/, reason: 'liveness probes and probes of a client, in titles of rules' },
  {
    line: /PROBE\b/,
    file: /^src\/protocol\/openai\/textTemplate\.ts$/,
    reason: 'a value that is put in to see where it comes out',
  },
  { line: /room|rooms/, file: /^test\/(?:binary|integration|unit)\//, reason: 'space on a disk, in memory, on a line' },
];

const FOLDERS = ['src', 'scripts', 'bench', 'soak', 'test'];
const sources = FOLDERS.flatMap((folder) => globSync(`${folder}/**/*.{ts,cjs}`, { cwd: root })).filter(
  (path) => !path.includes('fixtures/') && path !== 'test/words.test.ts',
);
const pages = ['*.md', 'docs/**/*.md', '.github/**/*.{md,yml}', 'envs/*.example', 'manage'].flatMap((pattern) =>
  globSync(pattern, { cwd: root }),
);
const linesOf = (path: string) => readFileSync(join(root, path), 'utf8').split('\n');

const isException = (path: string, line: string) =>
  EXCEPTIONS.some((exception) => exception.line.test(line) && exception.file?.test(path) !== false);

function findWords(path: string, lines: readonly string[]): string[] {
  return lines.flatMap((line, index) =>
    WORDS.filter(([word]) => word.test(line) && !isException(path, line)).map(
      ([word, term]) => `${path}:${index + 1} ${word.exec(line)?.[0]} (better: ${term})`,
    ),
  );
}

test('no text has a word of the project’s own where the field has one', () => {
  expect([...sources, ...pages].flatMap((path) => findWords(path, linesOf(path)))).toEqual([]);
});

test('such a word is found', () => {
  expect(findWords('src/a.ts', ['// the client is told', 'const health = 1;', 'a supply chain'])).toEqual([
    'src/a.ts:1 told (better: reported, says, shows, distinguishes)',
  ]);
});

test('each exception is needed', () => {
  const all = [...sources, ...pages].flatMap((path) => linesOf(path).map((line) => ({ path, line })));
  const suspect = all.filter(({ line }) => WORDS.some(([word]) => word.test(line)));
  const idle = EXCEPTIONS.filter(
    (one) => !suspect.some(({ path, line }) => one.line.test(line) && one.file?.test(path) !== false),
  );
  expect(idle.map(({ reason }) => reason)).toEqual([]);
});

const EXPORTED = /^export (?:default )?(?:abstract |async )*(?:const|let|function\*?|class|interface|type) (\w+)/gm;

describe('names', () => {
  const own = sources.filter((path) => /^(?:src|scripts|bench|soak)\//.test(path));
  /** Names of a folder's own that are terms there. */
  const terms: Readonly<Record<string, string>> = {
    'soak/probe.cjs': 'it looks into the process that is measured',
    'bench/processes/target.ts': 'what a benchmark measures is its target',
    'bench/report/machine.ts': 'the computer',
  };
  const isPrivate = (name: string) => NAMES.some(([pattern]) => pattern.test(name));

  test('of files', () => {
    const found = own.filter((path) => isPrivate(basename(path).replace(/\..*$/, '')) && terms[path] === undefined);
    expect(found).toEqual([]);
  });

  test('of exported symbols', () => {
    const found = own
      .filter((path) => terms[path] === undefined)
      .flatMap((path) =>
        [...readFileSync(join(root, path), 'utf8').matchAll(EXPORTED)]
          .map(([, name = '']) => name)
          .filter(isPrivate)
          .map((name) => `${path}: ${name}`),
      );
    expect(found).toEqual([]);
  });
});

test('a comment of the sources says its reason in words, not by the code of a rule', () => {
  // `Such as` names one as an example.
  const comment = /^(?!.*Such as `R)\s*(?:\*|\/\/|\/\*).*\bR\d{3}\b|\/\/.*\bR\d{3}\b/;
  const found = sources
    .filter((path) => /^(?:src|scripts|bench|soak)\//.test(path))
    .flatMap((path) => linesOf(path).flatMap((line) => (comment.test(line) ? [`${path}: ${line.trim()}`] : [])));
  expect(found).toEqual([]);
});
