import { homedir, hostname, userInfo } from 'node:os';

/** A shorter name is part of too many words. */
const LEAST_LENGTH = 3;
const COMMON_NAMES = new Set(['root', 'localhost']);

/** The text without the home directory, the name of the user and that of the machine. */
export function hidePerson(text: string): string {
  const home = homedir();
  const withoutHome = home.length > 1 ? text.replaceAll(home, '~') : text;
  return [
    [userInfo().username, 'USER'],
    [hostname(), 'HOST'],
  ].reduce(
    (clean, [name = '', stand = '']) =>
      name.length < LEAST_LENGTH || COMMON_NAMES.has(name) ? clean : clean.replaceAll(name, stand),
    withoutHome,
  );
}
