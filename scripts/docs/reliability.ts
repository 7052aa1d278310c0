import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { code, markdownPage, markdownTable } from './markdown.ts';
import { textsOf } from './rules.ts';

/** docs/soak.json, as `npm run soak -- --write` writes it. */
export interface SoakFigures {
  readonly date: string;
  readonly machine: string;
  readonly minutes: number;
  readonly users: number;
  readonly requests: Readonly<Record<'answered' | 'aborted' | 'faults' | 'refused' | 'failed', number>>;
  readonly edits: number;
  readonly brokenEdits: number;
  readonly rollingReloads: number;
  readonly rotatedLogs: number;
  readonly warmUpMinutes: number;
  readonly residentMib: Span;
  readonly heapMib: Span;
  readonly descriptors: Ends;
  readonly timers: Ends;
  readonly faultsOfOurOwn: number;
}

interface Span {
  readonly warm: number;
  readonly end: number;
  readonly slopePerHour: number;
}

interface Ends {
  readonly before: number;
  readonly after: number;
}

export function readSoakFigures(root: string): SoakFigures {
  return JSON.parse(readFileSync(join(root, 'docs/soak.json'), 'utf8'));
}

const number = (value: number) => value.toLocaleString('en-US');
const describeSpan = ({ warm, end, slopePerHour }: Span) =>
  `${warm} MiB after the warm-up, ${end} at the end (${slopePerHour > 0 ? '+' : ''}${slopePerHour} an hour)`;
const describeEnds = ({ before, after }: Ends) => `${before} before, ${after} after 70 s of rest`;

/** The run in one line. */
export function summarizeSoak({ minutes, requests, heapMib, descriptors, faultsOfOurOwn }: SoakFigures): string {
  const total = requests.answered + requests.aborted + requests.faults + requests.failed;
  return `${number(minutes)} minutes, ${number(total)} requests: ${requests.failed} failed, heap ${heapMib.warm} to ${heapMib.end} MiB, descriptors ${descriptors.before} to ${descriptors.after}, ${faultsOfOurOwn} faults of our own`;
}

/** The figures of a run as a table. */
export function describeSoak(soak: SoakFigures): string {
  const { answered, aborted, faults, refused, failed } = soak.requests;
  return `${soak.machine}\n\n${markdownTable(
    ['What', 'Figure'],
    [
      [
        'Length',
        `${number(soak.minutes)} minutes with ${soak.users} conversations at a time, ${soak.warmUpMinutes} of them warm-up`,
      ],
      [
        'Requests',
        `${number(answered)} answered, ${number(aborted)} broken off, ${number(faults)} with a fault of the provider`,
      ],
      ['Failed', `${failed}, and ${refused} sent again as they met a reload`],
      [
        'Edits, reloads, rotations',
        `${soak.edits} edits, ${soak.brokenEdits} broken ones, ${soak.rollingReloads} rolling reloads, ${soak.rotatedLogs} rotated files left`,
      ],
      ['Memory', describeSpan(soak.residentMib)],
      ['Heap after collection', describeSpan(soak.heapMib)],
      ['Descriptors', describeEnds(soak.descriptors)],
      ['Timers', describeEnds(soak.timers)],
      ['Faults of our own, unhandled rejections', String(soak.faultsOfOurOwn)],
    ],
  )}`;
}

export interface Guarantee {
  /** Such as `U7`: the name by which tests refer to it, at the beginning of their titles. */
  readonly id: string;
  readonly promise: string;
  /** What was measured; undefined where the tests alone say that it holds. */
  readonly figure?: string;
  /** Day of the figure, or of the last look. */
  readonly date: string;
  /** What proves it, where no test does or more is needed. */
  readonly command?: string;
  /** What of the promise is not reached although the rest holds, and why. */
  readonly partly?: string;
  /** Why it is not reached, and what would reach it. */
  readonly open?: string;
}

export interface GuaranteeGroup {
  readonly title: string;
  readonly guarantees: readonly Guarantee[];
}

type More = Partial<Omit<Guarantee, 'id' | 'promise'>>;

