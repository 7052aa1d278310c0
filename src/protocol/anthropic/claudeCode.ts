import { asString, isObject, type JsonObject } from '../../core/json.ts';

/**
 * What a request of Claude Code is for: the conversation itself, or one of the requests that the client sends beside it and that
 * cost tokens all the same. Seen with Claude Code 2.1.328 on 2026-11-30; what is not recognised counts as `side` when it offers no
 * tools, else as `chat`.
 */
type ClientIntent =
  | 'chat'
  /** A subagent's turn. */
  | 'subagent'
  /** The name of the session. */
  | 'title'
  /** Auto mode's question whether a command is safe. */
  | 'safety_check'
  /** The summary that takes the place of a long conversation (`/compact`). */
  | 'summary'
  | 'web_search'
  /** The client's test at its start whether the model answers. */
  | 'connection_test'
  /** Any other request without tools, such as the reading of a fetched page. */
  | 'side';

/** The stop sequence of auto mode's questions. */
const VERDICT_END = '</block>';
const SUMMARY_WORDS = 'Your task is to create a detailed summary of the conversation';
/** The words stand in front of what the client adds to them. */
const SUMMARY_LETTERS = 4000;

/** @param request the body of a Messages request, unchecked */
export function readClientIntent(request: JsonObject, isSubagent: boolean): ClientIntent {
  const { tools } = request;
  if (Array.isArray(tools) && tools.length > 0) {
    const [tool] = tools;
    if (tools.length === 1 && isObject(tool) && asString(tool['type'])?.startsWith('web_search_')) return 'web_search';
    if (isSubagent) return 'subagent';
    return isSummary(request) ? 'summary' : 'chat';
  }
  if (request['max_tokens'] === 1) return 'connection_test';
  if (isTitle(request)) return 'title';
  const { stop_sequences: stops } = request;
  if (Array.isArray(stops) && stops.includes(VERDICT_END)) return 'safety_check';
  if (isSummary(request)) return 'summary';
  return isSubagent ? 'subagent' : 'side';
}

/** The tool by which the client finds those of its tools that it does not send. */
const SEARCH_TOOL = 'ToolSearch';

/** Whether the client sends a search for tools in place of most of them. */
export function offersToolSearch({ tools }: JsonObject): boolean {
  if (!Array.isArray(tools)) return false;
  for (const tool of tools) if (isObject(tool) && tool['name'] === SEARCH_TOOL) return true;
  return false;
}

function isTitle({ output_config: config }: JsonObject): boolean {
  const format = isObject(config) ? config['format'] : undefined;
  const schema = isObject(format) ? format['schema'] : undefined;
  const properties = isObject(schema) ? schema['properties'] : undefined;
  return isObject(properties) && Object.hasOwn(properties, 'title');
}

function isSummary({ messages }: JsonObject): boolean {
  const last = Array.isArray(messages) ? messages.at(-1) : undefined;
  for (const text of textsOf(isObject(last) ? last['content'] : undefined)) {
    if (text.slice(0, SUMMARY_LETTERS).includes(SUMMARY_WORDS)) return true;
  }
  return false;
}

function* textsOf(content: unknown): Generator<string> {
  if (typeof content === 'string') yield content;
  if (!Array.isArray(content)) return;
  for (const block of content.slice(0, MOST_BLOCKS)) {
    const text = isObject(block) ? asString(block['text']) : undefined;
    if (text !== undefined) yield text;
  }
}

/** So much of a request is looked at: the folder is named in the system text or in one of the first messages. */
const MOST_BLOCKS = 8;
const MOST_MESSAGES = 4;
const MOST_LETTERS = 64 * 1024;
const FOLDER_LABEL = 'orking directory: ';
const LONGEST_FOLDER = 1000;

/** The folder that Claude Code works in, as it says to the model; undefined where it says none, as in most side requests. */
export function readWorkingDirectory({ system, messages }: JsonObject): string | undefined {
  const contents: unknown[] = [system];
  if (Array.isArray(messages)) {
    for (const message of messages.slice(0, MOST_MESSAGES)) if (isObject(message)) contents.push(message['content']);
  }
  for (const content of contents) {
    for (const text of textsOf(content)) {
      const begin = text.slice(0, MOST_LETTERS).indexOf(FOLDER_LABEL);
      if (begin < 0) continue;
      const folder = text.slice(begin + FOLDER_LABEL.length, begin + FOLDER_LABEL.length + LONGEST_FOLDER);
      return folder.split('\n', 1)[0]?.trim() || undefined;
    }
  }
  return undefined;
}
