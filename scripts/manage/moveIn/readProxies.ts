/** An entry of the table PROXIES in start-all-proxies.sh. */
export interface ProxyEntry {
  readonly port: number;
  /** Relative to the script. */
  readonly envFile: string;
  readonly name: string;
  /** 1-based. */
  readonly line: number;
}

const ENTRY = /^\s*["']?(?<port>\d+):(?<envFile>[^:"']+):(?<name>[^"']+?)["']?\s*\)?\s*(?:#.*)?$/;

/** The entries `PORT:ENVFILE:NAME` between `PROXIES=(` and its closing bracket; those that are commented out do not count. */
export function readProxies(script: string): readonly ProxyEntry[] {
  const lines = script.split(/\r?\n/);
  const start = lines.findIndex((line) => /^\s*PROXIES=\(/.test(line));
  if (start < 0) return [];
  const length = lines.slice(start).findIndex((line) => /\)\s*(?:#.*)?$/.test(line));
  const end = length < 0 ? lines.length : start + length + 1;
  return lines.slice(start, end).flatMap((line, index) => {
    const groups = ENTRY.exec(line.replace(/^\s*PROXIES=\(/, ''))?.groups;
    if (groups === undefined) return [];
    const { port = '', envFile = '', name = '' } = groups;
    return [{ port: Number(port), envFile, name, line: start + index + 1 }];
  });
}
