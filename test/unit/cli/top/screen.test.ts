import { PassThrough } from 'node:stream';
import { ReadStream, WriteStream } from 'node:tty';
import { expect, onTestFinished, test, vi } from 'vitest';
import { Screen } from '../../../../src/cli/top/screen.ts';

/** Streams that behave like a terminal of 100 by 30, and what was written to it and set on it. */
function openFakeTerminal() {
  const input: ReadStream = Object.assign(Object.create(ReadStream.prototype), new PassThrough(), {
    isTTY: true,
    setRawMode: vi.fn(),
  });
  const output: WriteStream = Object.assign(Object.create(WriteStream.prototype), new PassThrough(), {
    columns: 100,
    rows: 30,
    write: vi.fn(() => true),
  });
  const written = () => vi.mocked(output.write).mock.calls.map(([text]) => String(text));
  const screen = new Screen(input, output);
  onTestFinished(() => screen.close());
  return { input, output, written, screen };
}

test('another size is painted at once, on a cleared screen', () => {
  const { screen, output, written } = openFakeTerminal();
  const paint = vi.fn();
  screen.open(paint);
  expect(paint).toHaveBeenCalledTimes(1);
  output.columns = 50;
  output.emit('resize');
  expect(paint).toHaveBeenCalledTimes(2);
  expect(written().at(-1)).toBe('\u001b[2J');
  expect(screen.size).toEqual({ columns: 50, rows: 30 });
});

test('a frame is one write; after the end nothing is painted, and nothing is left behind', () => {
  const listeners = () => ['exit', 'SIGINT', 'SIGTERM', 'SIGHUP', 'SIGCONT'].map((name) => process.listenerCount(name));
  const before = listeners();
  const { screen, input, written } = openFakeTerminal();
  screen.open(() => undefined);
  expect(input.setRawMode).toHaveBeenLastCalledWith(true);
  const count = written().length;
  screen.draw(['one', 'two']);
  expect(written().slice(count)).toEqual(['\u001b[?2026h\u001b[Hone\u001b[K\r\ntwo\u001b[K\u001b[J\u001b[?2026l']);

  screen.close();
  expect(written().at(-1)).toBe('\u001b[?7h\u001b[?25h\u001b[?1049l');
  expect(input.setRawMode).toHaveBeenLastCalledWith(false);
  expect([screen.closed.aborted, listeners()]).toEqual([true, before]);
  const end = written().length;
  screen.draw(['three']);
  screen.close();
  expect(written()).toHaveLength(end);
});
