import { createHash } from 'node:crypto';
import { asNumber, asString, isObject, type JsonObject } from '../core/json.ts';
import { redactBeginning } from '../core/secret.ts';

/**
 * How a request ended:
 * - `ok`: the client got a complete answer;
 * - `rejected`: refused by this proxy before a provider was asked (token, host, syntax, size, overload);
 * - `error`: the client got an error in place of an answer;
 * - `interrupted`: the answer had begun and ended in an `event: error` (provider broke off, time ran out, shutdown);
 * - `client_closed`: the client went away first; not a fault of the provider.
 */
export type RequestOutcome = 'ok' | 'rejected' | 'error' | 'interrupted' | 'client_closed';

/** What a request has brought for a model that sees no pictures. */
export interface PictureCounts {
  readonly total: number;
  /** Described for this request; others were known before. */
  described: number;
  /** A note stands in the place of these. */
  failed: number;
  /** Of the side model, and what it has cost in US dollars; undefined when a price is unknown. */
  inputTokens: number;
  outputTokens: number;
  cost: number | undefined;
}

/** What is kept of one request: numbers and names, never a message, a body or a key. */
export interface RequestRecord {
  /** `req_...`, the same that the client got in its `request-id` header. */
  id: string;
  /** The route, such as `/v1/messages`; HEALTH_CHECK or SIDE_VISION in its place for a question of the instance's own. */
  endpoint: string;
  provider: string;
  /** By what the provider was asked: `chat`, `responses`, `anthropic` or `demo`. */
  protocol?: string | undefined;
  /** Where the provider's key came from, or what it is called where there are several; never the key. */
  key?: string | undefined;
  tier?: string | undefined;
  /** What sent the request elsewhere than to its tier's model: `named`, or a line of the router such as `think`. */
  route?: string | undefined;
  /** The model that the client asked for, and the one that the provider was asked for. */
  model?: string | undefined;
  upstreamModel?: string | undefined;
  /** The model by its name in the configuration, by which it has a price. */
  routedModel?: string | undefined;
  stream: boolean;
  /** The status that the client got, or would have got had it stayed. */
  status: number;
  outcome: RequestOutcome;
  errorType?: string | undefined;
  errorMessage?: string | undefined;
  inputTokens?: number | undefined;
  cacheReadTokens?: number | undefined;
  cacheWriteTokens?: number | undefined;
  outputTokens?: number | undefined;
  /** A part of the output. */
  reasoningTokens?: number | undefined;
  /** US dollars; undefined when a price is unknown. */
  cost?: number | undefined;
  /** The provider gave no usage and the numbers are ours. */
  usageEstimated?: boolean | undefined;
  stopReason?: string | undefined;
  /** From the request's arrival to the first event for the client, and to the end, in milliseconds. */
  firstEventMs?: number | undefined;
  durationMs: number;
  /** How often a provider was asked. */
  attempts?: number | undefined;
  /** The candidates before the one that served the request, as `<provider>,<model>`, and why they did not. */
  fallbacks?: readonly { readonly from: string; readonly reason: string }[] | undefined;
  upstreamRequestId?: string | undefined;
  /** A short hash of the client's session id; above 39 characters it would be masked as a key. */
  session?: string | undefined;
  /** The client's own id of the session: in the usage file only. */
  sessionId?: string | undefined;
  /** What the request is for, such as `chat` or `title`. */
  intent?: string | undefined;
  /** The folder that the client works in, or a short hash of it, by USAGE_PROJECTS: in the usage file only. */
  project?: string | undefined;
  /** The subagent's id. */
  agent?: string | undefined;
  clientVersion?: string | undefined;
  /** The name of the client, where it has a token of its own. */
  client?: string | undefined;
  requestBytes?: number | undefined;
  /** How many fields of the request the provider does not know and did not get. */
  droppedFields?: number | undefined;
  /** How many tools of the client the model was not offered, because its server takes no more. */
  toolsLeftOut?: number | undefined;
  /** Whether the client searches for its tools; undefined beside the conversation and without a session. Not written anywhere. */
  toolSearch?: boolean | undefined;
  /** Pieces of encrypted reasoning that went back to the provider, and their bytes together; notes say which were left out and why. */
  reasoningItems?: number | undefined;
  reasoningBytes?: number | undefined;
  /** The class of service in which the provider has answered, which may have prices of its own. */
  serviceTier?: string | undefined;
  /** Absent where no picture had to be described. */
  pictures?: PictureCounts | undefined;
  /** Searches of the web that this proxy has done for the request, those that failed, and what the others cost, in US dollars. */
  searches?: number | undefined;
  failedSearches?: number | undefined;
  searchCost?: number | undefined;
  /** Why the last of those failed, and whether a search was all that was asked for and nobody does any; for /health only. */
  searchFailure?: string | undefined;
  searchRefused?: boolean | undefined;
  /** Names of repairs and fallbacks that were needed. */
  notes?: readonly string[] | undefined;
}

/** The note of a request whose pictures became a line of text, because the model sees none. */
export const IMAGE_NOT_SEEN = 'image_not_seen';

const ERROR_MESSAGE_LIMIT = 200;
/** Names come from clients and providers, who may write what they like. */
const NAME_LIMIT = 200;
const MOST_NOTES = 100;
/** For all notes of a line together: a client may name 100,000 tools, with a note for each. */
const NOTES_LIMIT = 8000;

/** A name as it may be stored: masked where it has to be cut, as half a key would not be recognised later. */
function shortenName(name: string, redact: (text: string) => string): string {
  return name.length <= NAME_LIMIT ? name : redactBeginning(name, NAME_LIMIT, redact);
}

