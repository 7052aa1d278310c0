/** Something to measure: a proxy, the floor, or (without a command) the upstream itself. */
export interface Target {
  readonly name: string;
  /** What starts it in the foreground; absent: the clients talk to the upstream directly. */
  readonly command?: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** Files that are written before it starts, by their path. */
  readonly files: Readonly<Record<string, string>>;
  /** Path of its Messages API. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** The only scenarios that it is there for; absent: all. */
  readonly only?: readonly string[];
  /** Scenarios that it cannot do. */
  readonly skip: readonly string[];
}

/** What `${NAME}` stands for in a target's command, environment and files. */
export interface Places {
  /** The port on which it must listen. */
  readonly PORT: string;
  /** Address of the upstream, without a path. */
  readonly UPSTREAM: string;
  readonly UPSTREAM_PORT: string;
  /** A folder of its own. */
  readonly WORK: string;
}

export function fillPlaces(text: string, places: Places): string {
  return text.replaceAll(/\$\{(PORT|UPSTREAM|UPSTREAM_PORT|WORK)\}/g, (_, name: keyof Places) => places[name]);
}
