// Reads YAML that may come from anywhere: what the library would accept silently or choke on is refused here.

import {
  type Document,
  LineCounter,
  type Node,
  type Pair,
  isAlias,
  isMap,
  isPair,
  isScalar,
  isSeq,
  parseDocument,
  visit,
} from 'yaml';

const MAX_BYTES = 1024 * 1024;
const MAX_NODES = 10_000;
const MAX_DEPTH = 64;
const FORBIDDEN_KEYS = new Set(['__proto__', 'constructor', 'prototype']);

/** Where something stands in a file, both from 1. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** A problem with a file's text. */
export interface YamlProblem extends Partial<Position> {
  readonly message: string;
}

export interface ParsedYaml {
  /** Plain objects without prototypes, arrays, strings, finite numbers, booleans, null. */
  readonly value: unknown;
  readonly problems: readonly YamlProblem[];
  /** Where the value at a path stands; `key` asks for its key. The nearest enclosing one if it is absent. */
  readonly locate: (path: readonly PropertyKey[], key?: boolean) => Position | undefined;
}

/** Parses a YAML file's bytes. Never throws for bad input: problems say what is wrong, and where. */
export function parseYaml(bytes: Uint8Array): ParsedYaml {
  const failed = (message: string, position: Partial<Position> = {}): ParsedYaml => ({
    value: undefined,
    problems: [{ message, ...position }],
    locate: () => undefined,
  });
  if (bytes.length > MAX_BYTES)
    return failed(`file is too large: found ${bytes.length} bytes, expected at most ${MAX_BYTES}`);
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return failed('file is not valid UTF-8');
  }
  const deep = tooDeep(text);
  if (deep !== undefined) return failed(`nested too deeply: expected at most ${MAX_DEPTH} levels`, deep);

  const lineCounter = new LineCounter();
  let document: Document.Parsed;
  try {
    document = parseDocument(text, { lineCounter, uniqueKeys: true, prettyErrors: false });
  } catch (error) {
    return failed(`not readable as YAML: ${(error as Error).message}`);
  }
  const at = (offset: number | undefined): Partial<Position> => {
    if (offset === undefined) return {};
    const { line, col } = lineCounter.linePos(offset);
    return { line, column: col };
  };
  const problems: YamlProblem[] = [...document.errors, ...document.warnings].map((error) => ({
    message: error.message,
    ...at(error.pos[0]),
  }));
  if (document.directives?.yaml.explicit === true && document.directives.yaml.version !== '1.2')
    problems.push({
      message: `found %YAML ${document.directives.yaml.version}, expected YAML 1.2`,
      line: 1,
      column: 1,
    });
  if (problems.length === 0) problems.push(...nodeProblems(document, at));
  return {
    value: problems.length === 0 ? toPlain(document.contents) : undefined,
    problems,
    locate: (path, key = false) => {
      const found = at(locateNode(document, path, key)?.range?.[0]);
      return found.line === undefined ? undefined : (found as Position);
    },
  };
}

/** One scalar or flow value as it may follow `--set key=`. Throws an Error saying what is wrong. */
export function parseYamlValue(text: string): unknown {
  const { value, problems } = parseYaml(new TextEncoder().encode(text));
  if (problems[0] !== undefined) throw new Error(problems[0].message);
  return value;
}

/** Where nesting by brackets or indentation first exceeds the limit; the parser itself must not be trusted to. */
function tooDeep(text: string): Position | undefined {
  let brackets = 0;
  const lines = text.split('\n');
  for (const [index, line] of lines.entries()) {
    const indent = line.length - line.trimStart().length;
    const dashes = /^\s*((?:[-?:] +)*)/.exec(line)?.[1]?.length ?? 0;
    if (indent / 1 + dashes / 2 > 8 * MAX_DEPTH || dashes / 2 > MAX_DEPTH)
      return { line: index + 1, column: 1 };
    for (let i = 0; i < line.length; i++) {
      const c = line[i];
      if (c === '[' || c === '{') brackets++;
      else if (c === ']' || c === '}') brackets = Math.max(0, brackets - 1);
      if (brackets > MAX_DEPTH) return { line: index + 1, column: i + 1 };
    }
  }
  return undefined;
}

function nodeProblems(
  document: Document.Parsed,
  at: (offset: number | undefined) => Partial<Position>,
): YamlProblem[] {
  const problems: YamlProblem[] = [];
  let nodes = 0;
  const add = (node: Node, message: string): void => {
    problems.push({ message, ...at(node.range?.[0]) });
  };
  visit(document, {
    Node(_, node, path) {
      nodes++;
      if (path.length > 3 * MAX_DEPTH) add(node, 'nested too deeply');
      if (isAlias(node)) add(node, `found the alias *${node.source}; aliases are not allowed here`);
      else if ((node as { anchor?: string }).anchor !== undefined)
        add(node, 'found an anchor (&); anchors are not allowed here');
      else if (node.tag !== undefined && !node.tag.startsWith('tag:yaml.org,2002:'))
        add(node, `found the tag ${node.tag}; tags are not allowed here`);
      if (isScalar(node) && typeof node.value === 'number') {
        if (!Number.isFinite(node.value)) add(node, `found ${node.source}, expected a finite number`);
        else if (Number.isInteger(node.value) && !Number.isSafeInteger(node.value))
          add(node, `found ${node.source}, an integer too large to be kept exactly`);
      }
      if (isScalar(node) && typeof node.value === 'bigint') add(node, 'found an integer that is too large');
    },
    Pair(_, pair) {
      const key = pair.key;
      if (!isScalar(key) || !['string', 'number', 'boolean'].includes(typeof key.value)) {
        add(key as Node, 'found a key that is not plain text');
      } else if (key.value === '<<') add(key, 'found the merge key <<; merging is not allowed here');
      else if (FORBIDDEN_KEYS.has(key.source ?? '')) add(key, `the key ${key.source} is not allowed`);
    },
  });
  if (nodes > MAX_NODES) problems.push({ message: `found ${nodes} values, expected at most ${MAX_NODES}` });
  return problems;
}

function toPlain(node: unknown): unknown {
  if (isMap(node)) {
    const object = Object.create(null) as Record<string, unknown>;
    for (const { key, value } of node.items)
      object[String((key as { value: unknown }).value)] = toPlain(value);
    return object;
  }
  if (isSeq(node)) return node.items.map(toPlain);
  return isScalar(node) ? node.value : null;
}

function locateNode(document: Document.Parsed, path: readonly PropertyKey[], key: boolean): Node | undefined {
  let node: unknown = document.contents;
  let last: Node | undefined = node as Node;
  for (const [index, part] of path.entries()) {
    if (isMap(node)) {
      const pair: Pair | undefined = node.items.find(
        (item) => isPair(item) && isScalar(item.key) && String(item.key.value) === String(part),
      );
      if (pair === undefined) return last;
      last = (key && index === path.length - 1 ? pair.key : (pair.value ?? pair.key)) as Node;
      node = pair.value;
    } else if (isSeq(node)) {
      node = node.items[Number(part)];
      if (node === undefined) return last;
      last = node as Node;
    } else return last;
  }
  return last;
}
