import type { MessagesRequest } from '../protocol/anthropic/request.ts';

/** Every top-level field whose fate is decided: mapped, or dropped on purpose (R107). */
const KNOWN_FIELDS: ReadonlySet<string> = new Set([
  'model',
  'messages',
  'system',
  'tools',
  'tool_choice',
  'max_tokens',
  'temperature',
  'top_p',
  'top_k',
  'stop_sequences',
  'stream',
  'thinking',
  'output_config',
  'output_format',
  'metadata',
  'cache_control',
  'context_management',
  'container',
  'mcp_servers',
  'service_tier',
  'speed',
  'inference_geo',
  'fallbacks',
  'fallback_credit_token',
  'diagnostics',
  'betas',
  'user_profile_id',
  'tags',
  'safeguards',
]);

/** The request's top-level fields that nothing here knows, for the debug log. */
export function unknownFields(request: MessagesRequest): string[] {
  return Object.keys(request).filter((name) => !KNOWN_FIELDS.has(name));
}
