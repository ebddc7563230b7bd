// Reads YAML from untrusted sources: refuses input that the library would accept silently or take too long for.

import {
  CST,
  type Document,
  Lexer,
  LineCounter,
  type Node,
  type Pair,
  type YAMLError,
  type YAMLMap,
  isAlias,
  isCollection,
  isMap,
  isPair,
  isScalar,
  isSeq,
  parseDocument,
  visit,
} from 'yaml';

/** Size limit of a config file. */
export const MAX_BYTES = 1024 * 1024;
const MAX_NODES = 10_000;
const MAX_DEPTH = 64;
/** Colons, dashes, commas, brackets, comments, line breaks: a few for each value. */
const MAX_MARKS = 5 * MAX_NODES;
const TOO_MANY = `found more than ${MAX_NODES} values, expected at most ${MAX_NODES}`;

/** Whether a key could reach JavaScript's prototypes. */
export function isForbiddenKey(key: string): boolean {
  return key === '__proto__' || key === 'constructor' || key === 'prototype';
}

/** A position in a file; line and column count from 1. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** A problem with the text of a file. */
export interface YamlProblem extends Partial<Position> {
  readonly message: string;
}

export interface ParsedYaml {
  /** Plain objects without prototypes, arrays, strings, finite numbers, booleans, null. */
  readonly value: unknown;
  readonly problems: readonly YamlProblem[];
  /** Position of the value at a path, or of its key if `key`; of the nearest enclosing one if it is absent. */
  readonly locate: (path: readonly PropertyKey[], key?: boolean) => Position | undefined;
  /** The scalar at a path as it is written: `007`. */
  readonly written: (path: readonly PropertyKey[]) => string | undefined;
  /** Whether a path leads to a group of keys or a list in the file. */
  readonly isCollection: (path: readonly PropertyKey[]) => boolean;
}

