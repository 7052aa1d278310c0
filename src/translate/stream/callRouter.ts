import type { ToolCallDelta } from '../../protocol/delta.ts';

/** What is known of one call while its pieces come in. */
export interface RoutedCall {
  readonly index: number | undefined;
  id: string | undefined;
  name: string | undefined;
  readonly arguments: { readonly empty: boolean; readonly whole: boolean };
}

/**
 * The call that a piece belongs to, undefined when it begins a new one (R310). Providers leave out index, id or name,
 * repeat them, or give every call the index 0: so the index decides, unless the piece shows that it begins another
 * call; without an index the id does, then the name, then the order.
 */
export function routeCall<C extends RoutedCall>(calls: readonly C[], delta: ToolCallDelta): C | undefined {
  if (delta.index !== undefined) {
    const call = calls.findLast((one) => one.index === delta.index);
    return call !== undefined && beginsAnother(call, delta) ? undefined : call;
  }
  if (delta.id !== undefined) {
    const call = calls.findLast((one) => one.id === delta.id);
    return call !== undefined || delta.name !== undefined ? call : calls.findLast((one) => one.id === undefined);
  }
  const last = calls.at(-1);
  if (delta.name === undefined) return last;
  const repeatsName = last?.name === delta.name && !last.arguments.empty && !last.arguments.whole;
  return repeatsName ? last : undefined;
}

/** A piece with the index of a call that is complete, and with a name, and not with its id. */
function beginsAnother(call: RoutedCall, delta: ToolCallDelta): boolean {
  if (delta.name === undefined || call.name === undefined) return false;
  if (delta.id !== undefined && call.id !== undefined) {
    if (delta.id === call.id) return false;
    return call.arguments.whole || (call.arguments.empty && delta.name !== call.name);
  }
  return call.arguments.whole && delta.arguments.trimStart().startsWith('{');
}
