// Describes what the schema found wrong: `key: found X, expected Y`, with the nearest known name.

import { type z } from 'zod';
import { experimentSchema } from './schema.js';
import { suggestion } from './suggest.js';
import { clip } from './yaml.js';

/** A problem with a key. */
export interface Problem {
  readonly path: readonly PropertyKey[];
  readonly message: string;
  /** The position to report: the value (default), the key, or the parent of a missing key. */
  readonly at?: 'key' | 'parent';
  /** Whether the value would be valid as text, in quotes. */
  readonly wantsText?: true;
}

/** The problems behind one issue of zod; `raw` is the checked value. */
export function schemaProblems(issue: z.core.$ZodIssue, raw: unknown): Problem[] {
  const { path } = issue;
  if (issue.code === 'unrecognized_keys') {
    const known = keysAt(path, raw);
    return issue.keys.map((key) => {
      if (known.includes(key)) {
        const others = Object.keys(valueAt(raw, path) as object).filter((each) => !issue.keys.includes(each));
        const message = `found beside ${others.join(', ')}, expected one or the other`;
        return { path: [...path, key], message, at: 'key' };
      }
      const hint = suggestion(key, known) || `, expected one of ${known.join(', ')}`;
      return { path: [...path, key], message: `unknown key${hint}`, at: 'key' };
    });
  }
  if (issue.code === 'invalid_key') {
    return [{ path, message: `found this key, expected ${reason(issue.issues[0])}`, at: 'key' }];
  }
  if (issue.code === 'invalid_union') {
    const meant = meantAlternative(issue.errors);
    if (meant)
      return meant.flatMap((inner) => schemaProblems({ ...inner, path: [...path, ...inner.path] }, raw));
  }
  const found = valueAt(raw, path);
  if (found === undefined) return [{ path, message: `missing, expected ${expected(issue)}`, at: 'parent' }];
  const message = `found ${describe(found)}, expected ${expected(issue)}${nearest(issue, found)}`;
  return [{ path, message, ...(wantsText(issue) && { wantsText: true as const }) }];
}

function wantsText(issue: z.core.$ZodIssue): boolean {
  return issue.code === 'invalid_type' && issue.expected === 'string';
}

/** The alternative of a union whose outer type matches, if exactly one does: its issues are the useful ones. */
function meantAlternative(alternatives: readonly z.core.$ZodIssue[][]): z.core.$ZodIssue[] | undefined {
  const fitting = alternatives.filter((issues) =>
    issues.every(({ code, path }) => path.length > 0 || code === 'unrecognized_keys'),
  );
  const nested = fitting.filter((issues) => issues.some(({ code }) => code !== 'unrecognized_keys'));
  // If several groups of keys match, take the one whose only problem is a wrong value further down, or that has most keys right.
  const deepest = [...(nested.length > 0 ? nested : fitting)].sort(
    (a, b) => depth(b) - depth(a) || wrongKeys(a) - wrongKeys(b),
  );
  const [best = [], next = []] = deepest;
  return fitting.length === 1 || depth(best) > depth(next) || wrongKeys(best) < wrongKeys(next)
    ? deepest[0]
    : undefined;
}

function depth(issues: readonly z.core.$ZodIssue[]): number {
  return Math.max(0, ...issues.map(({ code, path }) => (code === 'unrecognized_keys' ? 0 : path.length)));
}

/** How many keys are missing, wrong or unknown: few, if these keys are meant. */
function wrongKeys(issues: readonly z.core.$ZodIssue[]): number {
  return issues.reduce((sum, issue) => sum + (issue.code === 'unrecognized_keys' ? issue.keys.length : 1), 0);
}

