import { asString, isObject, type JsonObject } from '../core/json.ts';
import type { ContentBlock } from '../protocol/anthropic/request.ts';
import type { ChatContentPart } from '../protocol/openai/types.ts';
import type { Context } from './context.ts';
import { textPart, translateImage } from './media.ts';

const PDF = 'application/pdf';

/** A document as text, as a file part, or as a line that says what is missing: never dropped, never base64 as text (R123). */
export function translateDocument(block: ContentBlock, context: Context): ChatContentPart[] {
  const source = isObject(block['source']) ? block['source'] : {};
  const title = asString(block['title']);
  const heading = title === undefined ? [] : [`Document: ${title}`];
  const data = asString(source['data']);
  const mediaType = asString(source['media_type']);
  switch (source['type']) {
    case 'text':
      return [textPart([...heading, data ?? ''].join('\n'))];
    case 'content':
      return [...heading.map(textPart), ...innerParts(source['content'], context)];
    case 'base64':
      if (data === undefined) break;
      if (mediaType?.startsWith('text/')) {
        return [textPart([...heading, Buffer.from(data, 'base64').toString()].join('\n'))];
      }
      if (context.settings.pdf && (mediaType ?? PDF) === PDF) return [filePart(title, `data:${PDF};base64,${data}`)];
      break;
    case 'url':
      if (context.settings.pdf && context.settings.imageUrls === 'any' && typeof source['url'] === 'string') {
        return [filePart(title, source['url'])];
      }
  }
  context.notes.add('document_not_seen');
  return [textPart(describeUnseen(source, title))];
}

/** Text and images are all that a document of the client's own making can hold. */
function innerParts(content: unknown, context: Context): ChatContentPart[] {
  if (typeof content === 'string') return [textPart(content)];
  if (!Array.isArray(content)) return [];
  return content.filter(isObject).flatMap((block) => {
    if (block['type'] === 'image') return [translateImage(block as ContentBlock, context)];
    return typeof block['text'] === 'string' ? [textPart(block['text'])] : [];
  });
}

function filePart(title: string | undefined, fileData: string): ChatContentPart {
  const name = title ?? 'document';
  return { type: 'file', file: { filename: /\.pdf$/i.test(name) ? name : `${name}.pdf`, file_data: fileData } };
}

function describeUnseen(source: JsonObject, title: string | undefined): string {
  const data = asString(source['data']);
  const facts = [
    title === undefined ? 'without a title' : `"${title}"`,
    asString(source['media_type']) ??
      (source['type'] === 'url' ? asString(source['url']) : undefined) ??
      'unknown type',
    ...(data === undefined ? [] : [`${Math.ceil((data.length * 3) / 4 / 1024)} KB`]),
  ];
  return `[A document was attached here that this model cannot read: ${facts.join(', ')}]`;
}

/** A search result that the client gives as a source: title, address and text (R123). */
export function describeSearchResult(block: ContentBlock): string {
  const texts = Array.isArray(block['content']) ? block['content'].filter(isObject).map((part) => part['text']) : [];
  return [block['title'], block['source'], ...texts]
    .filter((line) => typeof line === 'string' && line !== '')
    .join('\n');
}
