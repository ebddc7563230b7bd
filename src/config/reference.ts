// The schema told to editors (JSON Schema) and to readers (Markdown). Both are generated: see scripts/write-reference.js.

import { z } from 'zod';
import { experimentSchema } from './schema.js';

/** The JSON Schema (draft 7) of an experiment file. */
export function experimentJsonSchema(): object {
  return z.toJSONSchema(experimentSchema, { target: 'draft-7', io: 'input' });
}

/** What of JSON Schema the experiment's schema uses. */
interface Node {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly exclusiveMaximum?: number;
  readonly properties?: Readonly<Record<string, Node>>;
  readonly additionalProperties?: Node | false;
  readonly required?: readonly string[];
  readonly items?: Node | readonly Node[];
  readonly anyOf?: readonly Node[];
  readonly oneOf?: readonly Node[];
}

/** docs/config.md: every key with its type, default and meaning, a table for each section. */
export function configReference(): string {
  const root = experimentJsonSchema() as Node;
  const entries = Object.entries(root.properties ?? {});
  const sections = entries.filter(([, node]) => node.properties || variantsOf(node));
  const scalars = entries.filter(([, node]) => !node.properties && !variantsOf(node));
  return [
    '# Experiment files',
    '',
    '<!-- Written by scripts/write-reference.js from src/config/schema.ts; not to be edited by hand. -->',
    '',
    'An experiment is one YAML file: the command line argument (a file, or the name of a shipped one, which',
    '`lunet config --list` shows), else `lunet.yaml` in the working folder, else the shipped `default`. A value comes from `--set key=value` (repeatable; list entries by number, as in',
    '`models.0.n=8`; an empty value restores the default), else from the environment (`LUNET_OUTPUT` for `output`),',
    'else from the file, else it is the default. `lunet config --print` shows the outcome. Unknown keys, YAML tags,',
    'aliases and merge keys are refused.',
    '',
    ...table(rowsOf({ ...root, properties: Object.fromEntries(scalars) })),
    ...sections.flatMap(([key, node]) => [
      `## ${key}`,
      '',
      `${node.description ?? ''}.`,
      '',
      ...section(node),
    ]),
  ].join('\n');
}

function section(node: Node): string[] {
  const variants = variantsOf(node);
  if (variants === undefined) return table(rowsOf(node));
  return variants.flatMap((variant) => {
    const family = variant.properties?.['family'];
    return [`### family: ${family ? typeText(family) : ''}`, '', ...table(rowsOf(variant))];
  });
}

/** For a list of models: its families. */
function variantsOf(node: Node): readonly Node[] | undefined {
  return itemNode(node)?.oneOf;
}

interface Row {
  readonly key: string;
  readonly node: Node;
  readonly required: boolean;
}

/** The keys below a node, groups of keys opened up: `split`, `split.train`. */
function rowsOf(node: Node, prefix = ''): Row[] {
  return Object.entries(node.properties ?? {}).flatMap(([name, child]): Row[] => {
    const row = { key: prefix + name, node: child, required: node.required?.includes(name) ?? false };
    return child.properties ? [row, ...rowsOf(child, `${row.key}.`)] : [row];
  });
}

function table(rows: readonly Row[]): string[] {
  const lines = rows.map(({ key, node, required }) => {
    const preset = node.default === undefined || isEmptyGroup(node.default) ? '' : code(node.default);
    return `| \`${key}\` | ${typeText(node)} | ${required ? 'required' : preset} | ${escape(node.description ?? '')} |`;
  });
  return ['| key | value | default | meaning |', '| --- | --- | --- | --- |', ...lines, ''];
}

const isEmptyGroup = (value: unknown): boolean => JSON.stringify(value) === '{}';
const code = (value: unknown): string => `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``;
const escape = (text: string): string => text.replaceAll('|', '\\|');

function itemNode(node: Node): Node | undefined {
  return Array.isArray(node.items) ? undefined : (node.items as Node | undefined);
}

/** A node's values in words: `whole number, 1 or more`, `one of a, b`, `list of text`. */
function typeText(node: Node): string {
  if (node.const !== undefined) return code(node.const);
  if (node.enum) return node.enum.map(code).join(', ');
  const alternatives = node.anyOf ?? node.oneOf;
  if (alternatives) return alternatives.map(typeText).join(' or ');
  if (Array.isArray(node.items)) return `[${(node.items as Node[]).map(typeText).join(', ')}]`;
  if (node.type === 'array') return `list of ${itemNode(node) ? typeText(itemNode(node) as Node) : 'values'}`;
  if (node.additionalProperties) return `names, each with ${typeText(node.additionalProperties)}`;
  if (node.type === 'object') {
    const [key, value] = Object.entries(node.properties ?? {})[0] ?? [];
    return Object.keys(node.properties ?? {}).length === 1 && value
      ? `{${key}: ${typeText(value)}}`
      : 'group of keys';
  }
  if (node.type === 'integer' || node.type === 'number') return numberText(node);
  return node.type === 'boolean' ? '`true`, `false`' : 'text';
}

function numberText(node: Node): string {
  const bounds = [
    node.exclusiveMinimum !== undefined ? `above ${node.exclusiveMinimum}` : '',
    isBound(node.minimum) ? `from ${node.minimum}` : '',
    node.exclusiveMaximum !== undefined ? `below ${node.exclusiveMaximum}` : '',
    isBound(node.maximum) ? `to ${node.maximum}` : '',
  ].filter((text) => text !== '');
  return [node.type === 'integer' ? 'whole number' : 'number', ...bounds].join(' ');
}

/** Zod bounds every whole number by what JavaScript keeps exactly; that is no news to a reader. */
function isBound(bound: number | undefined): bound is number {
  return bound !== undefined && Math.abs(bound) !== Number.MAX_SAFE_INTEGER;
}