/** A row of docs/RELIABILITY.md; its date is the day on which all were looked at, unless it has one of its own. */
export function guarantee(id: string, promise: string, more: More = {}): Guarantee {
  return { id, promise, date: '2026-11-20', ...more };
}

const loadGuarantees: readonly Guarantee[] = [
  guarantee(
    'L1',
    '1,000 streams of 20 events a second for a minute: none lost, doubled or out of order; p50 +2 ms, p99 +30 ms, 250 MiB, 75 % of a core',
    {
      figure: '1,200,000 events: 0 lost, doubled or out of order; 208 MiB',
      partly:
        'where client, provider and proxy share two processors, p50 is 4 to 21 ms later and p99 68 to 117, and the proxy takes 88 to 96 % of a core (34 to 64 % when the same machine was faster). A proxy that only parses and prints takes three quarters of that (docs/BENCHMARKS.md, S4); a core of its own would reach it',
    },
  ),
  guarantee('L2', '2,000 streams of 5 events a second within 280 MiB', {
    figure: '0 events lost, 278 MiB',
  }),
  guarantee('L3', 'Four instances with 250 streams each: as one with 1,000', {
    open: '0 events lost, 171 MiB and 25 % of a core for each, p50 +1.2 ms; p99 +134 ms where seven processes share two processors. Cores enough for them would show the rest.',
  }),
  guarantee('L4', '500 requests a second with answers of 10 kB: p50 +1 ms, p99 +5 ms', {
    open: 'p50 +0.6 ms; p99 +11.6 ms on two slow processors, which client and provider share. To be measured where the proxy has a core of its own.',
  }),
  guarantee('L5', 'Soak: no growth, no descriptor left, no fault of our own', { command: 'npm run soak -- --write' }),
  guarantee('L6', 'A client that reads 1 kB a second of 10 MB holds at most 4 MiB', {
    figure: '50 such clients: 2.1 MiB each',
  }),
  guarantee('L7', 'A client that goes closes the provider’s socket within 100 ms (p99)', {
    figure: '10,000 aborts: p50 10 ms, p99 86 ms; heap +0.4 MiB',
  }),
  guarantee('L8', 'Above MAX_CONCURRENT: 529 with retry-after within 50 ms, while streams run on', {
    figure: '529 after p99 4 ms; pauses of running streams longer by p99 2 ms',
  }),
  guarantee('L9', '`count_tokens` of a megabyte of anything: within 250 ms, no stream stands still for more than 50', {
    figure:
      'at most 27 ms, longest pause of a stream 14 ms, before all other work of the machine (`chrt -r 10`); where others have most of two processors, up to 390 and 430 ms of theirs are added',
    date: '2026-11-30',
  }),
  guarantee('L10', 'Status of ten instances within 150 ms, one up in 700, all ten in 5 s', {
    figure: '122 ms, 614 ms and 1.2 s',
  }),
  guarantee(
    'L11',
    'Whatever a hostile provider, search API, side model, client, tool server or local user sends, in a heap of 256 MiB: an answer or a legal error for each, and `/health` within 100 ms',
    {
      figure:
        '278 scenarios: the slowest answer of `/health` 48 to 63 ms in five runs (a result of 20 MB, 8,000 pictures in one request, 3 MB of words to search for), 49 to 87 ms on two processors with four to ten times their work, its median 2 to 7 ms, without what a busy machine adds to it (the test says how that is found, and that a loop held for 150 ms is seen). 6,590 scenarios at random in 30 minutes, and 750 random floods of up to 40 streams at once: nothing found',
      date: '2026-11-30',
      command: 'npm run test:hostile',
    },
  ),
  guarantee('L12', 'None of it stays in memory: at most 300 MiB more meanwhile, and 20 MiB when it is over', {
    figure:
      'most at a time 388 to 403 MiB, of 120 at rest (a tool result of 20 MB); 39 MiB in use before, 47 when all was over',
    date: '2026-11-30',
    command: 'npm run test:hostile',
  }),
];

const RUNS = '100,000 runs of each property in the long mode, none failed';

