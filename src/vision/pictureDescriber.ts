import type { VisionModel } from '../config/config.ts';
import { ApiError, asApiError } from '../core/errors.ts';
import { isObject, type JsonObject } from '../core/json.ts';
import { terminalSafe } from '../core/text.ts';
import { listOf, RequestBody } from '../gateway/requestBody.ts';
import { isNative, routeTo } from '../gateway/route.ts';
import type { AskedRequest, PictureDescriber, PictureTarget, Services } from '../gateway/services.ts';
import { ConcurrencyLimiter } from '../resilience/concurrencyLimiter.ts';
import type { PictureCounts } from '../telemetry/requestRecord.ts';
import type { DescriptionCache } from './descriptionCache.ts';
import {
  cleanDescription,
  type Description,
  frameDescription,
  isSideRequest,
  keyOf,
  sideRequest,
} from './descriptionPrompt.ts';
import {
  type Blindness,
  bytesOf,
  findPictures,
  isLink,
  type Picture,
  type Question,
  QuestionFinder,
  replacePictures,
} from './pictures.ts';
import { askSideModel } from './sideModel.ts';

/** So many descriptions are asked for at the same time, over all requests of the process. */
const MOST_AT_ONCE = 4;
/** So many for one request: a client that takes up a long conversation brings all of its pictures. */
const MOST_PER_REQUEST = 100;
/** Larger ones no provider takes, in letters of base64: images of 15 MB, PDFs of 30 MB. */
const LARGEST = { image: 20 * 1024 * 1024, document: 40 * 1024 * 1024 } as const;
/** How long a failure stands, in ms: the words of a conversation stay as they are, and a dead side model does not hold up each turn. */
const FAILURE_MS = 5 * 60_000;
const MOST_FAILURES = 500;
/** How long a message counts as replaced without a look at its descriptions, in ms: by that look these are known to be in use. */
const REPLACED_MS = 3_600_000;
/** Letters of a reason that stands in a conversation. */
const REASON_LETTERS = 300;

const NOTHING_DESCRIBED = { described: 0, inputTokens: 0, outputTokens: 0, cost: 0 };

/** A message with words in the place of its pictures. */
interface ReplacedMessage {
  readonly message: JsonObject;
  readonly blindness: string;
  /** Number of its first picture. */
  readonly first: number;
  readonly count: number;
  /** By the monotonic clock, in ms. */
  readonly until: number;
}

/** A message whose pictures have to be looked at. */
interface OpenMessage {
  readonly message: JsonObject;
  readonly index: number;
  readonly first: number;
  readonly pictures: readonly Picture[];
}

/** A request as far as its pictures are replaced already. */
interface ReadRequest {
  readonly messages: unknown[];
  readonly open: readonly OpenMessage[];
  /** Pictures that the model cannot see. */
  readonly count: number;
}

interface AskedPicture {
  readonly picture: Picture;
  readonly question: Question;
  readonly key: string;
}

interface Failure {
  readonly description: Description;
  /** By the monotonic clock, in ms. */
  readonly until: number;
}

/** What stands in the place of a description that could not be made. */
function failed(reason: string): Description {
  return { text: terminalSafe(reason).slice(0, REASON_LETTERS).toWellFormed(), model: undefined };
}

/** What a model cannot see. A server that is asked in OpenAI's protocols says of documents on its own whether it takes them. */
function blindnessOf({ model: { settings }, native }: PictureTarget): Blindness {
  return { image: !settings.vision, document: native ? !settings.vision : !settings.pdf };
}

function nameOf({ image, document }: Blindness): string {
  return `${image} ${document}`;
}

/** Why the side model cannot be asked about a picture; undefined when it can. */
function obstacleOf(picture: Picture, { ref, label }: VisionModel, services: Services): string | undefined {
  const bytes = bytesOf(picture);
  if (bytes === undefined) return 'it is in a form that cannot be passed on';
  if (bytes.length > LARGEST[picture.kind]) return 'it is too large';
  const route = routeTo(services, ref);
  if (isNative(route)) return undefined;
  const { pdf, imageUrls } = route.model.settings;
  if (picture.kind === 'document' && !pdf) return `${label} takes no PDF documents`;
  return isLink(picture) && imageUrls === 'data' ? `${label} loads no links` : undefined;
}

/** What work gives, unless its client goes away first, for whom it then need not be waited. */
function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(new ApiError('overloaded', 'the client has gone', { cause: signal.reason }));
    signal.addEventListener('abort', onAbort);
    if (signal.aborted) onAbort();
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}

