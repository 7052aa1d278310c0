/** What was seen of the watched instance at one moment. */
export interface Sample {
  /** Seconds since the load began. */
  readonly at: number;
  readonly residentMib: number;
  readonly descriptors: number;
  /** Only now and then, as the collection before it changes the memory in use. */
  readonly heapMib?: number;
}
