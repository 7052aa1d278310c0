import type { Wording } from './overflowWordings.ts';

/** What a refusal is about, where its words say it. */
export type RefusalClass =
  | 'broken_tool_call'
  | 'plan_window'
  | 'billing'
  | 'image'
  | 'unserved_model'
  | 'unknown_model'
  | 'document'
  | 'reasoning'
  | 'filter'
  | 'content'
  | 'effort'
  | 'structured_output';

/** Names that providers give to errors as code or type, in lower case, that mean the same at whatever status. */
export const refusalCodes: Readonly<Record<string, RefusalClass>> = {
  tool_use_failed: 'broken_tool_call',
  malformed_function_call: 'broken_tool_call',
  insufficient_quota: 'billing',
  insufficient_balance: 'billing',
  insufficient_credit: 'billing',
  insufficient_credits: 'billing',
  insufficient_funds: 'billing',
  exceeded_current_quota: 'billing',
  exceeded_current_quota_error: 'billing',
  model_not_found: 'unknown_model',
  model_not_exist: 'unknown_model',
  model_decommissioned: 'unknown_model',
  invalid_model: 'unknown_model',
  unknown_model: 'unknown_model',
  deploymentnotfound: 'unknown_model',
  invalid_reasoning_effort: 'effort',
  // What the error names as its `param`.
  'reasoning.effort': 'effort',
  credit_balance_exhausted: 'billing',
  organization_spend_limit_exceeded: 'billing',
  project_spend_limit_exceeded: 'billing',
  organization_usage_limit_exceeded: 'billing',
  invalid_encrypted_content: 'reasoning',
  invalid_prompt: 'filter',
  cyber_policy: 'filter',
  bio_policy: 'filter',
  misalignment_policy_violation: 'filter',
  content_filter: 'filter',
  data_inspection_failed: 'filter',
  datainspectionfailed: 'filter',
  invalid_image: 'content',
  invalid_image_format: 'content',
  invalid_image_mode: 'content',
  invalid_image_url: 'content',
  invalid_base64_image: 'content',
  image_too_large: 'content',
  image_too_small: 'content',
  image_parse_error: 'content',
  image_content_policy_violation: 'filter',
  image_file_too_large: 'content',
  image_file_not_found: 'content',
  unsupported_image_media_type: 'content',
  empty_image_file: 'content',
  failed_to_download_image: 'content',
};

/**
 * How providers word their refusals, by what these are about; each wording belongs to one class. They meet the text in lower case, and
 * take time in proportion to it: what repeats is bounded.
 */
