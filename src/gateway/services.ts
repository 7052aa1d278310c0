import type { Config } from '../config/config.ts';
import type { Clock } from '../core/clock.ts';
import type { Breaker } from '../resilience/breaker.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { RequestStats } from '../telemetry/stats.ts';
import type { Calibration } from '../translate/calibration.ts';
import type { Upstream } from '../upstream/upstream.ts';
import type { InFlight } from './inFlight.ts';
import type { Targets } from './targets.ts';

/** What the gateway works with; put together once by the process entry. */
export interface Services {
  readonly config: Config;
  readonly clock: Clock;
  readonly upstream: Upstream;
  readonly targets: Targets;
  readonly stats: RequestStats;
  readonly calibration: Calibration;
  readonly inFlight: InFlight;
  /** Keeps requests from a provider that cannot be reached (R410). */
  readonly breaker: Breaker;
  readonly logger: Logger;
  /** Masks credentials in text that leaves the process (R407). */
  readonly redact: (text: string) => string;
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
  /** Value of x-claude-code-session-id; only a hash of it is logged (R511). */
  readonly session: string | undefined;
  readonly agent: string | undefined;
  readonly userAgent: string | undefined;
}
