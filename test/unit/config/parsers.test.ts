import { describe, expect, test } from 'vitest';
import * as parsers from '../../../src/config/parsers.ts';

describe('sizes', () => {
  test.each<[string, number | undefined]>([
    ['512K', 524_288],
    ['20M', 20_971_520],
    ['1G', 1_073_741_824],
    ['1.5k', 1536],
    ['20MB', 20_971_520],
    ['20 MiB', 20_971_520],
    ['4096', 4096],
    ['4096b', 4096],
    ['0', undefined],
    ['-1M', undefined],
    ['M', undefined],
    ['1T', undefined],
    ['20M!', undefined],
    ['', undefined],
  ])('%s', (text, bytes) => {
    expect(parsers.size(1).parse(text)).toBe(bytes);
  });
});

describe('tokens', () => {
  test.each<[string, number | undefined]>([
    ['32000', 32_000],
    ['32k', 32_768],
    ['128K', 131_072],
    ['1m', 1_048_576],
    ['1.5', undefined],
    ['0', undefined],
    ['k', undefined],
    ['1e5', undefined],
    ['0x10', undefined],
    ['many', undefined],
  ])('%s', (text, tokens) => {
    expect(parsers.tokens.parse(text)).toBe(tokens);
  });
});

describe('whole numbers and durations', () => {
  test('a whole number within its limits', () => {
    const { parse } = parsers.integer(1, 65_535);
    expect(['1', '65535', '0', '65536', '80a1', '8.5', ' '].map(parse)).toEqual([
      1,
      65_535,
      undefined,
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
  });

  test('durations are milliseconds', () => {
    expect(parsers.duration('seconds', 0, 10).parse('1.5')).toBe(1500);
    expect(parsers.duration('days', 0, 10).parse('.5')).toBe(43_200_000);
    expect(parsers.duration('days', 0, 10).parse('11')).toBeUndefined();
  });

  test('truth values', () => {
    expect(['1', 'true', 'YES', 'on'].map(parsers.parseBoolean)).toEqual([true, true, true, true]);
    expect(['0', 'False', 'no', 'off'].map(parsers.parseBoolean)).toEqual([false, false, false, false]);
    expect(parsers.parseBoolean('2')).toBeUndefined();
  });
});

describe('keys', () => {
  test.each(['sk-abc', 'AIza_x.y/z+=', 'schlüssel'])('%s is taken', (text) => {
    expect(parsers.secret.parse(text)).toBe(text);
  });

  test.each(['a b', 'a\nb', 'a\tb', '‘sk-abc’', 'ключ', 'a\u00a0b'])('%j is refused', (text) => {
    expect(parsers.secret.parse(text)).toBeUndefined();
  });
});

describe('hosts', () => {
  test.each([
    ['127.0.0.1', '127.0.0.1'],
    ['LocalHost', 'localhost'],
    ['[::1]', '::1'],
    ['::', '::'],
    ['my-box.lan', 'my-box.lan'],
    ['127.0.0.1:80', undefined],
    ['http://x', undefined],
    ['a b', undefined],
    ['-x', undefined],
  ])('%s', (text, host) => {
    expect(parsers.host.parse(text)).toBe(host);
  });

  test('a list of them', () => {
    expect(parsers.hostList.parse('Box.lan, other,, [::1]')).toEqual(['box.lan', 'other', '::1']);
    expect(parsers.hostList.parse('')).toEqual([]);
    expect(parsers.hostList.parse('box, box:80')).toBeUndefined();
  });
});

describe('base addresses', () => {
  test.each([
    ['https://api.x.com/v1', 'https://api.x.com/v1'],
    ['https://api.x.com/v1///', 'https://api.x.com/v1'],
    ['HTTP://API.X.com', 'http://api.x.com'],
    ['https://api.x.com/v1/chat/completions', 'https://api.x.com/v1'],
    ['https://api.x.com/v1/chat/completions/', 'https://api.x.com/v1'],
    ['https://user:pass@api.x.com', undefined],
    ['https://user@api.x.com', undefined],
    ['https://api.x.com/?a=b', undefined],
    ['https://api.x.com/#a', undefined],
    ['ftp://api.x.com', undefined],
    ['api.x.com/v1', undefined],
    ['http:api.x.com', undefined],
    ['https://', undefined],
    ['https://a b', undefined],
  ])('%s', (text, url) => {
    expect(parsers.baseUrl.parse(text)).toBe(url);
  });
});
