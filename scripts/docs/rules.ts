import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { code, markdownPage, markdownTable } from './markdown.ts';

export type Level = 'MUST' | 'SHOULD' | 'NICE';

export interface Rule {
  /** Such as `R101`: the name by which sources and tests refer to it. */
  readonly name: string;
  readonly level: Level;
  readonly subject: string;
}

export interface RuleGroup {
  readonly title: string;
  readonly rules: readonly Rule[];
}

function group(title: string, ...rows: readonly (readonly [name: string, level: Level, subject: string])[]): RuleGroup {
  return { title, rules: rows.map(([name, level, subject]) => ({ name, level, subject })) };
}

/** The rules of the translation between Anthropic's Messages API and chat completions, by number. */
export const ruleGroups: readonly RuleGroup[] = [
  group(
    'Requests',
    ['R101', 'MUST', 'Extra fields never cause an error; only known ones are forwarded'],
    ['R102', 'MUST', 'Bodies of up to 64 MiB, more is 413 in the envelope'],
    ['R103', 'MUST', 'Model names: suffixes, aliases, families; the answer echoes the client’s name'],
    ['R104', 'MUST', 'The same conversation gives the same bytes, a longer one keeps them'],
    ['R105', 'MUST', 'Only what cannot be served is refused'],
    ['R106', 'SHOULD', 'Halves of letters (lone surrogates) are replaced in both directions'],
    ['R107', 'MUST', 'Every top-level field is mapped, dropped on purpose, or named in the log'],
    ['R108', 'MUST', 'A request for safety checks is never silently ignored'],
    ['R110', 'MUST', 'The system prompt becomes one message at the head'],
    ['R111', 'MUST', 'The attribution line that changes with each request is removed'],
    ['R112', 'MUST', 'System messages in the middle of the conversation are accepted'],
    ['R113', 'MUST', 'Where inline system text goes, without rewriting the prompt’s head'],
    ['R114', 'SHOULD', 'An inline message that only sets the effort sets the effort'],
    ['R115', 'SHOULD', 'Blocks that add or remove tools are left out'],
    ['R120', 'MUST', 'User content: a string, or parts in their order'],
    ['R121', 'MUST', 'Images as data URLs or links'],
    ['R122', 'MUST', 'A model without vision gets a note for each image'],
    ['R123', 'MUST', 'Documents as text, file part or placeholder, never as raw base64'],
    ['R124', 'MUST', 'Tool results directly follow their calls, in the calls’ order'],
    ['R125', 'MUST', 'Content of tool results as text, never empty'],
    ['R126', 'MUST', 'Failed tool results are marked in their text'],
    ['R127', 'MUST', 'Images in tool results follow after all results of the turn'],
    ['R128', 'MUST', 'References to found tools become a description of them'],
    ['R129', 'MUST', 'Calls without results and results without calls are repaired'],
    ['R130', 'MUST', 'One assistant message holds texts, calls and reasoning'],
    ['R131', 'MUST', 'Tool ids for the client are unique in the conversation'],
    ['R132', 'MUST', 'Tool ids for the provider have the form that it takes'],
    ['R133', 'MUST', 'Earlier reasoning goes back in the provider’s own field'],
    ['R134', 'MUST', 'Providers that insist on reasoning always get some beside calls'],
    ['R135', 'MUST', 'A provider’s opaque state travels in the conversation, only to itself'],
    ['R136', 'MUST', 'Tools as functions, without Anthropic’s extras; deferred ones on demand'],
    ['R137', 'MUST', 'Tool schemas are completed where every provider wants it'],
    ['R138', 'MUST', 'Tool schemas in the dialect that knows few keywords'],
    ['R139', 'MUST', 'Tool names within the provider’s alphabet and length'],
    ['R140', 'MUST', 'The output limit in the right field and within bounds'],
    ['R141', 'MUST', 'Effort and thinking in the provider’s terms, never contradictory'],
    ['R142', 'MUST', 'Samplers are clamped, or dropped where they are refused'],
    ['R143', 'MUST', 'Structured output as schema, as JSON mode, or refused so that the client copes'],
    ['R144', 'MUST', 'Stop sequences within the provider’s limits, the others matched here'],
    ['R145', 'MUST', 'Tool choice and parallel calls in the provider’s words'],
    ['R146', 'SHOULD', 'The user’s id is never forwarded, only a hash of the session'],
    ['R147', 'SHOULD', 'Cache breakpoints are kept where they work, else removed'],
    ['R148', 'MUST', 'Streams ask for their usage'],
    ['R149', 'SHOULD', 'A prefilled answer in the form that the provider continues'],
    ['R150', 'MUST', 'Anthropic’s server tools are removed; a pure search fails honestly'],
    ['R151', 'MUST', 'Server tools’ blocks in the history become text or vanish'],
    ['R152', 'MUST', 'None of the client’s credentials or special headers reach the provider'],
    ['R153', 'SHOULD', 'Freight in the prompt that only Claude needs may be left out'],
  ),
  group(
    'Answers',
    ['R201', 'MUST', 'The message’s frame: own id, requested model, all four counters'],
    ['R202', 'MUST', 'Thinking before text before calls, and no empty block'],
    ['R203', 'MUST', 'The stop reason follows from what was really said'],
    ['R204', 'SHOULD', 'A full context window is distinguished from the output limit'],
    ['R205', 'MUST', 'Usage without counting cached tokens twice'],
    ['R206', 'MUST', 'Missing usage is estimated and marked so in the log'],
    ['R207', 'MUST', 'Broken tool arguments are repaired, hopeless ones passed on unchanged'],
    ['R208', 'SHOULD', 'Arguments are repaired by the tool’s own schema'],
    ['R209', 'MUST', 'Tool names come back as the client wrote them'],
    ['R210', 'MUST', 'Reasoning is read from whichever field has it, once'],
    ['R211', 'MUST', 'Think tags at the head of the text become thinking'],
    ['R212', 'MUST', 'Thinking is signed, never in a form that looks like Anthropic’s'],
    ['R213', 'MUST', 'Content may be null, text or parts; refusals are text'],
    ['R214', 'MUST', 'The old function_call is a tool call'],
    ['R215', 'SHOULD', 'An empty answer is asked for once more'],
    ['R216', 'SHOULD', 'An answer of reasoning alone keeps its thinking and stop reason'],
    ['R217', 'NICE', 'Tool calls that leaked into the text are read on request'],
    ['R218', 'MUST', 'Answers without streaming work for every provider'],
    ['R219', 'MUST', 'A 200 that holds an error is an error'],
    ['R220', 'MUST', 'JSON for a stream and a stream for JSON are both read'],
    ['R224', 'NICE', 'Web search is emulated with a search address'],
  ),
  group(
    'Streams',
    ['R301', 'MUST', 'Each frame names its event, the same as inside'],
    ['R302', 'MUST', 'Exactly one message_start'],
    ['R303', 'MUST', 'The start carries an estimate of the input, the end the truth'],
    ['R304', 'MUST', 'Blocks begin empty; content comes in deltas only'],
    ['R305', 'MUST', 'Block indexes count from 0 without gaps'],
    ['R306', 'MUST', 'Deltas are of their block’s type'],
    ['R307', 'MUST', 'One block is open at a time'],
    ['R308', 'MUST', 'Interleaved parallel calls come out one after the other'],
    ['R309', 'MUST', 'A call waits for its name'],
    ['R310', 'MUST', 'Calls are distinguished whatever indexes and ids the provider gives'],
    ['R311', 'MUST', 'Everything in one chunk: reasoning, then text, then calls'],
    ['R312', 'MUST', 'Content beside and after the finish counts; one end only'],
    ['R313', 'MUST', 'After the finish the usage is waited for, a moment only'],
    ['R314', 'MUST', 'Arguments that repeat themselves are recognised where it is known'],
    ['R315', 'MUST', 'Reasoning after the text does not split the answer'],
    ['R316', 'MUST', 'A stream that breaks off is never a whole answer'],
    ['R317', 'MUST', 'A failure before anything was sent has a true status'],
    ['R318', 'MUST', 'A provider’s error inside the stream is an error event'],
    ['R319', 'MUST', 'A connection that dies inside the stream is an error event'],
    ['R320', 'MUST', 'When the client goes, the provider’s request ends at once'],
    ['R321', 'MUST', 'Silence is filled with pings'],
    ['R322', 'MUST', 'Any legal event stream is read, wherever its bytes are cut'],
    ['R323', 'MUST', 'A slow client slows the provider, and nothing piles up'],
    ['R324', 'MUST', 'Headers that keep proxies from holding events back'],
    ['R325', 'MUST', 'Nothing after message_stop, no [DONE]'],
    ['R326', 'SHOULD', 'Time limits for connecting, for the head and for silence'],
    ['R327', 'SHOULD', 'A provider that repeats itself endlessly is cut off'],
    ['R328', 'SHOULD', 'Text is not held back'],
    ['R329', 'MUST', 'A call’s block is closed only when its arguments are complete'],
  ),
  group(
    'Errors',
    ['R401', 'MUST', 'Every error is in Anthropic’s envelope'],
    ['R402', 'MUST', 'Status and type by cause'],
    ['R403', 'MUST', 'What repeating cannot cure is marked, what it can is not'],
    ['R404', 'MUST', 'Every provider’s overflow is reported so that the client compacts'],
    ['R405', 'SHOULD', 'Output that does not fit beside the input is lowered'],
    ['R406', 'SHOULD', 'Missing capabilities are refused in words to which the client reacts'],
    ['R407', 'MUST', 'The most specific words of the provider, shortened, without keys'],
    ['R408', 'MUST', 'Rate limits with their waiting time, long quotas reported as such'],
    ['R409', 'MUST', 'Few own repetitions, only before anything was sent'],
    ['R410', 'SHOULD', 'A provider that is down is not asked for a while'],
    ['R411', 'MUST', 'After the head an error is an event, never a second head'],
    ['R412', 'MUST', 'No header of the provider passes but retry-after'],
    ['R413', 'MUST', 'A parameter that is refused is left out once and for all'],
    ['R414', 'MUST', 'Faults of our own are logged and cost one request at most'],
    ['R415', 'NICE', 'A content filter’s refusal before the answer is a plain 400'],
    ['R416', 'MUST', 'Budgets per minute are no overflow'],
  ),
  group(
    'Endpoints and transport',
    ['R501', 'MUST', 'The message route by its path, with aliases and any query'],
    ['R502', 'MUST', 'count_tokens without network, learning from the provider’s figures'],
    ['R503', 'MUST', 'The list of models; one in no tier under two names, a name that means a tier found alone'],
    ['R504', 'MUST', 'Probes and health without a token'],
    ['R505', 'SHOULD', 'The client’s telemetry is taken and thrown away'],
    ['R506', 'SHOULD', 'Endpoints that are not offered say so in the envelope'],
    ['R507', 'MUST', 'The instance’s token in either header, compared in constant time'],
    ['R508', 'MUST', 'Web pages cannot call: Origin, Host and content type are checked'],
    ['R509', 'MUST', 'Loopback by default; a taken port is reported in one line'],
    ['R510', 'SHOULD', 'Compressed bodies are read, within the limit'],
    ['R511', 'SHOULD', 'The log names session (hashed), subagent and client version'],
    ['R512', 'MUST', 'Time limits of the server, and a stop that lets answers end'],
    ['R513', 'SHOULD', 'The settings that a client needs are printed for copying'],
    ['R514', 'MUST', 'Keys reach the process through its env file only'],
  ),
  group(
    'Requests of the Responses API',
    ['R600', 'MUST', 'The address ends in /responses, once'],
    ['R601', 'MUST', 'Only known fields, in a fixed order'],
    ['R602', 'MUST', 'Nothing is stored, and models that reason are asked for encrypted reasoning'],
    ['R603', 'MUST', 'A turn more keeps the bytes of all items before it'],
    ['R604', 'MUST', 'Padding of streams is turned off where that is known'],
    ['R605', 'MUST', 'A model keeps to one API'],
    ['R606', 'MUST', 'The system prompt is the instructions'],
    ['R607', 'MUST', 'System messages in the conversation keep their place'],
    ['R610', 'MUST', 'A user message is a list of parts'],
    ['R611', 'MUST', 'Images, their address as a string'],
    ['R612', 'MUST', 'PDF documents as files, others as text'],
    ['R613', 'MUST', 'Outputs directly follow their calls, in the calls’ order'],
    ['R614', 'MUST', 'An output is a string, or parts where it shows something'],
    [
      'R615',
      'MUST',
      'Every call is answered once, and nothing answers no call. An exception to the rule, which drops the second result of a call: it becomes text of the user, as for chat completions, since nothing that a tool has said is lost',
    ],
    ['R616', 'SHOULD', 'Reminders beside results begin no new turn'],
    ['R617', 'MUST', 'One item for each block of an answer'],
    ['R618', 'MUST', 'Earlier answers are output_text'],
    ['R619', 'SHOULD', 'Earlier answers say whether they were the last of their turn'],
    ['R620', 'MUST', 'Calls go without an id of their own'],
    ['R621', 'MUST', 'The id of a call is the provider’s own, and unique'],
    ['R622', 'MUST', 'Reasoning travels in a thinking signature'],
    ['R623', 'MUST', 'Reasoning comes back as it came, and nothing else'],
    ['R624', 'MUST', 'Reasoning stands directly before what followed it'],
    ['R625', 'MUST', 'Reasoning that cannot be read is left out'],
    ['R626', 'MUST', 'Encrypted content is taken from the item that is done'],
    ['R627', 'MUST', 'Plain reasoning goes back as text where a server wants it'],
    ['R628', 'MUST', 'A beginning of the answer is gone on with'],
    ['R629', 'MUST', 'Results of server tools are text'],
    ['R630', 'MUST', 'Tools are flat and never strict'],
    ['R631', 'MUST', 'Names of tools have letters that the provider takes'],
    ['R632', 'MUST', 'Schemas have one object at the root and patterns that compile'],
    ['R633', 'MUST', 'Tool choice, with the tools kept'],
    ['R634', 'MUST', 'Parallel calls can be forbidden'],
    ['R635', 'MUST', 'The output limit stays between the smallest and the largest'],
    ['R636', 'MUST', 'Reasoning that cannot be turned off has its share of the output'],
    ['R637', 'MUST', 'The nearest effort that the model takes'],
    ['R638', 'MUST', 'A summary of the reasoning is asked for'],
    ['R639', 'MUST', 'No samplers while the model reasons'],
    ['R640', 'MUST', 'Structured output'],
    ['R641', 'MUST', 'Stop strings are matched here'],
    ['R642', 'MUST', 'One cache key for a session'],
    ['R643', 'SHOULD', 'Who asks, as a hash'],
    ['R644', 'NICE', 'The class of service'],
    ['R645', 'NICE', 'Breakpoints of the cache'],
    ['R646', 'NICE', 'How much the model writes'],
    ['R647', 'NICE', 'The provider searches the web where it is set'],
    ['R648', 'MUST', 'Silence of minutes is borne'],
  ),
  group(
    'Answers of the Responses API',
    ['R650', 'MUST', 'The response object is read'],
    ['R651', 'MUST', 'Blocks stand in the order of the items, reasoning too'],
    ['R652', 'MUST', 'Reasoning shows its summary, else its own words, never both'],
    ['R653', 'MUST', 'A message is one text block, a refusal is text'],
    ['R654', 'MUST', 'A call keeps the provider’s id beside its own; one that was cut is dropped'],
    ['R655', 'MUST', 'Items without a meaning here are skipped and counted'],
    ['R656', 'MUST', 'Stop reason by what was written, then by the status'],
    ['R657', 'MUST', 'Usage: what was read from and written to the cache is taken out of the input'],
    ['R658', 'MUST', 'A response that failed is an error'],
    ['R659', 'MUST', 'JSON for a stream and a stream for JSON are both read'],
    ['R660', 'MUST', 'The type of an event stands in its data or its line'],
    ['R661', 'MUST', 'The head goes out with the first block, so that an overflow keeps its status'],
    ['R662', 'MUST', 'Every event has its meaning'],
    ['R663', 'MUST', 'An item is found by its place, else by its ids, else as the newest of its kind'],
    ['R664', 'MUST', 'A text is written once, whatever repeats it'],
    ['R665', 'MUST', 'A reasoning item is a block that carries its state'],
    ['R666', 'MUST', 'A call may come in pieces, in one event or with its item'],
    ['R667', 'MUST', 'What belongs to a later item waits for the one before it'],
    ['R668', 'MUST', 'The last event ends the answer at once'],
    ['R669', 'MUST', 'A stream without its last event is no whole answer'],
    ['R670', 'MUST', 'Errors in a stream are read in each of their forms'],
    ['R671', 'MUST', 'Events that nobody knows are skipped'],
    ['R672', 'MUST', 'The last event completes what the others left out'],
    ['R673', 'MUST', 'Pings while the model thinks in silence; a client that goes ends the provider’s request'],
    ['R674', 'MUST', 'A folded stream is the unstreamed answer'],
    ['R675', 'NICE', 'Searches of the web are blocks of their own'],
  ),
  group(
    'Errors and choice of the Responses API',
    ['R676', 'MUST', 'Error codes have their status'],
    ['R677', 'MUST', 'A conversation that is too long is said to be so, also within a stream'],
    ['R678', 'MUST', 'Waits that the provider names are kept'],
    ['R679', 'MUST', 'Errors of quota and policy are not repeated'],
    ['R680', 'MUST', 'Reasoning that is refused is left out, asked for once more, and never sent again'],
    ['R681', 'MUST', 'The same refusal twice goes to the client'],
    ['R682', 'MUST', 'A part that is refused is left out, by the name that the error gives it'],
    ['R683', 'MUST', 'A model that may not be streamed is asked for whole answers'],
    ['R684', 'MUST', 'A fault in the order of calls goes to the client and is not asked for again'],
    ['R685', 'MUST', 'A stream that fails before its first block is asked for again'],
    ['R686', 'MUST', 'Each preset has a protocol, and PROTOCOL another'],
    ['R687', 'MUST', 'The API is chosen for each model'],
    ['R688', 'SHOULD', 'A server without the endpoint is asked by chat completions, or named as such'],
    [
      'R689',
      'MUST',
      'The default of every preset works with tools, at a vendor that refuses what it is known to refuse',
    ],
    ['R690', 'MUST', 'Encrypted reasoning counts no tokens'],
    ['R691', 'MUST', 'The list of models does not show the protocol'],
    ['R692', 'MUST', 'What is read from and written to the cache, and long input, have their own prices'],
    ['R693', 'SHOULD', 'A health check takes an answer of no words'],
    ['R694', 'MUST', 'The log counts reasoning that goes back, and never holds it'],
  ),
];

