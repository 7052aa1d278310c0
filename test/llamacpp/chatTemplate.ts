import { SCRIPTS } from './scripts.ts';

/** Ends each message, and the answer of the model. */
export const END = '<|end|>';
/** The tokens that begin a message of each role. */
export const ROLES = ['system', 'user', 'assistant', 'tool'].map((role) => `<|${role}|>`);
/** The last token of a prompt, from which the script of that name follows. */
export const markerOf = (script: string): string => `<|play_${script}|>`;

/** Longest names first, as `#thinkcall` is not `#think`. */
const names = Object.keys(SCRIPTS).sort((one, other) => other.length - one.length);
const withoutThinking = Object.entries(SCRIPTS).flatMap(([name, script]) =>
  script.withoutThinking === undefined ? [] : [[name, script.withoutThinking]],
);

/** The chat template of the model (Jinja), which also picks the script that the model plays. */
export const chatTemplate = String.raw`
{%- if tools %}
  {{- '<|system|>You may call these tools:\n' }}
  {%- for tool in tools %}{{- tool | tojson + '\n' }}{%- endfor %}
  {{- 'Write a call as\n<tool_call>\n{"name": "...", "arguments": {}}\n</tool_call>${END}\n' }}
{%- endif %}
{%- for message in messages %}
  {{- '<|' + message.role + '|>' }}
  {%- if message.role == 'assistant' and message.reasoning_content %}
    {{- '<think>\n' + message.reasoning_content + '\n</think>\n\n' }}
  {%- endif %}
  {%- if message.content %}{{- message.content }}{%- endif %}
  {%- if message.tool_calls %}
    {%- for call in message.tool_calls %}
      {{- '\n<tool_call>\n{"name": "' + call.function.name + '", "arguments": ' }}
      {%- if call.function.arguments is string %}{{- call.function.arguments }}
      {%- else %}{{- call.function.arguments | tojson }}{%- endif %}
      {{- '}\n</tool_call>' }}
    {%- endfor %}
  {%- endif %}
  {{- '${END}\n' }}
{%- endfor %}
{%- if add_generation_prompt %}
  {%- set picked = namespace(script='hello', request='', found=false) %}
  {%- for message in messages %}
    {%- if message.role == 'user' and message.content is string %}{%- set picked.request = message.content %}{%- endif %}
  {%- endfor %}
  {%- for name in ${JSON.stringify(names)} %}
    {%- if not picked.found and '#' + name in picked.request %}
      {%- set picked.script = name %}{%- set picked.found = true %}
    {%- endif %}
  {%- endfor %}
  {%- if messages[-1].role == 'tool' %}{%- set picked.script = 'done' %}{%- endif %}
  {%- if enable_thinking is defined and not enable_thinking %}
    {%- for pair in ${JSON.stringify(withoutThinking)} %}
      {%- if picked.script == pair[0] %}{%- set picked.script = pair[1] %}{%- endif %}
    {%- endfor %}
  {%- endif %}
  {{- '<|assistant|><|play_' + picked.script + '|>' }}
{%- endif %}`;
