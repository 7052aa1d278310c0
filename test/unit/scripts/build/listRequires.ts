import { parseAst } from 'rolldown/parseAst';

function literal(node: unknown): string | undefined {
  if (typeof node !== 'object' || node === null || !('type' in node)) return undefined;
  if (node.type === 'Literal' && 'value' in node) return String(node.value);
  if (node.type !== 'TemplateLiteral' || !('quasis' in node) || !Array.isArray(node.quasis)) return undefined;
  return node.quasis.length === 1 ? node.quasis[0].value.cooked : undefined;
}

function isRequire(callee: unknown): boolean {
  return typeof callee === 'object' && callee !== null && 'name' in callee && callee.name === 'require';
}

function collect(node: unknown, found: Set<string>): void {
  if (typeof node !== 'object' || node === null) return;
  if ('type' in node) {
    if (node.type === 'CallExpression' && 'callee' in node && isRequire(node.callee) && 'arguments' in node) {
      const [argument] = Array.isArray(node.arguments) ? node.arguments : [];
      found.add(literal(argument) ?? '(computed)');
    }
    if (node.type === 'ImportExpression' && 'source' in node) found.add(literal(node.source) ?? '(computed)');
  }
  for (const child of Object.values(node)) collect(child, found);
}

/** Every module that the CommonJS text `code` asks for with require() or import(); strings that only look like code do not count. */
export function listRequires(code: string): string[] {
  const found = new Set<string>();
  collect(parseAst(code), found);
  return [...found].sort();
}