/** Where each rule is named by a test: in a title of a test file, or as the folder of a golden case. */
export type RuleTests = ReadonlyMap<string, readonly string[]>;

const RULE = /\bR\d{3}\b/g;
const TEXT = /'[^'\n]*'|`[^`\n]*`/g;

function rulesIn(text: string): Set<string> {
  return new Set(text.match(RULE));
}

/** The texts in a test file, quotes included: titles, or the rows that titles are made of; comments do not count. */
export function textsOf(source: string): readonly string[] {
  return source.replaceAll(/^\s*(?:\/\/|\/?\*).*$/gm, '').match(TEXT) ?? [];
}

function rulesOfFile(source: string): Set<string> {
  return rulesIn(textsOf(source).join('\n'));
}

/** Reads the tests below `test/` of the project; the places are sorted, golden cases of one rule are one place. */
export function readRuleTests(root: string): RuleTests {
  const places = new Map<string, Set<string>>();
  const add = (rules: ReadonlySet<string>, place: (rule: string) => string) => {
    for (const rule of rules) places.set(rule, (places.get(rule) ?? new Set()).add(place(rule)));
  };
  for (const entry of readdirSync(join(root, 'test'), { recursive: true, encoding: 'utf8' }).sort()) {
    const path = entry.replaceAll('\\', '/');
    const golden = /^golden\/(\w+)\/[^/]+$/.exec(path);
    if (golden !== null) add(rulesIn(path), (rule) => `golden/${golden[1]}/${rule}-*`);
    else if (path.endsWith('.test.ts')) add(rulesOfFile(readFileSync(join(root, 'test', path), 'utf8')), () => path);
  }
  return new Map([...places].map(([rule, found]) => [rule, [...found]]));
}

function describeGroup({ title, rules }: RuleGroup, tests: RuleTests): readonly string[] {
  const rows = rules.map(({ name, level, subject }) => {
    const places = tests.get(name) ?? [];
    return [name, level, subject, places.length === 0 ? 'none' : places.map(code).join(', ')];
  });
  return [`## ${title}`, markdownTable(['Rule', 'Level', 'Subject', 'Tests'], rows)];
}

/** docs/RULES.md: every rule of the translation and where it is tested. */
export function rulesPage(tests: RuleTests): string {
  return markdownPage(
    '# Rules of the translation',
    'Sources, tests and decisions refer to these numbers. The last column says which tests name the rule, below `test/`; a golden case is a folder with what goes in and what comes out.',
    ...ruleGroups.flatMap((group) => describeGroup(group, tests)),
  );
}
