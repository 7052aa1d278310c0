import { useEffect, useRef, useState } from 'preact/hooks';
import { safeText } from './format.ts';
import { usePage } from './pageState.ts';
import { filtersOf } from './requestList.ts';
import type { Choices } from './viewAddress.ts';

/** How long after the last letter a filter takes effect, in ms. */
const TYPING_MS = 120;
/** As wide as this the filters are open from the beginning. */
const WIDE = '(min-width: 720px)';

const STATUSES = {
  '': 'any',
  failed: 'failed',
  ok: 'ok',
  '4xx': '4xx',
  '429': '429 rate limit',
  '5xx': '5xx',
  rejected: 'by the proxy',
  interrupted: 'broken off',
  client_closed: 'client has gone',
} as const;

const AGENTS = { '': 'any', none: 'main conversation', any: 'subagents' } as const;

interface FiltersProperties {
  readonly choices: Choices;
  /** Those that occur. */
  readonly models: readonly string[];
  readonly clients: readonly string[];
  onChoose(choices: Choices): void;
}

/** What the list is narrowed to; it stands in the page's address. */
export function RequestFilters({ choices, models, clients, onChoose }: FiltersProperties) {
  const { now } = usePage();
  const filters = filtersOf(choices);
  const count = Object.keys(filters).length;
  const [isOpen, setOpen] = useState(() => count > 0 || matchMedia(WIDE).matches);
  const names = now?.instances.map(({ name }) => name) ?? [];
  const agents = {
    ...AGENTS,
    ...(filters.agent && !Object.hasOwn(AGENTS, filters.agent) ? { [filters.agent]: filters.agent } : {}),
  };
  return (
    <details class="filter-box" open={isOpen} onToggle={({ currentTarget }) => setOpen(currentTarget.open)}>
      <summary>Filters{count > 0 ? ` (${count})` : ''}</summary>
      <search class="filters">
        <Select
          label="Instance"
          value={filters.instance}
          options={Object.fromEntries([
            ['', 'all'],
            ...withChosen(names, filters.instance).map((name) => [name, safeText(name)]),
          ])}
          onChange={(instance) => onChoose({ instance })}
        />
        <Select
          label="Model"
          value={filters.model}
          options={Object.fromEntries([
            ['', 'all'],
            ...withChosen(models, filters.model).map((name) => [name, safeText(name)]),
          ])}
          onChange={(model) => onChoose({ model })}
        />
        <Select label="Status" value={filters.status} options={STATUSES} onChange={(status) => onChoose({ status })} />
        <Select label="Agent" value={filters.agent} options={agents} onChange={(agent) => onChoose({ agent })} />
        {withChosen(clients, filters.client).length > 0 && (
          <Select
            label="Client"
            value={filters.client}
            options={Object.fromEntries([
              ['', 'all'],
              ...withChosen(clients, filters.client).map((name) => [name, safeText(name)]),
            ])}
            onChange={(client) => onChoose({ client })}
          />
        )}
        <Field label="Session" value={filters.session ?? ''} width={12} onInput={(session) => onChoose({ session })} />
        <Field
          label="Text of the error"
          value={filters.error ?? ''}
          width={14}
          onInput={(error) => onChoose({ error })}
        />
        <Field
          label="Slower, seconds"
          value={filters.slower === undefined ? '' : String(Number(filters.slower) / 1000)}
          width={9}
          isNumber
          onInput={(seconds) => onChoose({ slower: seconds === '' ? '' : String(Math.round(Number(seconds) * 1000)) })}
        />
        <Field
          label="Costlier, $"
          value={filters.costlier ?? ''}
          width={9}
          isNumber
          onInput={(costlier) => onChoose({ costlier })}
        />
        <button
          type="button"
          disabled={count === 0}
          onClick={() => onChoose(Object.fromEntries(Object.keys(filters).map((name) => [name, ''])))}
        >
          Clear
        </button>
      </search>
    </details>
  );
}

/** A name that is chosen stays among the choices when it no longer occurs. */
function withChosen(names: readonly string[], chosen: string | undefined): readonly string[] {
  return chosen === undefined || names.includes(chosen) ? names : [...names, chosen];
}

interface SelectProperties {
  readonly label: string;
  readonly value: string | undefined;
  readonly options: Readonly<Record<string, string>>;
  onChange(value: string): void;
}

export function Select({ label, value = '', options, onChange }: SelectProperties) {
  const entries = Object.entries(options);
  // Names that are numbers come first in an object, whatever their place.
  entries.sort(([a], [b]) => Number(b === '') - Number(a === ''));
  return (
    <label>
      {label}
      <select value={value} onChange={({ currentTarget }) => onChange(currentTarget.value)}>
        {entries.map(([key, words]) => (
          <option key={key} value={key}>
            {words}
          </option>
        ))}
      </select>
    </label>
  );
}

interface FieldProperties {
  readonly label: string;
  readonly value: string;
  /** In letters. */
  readonly width: number;
  readonly isNumber?: boolean;
  onInput(value: string): void;
}

const NUMBER = { type: 'number', min: 0, step: 'any', inputMode: 'decimal' } as const;

/** A text that takes effect when the typing has paused. */
function Field({ label, value, width, isNumber = false, onInput }: FieldProperties) {
  const [typed, setTyped] = useState<string>();
  const timer = useRef(0);
  useEffect(() => () => clearTimeout(timer.current), []);
  const apply = (text: string) => {
    clearTimeout(timer.current);
    setTyped(undefined);
    if (text !== value) onInput(text);
  };
  const type = (text: string) => {
    setTyped(text);
    clearTimeout(timer.current);
    timer.current = window.setTimeout(apply, TYPING_MS, text);
  };
  return (
    <label>
      {label}
      <input
        {...(isNumber ? NUMBER : {})}
        size={width}
        spellcheck={false}
        autocomplete="off"
        value={typed ?? value}
        onInput={({ currentTarget }) => type(currentTarget.value.trim())}
        onChange={({ currentTarget }) => apply(currentTarget.value.trim())}
      />
    </label>
  );
}
