/** The address of chat completions for one model: `{model}` in it is filled in. */
export function endpointUrl(endpoint: string, model: string): URL {
  return new URL(endpoint.replace('{model}', encodeURIComponent(model.toWellFormed())));
}
