import { type ErrorRow, errorTable } from '../../src/core/errors.ts';
import { code, markdownPage, markdownTable } from './markdown.ts';

function describeRow([name, row]: [string, ErrorRow]): readonly string[] {
  const again = row.shouldRetry === undefined ? '' : row.shouldRetry ? 'yes' : 'no';
  return [String(row.status), code(row.type), code(name), row.cause, row.remedy, again];
}

/** docs/ERRORS.md: every error that the proxy answers. */
export function errorsPage(): string {
  return markdownPage(
    '# Errors',
    'Every error is answered in Anthropic’s envelope, `{"type":"error","error":{"type","message"},"request_id"}`, with the status that Anthropic’s API gives for it, as long as nothing was sent yet; once an answer has begun it is an `event: error` in the stream. The last column is the `x-should-retry` header; without it Claude Code decides by the status.',
    markdownTable(
      ['Status', 'Type', 'Code in the log', 'What happened', 'What to do', 'Retry'],
      Object.entries(errorTable).map(describeRow),
    ),
  );
}