/** The nearest allowed value, if the values are names. */
function nearest(issue: z.core.$ZodIssue, found: unknown): string {
  if (typeof found !== 'string') return '';
  if (issue.code === 'invalid_value') return suggestion(found, issue.values.map(String));
  if (issue.code !== 'invalid_union') return '';
  if (issue.path.at(-1) === 'family') return suggestion(found, FAMILIES);
  const values = issue.errors.flat().flatMap((inner) => (inner.code === 'invalid_value' ? inner.values : []));
  return suggestion(found, values.map(String));
}

const FAMILIES = experimentSchema.shape.models.element.options.flatMap((option) =>
  'options' in option.shape.family ? [...option.shape.family.options] : [...option.shape.family.values],
);

function expected(issue: z.core.$ZodIssue): string {
  if (issue.message.startsWith('expected ')) return reason(issue);
  switch (issue.code) {
    case 'invalid_type':
      return TYPES[issue.expected] ?? `a ${issue.expected}`;
    case 'invalid_value':
      return issue.values.length === 1 ? String(issue.values[0]) : `one of ${issue.values.join(', ')}`;
    case 'too_small':
    case 'too_big': {
      const bound = String(issue.code === 'too_small' ? issue.minimum : issue.maximum);
      const relation =
        issue.code === 'too_small'
          ? issue.inclusive
            ? 'at least'
            : 'more than'
          : issue.inclusive
            ? 'at most'
            : 'less than';
      if (issue.origin === 'string')
        return bound === '1' ? 'some text' : `text of ${relation} ${bound} characters`;
      return issue.origin === 'array' ? `a list of ${relation} ${bound}` : `${relation} ${bound}`;
    }
    case 'invalid_union':
      return issue.path.at(-1) === 'family' ? `one of ${FAMILIES.join(', ')}` : reason(issue);
    default:
      return reason(issue);
  }
}

/** The message that the schema defines itself; such messages begin with `expected`. */
function reason(issue: z.core.$ZodIssue | undefined): string {
  return issue?.message.replace(/^expected /, '') ?? '';
}

const TYPES: Readonly<Record<string, string>> = {
  array: 'a list',
  tuple: 'a list',
  object: 'a group of keys',
  record: 'a group of keys',
  int: 'a whole number',
  string: 'text',
  boolean: 'true or false',
};

/** A value as text for messages. */
export function describe(value: unknown): string {
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (value === null || value === undefined) return 'nothing';
  if (typeof value === 'object') return 'a group of keys';
  return clip(JSON.stringify(value));
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((at, key) => (at as Record<PropertyKey, unknown> | undefined)?.[key], value);
}

/** The parts of zod's schemas that are needed to find the allowed keys at a path. */
interface SchemaNode {
  readonly def: Readonly<Record<string, unknown>>;
  readonly shape?: Readonly<Record<string, SchemaNode>>;
}

/** Keys that the schema allows at a path; for models, those of the given family. */
function keysAt(path: readonly PropertyKey[], raw: unknown): string[] {
  const unwrap = (node: SchemaNode): SchemaNode =>
    node.def['innerType'] ? unwrap(node.def['innerType'] as SchemaNode) : node;
  const objects = (nodes: readonly SchemaNode[]): SchemaNode[] =>
    nodes.map(unwrap).flatMap((node) => {
      const options = node.def['options'] as readonly SchemaNode[] | undefined;
      return options ? objects(options) : [node];
    });
  let nodes: SchemaNode[] = objects([experimentSchema as unknown as SchemaNode]);
  for (const key of path)
    nodes = objects(
      nodes.flatMap((node) => {
        const next = node.shape?.[String(key)] ?? node.def['element'] ?? node.def['valueType'];
        return next ? [next as SchemaNode] : [];
      }),
    );
  const family = (valueAt(raw, path) as { family?: unknown } | undefined)?.family;
  const shapes = nodes.flatMap(({ shape }) => (shape ? [shape] : []));
  const meant = shapes.filter((shape) => !shape['family'] || (family === 'explicit') === 'encoder' in shape);
  return [...new Set((meant.length > 0 ? meant : shapes).flatMap((shape) => Object.keys(shape)))];
}