/** The first of the notes, and how many are left out. */
function boundNotes(notes: readonly string[], redact: (text: string) => string): readonly string[] {
  const kept: string[] = [];
  let letters = 0;
  for (const note of notes.slice(0, MOST_NOTES)) {
    const short = shortenName(note, redact);
    letters += short.length;
    if (letters > NOTES_LIMIT) break;
    kept.push(short);
  }
  return kept.length === notes.length ? kept : [...kept, `notes_left_out:${notes.length - kept.length}`];
}

/** The record as one line of JSON (without newline) with flat snake_case fields; what is undefined is left out. */
export function serializeRequest(
  record: RequestRecord,
  instance: string,
  now: number,
  redact: (text: string) => string,
): string {
  const name = (text: string | undefined) => text && shortenName(text, redact);
  return JSON.stringify({
    time: new Date(now).toISOString(),
    level: record.outcome === 'error' || record.outcome === 'interrupted' ? 'warn' : 'info',
    event: 'request',
    id: record.id,
    instance,
    endpoint: name(record.endpoint),
    tier: record.tier,
    route: record.route,
    model: name(record.model),
    upstream_model: name(record.upstreamModel),
    provider: record.provider,
    protocol: record.protocol,
    stream: record.stream,
    status: record.status,
    outcome: record.outcome,
    error_type: record.errorType,
    error_message: record.errorMessage && shortenErrorMessage(record.errorMessage, redact),
    input_tokens: record.inputTokens,
    cache_read_tokens: record.cacheReadTokens,
    cache_creation_tokens: record.cacheWriteTokens,
    output_tokens: record.outputTokens,
    reasoning_tokens: record.reasoningTokens,
    cost: record.cost,
    usage_estimated: record.usageEstimated,
    stop_reason: name(record.stopReason),
    first_event_ms: record.firstEventMs,
    duration_ms: record.durationMs,
    attempts: record.attempts,
    fallbacks: record.fallbacks?.map(({ from, reason }) => ({
      from: name(from),
      reason: shortenErrorMessage(reason, redact),
    })),
    upstream_request_id: name(record.upstreamRequestId),
    session: record.session,
    intent: record.intent,
    agent: name(record.agent),
    client_version: name(record.clientVersion),
    client: record.client,
    request_bytes: record.requestBytes,
    dropped_fields: record.droppedFields,
    tools_left_out: record.toolsLeftOut,
    reasoning_items: record.reasoningItems,
    reasoning_bytes: record.reasoningBytes,
    service_tier: name(record.serviceTier),
    ...(record.pictures === undefined ? {} : pictureFields(record.pictures)),
    searches: record.searches,
    failed_searches: record.failedSearches,
    search_cost: record.searchCost,
    notes: record.notes && boundNotes(record.notes, redact),
  });
}

function pictureFields({ total, described, failed, inputTokens, outputTokens, cost }: PictureCounts) {
  return {
    pictures: total,
    pictures_described: described,
    pictures_failed: failed,
    ...(described + failed === 0
      ? {}
      : { vision_input_tokens: inputTokens, vision_output_tokens: outputTokens, vision_cost: cost }),
  };
}

const OUTCOMES: readonly RequestOutcome[] = ['ok', 'rejected', 'error', 'interrupted', 'client_closed'];

/** A line of the log as the record that was written, as far as a reader is shown it; the line may be of another version. */
export function readRequest(line: JsonObject): RequestRecord {
  const text = (field: string) => asString(line[field]);
  const number = (field: string) => asNumber(line[field]);
  const fallbacks = Array.isArray(line['fallbacks']) ? line['fallbacks'].filter(isObject) : [];
  return {
    id: text('id') ?? '',
    endpoint: text('endpoint') ?? '',
    provider: text('provider') ?? '',
    tier: text('tier'),
    route: text('route'),
    intent: text('intent'),
    model: text('model'),
    upstreamModel: text('upstream_model'),
    stream: line['stream'] === true,
    status: number('status') ?? 0,
    outcome: OUTCOMES.find((outcome) => outcome === line['outcome']) ?? 'error',
    errorType: text('error_type'),
    errorMessage: text('error_message'),
    inputTokens: number('input_tokens'),
    cacheReadTokens: number('cache_read_tokens'),
    cacheWriteTokens: number('cache_creation_tokens'),
    outputTokens: number('output_tokens'),
    reasoningTokens: number('reasoning_tokens'),
    cost: number('cost'),
    usageEstimated: line['usage_estimated'] === true,
    stopReason: text('stop_reason'),
    firstEventMs: number('first_event_ms'),
    durationMs: number('duration_ms') ?? 0,
    attempts: number('attempts'),
    fallbacks: fallbacks.map(({ from, reason }) => ({ from: asString(from) ?? '', reason: asString(reason) ?? '' })),
    session: text('session'),
    agent: text('agent'),
    client: text('client'),
    notes: Array.isArray(line['notes']) ? line['notes'].filter((note) => typeof note === 'string') : [],
  };
}

/** Without credentials and at most 200 characters. */
export function shortenErrorMessage(message: string, redact: (text: string) => string): string {
  return redactBeginning(message, ERROR_MESSAGE_LIMIT, redact);
}

/** The short hash by which a client's session or folder is known in the log and the usage file; longer it would be masked as a key. */
export function shortHash(name: string): string {
  return createHash('sha256').update(name).digest('hex').slice(0, 16);
}
