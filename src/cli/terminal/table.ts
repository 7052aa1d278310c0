import { displayWidth, padToWidth, trimStartToWidth, trimToWidth } from '../../core/text.ts';

export interface Column<Row> {
  readonly title: string;
  cell(row: Row): string;
  /** Numbers stand at the right. */
  readonly align?: 'right';
  /** The higher, the earlier the column is left out of a narrow terminal; columns without it always stay. */
  readonly dropOrder?: number;
  /** The column may be trimmed down to this many columns of the terminal, before any is left out. */
  readonly minimum?: number;
  /** What is trimmed of a cell is its beginning, not its end. */
  readonly keepsEnd?: boolean;
  /** Changes the look of a cell, not its width. */
  paint?(text: string, row: Row): string;
}

/**
 * Lines of a table whose columns stay straight with letters of any width. With a limit no line is longer: columns are first
 * trimmed, then left out, then the line is cut. Without one (not a terminal) everything is shown.
 */
export function renderTable<Row>(columns: readonly Column<Row>[], rows: readonly Row[], limit?: number): string[] {
  const sized = columns.map((column) => {
    const cells = rows.map((row) => column.cell(row));
    return { ...column, cells, width: Math.max(...[column.title, ...cells].map(displayWidth)) };
  });
  const fitted = limit === undefined ? sized : fitColumns(sized, limit);
  const place = (column: SizedColumn<Row>, text: string) => {
    const trimmed = (column.keepsEnd === true ? trimStartToWidth : trimToWidth)(text, column.width);
    return column.align === 'right'
      ? ' '.repeat(column.width - displayWidth(trimmed)) + trimmed
      : padToWidth(trimmed, column.width);
  };
  const gap = ' '.repeat(GAP);
  const clip = (line: string) => (limit === undefined ? line : trimToWidth(line, limit));
  const header = clip(fitted.map((column) => place(column, column.title)).join(gap)).trimEnd();
  const isClipped = limit !== undefined && totalWidth(fitted) > limit;
  const lines = rows.map((row, index) => {
    const texts = fitted.map((column) => place(column, column.cells[index] ?? ''));
    if (isClipped) return clip(texts.join(gap)).trimEnd();
    return texts
      .map((text, at) => fitted[at]?.paint?.(text, row) ?? text)
      .join(gap)
      .trimEnd();
  });
  return [header, ...lines];
}

interface SizedColumn<Row> extends Column<Row> {
  readonly cells: readonly string[];
  readonly width: number;
}

const GAP = 2;

function fitColumns<Row>(columns: readonly SizedColumn<Row>[], limit: number): SizedColumn<Row>[] {
  const shrunk = shrink(columns, limit);
  if (totalWidth(shrunk) <= limit) return shrunk;
  const candidates = columns.filter((column) => column.dropOrder !== undefined);
  const next = candidates.sort((a, b) => (b.dropOrder ?? 0) - (a.dropOrder ?? 0))[0];
  return next
    ? fitColumns(
        columns.filter((column) => column !== next),
        limit,
      )
    : shrunk;
}

/** Takes what is too much from the columns that may be trimmed, the widest first. */
function shrink<Row>(columns: readonly SizedColumn<Row>[], limit: number): SizedColumn<Row>[] {
  let excess = totalWidth(columns) - limit;
  const widths = new Map<Column<Row>, number>();
  for (const column of [...columns].sort((a, b) => b.width - a.width)) {
    const spare = column.minimum === undefined ? 0 : Math.max(0, column.width - column.minimum);
    const taken = Math.max(0, Math.min(spare, excess));
    widths.set(column, column.width - taken);
    excess -= taken;
  }
  return columns.map((column) => ({ ...column, width: widths.get(column) ?? column.width }));
}

function totalWidth(columns: readonly { readonly width: number }[]): number {
  return columns.reduce((sum, { width }) => sum + width, 0) + GAP * Math.max(0, columns.length - 1);
}