/** Before the first byte the client gets a status; after it a legal event stream that ends in an error, never in a polite end. */
const upstreamGuarantees: readonly Guarantee[] = [
  guarantee('U1', 'A host name that does not exist: 529 that names it'),
  guarantee('U2', 'A closed port: 529, after the repetitions that are allowed'),
  guarantee('U3', 'A connection that is reset or ends before the answer, at any byte: 529, repeated where allowed'),
  guarantee('U4', 'Silence before the answer: 504 at REQUEST_TIMEOUT'),
  guarantee('U5', 'Silence after the headers or in the middle: 504, or an error event at the idle limit'),
  guarantee('U6', 'A reset, or an early end of a chunked body, in the middle: an error event, never `message_stop`'),
  guarantee('U7', 'An end of the connection without a finish, which looks like success: an error event'),
  guarantee('U8', 'A body shorter than its length: an error event, or 529'),
  guarantee('U9', 'Not HTTP at all, or a bad chunk: 502 that names the address, or an error event'),
  guarantee('U10', 'Headers of 100 kB: 502'),
  guarantee('U11', 'A drip without end, of comments, blanks or an error: ended at REQUEST_TIMEOUT'),
  guarantee('U12', 'An answer or a line that is too large: 502, or an error event', {
    figure:
      '8 MiB in one piece (4 where it is translated) or a frame, 100,000 values; at most 4 MiB held back of a stream',
    date: '2026-11-29',
  }),
  guarantee('U13', 'A redirect: 502 that names the address; never followed, so that no key goes elsewhere'),
  guarantee('U14', 'A server that does not speak TLS: 502 that says to use http://; a broken handshake: 529'),
  guarantee('U15', 'A self-signed certificate: 502 that names CA_FILE'),
  guarantee('U16', 'A certificate for another name: 502 that says so'),
  guarantee('U17', 'An expired certificate: 502 that says so'),
  guarantee('U18', 'A key that no header can carry: refused at the start, with file and line'),
  guarantee('U19', 'Garbage: recorded streams spoilt at will never crash, stay legal, and mean the same however cut', {
    figure: RUNS,
  }),
  guarantee('U20', 'Compression nobody asked for, a page or an error with status 200: read, or the right status'),
  guarantee('U21', 'A host name that is known only now and then: 529 while it is not, an answer as soon as it is', {
    date: '2026-11-30',
  }),
  guarantee(
    'U22',
    'A provider that is ended and started again under load: a legal error for each, and answers when it is back',
    {
      date: '2026-11-30',
      command: 'npm run test:hostile',
      figure: 'three times under 40 streams',
    },
  ),
];

const clientGuarantees: readonly Guarantee[] = [
  guarantee('C1', 'A body over MAX_BODY_BYTES: 413 before it is read, also when only its decoded form is too large'),
  guarantee('C2', 'JSON of more than 256 levels: 400; of 100,000 levels anywhere: never a fault of our own'),
  guarantee('C3', 'Headers that drip: 408', { figure: '12.0 s' }),
  guarantee('C4', 'A body that drips: 408', { figure: '60.1 s' }),
  guarantee('C5', 'A thousand idle connections: requests are served as before', { figure: '1.7 ms a request' }),
  guarantee('C6', 'Smuggling, bare line feeds, two Hosts, 20 kB headers, absolute paths: 4xx; pipelining in order'),
  guarantee('C7', 'Invalid UTF-8 and a BOM are read, `__proto__` sets nothing, what is no JSON object is 400'),
  guarantee('C8', 'Whatever stands in a request is served or refused, never a fault of our own', {
    figure:
      '100,000 requests in the long mode, none failed; it found half a letter in a model’s name, which is a case now',
  }),
];

