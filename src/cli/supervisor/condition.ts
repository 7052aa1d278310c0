import type { KeyHealth, LastError, ProviderHealth } from '../../core/healthReport.ts';
import { type Colour, localTime } from '../terminal/output.ts';
import type { Health, Unsure } from './health.ts';
import type { Inspection } from './inspect.ts';
import type { Hint, State } from './state.ts';

/** Whether an instance can be used, as a word: the field `condition` of `--json`, to which words may be added. */
export type Condition = keyof typeof conditionTable;

interface ConditionRow {
  readonly colour: Colour;
  /** Something has to be repaired before it can be used: `status` ends with 3. What nobody has started is not wrong. */
  readonly isWrong: boolean;
  readonly meaning: string;
}

export const conditionTable = {
  ready: { colour: 'green', isWrong: false, meaning: 'it answers, and nothing is known against it' },
  'no key': { colour: 'yellow', isWrong: false, meaning: 'it has no key of the provider, and no client has sent one' },
  'key refused': { colour: 'red', isWrong: true, meaning: 'the provider refuses the key, or every key' },
  'no credit': { colour: 'red', isWrong: true, meaning: 'the balance or the plan of the key is used up' },
  'cooling down': {
    colour: 'yellow',
    isWrong: false,
    meaning: 'the provider limits the rate; the key is used again soon',
  },
  'provider down': { colour: 'red', isWrong: true, meaning: 'the provider has failed several times in a row' },
  failing: { colour: 'yellow', isWrong: false, meaning: 'the last request failed' },
  starting: { colour: 'yellow', isWrong: false, meaning: 'it runs and does not answer yet' },
  stopping: { colour: 'yellow', isWrong: false, meaning: 'it ends its running answers' },
  'not answering': { colour: 'red', isWrong: true, meaning: 'it takes connections and says nothing' },
  crashing: {
    colour: 'red',
    isWrong: true,
    meaning: 'it ends by itself again and again; PM2 starts it ever more slowly',
  },
  crashed: { colour: 'red', isWrong: true, meaning: 'it ended by itself and is not started again' },
  'wrong file': { colour: 'red', isWrong: true, meaning: 'its env file is wrong, so that it cannot be started' },
  'port taken': { colour: 'red', isWrong: true, meaning: 'another program has its port' },
  moved: { colour: 'yellow', isWrong: false, meaning: 'it runs from a folder where this checkout no longer is' },
  stopped: { colour: 'gray', isWrong: false, meaning: 'it has run before and does not run now' },
  'not started': { colour: 'gray', isWrong: false, meaning: 'it has never run' },
} as const satisfies Record<string, ConditionRow>;

/** What the condition of an instance follows from. */
export interface ConditionFacts {
  readonly instance: Inspection['instance'];
  readonly state: State;
  /** What the instance reports of itself; undefined when it does not answer. */
  readonly health: Health | undefined;
  /** What PM2 knows of it. */
  readonly row: Inspection['row'];
  /** Whether its env file can be used. */
  readonly isSound: boolean;
  /** Whether it has run at some time. */
  readonly hasRun: boolean;
}

/** The condition of an instance, and why it is not ready. */
export interface ConditionReport {
  readonly condition: Condition;
  /** The last error in full, or another reason, and the command that helps; undefined where the condition says it all. */
  readonly hint?: Hint | undefined;
}

/** Whether an instance can be used, from its own report and from what PM2 knows. */
export function describeCondition(facts: ConditionFacts): ConditionReport {
  const { state, health, row, isSound } = facts;
  switch (state) {
    case 'serving':
    case 'unsupervised':
      return health === undefined ? { condition: 'ready' } : describeServing(facts, health);
    case 'draining':
      return { condition: 'stopping' };
    case 'starting':
      return { condition: (row?.restarts ?? 0) > 0 ? 'crashing' : 'starting' };
    case 'backing off':
      return { condition: 'crashing' };
    case 'running':
      return { condition: 'wrong file' };
    case 'failed':
      return isSound ? describeCrash(facts) : { condition: 'wrong file' };
    case 'not started':
      return { condition: facts.hasRun ? 'stopped' : 'not started' };
    default:
      return { condition: state };
  }
}

function describeCrash({ instance: { name, app }, row }: ConditionFacts): ConditionReport {
  return {
    condition: 'crashed',
    hint: {
      problem: `ended with exit status ${row?.exitCode ?? 'unknown'}; ${app.out_file} says why`,
      remedy: `./manage restart ${name}`,
    },
  };
}

