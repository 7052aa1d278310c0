import type { JsonObject } from '../../core/json.ts';
import type { MessageUsage } from '../../protocol/anthropic/message.ts';
import type { Citation, WebPage } from '../../protocol/delta.ts';
import type { ContentBlocks } from './blocks.ts';

/** The provider's searches of the web as Anthropic writes its own: a call of the server's tool, and its result. */
export class SearchBlocks {
  readonly #blocks: ContentBlocks;
  readonly #createToolId: () => string;
  /** Searches without a result so far. */
  readonly #open: string[] = [];
  #count = 0;

  constructor(blocks: ContentBlocks, createToolId: () => string) {
    this.#blocks = blocks;
    this.#createToolId = createToolId;
  }

  /** What stands in the usage of the answer about them. */
  get usage(): Pick<MessageUsage, 'server_tool_use'> {
    return this.#count === 0 ? {} : { server_tool_use: { web_search_requests: this.#count } };
  }

  begin(query: string): void {
    const id = `srv${this.#createToolId()}`;
    this.#count += 1;
    this.#open.push(id);
    this.#blocks.write({ type: 'server_tool_use', id, name: 'web_search', input: { query } });
  }

  /** The result of the first search that has none. @param pages undefined where it has failed */
  end(pages: readonly WebPage[] | undefined): void {
    const id = this.#open.shift();
    if (id === undefined) return;
    const content =
      pages === undefined
        ? { type: 'web_search_tool_result_error', error_code: 'unavailable' }
        : pages.map(({ url, title }) => ({
            type: 'web_search_result',
            url: url.toWellFormed(),
            title: title.toWellFormed(),
            encrypted_content: '',
            page_age: null,
          }));
    this.#blocks.write({ type: 'web_search_tool_result', tool_use_id: id, content });
  }
}

export function toCitation({ url, title, text }: Citation): JsonObject {
  return {
    type: 'web_search_result_location',
    url: url.toWellFormed(),
    title: title.toWellFormed(),
    encrypted_index: '',
    cited_text: text.toWellFormed(),
  };
}