/**
 * Puts descriptions into the place of pictures that a model cannot see. A side model makes each once; from then on the same words
 * stand in the same place, so that the provider's prompt cache holds.
 */
export class SideModelDescriber implements PictureDescriber {
  readonly counts = { described: 0, failed: 0 };
  readonly #cache: DescriptionCache;
  readonly #limiter = new ConcurrencyLimiter(MOST_AT_ONCE, Number.POSITIVE_INFINITY);
  /** Asked for, and not here yet: by all who want the same. */
  readonly #underWay = new Map<string, Promise<Description>>();
  readonly #failures = new Map<string, Failure>();
  /** By the client's message, which the next request of a conversation has as the same object. */
  readonly #replaced = new WeakMap<object, ReplacedMessage>();
  readonly #withoutPictures = new WeakSet<object>();

  constructor(cache: DescriptionCache) {
    this.#cache = cache;
  }

  describe(body: RequestBody, target: PictureTarget, asked: AskedRequest): RequestBody | Promise<RequestBody> {
    const { services, record } = asked;
    const read = this.#read(body, target, services);
    if (read.count === 0) return body;
    if (isSideRequest(body.object)) {
      const problem = `the model ${target.model.name} shall describe a picture, but sees none itself`;
      throw new ApiError('invalid_request', `${problem}: name one that does (VISION_MODEL)`);
    }
    // What was described for an earlier candidate or round of the same request belongs to its costs.
    const counts: PictureCounts = { ...NOTHING_DESCRIBED, ...record.pictures, total: read.count, failed: 0 };
    record.pictures = counts;
    if (read.open.length === 0) return withMessages(body, read, target, services);
    return this.#describeOpen(body, read, target, asked, counts);
  }

