import type { Config } from '../config/config.ts';
import type { Clock } from '../core/clock.ts';
import type { LiveHooks } from '../hooks/liveHooks.ts';
import type { ProviderOrder } from '../routing/loadBalancer.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { RequestStats } from '../telemetry/stats.ts';
import type { UsageMeter } from '../telemetry/usage/meter.ts';
import type { Calibration } from '../translate/tokenCalibration.ts';
import type { Bodies } from './bodies.ts';
import type { Destinations } from './destinations.ts';
import type { InFlight } from './inFlight.ts';
import type { Targets } from './targets.ts';

/** What the gateway works with under one configuration; a changed one gets services of its own. */
export interface Services {
  readonly config: Config;
  readonly clock: Clock;
  readonly destinations: Destinations;
  readonly targets: Targets;
  /** The user's own functions; the same for every configuration. */
  readonly hooks: LiveHooks;
  /** Which provider is asked first, by conversation. */
  readonly order: ProviderOrder;
  readonly stats: RequestStats;
  readonly usage: UsageMeter;
  readonly calibration: Calibration;
  readonly bodies: Bodies;
  readonly inFlight: InFlight;
  readonly logger: Logger;
  /** Masks credentials in text that leaves the process (R407). */
  readonly redact: (text: string) => string;
}

/** What of a request goes along as it came, to a provider that speaks the Messages API itself. */
export interface Forwarded {
  /** With its question mark; empty when there is none. */
  readonly query: string;
  /** `anthropic-version`, `anthropic-beta` and `accept`, as far as the client sent them. */
  readonly headers: Readonly<Record<string, string>>;
  /** `x-api-key` and `authorization` as they came, without the instance's own token. */
  readonly credentials: Readonly<Record<string, string>>;
}

/** One request to the gateway, after the server has checked who calls. */
export interface IncomingRequest {
  /** `req_...`, on every answer and in the log. */
  readonly id: string;
  /** The route, for the log. */
  readonly endpoint: string;
  /** The decoded JSON body. */
  readonly body: Buffer;
  /** The client's own provider key, where there is one. */
  readonly providerKey: string | undefined;
  readonly forwarded: Forwarded;
  /** Value of x-claude-code-session-id; only a hash of it is logged (R511). */
  readonly session: string | undefined;
  readonly agent: string | undefined;
  readonly userAgent: string | undefined;
}
