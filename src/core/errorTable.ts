/**
 * Every error the proxy can answer, as data: one row per cause. `docs/ERRORS.md` is generated from this table, and a test
 * holds the two together. Status and type are Anthropic's (platform.claude.com/docs/en/api/errors) so that Claude Code
 * reacts as it does to Anthropic itself; what it does by itself was measured (docs/RULES.md).
 */
export type ErrorType =
  | 'invalid_request_error'
  | 'authentication_error'
  | 'billing_error'
  | 'permission_error'
  | 'not_found_error'
  | 'request_too_large'
  | 'rate_limit_error'
  | 'timeout_error'
  | 'api_error'
  | 'overloaded_error'
  | 'not_supported';

export interface ErrorRow {
  readonly status: number;
  readonly type: ErrorType;
  /** Value of the `x-should-retry` header; absent means that the client's own rules decide. */
  readonly shouldRetry?: boolean;
  /** Seconds for `retry-after` when the cause names none. */
  readonly retryAfterSeconds?: number;
  /** The message, or the most common one; words in capitals stand for what differs. */
  readonly form: string;
  /** What has happened, for the documentation. */
  readonly cause: string;
  /** What the user can do, for the documentation. */
  readonly remedy: string;
}

export const errorTable = {
  invalid_request: {
    status: 400,
    type: 'invalid_request_error',
    form: 'FIELD: FAULT',
    cause: 'The request cannot be served: not JSON, or a part that is required is missing or malformed.',
    remedy:
      'Read the message: it names the field. Claude Code itself never sends such a request; another client must be corrected.',
  },
  upstream_invalid_request: {
    status: 400,
    type: 'invalid_request_error',
    form: '[INSTANCE STATUS] WORDS',
    cause: 'The provider refused the request as invalid (400 or 422); its own words follow the provider name.',
    remedy:
      'Read the words. Often a parameter that this model does not know: set QUIRK_DROP_PARAMS or choose another model.',
  },
  capability_rejected: {
    status: 400,
    type: 'invalid_request_error',
    form: 'capability_rejected: CLASS',
    cause: 'The provider lacks a feature that Claude Code asked for; the message names the feature class.',
    remedy: 'Nothing: Claude Code drops the feature and repeats the request by itself.',
  },
  context_overflow: {
    status: 400,
    type: 'invalid_request_error',
    form: 'prompt is too long: N tokens > M maximum',
    cause: 'The conversation is longer than the model’s context window.',
    remedy:
      'Nothing: Claude Code compacts the conversation by itself. If it happens at once, set QUIRK_CONTEXT_WINDOW.',
  },
  max_tokens_overflow: {
    status: 400,
    type: 'invalid_request_error',
    form: 'input length and `max_tokens` exceed context limit: A + B > C, decrease input length or `max_tokens` and try again',
    cause: 'The conversation fits the context window, but not together with the requested output.',
    remedy: 'Nothing: Claude Code asks again for a shorter output.',
  },
  output_exhausted: {
    status: 400,
    type: 'invalid_request_error',
    form: '[INSTANCE STATUS] WORDS',
    cause:
      'A model that thinks has used up `max_tokens` before its first word. A Messages request is answered 200 with `stop_reason: max_tokens` in place of this error, as Anthropic would.',
    remedy: 'Ask for a larger output, or set QUIRK_MIN_OUTPUT.',
  },
  effort_refused: {
    status: 400,
    type: 'invalid_request_error',
    form: '[INSTANCE STATUS] WORDS',
    cause: 'The model does not take this effort, also after the proxy has lowered or left it out.',
    remedy: 'Read the words: they name the efforts that it takes. Set QUIRK_EFFORTS, or choose another model.',
  },
  reasoning_refused: {
    status: 400,
    type: 'invalid_request_error',
    form: '[INSTANCE STATUS] WORDS',
    cause:
      'The provider cannot read the encrypted reasoning of earlier answers, also after the proxy has left it out: it belongs to another key, region or model.',
    remedy:
      'Nothing as a rule: the proxy leaves such reasoning out. If it comes back, set QUIRK_REASONING_REPLAY=none.',
  },
  unauthenticated: {
    status: 401,
    type: 'authentication_error',
    shouldRetry: false,
    form: 'the token is not the ANTHROPIC_API_KEY of this instance’s env file',
    cause: 'The token of this instance is missing or wrong.',
    remedy: 'Set ANTHROPIC_AUTH_TOKEN of the client to the ANTHROPIC_API_KEY of the instance’s env file.',
  },
  too_many_attempts: {
    status: 429,
    type: 'rate_limit_error',
    form: 'too many wrong tokens came from this address; none is looked at for N s',
    cause:
      'Twenty wrong tokens came from one address within a minute; for the rest of it none from there is looked at.',
    remedy: 'Find the client that has another token than the instance; the log says from which address it calls.',
  },
  client_limit: {
    status: 429,
    type: 'rate_limit_error',
    form: 'NAME has used LIMIT; again in TIME',
    cause:
      'The client has a token of its own (CLIENT_TOKENS_FILE) and has reached a limit of it: requests a minute, tokens a day or cost a month. Only of the first, and where other requests of the client are still under way, does Claude Code try again by itself.',
    remedy: 'Wait as long as the message says, or let the owner of the instance raise the limit; it holds at once.',
  },
  model_not_allowed: {
    status: 403,
    type: 'permission_error',
    shouldRetry: false,
    form: 'the token of NAME is not for MODEL; it is for MODELS',
    cause: 'The client has a token of its own (CLIENT_TOKENS_FILE), which lists the models that it may use.',
    remedy: 'Choose one of these models with /model, or let the owner of the instance add this one.',
  },
  owner_only: {
    status: 403,
    type: 'permission_error',
    shouldRetry: false,
    form: 'the token of NAME is for requests to models; this endpoint takes the ANTHROPIC_API_KEY of the instance only',
    cause:
      'A client with a token of its own (CLIENT_TOKENS_FILE) asks for what concerns all clients, such as /metrics.',
    remedy: 'Use the ANTHROPIC_API_KEY of the instance.',
  },
  missing_provider_key: {
    status: 401,
    type: 'authentication_error',
    shouldRetry: false,
    form: '[INSTANCE] no key for the provider: put OPENAI_API_KEY into the env file, or send yours as ANTHROPIC_AUTH_TOKEN',
    cause: 'The instance has no key of its own and the client sent none to pass through.',
    remedy: 'Put OPENAI_API_KEY into the env file, or let the client send its key as ANTHROPIC_AUTH_TOKEN.',
  },
  upstream_unauthenticated: {
    status: 401,
    type: 'authentication_error',
    shouldRetry: false,
    form: '[INSTANCE STATUS] the provider rejected OPENAI_API_KEY: WORDS',
    cause: 'The provider rejected the key.',
    remedy:
      'Check OPENAI_API_KEY in the env file, and that it belongs to this base URL (many providers have regional keys).',
  },
  billing: {
    status: 402,
    type: 'billing_error',
    shouldRetry: false,
    form: '[INSTANCE STATUS] WORDS',
    cause: 'The provider’s balance or plan is used up.',
    remedy: 'Top up or wait for the plan’s reset; the message says what the provider wrote.',
  },
  upstream_forbidden: {
    status: 403,
    type: 'permission_error',
    shouldRetry: false,
    form: '[INSTANCE STATUS] WORDS',
    cause: 'The key may not use this model or this endpoint.',
    remedy: 'Check the plan, or choose another model for the tier.',
  },
  blocked: {
    status: 403,
    type: 'permission_error',
    shouldRetry: false,
    form: '[INSTANCE STATUS] a page of OWNER answered in place of the provider: TITLE; it turns away this machine or network, not the key',
    cause: 'A firewall before the provider, or a network proxy, has answered with a page of its own.',
    remedy:
      'Try from another network or without a VPN, and check HTTPS_PROXY; the key is not at fault and is used further.',
  },
  foreign_origin: {
    status: 403,
    type: 'permission_error',
    shouldRetry: false,
    form: 'the Host NAME is not this instance; add it to ALLOWED_HOSTS if it should be',
    cause:
      'The request carries an Origin, a cross-site mark or a Host that is not this instance: a web page may be calling.',
    remedy: 'Use http://127.0.0.1:PORT or localhost. Other names must be listed in ALLOWED_HOSTS.',
  },
  unknown_model: {
    status: 404,
    type: 'not_found_error',
    form: '[INSTANCE STATUS] the provider does not know the model MODEL: WORDS',
    cause: 'The provider does not know the model.',
    remedy: 'Check BIG_MODEL, MIDDLE_MODEL and SMALL_MODEL in the env file.',
  },
  unknown_route: {
    status: 404,
    type: 'not_found_error',
    form: 'there is no such endpoint; GET / lists them',
    cause: 'There is no such endpoint.',
    remedy: 'See the list of endpoints at GET /.',
  },
  wrong_method: {
    status: 405,
    type: 'invalid_request_error',
    form: 'this endpoint takes METHODS only',
    cause: 'The endpoint exists, but not for this method.',
    remedy: 'See the list of endpoints at GET /.',
  },
  request_timeout: {
    status: 408,
    type: 'timeout_error',
    form: 'the request did not arrive in time',
    cause: 'The client did not send its whole request in time.',
    remedy: 'Send it again.',
  },
  request_too_large: {
    status: 413,
    type: 'request_too_large',
    form: 'the body is larger than MAX_BODY_BYTES',
    cause:
      'The body is larger than MAX_BODY_BYTES, holds more than 250,000 values or one message or tool of more than 32 MiB, 50,000 values or a million escaped letters, or the provider said so of its own limit.',
    remedy: 'Nothing: Claude Code compacts the conversation. Raise MAX_BODY_BYTES if the provider takes more.',
  },
  wrong_content_type: {
    status: 415,
    type: 'invalid_request_error',
    shouldRetry: false,
    form: 'the content-type must be application/json',
    cause: 'The body is not application/json.',
    remedy: 'Send content-type: application/json.',
  },
  headers_too_large: {
    status: 431,
    type: 'invalid_request_error',
    shouldRetry: false,
    form: 'the headers are larger than 16 KB',
    cause: 'The request headers are too large.',
    remedy: 'Send fewer or shorter headers.',
  },
  rate_limited: {
    status: 429,
    type: 'rate_limit_error',
    form: '[INSTANCE STATUS] WORDS',
    cause: 'The provider limits the rate of requests or tokens.',
    remedy: 'Nothing: Claude Code waits as long as the answer says and repeats the request.',
  },
  never_fits_rate_limit: {
    status: 400,
    type: 'invalid_request_error',
    shouldRetry: false,
    form: '[INSTANCE STATUS] WORDS (the request needs N tokens and the limit is M a minute: set QUIRK_MAX_OUTPUT lower)',
    cause: 'One request alone is larger than the provider’s tokens-per-minute limit, so that it can never succeed.',
    remedy: 'Lower QUIRK_MAX_OUTPUT (many providers count it into the limit) or use a larger plan.',
  },
  internal: {
    status: 500,
    type: 'api_error',
    form: 'the proxy failed on this request; its log has the reason under the request id',
    cause: 'A fault of the proxy itself, or an error of the provider without a better name.',
    remedy: 'Look into the instance’s log for the request id and report it.',
  },
  provider_failed: {
    status: 500,
    type: 'api_error',
    form: 'WORDS',
    cause: 'A provider with a Messages API of its own failed inside; status and words are the provider’s.',
    remedy: 'Nothing: Claude Code repeats the request. If it goes on, look at the provider’s status page.',
  },
  not_supported: {
    status: 501,
    type: 'not_supported',
    shouldRetry: false,
    form: 'this instance serves the Messages API only: no batches, files, skills or completions',
    cause: 'The endpoint or feature of Anthropic’s API is not offered here.',
    remedy: 'Use another feature.',
  },
  bad_gateway: {
    status: 502,
    type: 'api_error',
    form: '[INSTANCE STATUS] no chat completions API at this address, check OPENAI_BASE_URL: WORDS',
    cause: 'The provider’s address is wrong or answers with something that is not its API (redirect, HTML, TLS fault).',
    remedy: 'Check OPENAI_BASE_URL; the message says what was found there.',
  },
  unknown_endpoint: {
    status: 502,
    type: 'api_error',
    shouldRetry: false,
    form: '[INSTANCE STATUS] this server does not know the Responses API, set PROTOCOL=chat: WORDS',
    cause: 'PROTOCOL=responses is set, and the server has no such endpoint (404 or 405).',
    remedy: 'Set PROTOCOL=chat, or check OPENAI_BASE_URL.',
  },
  upstream_timeout: {
    status: 504,
    type: 'timeout_error',
    form: '[INSTANCE] no answer within N s (SETTING)',
    cause: 'The provider did not begin to answer in time.',
    remedy:
      'Try again; raise REQUEST_TIMEOUT, or what the message names, if the model needs longer before its first token.',
  },
  overloaded: {
    status: 529,
    type: 'overloaded_error',
    retryAfterSeconds: 2,
    form: '[INSTANCE STATUS] WORDS',
    cause: 'The provider cannot be reached, is overloaded or broke off its answer, also after the proxy’s own retries.',
    remedy:
      'Nothing: Claude Code repeats the request. If it goes on, check the network and the provider’s status page.',
  },
  broken_tool_call: {
    status: 529,
    type: 'overloaded_error',
    retryAfterSeconds: 2,
    form: '[INSTANCE STATUS] WORDS',
    cause:
      'The model wrote a tool call that its provider cannot read (MALFORMED_FUNCTION_CALL, tool_use_failed) or that names no tool, also when it was asked once more.',
    remedy: 'Nothing: Claude Code repeats the request. If it goes on, another model calls tools more reliably.',
  },
  queue_full: {
    status: 529,
    type: 'overloaded_error',
    retryAfterSeconds: 5,
    form: '[INSTANCE] N requests are under way (MAX_CONCURRENT) and M more are waiting',
    cause: 'More requests came at once than MAX_CONCURRENT lets through and MAX_QUEUE lets wait.',
    remedy: 'Nothing: Claude Code repeats the request. Raise MAX_CONCURRENT if the provider’s plan allows it.',
  },
  short_of_memory: {
    status: 529,
    type: 'overloaded_error',
    retryAfterSeconds: 5,
    form: 'the instance is short of memory: N of M MiB are used, and the request has K',
    cause:
      'More and larger requests are under way than the memory of the instance takes; others, and their streams, go on.',
    remedy:
      'Nothing: Claude Code repeats the request. If it goes on, lower MAX_CONCURRENT, or run another instance beside.',
  },
  draining: {
    status: 529,
    type: 'overloaded_error',
    retryAfterSeconds: 1,
    form: '[INSTANCE] the instance is stopping',
    cause: 'The instance is shutting down and takes no new requests.',
    remedy: 'Nothing: Claude Code repeats the request.',
  },
} as const satisfies Record<string, ErrorRow>;

export type ErrorCode = keyof typeof errorTable;
