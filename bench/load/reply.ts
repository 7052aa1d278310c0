/** One answer as the client saw it. Times are microseconds of the monotonic clock. */
export interface Reply {
  readonly status: number;
  readonly body: string;
  readonly askedAt: number;
  /** When the first text of the answer arrived; undefined where there was none. */
  readonly firstTextAt: number | undefined;
  readonly endedAt: number;
  /** The deltas of a paced stream, in the order of their arrival. */
  readonly arrivals: readonly Arrival[];
}

export interface Arrival {
  readonly index: number;
  readonly sentAt: number;
  readonly receivedAt: number;
}