const processGuarantees: readonly Guarantee[] = [
  guarantee('P1', 'An instance that is killed serves again within a second; the others do not notice'),
  guarantee('P2', 'A wrong configuration: exit 78 with file and line, no loop'),
  guarantee('P3', 'A crash loop is slowed down and seen in the status', {
    figure: '100 ms between the first starts, growing to 15 s; PM2 does not give up',
  }),
  guarantee('P4', 'The PM2 daemon is killed: instances serve on, status says so, start takes them back'),
  guarantee('P5', 'A port that is taken: its holder is named, and no other port is taken in silence'),
  guarantee('P6', 'A stale state of another process: no stranger is ever signalled'),
  guarantee('P7', 'Starts, stops and restarts from several shells at once: one process each'),
  guarantee(
    'P8',
    'A stop lets answers end, cuts what takes longer than DRAIN_SECONDS with an error event, ends with 0',
  ),
  guarantee('P9', 'A reload under load fails no request'),
  guarantee('P10', 'Two instances on one port are refused, also where the port can be shared'),
  guarantee('P11', 'After a restart of the machine the instances are back'),
  guarantee('P12', 'Short of memory it refuses work before it dies', {
    figure:
      '529 above nine tenths of the heap’s limit; with 64 MiB, requests of 3 MB are taken up to there and answered. At most 256 MiB of large bodies at a time: fifty of 60 MB, packed into 60 kB each, took 2.7 GiB before and left 2.2, and take 409 MiB and leave 147 in a heap of 4 GiB',
    date: '2026-11-30',
  }),
  guarantee('P13', 'Short of descriptors it refuses connections, lives on, and serves when there are some', {
    figure: 'with 64 of them',
  }),
  guarantee('P14', 'A crash leaves no core file with a key in it, whatever the limit was', { date: '2026-11-30' }),
];

const configurationGuarantees: readonly Guarantee[] = [
  guarantee('E1', 'A broken edit leaves the old configuration serving, with its line in log, /health and status'),
  guarantee('E2', 'A valid edit, however written, is seen within a second and drops no stream'),
  guarantee('E3', 'A changed key is used by the next request'),
  guarantee('E4', 'A file that others may read: a warning; `doctor --fix` repairs it; `init` makes 0600 in 0700'),
  guarantee('E5', 'BOM, CRLF, quotes, `#`, NUL, control characters, names given twice: read or reported'),
];

const logGuarantees: readonly Guarantee[] = [
  guarantee(
    'G1',
    'A full disk: no request and no open stream fails, lost lines are counted in /health, logging comes back',
    {
      figure: '256 kB tmpfs and /dev/full: 0 requests failed; back 1 to 30 s after there is room',
    },
  ),
  guarantee('G2', 'A log folder that is missing, read-only, deleted or replaced: the same'),
  guarantee('G3', 'Nothing older than 72 hours, total within LOG_MAX_TOTAL, the active file is never deleted'),
  guarantee('G4', 'A clock that jumps a year: one rotation, one sweep, no crash'),
  guarantee('G5', 'Each line is one JSON object, control characters escaped'),
  guarantee('G6', 'With LOG_LEVEL=debug there is still no key'),
];

const secretGuarantees: readonly Guarantee[] = [
  guarantee(
    'S1',
    'No key in logs, output, state, PM2’s lists and dump, environments, command lines, reports or answers',
    {
      figure: '0 hits, also encoded; each test of an instance looks for its own keys when it ends',
    },
  ),
  guarantee('S2', 'A key that the provider repeats in an error is masked by its value'),
  guarantee('S3', 'No credential and no cookie of the client goes to a provider whose key the instance has'),
  guarantee('S4', 'Keys are shown as their last four characters at most'),
];

const accessGuarantees: readonly Guarantee[] = [
  guarantee('A1', 'Without HOST it listens on 127.0.0.1 alone'),
  guarantee(
    'A2',
    'An address that others can reach needs a token of 24 characters that is no placeholder, else exit 78',
  ),
  guarantee('A3', 'The token in either header, compared in constant time over SHA-256 of both'),
  guarantee('A4', 'A Host that is not this instance: 403'),
  guarantee('A5', 'Any Origin and any preflight: 403, and never a CORS header'),
  guarantee('A6', 'Anything but application/json: 415'),
  guarantee('A7', 'A page (`./manage ui`) that no other web page, port or user can use'),
  guarantee(
    'A8',
    'Addresses come from the user’s files only, none is link-local unless allowed, no redirect is followed',
  ),
  guarantee('A9', 'Guessing a token is slowed down, and what was tried is in no log'),
];

