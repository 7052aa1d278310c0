import { onTestFinished } from 'vitest';
import type { Behaviour, FakeUpstream } from './fakeUpstream.ts';
import { startPickyUpstream } from './pickyUpstream.ts';
import type { Settings } from './startApp.ts';
import { startBinary } from './startBinary.ts';

export interface Stage {
  /** Address of the instance. */
  readonly url: string;
  readonly upstream: FakeUpstream;
}

/** The built executable before a picky provider that plays the behaviour; both are gone when the test ends. */
export async function setStage(behaviour: Behaviour, settings: Settings = {}): Promise<Stage> {
  const upstream = await startPickyUpstream(behaviour);
  const models = settings['PROVIDER'] === undefined ? { BIG_MODEL: 'big', SMALL_MODEL: 'small' } : {};
  const proxy = await startBinary({
    OPENAI_BASE_URL: upstream.url,
    OPENAI_API_KEY: 'key-of-the-provider',
    ...models,
    ...settings,
  });
  onTestFinished(() => proxy.stop());
  return { url: proxy.url, upstream };
}