function describeServing(facts: ConditionFacts, health: Health): ConditionReport {
  const { providers = [] } = health;
  const troubles = providers.map((provider) => describeProvider(facts, health, provider));
  const [first] = troubles;
  // As long as one of several providers can be asked, requests are answered.
  if (first !== undefined && troubles.every((trouble) => trouble !== undefined)) return first;
  const error = currentError(health);
  if (error !== undefined) {
    const condition = conditionOfError(error, health);
    if (condition !== 'ready') return { condition, hint: hintOf(condition, facts, describeError(error)) };
  }
  const isWithoutKey = health.key === 'client' && health.last_success_at == null;
  if (isWithoutKey && facts.instance.config?.provider.preset.servesClaude !== true) {
    return { condition: 'no key', hint: hintOf('no key', facts, undefined) };
  }
  return { condition: 'ready' };
}

/** What keeps a provider from being asked; undefined when nothing does. */
function describeProvider(
  facts: ConditionFacts,
  health: Health,
  { circuit, keys = [] }: Unsure<ProviderHealth>,
): ConditionReport | undefined {
  if (circuit !== undefined && circuit !== 'closed') {
    const error = currentError(health);
    return { condition: 'provider down', hint: hintOf('provider down', facts, error && describeError(error)) };
  }
  const [key] = keys;
  if (key === undefined || !keys.every(({ state }) => state === 'resting')) return undefined;
  const condition = conditionOfCooldown(key);
  const since = currentError(health);
  const reason = since === undefined ? (key.reason ?? undefined) : describeError(since);
  return { condition, hint: hintOf(condition, facts, reason, key.until) };
}

/** Why a key is left alone. An older instance does not report the type of the error. */
export function conditionOfCooldown({ error_type: type }: Unsure<KeyHealth>): Condition {
  if (type === 'authentication_error' || type === 'permission_error') return 'key refused';
  return type === 'billing_error' ? 'no credit' : 'cooling down';
}

/** The last error, when no request has succeeded since and the configuration is still the same. */
export function currentError({ last_error: error, last_success_at: success, config_loaded_at: loaded }: Health) {
  if (error?.at === undefined) return undefined;
  return error.at < (success ?? '') || error.at < (loaded ?? '') ? undefined : error;
}

function conditionOfError({ type }: Unsure<LastError>, { key }: Health): Condition {
  switch (type) {
    case 'authentication_error':
      return key === 'client' ? 'no key' : 'key refused';
    case 'billing_error':
      return 'no credit';
    case 'rate_limit_error':
      return 'ready'; // the wait is over, else the key would cool down
    default:
      return 'failing';
  }
}

/** A time, a status and the words of an error. An answer that broke off after its beginning has the status 200, which is no error. */
export function describeError({ at, status, message }: Unsure<LastError>): string {
  const words = [localTime(at).slice(11), status === undefined || status < 400 ? undefined : status, message];
  return words.filter((word) => word !== undefined).join(' ');
}

/** What the user can do about a condition, with the reason as it was reported, or else its meaning. */
function hintOf(condition: Condition, facts: ConditionFacts, reason?: string, until?: string | null): Hint {
  const { name, config } = facts.instance;
  const problem = reason ?? conditionTable[condition].meaning;
  const setKey = `./manage key ${name}`;
  switch (condition) {
    case 'no key': {
      const variable = config?.provider.key.variable ?? 'the key';
      const link = config?.provider.preset.links?.keys;
      return {
        problem: `envs/${name}.env has no key, and no client has sent one`,
        remedy: `set ${variable}${link === undefined ? '' : ` (keys: ${link})`}: ${setKey}`,
      };
    }
    case 'key refused':
      return { problem, remedy: `correct the key: ${setKey}` };
    case 'no credit':
      return { problem, remedy: 'top up the account, or wait until the plan resets' };
    case 'cooling down':
      return {
        problem,
        remedy: until == null ? 'it is used again by itself' : `used again at ${localTime(until).slice(11)}`,
      };
    case 'provider down':
      return { problem, remedy: `it is tried again by itself; why: ./manage test ${name}` };
    default:
      return { problem, remedy: `./manage logs ${name} --errors` };
  }
}

/** `crashing (5 restarts)`, `ready`. */
export function conditionText(condition: Condition, restarts: number): string {
  if (condition !== 'crashing' || restarts === 0) return condition;
  return `${condition} (${restarts} ${restarts === 1 ? 'restart' : 'restarts'})`;
}
