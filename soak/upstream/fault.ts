/** What can go wrong at the provider. The client asks for it by the model's name, so that it knows what must come of it. */
export const FAULTS = ['reset', 'cut', 'stall', 'garbage', 'refuse'] as const;

export type Fault = (typeof FAULTS)[number];

const PREFIX = 'fault-';

export const modelOf = (fault: Fault): string => PREFIX + fault;

/** The fault that a request asks for by its model; undefined: none. */
export function findFault(body: Buffer): Fault | undefined {
  return FAULTS.find((fault) => body.includes(`"model":"${modelOf(fault)}"`));
}