  async preview(body: RequestBody, target: PictureTarget, services: Services): Promise<RequestBody> {
    const read = this.#read(body, target, services);
    if (read.count === 0) return body;
    if (!this.#cache.isOpen) await this.#cache.open();
    const questions = new QuestionFinder(listOf(body.value, 'messages'));
    for (const one of read.open) {
      const known = this.#ask(one, questions).map(({ key }) => this.#find(key, services));
      // A message with a picture that is not known yet stays as it is, and is estimated so.
      if (known.every((description) => description !== undefined)) this.#replace(one, known, read, target, services);
    }
    return withMessages(body, read, target, services);
  }

  /** Looks for pictures in what no earlier request has brought. */
  #read(body: RequestBody, target: PictureTarget, { clock }: Services): ReadRequest {
    const blindness = blindnessOf(target);
    const name = nameOf(blindness);
    const messages = [...listOf(body.value, 'messages')];
    const open: OpenMessage[] = [];
    let count = 0;
    if (!blindness.image && !blindness.document) return { messages, open, count };
    for (const [index, message] of messages.entries()) {
      if (!isObject(message) || this.#withoutPictures.has(message)) continue;
      const known = this.#replaced.get(message);
      if (known?.blindness === name && known.first === count + 1 && known.until > clock.monotonic()) {
        messages[index] = known.message;
        count += known.count;
        continue;
      }
      const all = findPictures(message);
      if (all.length === 0) this.#withoutPictures.add(message);
      const pictures = all.filter(({ kind }) => blindness[kind]);
      if (pictures.length === 0) continue;
      open.push({ message, index, first: count + 1, pictures });
      count += pictures.length;
    }
    return { messages, open, count };
  }

  async #describeOpen(
    body: RequestBody,
    read: ReadRequest,
    target: PictureTarget,
    asked: AskedRequest,
    counts: PictureCounts,
  ): Promise<RequestBody> {
    const { services, signal } = asked;
    if (!this.#cache.isOpen) await this.#cache.open();
    const questions = new QuestionFinder(listOf(body.value, 'messages'));
    let left = MOST_PER_REQUEST;
    const descriptions = read.open.map((one) =>
      this.#ask(one, questions).map((picture): Description | Promise<Description> => {
        const known = this.#find(picture.key, services) ?? this.#underWay.get(picture.key);
        if (known !== undefined) return known;
        left -= 1;
        if (left < 0) return failed(`the request brings more than ${MOST_PER_REQUEST} new pictures`);
        return this.#askOnce(picture, asked, counts);
      }),
    );
    const made = await untilAborted(Promise.all(descriptions.map((one) => Promise.all(one))), signal);
    for (const [place, one] of read.open.entries()) this.#replace(one, made[place] ?? [], read, target, services);
    counts.failed = made.flat().filter(({ model }) => model === undefined).length;
    return withMessages(body, read, target, services);
  }

  #ask({ index, pictures }: OpenMessage, questions: QuestionFinder): AskedPicture[] {
    return pictures.map((picture) => {
      const question = questions.questionAt(index, picture);
      return { picture, question, key: keyOf(picture, question) };
    });
  }

  /** What is known of a picture: its description, or that there was none a short time ago. */
  #find(key: string, { clock }: Services): Description | undefined {
    const failure = this.#failures.get(key);
    if (failure === undefined) return this.#cache.get(key);
    if (failure.until > clock.monotonic()) return failure.description;
    this.#failures.delete(key);
    return undefined;
  }

  #askOnce(picture: AskedPicture, asked: AskedRequest, counts: PictureCounts): Promise<Description> {
    const work = this.#askSideModel(picture, asked, counts)
      .catch((thrown: unknown) => this.#fail(picture, asked, asApiError(thrown).message))
      .finally(() => this.#underWay.delete(picture.key));
    this.#underWay.set(picture.key, work);
    return work;
  }

  async #askSideModel(one: AskedPicture, asked: AskedRequest, counts: PictureCounts): Promise<Description> {
    const { picture, question, key } = one;
    const { vision } = asked.services.config;
    if (vision === undefined) return failed('nobody is there to describe it');
    const obstacle = obstacleOf(picture, vision, asked.services);
    if (obstacle !== undefined) return this.#fail(one, asked, obstacle);
    const permit = this.#limiter.acquire();
    try {
      if (permit?.isActive === false) {
        await new Promise<void>((resolve) => {
          permit.onActive = resolve;
        });
      }
      const answer = await askSideModel(asked, vision, sideRequest(picture, question, vision.ref.model), key);
      const { inputTokens = 0, cacheReadTokens = 0, cacheWriteTokens = 0, outputTokens = 0, cost } = answer.record;
      counts.inputTokens += inputTokens + cacheReadTokens + cacheWriteTokens;
      counts.outputTokens += outputTokens;
      if (counts.cost !== undefined) counts.cost = cost === undefined ? undefined : counts.cost + cost;
      if (answer.reason !== undefined) return this.#fail(one, asked, answer.reason);
      const text = cleanDescription(answer.text);
      if (text === undefined)
        return this.#fail(one, asked, `${vision.label} has got no picture, or says nothing of it`);
      counts.described += 1;
      this.counts.described += 1;
      return this.#cache.add(key, { text, model: vision.label });
    } finally {
      permit?.release();
    }
  }

  #fail({ key }: AskedPicture, { services, incoming }: AskedRequest, reason: string): Description {
    const description = failed(reason);
    this.counts.failed += 1;
    services.logger.warn('a picture could not be described', { id: incoming.id, reason });
    this.#failures.set(key, { description, until: services.clock.monotonic() + FAILURE_MS });
    const [oldest] = this.#failures.keys();
    if (this.#failures.size > MOST_FAILURES && oldest !== undefined) this.#failures.delete(oldest);
    return description;
  }

  /** Puts the descriptions into a message, and remembers it for the next request. */
  #replace(
    { message, index, first, pictures }: OpenMessage,
    descriptions: readonly Description[],
    { messages }: ReadRequest,
    target: PictureTarget,
    { clock }: Services,
  ): void {
    const blindness = blindnessOf(target);
    const texts = pictures.map((picture, place) =>
      frameDescription(first + place, picture, descriptions[place] ?? failed('')),
    );
    const replaced = replacePictures(message, blindness, texts);
    messages[index] = replaced;
    // What has failed is looked at in the next turn, where it may be time to try again.
    if (descriptions.some(({ model }) => model === undefined)) return;
    const until = clock.monotonic() + REPLACED_MS;
    const count = pictures.length;
    this.#replaced.set(message, { message: replaced, blindness: nameOf(blindness), first, count, until });
  }
}

function withMessages(
  body: RequestBody,
  { messages }: ReadRequest,
  { native }: PictureTarget,
  services: Services,
): RequestBody {
  const value = { ...body.object, messages: messages as JsonObject[] };
  // Only a native endpoint gets these bytes; for all others they say how long the request is.
  return new RequestBody(native ? services.bodies.writer.write(value) : body.bytes, value, body.cache);
}
