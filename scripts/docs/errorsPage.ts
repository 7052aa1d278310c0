import { type ErrorRow, errorTable } from '../../src/core/errorTable.ts';
import { code, markdownPage, markdownTable } from './markdown.ts';

function describeRow([name, row]: [string, ErrorRow]): readonly string[] {
  const again = row.shouldRetry === undefined ? '' : row.shouldRetry ? 'yes' : 'no';
  return [String(row.status), code(row.type), code(name), code(row.form), row.cause, row.remedy, again];
}

const ENVELOPE = `Every error is answered in Anthropic’s envelope, with the status that Anthropic’s API gives for it:

\`\`\`json
{"type": "error", "error": {"type": "overloaded_error", "message": "[work 503] the server is busy"}, "request_id": "req_..."}
\`\`\`

Once an answer has begun to stream, the same stands in an \`event: error\` at its end. The request id is in the instance’s
log too.

The message is the most common one of several where there are more. Words in capitals stand for what differs:
\`[INSTANCE STATUS]\` is the name of the instance and the status that its provider gave, as in \`[work 503]\`, or the name
alone when there was none; \`WORDS\` are the provider’s own, at most 500 characters and without keys. The code is the name
of the error in the sources. The last column is the \`x-should-retry\` header; without it Claude Code decides by the status.`;

/** docs/ERRORS.md: every error that the proxy answers, by status. */
export function errorsPage(): string {
  const rows: [string, ErrorRow][] = Object.entries(errorTable);
  return markdownPage(
    '# Errors',
    ENVELOPE,
    markdownTable(
      ['Status', 'Type', 'Code', 'Message', 'What happened', 'What to do', 'Retry'],
      rows.sort(([, left], [, right]) => left.status - right.status).map(describeRow),
    ),
  );
}
