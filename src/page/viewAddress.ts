/**
 * What is shown, as the page's address has it behind the `#`: `#requests?status=failed&slower=5`. So a view with its filters can be
 * kept as a bookmark, survives a reload, and goes back with the browser's button. It never leaves the browser.
 */
export const views = {
  now: 'Now',
  requests: 'Requests',
  usage: 'Usage',
  sessions: 'Sessions',
  setup: 'Set-up',
} as const;

export type View = keyof typeof views;

export interface ViewAddress {
  readonly view: View;
  /** Filters and choices; one that is not set is absent. */
  readonly choices: Choices;
}

export type Choices = Readonly<Record<string, string>>;

function isView(word: string): word is View {
  return Object.hasOwn(views, word);
}

/** Reads the part behind the `#`; what is none of the views is the first one. */
export function readAddress(fragment: string): ViewAddress {
  const [word = '', query = ''] = fragment.replace(/^#/, '').split('?', 2);
  const pairs = [...new URLSearchParams(query)].filter(([, value]) => value !== '');
  return { view: isView(word) ? word : 'now', choices: Object.fromEntries(pairs) };
}

/** The same the other way: what is empty is left out. */
export function writeAddress({ view, choices }: ViewAddress): string {
  const query = new URLSearchParams(Object.entries(choices).filter(([, value]) => value !== ''));
  return query.size === 0 ? `#${view}` : `#${view}?${query}`;
}
