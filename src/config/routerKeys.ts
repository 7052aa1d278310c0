import { row, withDefault } from './defineKey.ts';
import { text, tokens } from './parsers.ts';

/** The keys that say where requests of a kind go in place of their tier's model. */
export const routerKeys = {
  ROUTER_DEFAULT: row({
    form: text,
    otherwise: 'the tier’s model',
    about:
      'Model for whatever no other line of the router is for. A target of the router is a model of the first provider, `custom/<id>` of the models file, or `<provider>,<model>` of the providers file. A model that the user names goes before the router.',
  }),
  ROUTER_BACKGROUND: row({
    form: text,
    about: 'Model for work in the background and for whatever else asks for haiku.',
  }),
  ROUTER_THINK: row({ form: text, about: 'Model for requests with thinking.' }),
  ROUTER_LONG_CONTEXT: row({
    form: text,
    about: 'Model for requests of LONG_CONTEXT_THRESHOLD tokens and more.',
  }),
  LONG_CONTEXT_THRESHOLD: withDefault({
    form: tokens,
    fallback: '128k',
    about: 'Estimated tokens of input from which on ROUTER_LONG_CONTEXT is asked.',
  }),
  ROUTER_IMAGE: row({ form: text, about: 'Model for requests with images, where the one that is due sees none.' }),
  ROUTER_SUBAGENT: row({ form: text, about: 'Model for the requests of subagents.' }),
  ROUTER_WEB_SEARCH: row({ form: text, about: 'Model for Claude Code’s searches of the web.' }),
} as const;
