/** The directory in which the user has called `./manage`, which goes to the project's own before anything else. */
export function callerDirectory(environment: Readonly<Record<string, string | undefined>>): string {
  return environment['INIT_CWD'] || process.cwd();
}