const lock = JSON.parse(readFileSync(join(import.meta.dirname, '..', '..', 'package-lock.json'), 'utf8'));
const packageCount = Object.keys(lock.packages).length - 1; // without the project itself
const hashes = `${packageCount} of ${packageCount} with sha512, 0 scripts`; // or the test fails

const supplyGuarantees: readonly Guarantee[] = [
  guarantee('K1', 'Every package is pinned with its hash; none has an install script', { figure: hashes }),
  guarantee('K2', 'npm runs no scripts, keeps versions exact and takes none younger than a week', {
    figure: '`npm ci` refuses a younger one (npm 11.10 or newer; an older one does not know the setting)',
    date: '2026-11-30',
  }),
  guarantee('K3', 'A CycloneDX bill of materials for each release', { command: 'npm run sbom' }),
  guarantee('K4', 'Only licences that were looked at', { figure: `${packageCount} packages` }),
  guarantee('K5', 'At most 60 packages in the executable', { figure: '54; PM2, a program of its own, brings 76' }),
  guarantee('K6', 'Published from CI only, with provenance and without a long-lived token', {
    open: 'The workflow is there, and its form is tested: only one job can prove to npm who it is. Nothing has been published by it yet.',
    date: '2026-11-30',
  }),
  guarantee('K7', 'No known fault in a package', {
    open: '`.github/workflows/audit.yml` asks each week, beside the tests and not in their way. It has not run yet: the registry that the project was built with answers no audit.',
    command: 'npm audit --omit=dev',
    date: '2026-11-30',
  }),
  guarantee('K8', 'The same sources give the same dist/main.cjs', { figure: 'equal from two folders' }),
];

/** What the proxy promises to survive, by number: the groups of docs/RELIABILITY.md in their order. */
export const guaranteeGroups: readonly GuaranteeGroup[] = [
  { title: 'Load', guarantees: loadGuarantees },
  { title: 'Faults of the provider', guarantees: upstreamGuarantees },
  { title: 'Faults of the client', guarantees: clientGuarantees },
  { title: 'Processes', guarantees: processGuarantees },
  { title: 'Configuration', guarantees: configurationGuarantees },
  { title: 'Logs', guarantees: logGuarantees },
  { title: 'Secrets', guarantees: secretGuarantees },
  { title: 'Access', guarantees: accessGuarantees },
  { title: 'Supply chain', guarantees: supplyGuarantees },
];

/** The tests that name each guarantee: paths below `test/`, sorted. */
export type GuaranteeTests = ReadonlyMap<string, readonly string[]>;

/** A title, or a row that a title is made of, begins with what it proves; rules of the translation may stand in between. */
const BEGINNING = /^['`]((?:[A-Z]\d{1,3}(?: |(?=['`])))+)/;
const GUARANTEE = /^[LUCPEGSAK]\d{1,2}$/;
/** These name scenarios of the benchmark in the same form, or guarantees only to count them. */
const NO_PROOF = /^(?:unit\/bench\/|(?:reliability|security)\.test\.ts)/;

function guaranteesOf(source: string): Set<string> {
  const named = textsOf(source).flatMap((text) => BEGINNING.exec(text)?.[1]?.trim().split(' ') ?? []);
  return new Set(named.filter((name) => GUARANTEE.test(name)));
}

/** Reads the tests below `test/` of the project. */
export function readGuaranteeTests(root: string): GuaranteeTests {
  const places = new Map<string, string[]>();
  for (const entry of readdirSync(join(root, 'test'), { recursive: true, encoding: 'utf8' }).sort()) {
    const path = entry.replaceAll('\\', '/');
    if (!path.endsWith('.test.ts') || NO_PROOF.test(path)) continue;
    for (const id of guaranteesOf(readFileSync(join(root, 'test', path), 'utf8'))) {
      places.set(id, [...(places.get(id) ?? []), path]);
    }
  }
  return places;
}

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
