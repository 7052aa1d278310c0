import type { FieldRow, FieldTable } from '../../src/config/files/document.ts';
import { code } from './markdown.ts';

function form(row: FieldRow): string {
  switch (row.kind) {
    case 'scalar':
      return row.form.form;
    case 'list':
      return `${row.form.form}, or a list of them`;
    case 'raw':
      return row.form;
    case 'mapping':
    case 'group':
      return 'a mapping';
  }
}

/** The fields of a file as rows of a table of name, value and meaning, fields of fields below the field they stand in. */
export function fieldRows(table: FieldTable, prefix = ''): readonly (readonly string[])[] {
  return Object.entries(table).flatMap(([name, row]) => [
    [code(`${prefix}${name}`), form(row), row.about],
    ...(row.kind === 'group' ? fieldRows(row.fields, `${prefix}${name}.`) : []),
  ]);
}
