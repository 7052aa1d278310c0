/** What an office works with, by the tool server that has it. */
const SERVERS: Readonly<Record<string, readonly string[]>> = {
  tracker: ['issue', 'board', 'sprint', 'comment', 'epic'],
  forge: ['repository', 'pull_request', 'workflow', 'release', 'branch'],
  chat: ['message', 'channel', 'member', 'reaction', 'thread'],
  billing: ['invoice', 'customer', 'payment', 'refund', 'subscription'],
  wiki: ['page', 'space', 'block', 'template', 'revision'],
  monitoring: ['dashboard', 'alert', 'panel', 'datasource', 'annotation'],
  database: ['table', 'query', 'index', 'schema', 'role'],
  calendar: ['event', 'meeting', 'reminder', 'attendee', 'holiday'],
  sales: ['lead', 'opportunity', 'account', 'contact', 'campaign'],
  design: ['frame', 'component', 'style', 'palette', 'prototype'],
};
const VERBS = ['create', 'delete', 'list', 'get', 'update', 'search'];
const ALIKE =
  'Returns a JSON object with the fields of the result, or an error. Needs a token with access to the workspace.';

export interface SampleTool {
  readonly name: string;
  readonly description: string;
  readonly input_schema: Readonly<Record<string, unknown>>;
}

/** 300 tools of ten tool servers, as a user may have them who has connected everything. */
export const manyTools: readonly SampleTool[] = Object.entries(SERVERS).flatMap(([server, things]) =>
  things.flatMap((thing) =>
    VERBS.map((verb) => ({
      name: `mcp__${server}__${verb}_${thing}`,
      description: `Can ${verb} a ${thing.replace('_', ' ')}. ${ALIKE}`,
      input_schema: { type: 'object', properties: { id: { type: 'string' } } },
    })),
  ),
);

/** What Claude Code 2.1.328 brings itself. */
export const ownTools: readonly SampleTool[] =
  'Agent Bash CronCreate CronDelete CronList Edit EnterWorktree ExitWorktree ListAgents Monitor NotebookEdit Read ReportFindings ScheduleWakeup SendMessage Skill TaskStop WebFetch WebSearch Workflow Write'
    .split(' ')
    .map((name) => ({ name, description: `Is ${name}. ${ALIKE}`, input_schema: { type: 'object', properties: {} } }));
