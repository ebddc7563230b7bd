// Writes choices as an experiment file: each with its reason above it.

import { Document, Pair, Scalar, YAMLMap, YAMLSeq, isCollection, visit } from 'yaml';
import { type Choice } from './choice.js';

/** Columns of comments. */
const WIDTH = 100;

/** The text of an experiment file; `head` are the lines at its top. */
export function experimentText(choices: readonly Choice[], head: readonly string[]): string {
  const document = new Document();
  const root = new YAMLMap<Scalar, unknown>();
  document.contents = root;
  for (const { path, value, why } of choices) {
    const node = document.createNode(value);
    inOneLine(node);
    const key = new Scalar(path.at(-1));
    key.commentBefore = wrapped(why, WIDTH - 2 * (path.length - 1));
    mapAt(root, path.slice(0, -1)).items.push(new Pair(key, node));
  }
  // An empty line before each section.
  for (const [i, { key }] of root.items.entries()) if (i > 0) key.spaceBefore = true;
  document.commentBefore = head.map((line) => ` ${line}`).join('\n');
  return document.toString({ lineWidth: 0, flowCollectionPadding: true });
}

/** Small values take one line; lists of maps one for each map. */
function inOneLine(node: unknown): void {
  if (!isCollection(node)) return;
  if (node instanceof YAMLSeq && node.items.every((item) => item instanceof YAMLMap)) {
    node.items.forEach(inOneLine);
    return;
  }
  node.flow = true;
  visit(node, { Collection: (_, inner) => void (inner.flow = true) });
}

/** The map under these keys, made where it is absent. */
function mapAt(map: YAMLMap<Scalar, unknown>, path: readonly string[]): YAMLMap<Scalar, unknown> {
  const [first, ...rest] = path;
  if (first === undefined) return map;
  const known = map.items.find(({ key }) => key.value === first);
  if (known) return mapAt(known.value as YAMLMap<Scalar, unknown>, rest);
  const made = new YAMLMap<Scalar, unknown>();
  map.items.push(new Pair(new Scalar(first), made));
  return mapAt(made, rest);
}

/** A comment in lines of at most `width` columns. */
function wrapped(text: string, width: number): string {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width - 2) {
      lines.push(line);
      line = '';
    }
    line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line].map((each) => ` ${each}`).join('\n');
}
