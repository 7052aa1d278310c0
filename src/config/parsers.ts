import { withoutContextSuffix } from '../core/models.ts';
import { Secret } from '../core/secret.ts';

/** The form of a value: how users are asked for it, and how it is read and shown. */
export interface Form<T> {
  /** Completes "Set ...". */
  readonly form: string;
  /** Undefined for a text that is wrong. */
  readonly parse: (text: string) => T | undefined;
  /** The value for people, where its text alone would not say enough. */
  show?(value: T): string;
}

/** `k` and `m` stand for 1024 and 1024², as in the earlier systems ("128k" tokens are 131072). */
const COUNT_UNITS: Record<string, number> = { '': 1, k: 1024, m: 1024 ** 2 };
const SIZE_UNITS: Record<string, number> = { ...COUNT_UNITS, g: 1024 ** 3 };

function parseNumber(text: string): number | undefined {
  return /^[+-]?(?:\d+\.?\d*|\.\d+)$/.test(text) ? Number(text) : undefined;
}

/** A number that may end in a unit: `32k`, `1.5m`. */
export function parseCount(text: string): number | undefined {
  const [, digits = '', unit = ''] = /^(.*?)([km]?)$/i.exec(text) ?? [];
  const value = parseNumber(digits);
  const factor = COUNT_UNITS[unit.toLowerCase()];
  return value === undefined || factor === undefined ? undefined : value * factor;
}

export function parseBoolean(text: string): boolean | undefined {
  const lower = text.toLowerCase();
  if (['1', 'true', 'yes', 'on'].includes(lower)) return true;
  if (['0', 'false', 'no', 'off'].includes(lower)) return false;
  return undefined;
}

/** A switch. */
export const yesOrNo: Form<boolean> = { form: 'true or false', parse: parseBoolean };

/** One of some words, in any case. */
export function choice<const V extends string>(...values: readonly V[]): Form<V> {
  const last = values.at(-1);
  return {
    form: [values.slice(0, -1).join(', '), last].filter((part) => part !== '').join(' or '),
    parse: (text) => values.find((value) => value === text.toLowerCase()),
  };
}

/** A number in any notation. */
export function number(minimum: number, maximum: number): Form<number> {
  return {
    form: `a number from ${minimum} to ${maximum}`,
    parse: (text) => within(minimum, maximum, text === '' ? Number.NaN : Number(text)),
  };
}

/** The name of a model, without the suffix that is the client's own. */
export const modelName: Form<string> = {
  form: 'a name without blanks',
  parse: (text) => {
    const name = withoutContextSuffix(text);
    return /^\S+$/.test(name) ? name : undefined;
  },
};

function within(minimum: number, maximum: number, value: number | undefined): number | undefined {
  return value !== undefined && value >= minimum && value <= maximum ? value : undefined;
}

function whole(value: number | undefined): number | undefined {
  return Number.isInteger(value) ? value : undefined;
}

export function integer(minimum: number, maximum: number): Form<number> {
  return {
    form: `a whole number from ${minimum} to ${maximum}`,
    parse: (text) => within(minimum, maximum, whole(parseNumber(text))),
  };
}

/** A count of tokens. */
export const tokens: Form<number> = {
  form: 'a whole number of tokens above 0, like 32000 or 32k (k is 1024)',
  parse: (text) => within(1, 1e9, whole(parseCount(text))),
};

/** Bytes, written like 512K, 20M or 1G. */
export function size(minimum: number): Form<number> {
  return {
    form: `a size like 512K, 20M or 1G, at least ${minimum} bytes`,
    parse: (text) => {
      const [, digits = '', unit = ''] = /^(.*?)\s*([kmg]?)(?:i?b)?$/i.exec(text) ?? [];
      const value = parseNumber(digits);
      const bytes = value === undefined ? undefined : Math.round(value * (SIZE_UNITS[unit.toLowerCase()] ?? 1));
      return within(minimum, Number.MAX_SAFE_INTEGER, bytes);
    },
    show: (bytes) => {
      const power = Math.min(3, Math.floor(Math.log(bytes) / Math.log(1024)));
      return `${Number((bytes / 1024 ** power).toFixed(1))}${['', 'K', 'M', 'G'][power]}`;
    },
  };
}

