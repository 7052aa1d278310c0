import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { Severity } from '../cli/ui/contract.ts';
import { download, RequestFailure } from './connection.ts';
import { createFormat, safeText } from './format.ts';
import type { Choices } from './viewAddress.ts';

/** Parts that every view uses. All text goes into text nodes; nothing here makes markup of it. */

/** In the language of the browser. */
export const format = createFormat();

/** A name or text from elsewhere: harmless characters, and its own direction of reading. */
export function Text({ children }: { readonly children: string | null | undefined }) {
  return <bdi>{safeText(children)}</bdi>;
}

export type Tone = 'good' | 'warn' | 'bad' | 'faint';

export const TONES: Readonly<Record<Severity, Tone>> = { good: 'good', idle: 'faint', warning: 'warn', bad: 'bad' };

/** A shape for each tone, so that colour is never the only difference. */
const SHAPES: Readonly<Record<Tone, string>> = { good: '●', warn: '▲', bad: '✕', faint: '○' };

/** A state in words, with a colour and a shape. */
export function State({ tone, children }: { readonly tone: Tone; readonly children: ComponentChildren }) {
  return (
    <span class={`state ${tone}`}>
      <span class="shape" aria-hidden="true">
        {SHAPES[tone]}
      </span>
      {children}
    </span>
  );
}

/** How long a button says that it has copied, in ms. */
const COPIED_MS = 2000;

interface CopyProperties {
  text: string | (() => string);
  /** What is copied, for those who do not see where the button stands. */
  readonly what: string;
  readonly label?: string;
}

export function CopyButton({ text, what, label = 'Copy' }: CopyProperties) {
  const [state, setState] = useState<'ready' | 'copied' | 'failed'>('ready');
  const timer = useRef(0);
  useEffect(() => () => clearTimeout(timer.current), []);
  const copy = async () => {
    const done = await copyText(typeof text === 'string' ? text : text());
    setState(done ? 'copied' : 'failed');
    clearTimeout(timer.current);
    timer.current = window.setTimeout(() => setState('ready'), COPIED_MS);
  };
  const words = { ready: label, copied: 'Copied', failed: 'Not copied' }[state];
  return (
    <button type="button" class="plain" onClick={copy} aria-label={state === 'ready' ? `${label} ${what}` : words}>
      <span aria-live="polite">{words}</span>
    </button>
  );
}

/** Whether it worked: a browser may forbid it. */
async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}

/** A command of the terminal with a button that copies it. */
export function Command({ children }: { readonly children: string }) {
  return (
    <span class="command">
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what can be scrolled has to be reached by the keyboard */}
      <code tabIndex={0}>{safeText(children)}</code>
      <CopyButton text={children} what={safeText(children)} />
    </span>
  );
}

/** In place of a table without rows: why it is empty, and what to do next. */
export function Empty({ title, children }: { readonly title: string; readonly children?: ComponentChildren }) {
  return (
    <div class="panel empty">
      <h2>{title}</h2>
      {children}
    </div>
  );
}

/** In place of what is being asked for. */
export function Waiting({ children }: { readonly children: string }) {
  return (
    <p class="panel empty waits faint" role="status">
      {children}
    </p>
  );
}

interface NoticeProperties {
  readonly tone: 'warn' | 'bad';
  readonly children: ComponentChildren;
}

/** Something that a reader has to know before the figures. */
export function Notice({ tone, children }: NoticeProperties) {
  return (
    <div class={`notice ${tone}`} role="status">
      {children}
    </div>
  );
}

interface ReadingProperties {
  readonly failure: { readonly message: string } | undefined;
  readonly unreadable: readonly { readonly problem: string }[] | undefined;
  /** What is missing of what could not be read: `Not in the list`. */
  readonly missing: string;
}

/** Why nothing could be read, or what of it could not. */
export function ReadingNotices({ failure, unreadable = [], missing }: ReadingProperties) {
  return (
    <>
      {failure !== undefined && (
        <Notice tone="bad">
          <Text>{failure.message}</Text>
        </Notice>
      )}
      {unreadable.map(({ problem }) => (
        <Notice tone="warn" key={problem}>
          <span>
            {missing}: <Text>{problem}</Text>
          </span>
        </Notice>
      ))}
    </>
  );
}

/** The headings of a table's columns, each with the classes of its column. */
export function ColumnHeads({ columns }: { readonly columns: readonly (readonly [title: string, names: string])[] }) {
  return (
    <>
      {columns.map(([title, names]) => (
        <th scope="col" class={names} key={title}>
          {title}
        </th>
      ))}
    </>
  );
}

interface ChoiceProperties<Value extends string> {
  readonly label: string;
  readonly options: Readonly<Record<Value, string>>;
  readonly value: Value;
  onChoose(value: Value): void;
}

/** One of a few, side by side. */
export function Choice<Value extends string>({ label, options, value, onChoose }: ChoiceProperties<Value>) {
  return (
    <fieldset class="choice" aria-label={label}>
      {(Object.entries(options) as [Value, string][]).map(([key, words]) => (
        <button type="button" key={key} aria-pressed={key === value} onClick={() => onChoose(key)}>
          {words}
        </button>
      ))}
    </fieldset>
  );
}

interface OpenerProperties {
  readonly isOpen: boolean;
  readonly controls: string;
  readonly label?: string;
  onToggle(): void;
  readonly children: ComponentChildren;
}

/** The button of a row by which the keyboard opens it. */
export function Opener({ isOpen, controls, label, onToggle, children }: OpenerProperties) {
  const toggle = (event: Event) => {
    event.stopPropagation(); // the row has a click of its own, for the mouse
    onToggle();
  };
  return (
    <button
      type="button"
      class="opener"
      aria-expanded={isOpen}
      {...(isOpen ? { 'aria-controls': controls } : {})}
      {...(label === undefined ? {} : { 'aria-label': label })}
      onClick={toggle}
    >
      <span class="chevron" aria-hidden="true">
        {isOpen ? '▾' : '▸'}
      </span>
      {children}
    </button>
  );
}

/** Names and values, without those that have no value. */
export function Facts({ rows }: { readonly rows: readonly (readonly [name: string, value: ComponentChildren])[] }) {
  return (
    <dl class="facts">
      {rows.flatMap(([name, value]) =>
        value === undefined || value === null || value === ''
          ? []
          : [<dt key={`${name} name`}>{name}</dt>, <dd key={name}>{value}</dd>],
      )}
    </dl>
  );
}

/** What the proxy supplies where the model or its server cannot; nothing where none of it is known. */
export function SuppliedFacts({ rows }: Parameters<typeof Facts>[0]) {
  if (rows.every(([, value]) => value === null || value === '')) return null;
  return (
    <div>
      <h3>Supplied by the proxy</h3>
      <Facts rows={rows} />
    </div>
  );
}

/** Saves the CSV of what is shown. */
export function CsvButton({ query, name }: { readonly query: Choices; readonly name: string }) {
  const [failure, setFailure] = useState('');
  const save = () =>
    download('/api/usage.csv', query, name).then(
      () => setFailure(''),
      (error: unknown) => setFailure(error instanceof RequestFailure ? error.message : String(error)),
    );
  return (
    <span class="push">
      {failure !== '' && <span class="bad">{failure} </span>}
      <button type="button" onClick={save}>
        Download as CSV
      </button>
    </span>
  );
}
