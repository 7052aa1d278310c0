import { parse } from 'dotenv';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createDiagnostics } from '../../../../src/config/diagnostics.ts';
import { parseEnvText } from '../../../../src/config/env/parse.ts';

function read(text: string) {
  const report = createDiagnostics('x.env');
  const entries = [...parseEnvText(text, parse, report).values()];
  return {
    values: Object.fromEntries(entries.map((entry) => [entry.name, entry.value])),
    lines: Object.fromEntries(entries.map((entry) => [entry.name, entry.line])),
    problems: report.problems.map(({ severity, line, key }) => `${severity} ${line} ${key}`),
  };
}

describe('E5 what an env file may look like', () => {
  test.each<[string, string, Record<string, string>]>([
    ['a byte order mark', '\uFEFFA=1', { A: '1' }],
    ['CRLF', 'A=1\r\nB=2\r\n', { A: '1', B: '2' }],
    ['CR alone', 'A=1\rB=2', { A: '1', B: '2' }],
    ['export', 'export A=1', { A: '1' }],
    ['blanks around', '  A = 1  ', { A: '1' }],
    ['double quotes', 'A="x #y"', { A: 'x #y' }],
    ['single quotes', "A='x #y'", { A: 'x #y' }],
    ['backticks', 'A=`it\'s "so"`', { A: 'it\'s "so"' }],
    ['a line feed in double quotes', 'A="x\\ny"', { A: 'x\ny' }],
    ['a comment behind', 'A=1 # one', { A: '1' }],
    ['a comment behind quotes', 'A="1" # "one"', { A: '1' }],
    ['comments and blank lines', '# A=0\n\n  # x\nA=1', { A: '1' }],
    ['a tab inside', 'A=a\tb', { A: 'a\tb' }],
    ['a byte order mark before a comment', '\uFEFF# x\nA=1', { A: '1' }],
    ['nothing', 'A=', { A: '' }],
    ['equals signs', 'A=b=c==', { A: 'b=c==' }],
    ['an apostrophe inside quotes', "A='it's'", { A: "it's" }],
    ['typographic quotes inside plain ones', 'A="“x”"', { A: '“x”' }],
    ['several lines', 'A="x\nB=2\ny"\nC=3', { A: 'x\nB=2\ny', C: '3' }],
  ])('%s', (_name, text, values) => {
    expect(read(text)).toMatchObject({ values, problems: [] });
  });

  test('lines are counted through comments and values of several lines', () => {
    expect(read('# x\r\nA=1\r\n\r\nB="x\r\ny"\r\nC=3').lines).toEqual({ A: 2, B: 4, C: 6 });
  });

  test.each<[string, string, string[]]>([
    ['a name given twice', 'A=1\nB=2\nA=3', ['warning 3 A']],
    ['a # that cuts a value', 'A=sk-abc#def', ['warning 1 A']],
    ['a # that cuts the whole value', 'A=#def', ['warning 1 A']],
    ['quotes that do not close', 'A=1\nB="x\nC=3', ['error 2 B']],
    ['text behind the quotes', 'A="x" y', ['error 1 A']],
    ['a NUL', 'A=a\0b', ['error 1 A']],
    ['a DEL', 'A=a\u007fb', ['error 1 A']],
    ['an escape sequence', 'A=\u001b[31mred', ['error 1 A']],
    ['a carriage return made by dotenv', 'A="x\\ry"', ['error 1 A']],
    ['a line without a value', 'A=1\nfoo bar\nB=2', ['error 2 line']],
    ['a line without a name', '=5', ['error 1 line']],
    ['typographic quotes', 'A=“x”', ['error 1 A']],
    ['German quotes', 'A=„x“', ['error 1 A']],
    ['French quotes', 'A=«x»', ['error 1 A']],
    ['one typographic quote', 'A=x’', ['error 1 A']],
    ['a name that dotenv passes over', '__proto__=1', ['error 1 __proto__']],
  ])('%s is reported', (_name, text, problems) => {
    expect(read(text).problems).toEqual(problems);
  });

  test('the later of two values is used', () => {
    expect(read('A=1\nA=3').values).toEqual({ A: '3' });
  });

  test('a # in a comment or in quotes cuts nothing', () => {
    expect(read('A=1 # see issue#5\nB="a#b"\nC= # nothing').problems).toEqual([]);
  });

  test('no value is in a problem', () => {
    const report = createDiagnostics('x.env');
    parseEnvText('A="sk-secret\nsk-secret\nB=sk-secret#sk-secret\nB=sk-secret\0', parse, report);
    expect(report.problems.length).toBeGreaterThan(3);
    expect(JSON.stringify(report.problems)).not.toContain('sk-secret');
  });

  test('values are those of dotenv for the whole file', () => {
    const plain = fc.stringMatching(/^[\w./:${}-]{0,12}$/);
    const quoted = fc.stringMatching(/^[\w #=\n-]{0,12}$/);
    const value = fc.oneof(
      plain,
      quoted.map((text) => `"${text}"`),
      quoted.map((text) => `'${text}'`),
      plain.map((text) => `${text} # comment`),
    );
    const line = fc.oneof(
      fc.constant(''),
      fc.constant('# a comment'),
      fc.tuple(fc.constantFrom('A', 'B', 'C_D', 'export E'), value).map(([key, text]) => `${key}=${text}`),
    );
    fc.assert(
      fc.property(fc.array(line, { maxLength: 8 }), fc.constantFrom('\n', '\r\n'), (lines, end) => {
        const text = lines.join(end);
        expect(read(text).values).toEqual(parse(text));
      }),
    );
  });
});
