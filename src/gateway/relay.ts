import { ApiError } from '../core/errors.ts';
import type { AnswerReader } from '../upstream/answerReader.ts';
import type { FailureContext } from '../upstream/failure.ts';
import { type Attempt, Attempts } from './attempts.ts';
import { EventStream } from './eventStream.ts';
import type { Route } from './route.ts';
import { type Run, recordError, runAttempts } from './run.ts';

/** Reads an answer that is handed on in its own words. */
export interface RelayedAnswer extends AnswerReader {
  /** Whether the provider answered with one JSON body. */
  readonly isWhole: boolean;
}

export interface RelayOptions<Reader extends RelayedAnswer> {
  readonly route: Route;
  readonly authorization: string | undefined;
  readonly createAttempt: () => Attempt<Reader>;
  readonly failureContext: () => FailureContext;
  /** The sign of life in a silence; undefined where nothing may stand between what is relayed. */
  readonly ping: string | undefined;
  /** The words that end a stream which cannot be completed. */
  readonly errorText: (error: ApiError) => string;
  /** Writes into the log line what the answer has come to. */
  readonly record: (reader: Reader) => void;
}

/** Hands an answer on as it comes, streamed or whole as the provider decides; throws what can still have a status of its own. */
export async function relayAnswer<Reader extends RelayedAnswer>(
  run: Run,
  { route, authorization, createAttempt, failureContext, ping, errorText, record }: RelayOptions<Reader>,
): Promise<void> {
  const { services, port } = run;
  const { pingMs, headerWaitMs } = route.target.settings;
  let whole = '';
  const attempts = new Attempts({
    services,
    destination: route.destination,
    authorization,
    createAttempt,
    heal: () => false,
    failureContext,
    mayRepeatEmpty: false,
    onOutput: (output, last) => {
      run.record.firstEventMs ??= run.elapsed();
      if (attempts.reader.isWhole) whole += output;
      else if (last) stream.end(output);
      else stream.write(output);
      if (stream.blocked) attempts.pause();
    },
  });
  const stream = new EventStream(port, { ping, errorText, pingMs, headerWaitMs }, () => attempts.resume());
  try {
    const result = await runAttempts(run, attempts);
    if (result.kind === 'aborted') return;
    const failure = result.kind === 'failed' ? result.error : failureOfWhole(attempts.reader, stream);
    if (failure === undefined) {
      if (attempts.reader.isWhole) port.sendJson(200, {}, whole);
    } else {
      if (!stream.open) throw failure;
      stream.fail(failure);
      recordError(run, failure, 'interrupted');
    }
  } finally {
    stream.close();
    record(attempts.reader);
  }
}

/** An event stream that has begun with pings cannot become one JSON body any more. */
function failureOfWhole(reader: RelayedAnswer, stream: EventStream): ApiError | undefined {
  if (!reader.isWhole || !stream.open) return undefined;
  return new ApiError('bad_gateway', 'the provider answered with one body, too late for a stream that has begun');
}