/** A length of time in ms as people say it. */
export function showDuration(milliseconds: number): string {
  const seconds = milliseconds / 1000;
  return seconds >= 86_400 ? `${Number((seconds / 86_400).toFixed(2))} days` : `${seconds} s`;
}

/** A length of time in the given unit, as milliseconds. */
export function duration(unit: 'seconds' | 'days', minimum: number, maximum: number): Form<number> {
  const factor = unit === 'seconds' ? 1000 : 86_400_000;
  return {
    form: `a number of ${unit} from ${minimum} to ${maximum}, fractions allowed`,
    parse: (text) => {
      const value = within(minimum, maximum, parseNumber(text));
      return value === undefined ? undefined : Math.round(value * factor);
    },
    show: showDuration,
  };
}

/** One line of text without blanks at its ends. */
export const text: Form<string> = {
  form: 'one line of text',
  parse: (value) => (/[\n\t]/.test(value) ? undefined : value),
};

/** A key or token: it travels in an HTTP header, which takes neither line breaks nor letters beyond Latin-1. */
export const secret: Form<string> = {
  form: 'a key of printable Latin-1 characters, without blanks and line breaks',
  parse: (value) => (/^[\x21-\x7e\xa1-\xff]+$/.test(value) ? value : undefined),
};

const HOST_NAME = /^(?:[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?)(?:\.[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?)*$/;
const IP6_ADDRESS = /^(?=.*:.*:)[0-9a-f:.]+(?:%[\w.-]+)?$/;

/** A host name or address, lower case and without the brackets of IPv6. */
export const host: Form<string> = {
  form: 'a host name or IP address, without a port',
  parse: (value) => {
    const bare = value.toLowerCase().replace(/^\[(.*)\]$/, '$1');
    return HOST_NAME.test(bare) || IP6_ADDRESS.test(bare) ? bare : undefined;
  },
};

/** Whether an address can be reached from this machine only. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(?:\.\d{1,3}){3}$/.test(host);
}

export const hostList: Form<readonly string[]> = {
  form: 'host names separated by commas, without ports',
  parse: (value) => {
    const hosts = value.split(/[\s,]+/).filter((name) => name !== '');
    const parsed = hosts.map(host.parse).filter((name) => name !== undefined);
    return parsed.length === hosts.length ? parsed : undefined;
  },
};

/** An address to which `/chat/completions` is appended; a trailing one of the user's is taken off. */
export const baseUrl: Form<string> = {
  form: 'an http:// or https:// address without user name, password, ? and #',
  parse: (value) => {
    const url = /^https?:\/\//i.test(value) && !/[?#\s]/.test(value) ? URL.parse(value) : null;
    if (url === null || url.username !== '' || url.password !== '') return undefined;
    return url.href.replace(/\/+$/, '').replace(ENDPOINT, '');
  },
};

/** Whether each percent sign of an address begins an escaped character. */
function canDecode(address: string): boolean {
  try {
    decodeURIComponent(address);
    return true;
  } catch {
    return false;
  }
}

/** An HTTP proxy between this machine and the provider; it may carry a user name and password. */
export const proxyAddress: Form<string> = {
  form: 'an http:// or https:// address, in which a percent sign is written %25',
  parse: (value) => (/^https?:\/\//i.test(value) && URL.canParse(value) && canDecode(value) ? value : undefined),
};

/** `name=value,name=value` with escaped values, as the settings of OpenTelemetry have it. */
export const pairs: Form<Readonly<Record<string, string>>> = {
  form: 'name=value,name=value, in which signs like , = and blanks are written %2C %3D %20',
  parse: (value) => {
    const found = value.split(',').flatMap((pair): readonly (readonly [string, string])[] => {
      const [, name = '', text = ''] = /^\s*([^=\s]+)\s*=(.*)$/.exec(pair) ?? [];
      return name === '' || !canDecode(text) ? [] : [[name, decodeURIComponent(text.trim())]];
    });
    return found.length === value.split(',').length ? Object.fromEntries(found) : undefined;
  },
};

/** HTTP headers, of which each may be a key. */
export const secretPairs: Form<Readonly<Record<string, Secret>>> = {
  form: pairs.form,
  parse: (value) => {
    const headers = Object.entries(pairs.parse(value) ?? { '': '' });
    const isHeader = ([name, text]: readonly [string, string]) =>
      /^[\w!#$%&'*+.^|~`-]+$/.test(name) && /^[\x20-\x7e]*$/.test(text);
    if (!headers.every(isHeader)) return undefined;
    return Object.fromEntries(headers.map(([name, text]) => [name.toLowerCase(), new Secret(text)]));
  },
};

/** A PostgreSQL server, and how it is connected to. */
export interface PostgresAddress {
  /** Without the brackets of IPv6. */
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  readonly password: Secret | undefined;
  /** By the names of PostgreSQL: without TLS, with TLS but any certificate, or with a certificate that is checked. */
  readonly sslMode: (typeof SSL_MODES)[number];
}

const SSL_MODES = ['disable', 'require', 'verify-full'] as const;

/** Where no port is written. */
const POSTGRES_PORT = 5432;

/** A PostgreSQL database. Beyond this machine the certificate is checked unless the address says otherwise. */
export const postgresAddress: Form<PostgresAddress> = {
  form: 'postgres://USER:PASSWORD@HOST:5432/DATABASE, in which signs like @ : / ? # % are escaped as %40 and so on; behind it perhaps ?sslmode=disable, require or verify-full',
  parse: (value) => {
    if (!/^postgres(?:ql)?:\/\//i.test(value) || /\s/.test(value) || !canDecode(value)) return undefined;
    const url = URL.parse(value);
    // By the rules for web addresses, which know every way to write the address of a machine.
    const name = URL.parse(value.replace(/^[a-z]+/i, 'http'))?.hostname.replace(/^\[(.*)\]$/, '$1');
    if (url === null || name === undefined || name === '' || url.username === '' || url.hash !== '') return undefined;
    const database = decodeURIComponent(url.pathname.slice(1));
    const [[option = 'sslmode', given = isLoopback(name) ? 'disable' : 'verify-full'] = [], more] = [
      ...url.searchParams,
    ];
    const sslMode = SSL_MODES.find((mode) => mode === given);
    if (database === '' || option !== 'sslmode' || more !== undefined || sslMode === undefined) return undefined;
    return {
      host: name,
      port: url.port === '' ? POSTGRES_PORT : Number(url.port),
      database,
      user: decodeURIComponent(url.username),
      password: url.password === '' ? undefined : new Secret(decodeURIComponent(url.password)),
      sslMode,
    };
  },
};

const SSL_WORDS = { disable: 'without TLS', require: 'by TLS, any certificate', 'verify-full': 'by TLS' };

/** `usage at db.example:5432, by TLS`: without user and password. */
export function describePostgres({ host: name, port, database, sslMode }: PostgresAddress): string {
  return `${database} at ${name.includes(':') ? `[${name}]` : name}:${port}, ${SSL_WORDS[sslMode]}`;
}

const ENDPOINT = /\/+(chat\/completions|responses)$/;

/** The path of the endpoint that an address ends in, where only its base belongs. */
export function namedEndpoint(address: string): string | undefined {
  const path = ENDPOINT.exec(address.replace(/\/+$/, ''))?.[1];
  return path && `/${path}`;
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

const LOG_LEVELS: Readonly<Record<string, LogLevel>> = {
  trace: 'debug',
  debug: 'debug',
  info: 'info',
  warn: 'warn',
  warning: 'warn',
  error: 'error',
  critical: 'error',
  fatal: 'error',
};

/** The first word counts, as the earlier systems had comments behind it. */
export const logLevel: Form<LogLevel> = {
  form: 'debug, info, warn or error',
  parse: (value) => LOG_LEVELS[/^\w*/.exec(value.toLowerCase())?.[0] ?? ''],
};
