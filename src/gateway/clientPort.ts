/**
 * The client's side of one request, without an HTTP framework in sight. The gateway writes Anthropic's words into it; the
 * server room connects it to a socket.
 */
export interface ClientPort {
  /** Sends a whole answer. */
  sendJson(status: number, headers: Readonly<Record<string, string>>, body: string): void;
  /** Begins an event stream with status 200. */
  openStream(headers?: Readonly<Record<string, string>>): void;
  /** Appends to the event stream; false means that the client reads too slowly and `onDrain` will be called. */
  write(output: string | Uint8Array): boolean;
  /** Ends the event stream, with a last output if there is one. */
  end(output: string | Uint8Array): void;
  onDrain(listener: () => void): void;
  /** Calls back once when the client goes away before its answer is complete, at once when it has gone already (R320). */
  onGone(listener: () => void): void;
}
