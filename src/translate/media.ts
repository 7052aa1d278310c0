import { asString, isObject } from '../core/json.ts';
import type { ContentBlock } from '../protocol/anthropic/request.ts';
import type { ChatContentPart } from '../protocol/openai/types.ts';
import type { Context } from './context.ts';

/** First base64 letters of the formats that the Messages API takes, by media type (R121). */
const IMAGE_BEGINNINGS: readonly (readonly [beginning: string, mediaType: string])[] = [
  ['iVBORw0KGgo', 'image/png'],
  ['/9j/', 'image/jpeg'],
  ['R0lGOD', 'image/gif'],
  ['UklGR', 'image/webp'],
];

/** An image as an image part, or as a line that says why the model does not see it: never silently dropped (R121, R122). */
export function translateImage(block: ContentBlock, { settings, notes }: Context): ChatContentPart {
  const url = imageUrl(block['source']);
  if (!settings.vision) {
    notes.add('image_not_seen');
    return textPart('[An image was attached here. This model cannot see images.]');
  }
  if (url === undefined) {
    notes.add('image_unreadable');
    return textPart('[An image was attached here in a form that cannot be passed on.]');
  }
  if (settings.imageUrls === 'data' && !url.startsWith('data:')) {
    notes.add('image_link_not_loaded');
    return textPart(`[An image was linked here that cannot be loaded: ${url}]`);
  }
  return { type: 'image_url', image_url: { url } };
}

function imageUrl(source: unknown): string | undefined {
  if (!isObject(source)) return undefined;
  if (source['type'] === 'url') return asString(source['url']);
  const data = asString(source['data']);
  if (source['type'] !== 'base64' || data === undefined) return undefined;
  const beginning = IMAGE_BEGINNINGS.find(([letters]) => data.startsWith(letters));
  return `data:${asString(source['media_type']) ?? beginning?.[1] ?? 'image/png'};base64,${data}`;
}

export function textPart(text: string): ChatContentPart {
  return { type: 'text', text };
}