export const refusalWords: Readonly<Record<RefusalClass, readonly Wording[]>> = {
  /** The model has written a call that cannot be read: its fault, not that of the request. */
  broken_tool_call: [
    {
      words: /failed to call a function|tool call validation failed|see '?failed_generation/,
      source: 'Groq (pydantic/pydantic-ai#4354, tashfeenahmed/freellmapi#264)',
    },
  ],
  /** The part of a plan for some hours, a week or a month is used up: waiting a minute does not help. */
  plan_window: [
    {
      words: /usage limit for (?:this|the current) (?:billing )?(?:period|cycle|month|week)/,
      source: 'Kimi (kimi.com/code, error reference)',
    },
    {
      words: /(?:daily|weekly|monthly|\d ?-?hours?) (?:usage )?(?:limit|quota) (?:exhausted|reached|exceeded)/,
      source: 'Z.ai (gabrielkoerich/orch#2844); MiniMax',
    },
    {
      words: /(?:reached|exceeded|hit) (?:your|the) (?:daily|weekly|monthly|\d ?-?hour) (?:usage )?(?:limit|quota)/,
      source: 'Kimi; Command Code (CommandCodeAI/command-code#533)',
    },
    { words: /usage limit reached for \d{1,3} ?(?:hour|day|week)/, source: 'Z.ai, code 1308' },
    { words: /your limit will reset at \d/, source: 'Z.ai, codes 1308 and 1310' },
    { words: /reached your specified api usage limits/, source: 'Anthropic, a spending limit of the account' },
  ],
  /** Below 429 only: there, such words may be advice beside a limit that passes. */
  billing: [
    {
      words: /insufficient[_ ](?:quota|balance|credits?|funds)|exceeded[_ ](?:your[_ ])?current[_ ]quota/,
      source: 'OpenAI, Moonshot, DeepSeek',
    },
    {
      words:
        /(?<!for (?:this|the current) )billing (?:hard limit|limit|cycle|period)|payment required|out of credits|arrears/,
      source: 'OpenAI, OpenRouter, DashScope',
    },
    { words: /requires more credits/, source: 'OpenRouter (astrio-labs/forall#76)' },
  ],
  /** The model sees no pictures; about the form of one picture it is not. */
  image: [
    {
      words:
        /(?:does not|do not|doesn't|don't|cannot) (?:support|accept) (?:[\w-]{1,20} ){0,2}(?:images?|image_url|vision|multi-?modal)(?! (?:formats?|media|types?|urls?|generation|sizes?))/,
      source:
        'Ollama (ollama/ollama#17301); Ark (anomalyco/opencode#47994); LM Studio (lmstudio-ai/lmstudio-bug-tracker#362)',
    },
    {
      words:
        /(?:image|vision)(?:_url|s)?['"`]?(?: (?:inputs?|contents?|blocks?|parts?)){0,2} (?:(?:is|are) )?not (?:supported|enabled|allowed)/,
      source: 'llama.cpp; Mistral; xAI',
    },
    { words: /you may need to provide the mmproj/, source: 'llama.cpp and Lemonade, with status 500' },
    {
      words: /unknown variant [`'"]?image_url/,
      source: 'DeepSeek (farion1231/cc-switch#6450, can1357/oh-my-pi#9169)',
    },
    { words: /image_url is only supported by certain models/, source: 'OpenAI' },
    { words: /no endpoints found that support image/, source: 'OpenRouter' },
    { words: /is not a multi-?modal model|at most 0 image/, source: 'vLLM' },
    {
      words: /content\.type .{0,20}\['text'\]/,
      source: 'Zhipu, code 1210 (TriDefender/zcode-api#26, BigPizzaV3/CodexPlusPlus#1760)',
    },
    { words: /unsupported content (?:part )?type\W{1,4}image/, source: 'gateways of the chat API' },
  ],
  /** The model exists, but nobody serves it with what the request needs. */
  unserved_model: [
    {
      words: /no endpoints (?:found|available)(?! that support image)|no allowed providers are available/,
      source: 'OpenRouter (musistudio/claude-code-router#419, zed-industries/zed#36094)',
    },
  ],
  unknown_model: [
    {
      // A dot within a name does not end the sentence.
      words:
        /\bmodels?\b(?:[^.]|\.(?!\s)){0,80} (?:was |is |be |were )?(?:not found|does not exist|not exist|doesn't exist|no longer (?:supported|available)|been (?:decommissioned|deprecated|retired|removed))/,
      source: 'OpenAI, Ollama, vLLM, DeepSeek, Groq, Gemini, SiliconFlow, Fireworks',
    },
    {
      words: /\b(?:unknown|invalid|no such|unrecognized) model\b(?! (?:parameter|input|output|response))/,
      source: 'GitHub Models, Mistral, LiteLLM, Kiro (decolua/9router#1187)',
    },
    {
      words: /(?:not found|cannot find|could not find|couldn't find) (?:the )?(?:requested )?model\b/,
      source: 'Moonshot (diillson/chatcli#1344)',
    },
    { words: /is not a valid model/, source: 'OpenRouter' },
    { words: /model identifier is invalid/, source: 'Amazon Bedrock (Kilo-Org/kilocode#586)' },
    {
      words: /\bmodel [`'"]?[\w./:@-]{1,100}[`'"]? is not (?:supported|available|enabled|valid)/,
      source: 'Codex backend; Hugging Face router',
    },
    { words: /[`'"][\w./:@-]{1,100}[`'"] model is not (?:supported|available)/, source: 'Codex backend' },
    { words: /not have access to (?:the )?model\b/, source: 'OpenAI, with status 403' },
    { words: /unable to access (?:non-serverless )?model/, source: 'Together' },
    { words: /\bdeployment\b.{0,60}does not exist/, source: 'Azure' },
  ],
  document: [
    {
      words: /\b(?:pdf|document|file)s?\b[^.]{0,40}\b(?:not support|unsupported|not allowed)/,
      source: 'OpenRouter, OpenAI',
    },
  ],
  /** Reasoning of earlier answers cannot be read, or does not stand where it belongs. */
  reasoning: [
    {
      words:
        /encrypted[_ ]content\b.{0,200}(?:could not be|cannot be|can't be) (?:verified|decrypted|parsed)|encrypted[_ ]content is not supported/,
      source: 'OpenAI (BerriAI/litellm#27702, anomalyco/opencode#29879); Azure; vLLM',
    },
    {
      words: /could not (?:decode the compaction blob|decrypt the provided encrypted)/,
      source: 'xAI (grok2api#689)',
    },
    { words: /item with id '?rs_[\w-]{1,100}'? not found/, source: 'OpenAI, Azure (earendil-works/pi#5059)' },
    {
      words: /was provided without its required (?:following item|'?reasoning'? item)/,
      source: 'OpenAI (coder/xum#59, vercel/ai)',
    },
  ],
  /** A filter refuses what the request says. */
  filter: [
    { words: /flagged as potentially violating our usage policy/, source: 'OpenAI, code invalid_prompt' },
    { words: /azure openai'?s content management policy/, source: 'Azure, code content_filter' },
    { words: /rejected because it was considered high risk/, source: 'Kimi, type content_filter' },
    { words: /data may contain inappropriate content/, source: 'Qwen, code data_inspection_failed' },
    { words: /content exists risk/, source: 'DeepSeek' },
    { words: /potentially unsafe or sensitive content|不安全或敏感内容/, source: 'GLM, code 1301' },
    { words: /\b(?:input|output) new_sensitive/, source: 'MiniMax, codes 1026 and 1027' },
  ],
  /** What the request shows cannot be used: no repetition helps. */
  content: [],
  effort: [
    {
      words: /reasoning[_ .]?effort|\beffort parameter/,
      source: 'OpenAI (kaitranntt/ccs#344); xAI; GitHub Copilot (microsoft/vscode#312711)',
    },
    { words: /unsupported.{0,20}\beffort|\beffort\b.{0,24}(?:not supported|unsupported)/, source: 'Copilot, gateways' },
    { words: /level .{1,12} not supported, valid levels/, source: 'CLIProxyAPI (nguyenphutrong/quotio#287)' },
  ],
  structured_output: [
    { words: /response_format|json_schema|structured output/, source: 'OpenAI, DeepSeek, Groq, vLLM' },
  ],
};

/** How servers say that a request has more tools than they take; the number is their limit. */
export const toolLimitWords: readonly Wording[] = [
  {
    words: /'tools': array too long\. expected an array with maximum length (\d{1,6})/,
    source: 'OpenAI, Azure, Copilot',
  },
  { words: /'tools'\s?: maximum number of items is (\d{1,6})/, source: 'Groq (gsd-build/gsd-2#4376)' },
  { words: /at most (\d{1,6}) function declarations/, source: 'Gemini (google-gemini/gemini-cli#19083)' },
  { words: /not include more than (\d{1,6}) tools/, source: 'GitHub Copilot (microsoft/vscode-copilot-release#13065)' },
];

/** Marks of a page by which a firewall in front of the provider turns a request away, and whose it is. */
export const blockPageMarks: readonly (Wording & { readonly owner: string })[] = [
  {
    words: /cloudflare|cf-error-details|<title>just a moment/,
    source: 'Mintplex-Labs/anything-llm#2003, vitali87/code-graph-rag#142',
    owner: 'Cloudflare',
  },
  { words: /errors\.edgesuite\.net|akamai/, source: 'Akamai', owner: 'Akamai' },
  { words: /generated by cloudfront|request blocked/, source: 'Amazon CloudFront', owner: 'CloudFront' },
  { words: /incapsula|imperva/, source: 'Imperva', owner: 'Imperva' },
];
