import { describe, expect, test } from 'vitest';
import {
  drawArchitecture,
  type Folder,
  type FolderEdge,
  folderEdges,
  readImports,
  reduceEdges,
} from '../../../../scripts/docs/architecturePicture.ts';

const edge = (from: string, to: string, typeOnly = false): FolderEdge => ({ from, to, typeOnly });
const file = (path: string, text: string) => ({ path, text, imports: readImports(text) });

describe('the imports between folders', () => {
  test('are those of all files; only types when all of them are', () => {
    const files = [
      file('src/main.ts', "import { a } from './core/a.ts';\nimport { readFileSync } from 'node:fs';"),
      file('src/core/a.ts', "import { b } from './b.ts';"),
      file('src/gateway/deep/c.ts', "import type { A } from '../../core/a.ts';\nimport { x } from '../../host/x.ts';"),
      file('src/gateway/d.ts', "import type { X } from '../host/x.ts';\nimport { type B } from '../core/b.ts';"),
    ];
    expect(folderEdges(files)).toEqual([
      edge('*.ts', 'core'),
      edge('gateway', 'core', true),
      edge('gateway', 'host', false),
    ]);
  });

  test('without those that follow from others', () => {
    const edges = [edge('a', 'b'), edge('b', 'c'), edge('c', 'd'), edge('a', 'c'), edge('a', 'd'), edge('b', 'd')];
    expect(reduceEdges(edges)).toEqual([edge('a', 'b'), edge('b', 'c'), edge('c', 'd')]);
  });

  test('a circle is a mistake, and named', () => {
    expect(() => reduceEdges([edge('a', 'b'), edge('b', 'c'), edge('c', 'b')])).toThrow('b -> c -> b');
  });
});

describe('the picture', () => {
  const at = (row: number, column: number): Folder => ({ row, column, label: '', about: '' });
  const places = new Map([
    ['top', at(0, 0)],
    ['left', at(1, 0)],
    ['right', at(1, 1)],
    ['bottom', at(2, 0)],
  ]);
  const edges = [
    edge('top', 'left'),
    edge('top', 'right', true),
    edge('left', 'bottom'),
    edge('right', 'bottom', true),
  ];

  test('has a box for each folder, and a line for each import that does not follow from others', () => {
    const svg = drawArchitecture([...edges, edge('top', 'bottom')], places);
    expect(svg.match(/(?<=font-weight="600">)[^<]+/g)).toEqual(['top/', 'left/', 'right/', 'bottom/']);
    expect(svg.match(/<path /g)).toHaveLength(4);
  });

  test('has a broken line where only types are imported', () => {
    expect(drawArchitecture(edges, places).match(/<path .*stroke-dasharray/g)).toHaveLength(2);
  });

  test.each([
    ['a folder without a place', [...edges, edge('bottom', 'new')], places, 'src/new needs a place'],
    ['a folder that is gone', edges.slice(0, 3), new Map([...places, ['old', at(2, 2)]]), 'src/old is in the picture'],
    ['a line that goes up', edges, new Map([...places, ['bottom', at(1, 2)]]), 'the line from left to bottom goes up'],
    [
      'a line through a folder',
      [edge('top', 'bottom'), edge('left', 'right')],
      new Map([...places, ['right', at(2, 1)]]),
      'the line from top to bottom goes through left',
    ],
  ])('%s is a mistake, and named', (_what, wrong, where, message) => {
    expect(() => drawArchitecture(wrong, where)).toThrow(message);
  });
});
