import { parse } from 'dotenv';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { withAssignment } from '../../../../src/cli/envs/changeEnvFile.ts';

test.each([
  ['replaces the value', 'A=1\nPORT=1\nB=2\n', 'PORT', '8091', 'A=1\nPORT=8091\nB=2\n'],
  ['keeps the comment behind it', 'PORT=1 # mine\n', 'PORT', '8091', 'PORT=8091 # mine\n'],
  ['and where that stands', 'BIG_MODEL=abc      # opus\n', 'BIG_MODEL', 'de', 'BIG_MODEL=de       # opus\n'],
  ['also behind quotes', `BIG_MODEL='a # b' # it's "opus"\n`, 'BIG_MODEL', 'c', `BIG_MODEL=c       # it's "opus"\n`],
  ['a # in quotes is none', 'BIG_MODEL="a # b"\n', 'BIG_MODEL', 'c', 'BIG_MODEL=c\n'],
  ['empties it', 'BIG_MODEL=abc # opus\n', 'BIG_MODEL', '', 'BIG_MODEL=    # opus\n'],
  ['keeps export and blanks', '  export PORT=1\n', 'PORT', '2', '  export PORT=2\n'],
  ['keeps line ends', 'A=1\r\nPORT=1\r\nB=2', 'PORT', '2', 'A=1\r\nPORT=2\r\nB=2'],
  ['keeps a byte order mark', '\uFEFFPORT=1\n', 'PORT', '2', '\uFEFFPORT=2\n'],
  ['takes the last of several, which counts', 'PORT=1\nPORT=2\n', 'PORT', '3', 'PORT=1\nPORT=3\n'],
  ['takes the line of another name for it', 'CLAUDE_PROXY_PORT=1\n', 'PORT', '2', 'PORT=2\n'],
  ['but not of a secret', 'OPENAI_API_KEY=k\n', 'KIMI_API_KEY', '', 'OPENAI_API_KEY=k\nKIMI_API_KEY=\n'],
  ['all lines of a long value', 'A=1\nBIG_MODEL="a\nb"\nB=2\n', 'BIG_MODEL', 'c', 'A=1\nBIG_MODEL=c\nB=2\n'],
  ['switches a comment of an example on', '#BIG_MODEL=x   # opus\n', 'BIG_MODEL', 'y', 'BIG_MODEL=y    # opus\n'],
  ['with = in the comment', '#CA_FILE= # a=b\n', 'CA_FILE', 'x', 'CA_FILE=x # a=b\n'],
  [
    'another comment stays',
    '# BIG_MODEL=x is good\nA=1',
    'BIG_MODEL',
    'y',
    '# BIG_MODEL=x is good\nA=1\nBIG_MODEL=y\n',
  ],
  ['else at the end', 'A=1\r\n', 'CA_FILE', 'x.pem', 'A=1\r\nCA_FILE=x.pem\r\n'],
  ['in an empty file', '', 'PORT', '1', 'PORT=1\n'],
  ['quotes what needs it', 'A=1\n', 'BIG_MODEL', 'a b#c $D', `A=1\nBIG_MODEL='a b#c $D'\n`],
])('%s', (_name, before, name, value, after) => {
  expect(withAssignment(before, name, value)).toBe(after);
  expect(parse(after)[name]).toBe(value);
});

test('whatever stands in the file, the name has the value and all others have theirs', () => {
  const plain = fc.stringMatching(/^[\w ./:#=$-]{0,12}$/);
  const written = fc.oneof(
    plain.map((text) => text.replaceAll('#', '')),
    plain.map((text) => `'${text}'`),
    plain.map((text) => `"${text}"  # it's "so"`),
    fc.constant('"a\nb"'),
  );
  const line = fc.oneof(
    fc.constant(''),
    fc.constant('# a comment'),
    fc.constant('#C=1   # a default'),
    fc.tuple(fc.constantFrom('A', 'B', 'export C'), written).map(([name, text]) => `${name}=${text}`),
  );
  const value = plain.map((text) => text.trim());
  fc.assert(
    fc.property(fc.array(line, { maxLength: 6 }), value, fc.constantFrom('\n', '\r\n'), (lines, wanted, end) => {
      const before = lines.join(end);
      const after = withAssignment(before, 'C', wanted);
      expect(parse(after)).toEqual({ ...parse(before), C: wanted });
      const comments = (text: string) => text.split(/\r?\n/).filter((one) => one.startsWith('# '));
      expect(comments(after)).toEqual(comments(before));
    }),
  );
});