/** Parses the bytes of a YAML file. Never throws for bad input: `problems` states what is wrong, and where. */
export function parseYaml(bytes: Uint8Array): ParsedYaml {
  const failed = (message: string, position: Partial<Position> = {}): ParsedYaml => ({
    value: undefined,
    problems: [{ message, ...position }],
    locate: () => undefined,
    written: () => undefined,
    isCollection: () => false,
  });
  if (bytes.length > MAX_BYTES) return failed(`file is too large: expected at most ${MAX_BYTES} bytes`);
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return failed('file is not valid UTF-8');
  }
  const excess = findExcess(text);
  if (excess !== undefined) return failed(excess.message, excess);

  const lineCounter = new LineCounter();
  let document: Document.Parsed;
  try {
    document = parseDocument(text, { lineCounter, uniqueKeys: false, prettyErrors: false });
  } catch (error) {
    return failed(`not readable as YAML: ${(error as Error).message}`);
  }
  const at = (offset: number | undefined): Partial<Position> => {
    if (offset === undefined) return {};
    const { line, col } = lineCounter.linePos(offset);
    return { line, column: col };
  };
  const problems: YamlProblem[] = [...document.errors, ...document.warnings].map((error) => ({
    message: explain(error, text),
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
    written: (path) => {
      const node = document.getIn(path, true);
      return isScalar(node) ? node.source : undefined;
    },
    isCollection: (path) => isCollection(document.getIn(path)),
  };
}

/** The message of the library, or a plainer one if it is meant for programmers. */
function explain({ code, message, pos }: YAMLError, text: string): string {
  switch (code) {
    case 'MULTIPLE_DOCS':
      return 'found a second document (---), expected one';
    case 'TAG_RESOLVE_FAILED':
      return `found the tag ${clip(text.slice(...pos))}; tags are not allowed here`;
    default:
      return clip(message, 200);
  }
}

/** At most `most` characters of a text that comes from a file. */
export function clip(text: string, most = 60): string {
  return text.length > most ? `${text.slice(0, most)}...` : text;
}

/** One scalar or flow value after `--set key=`. Throws an Error that states what is wrong. */
export function parseYamlValue(text: string): ParsedYaml {
  const parsed = parseYaml(new TextEncoder().encode(text));
  if (parsed.problems[0] !== undefined) throw new Error(parsed.problems[0].message);
  for (const token of new Lexer().lex(text))
    if (CST.tokenType(token) === 'comment') throw new Error(`${clip(token)} would be a comment`);
  return parsed;
}

/** Tokens that begin a value. */
const VALUES: ReadonlySet<string | null> = new Set([
  'scalar',
  'single-quoted-scalar',
  'double-quoted-scalar',
  'block-scalar-header',
  'alias',
  'flow-map-start',
  'flow-seq-start',
]);

/**
 * The first place where a text has more levels, values or tokens than allowed. The parser recurses, and its time per value
 * grows with their number, so large input must not reach it; its lexer has neither problem. Blocks nest by the columns at
 * which their entries start, flow collections by their brackets.
 */
function findExcess(text: string): YamlProblem | undefined {
  let line = 1;
  let column = 1;
  let flow = 0;
  let values = 0;
  let marks = 0;
  let lineOpen = true; // only indicators (- ? :) so far on this line, so that an entry may start here
  const blocks: number[] = [];
  for (const token of new Lexer().lex(text)) {
    const type = CST.tokenType(token);
    const silent = type === 'space' || type === 'comment' || token === CST.SCALAR || token === CST.DOCUMENT;
    if (VALUES.has(type)) values++;
    else if (type !== 'space') marks++;
    if (type === 'flow-map-start' || type === 'flow-seq-start') flow++;
    else if (type === 'flow-map-end' || type === 'flow-seq-end') flow = Math.max(0, flow - 1);
    else if (flow === 0 && lineOpen && !silent && type !== 'newline') {
      while (blocks.length > 0 && (blocks.at(-1) as number) >= column) blocks.pop();
      blocks.push(column);
    }
    if (blocks.length + flow > MAX_DEPTH)
      return { message: `nested too deeply: expected at most ${MAX_DEPTH} levels`, line, column };
    if (values > MAX_NODES) return { message: TOO_MANY, line, column };
    if (marks > MAX_MARKS)
      return { message: `found more than ${MAX_MARKS} indicators, comments and line breaks`, line, column };
    if (token === CST.SCALAR || token === CST.DOCUMENT || token === CST.FLOW_END) continue;
    const breaks = token.split('\n');
    line += breaks.length - 1;
    column = breaks.length > 1 ? (breaks.at(-1) as string).length + 1 : column + token.length;
    if (breaks.length > 1) lineOpen = true;
    else if (!silent) lineOpen = ['seq-item-ind', 'explicit-key-ind', 'map-value-ind'].includes(type ?? '');
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
    Node(_, node) {
      nodes++;
      if (isMap(node))
        for (const key of repeatedKeys(node))
          add(key, `found the key ${clip(String(keyText(key)))} a second time`);
      if (isAlias(node)) add(node, `found the alias *${clip(node.source)}; aliases are not allowed here`);
      else if ((node as { anchor?: string }).anchor !== undefined)
        add(node, 'found an anchor (&); anchors are not allowed here');
      else if (node.tag !== undefined)
        add(
          node,
          `found the tag ${clip(node.tag.replace('tag:yaml.org,2002:', '!!'))}; tags are not allowed here`,
        );
      if (isScalar(node) && typeof node.value === 'number') {
        if (!Number.isFinite(node.value))
          add(node, `found ${clip(node.source ?? '')}, expected a finite number`);
        else if (Number.isInteger(node.value) && !Number.isSafeInteger(node.value))
          add(node, `found ${clip(node.source ?? '')}, an integer too large to be kept exactly`);
      }
      if (isScalar(node) && typeof node.value === 'bigint') add(node, 'found an integer that is too large');
    },
    Pair(_, pair) {
      const key = pair.key;
      const text = keyText(key);
      if (text === undefined) add(key as Node, 'found a key that is not plain text');
      else if (text === '<<') add(key as Node, 'found the merge key <<; merging is not allowed here');
      else if (isForbiddenKey(text)) add(key as Node, `the key ${text} is not allowed`);
    },
  });
  if (nodes > MAX_NODES) problems.push({ message: TOO_MANY });
  return problems;
}

/** Repeated keys of a map; the check of the library compares each key with all earlier ones, which is slow. */
function repeatedKeys(map: YAMLMap): Node[] {
  const seen = new Set<string>();
  return map.items.flatMap(({ key }) => {
    const text = keyText(key);
    if (text === undefined) return [];
    if (seen.has(text)) return [key as Node];
    seen.add(text);
    return [];
  });
}

/** A key as written, so that 007 does not become 7; undefined if it is not text. */
function keyText(key: unknown): string | undefined {
  if (!isScalar(key) || !['string', 'number', 'boolean'].includes(typeof key.value)) return undefined;
  return typeof key.value === 'string' ? key.value : (key.source ?? String(key.value));
}

function toPlain(node: unknown): unknown {
  if (isMap(node)) {
    const object = Object.create(null) as Record<string, unknown>;
    for (const { key, value } of node.items) object[keyText(key) as string] = toPlain(value);
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
        (item) => isPair(item) && keyText(item.key) === String(part),
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
