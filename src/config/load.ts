// From a file, overrides and the environment to a checked experiment. All problems are named at once, with places.

import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type z } from 'zod';
import { UserError } from '../errors.js';
import { crossFieldProblems } from './cross-field.js';
import { type Experiment, experimentSchema } from './schema.js';
import { suggestion } from './suggest.js';
import { parseYaml, parseYamlValue } from './yaml.js';

const MAX_PROBLEMS = 20;

/** A checked experiment and the file it came from. */
export interface LoadedExperiment {
  readonly config: Experiment;
  /** The file, as it is to be named in messages. */
  readonly source: string;
}

/** The folder of the configs that lunet ships. */
export const shippedConfigs = join(dirname(fileURLToPath(import.meta.url)), '../../../configs');

/**
 * Loads an experiment: the file given, else ./lunet.yaml, else the shipped default. Precedence of values: overrides
 * (`a.b=value`), LUNET_OUTPUT, the file, defaults. Throws a UserError of kind `usage` that names every problem as
 * `file:line:column: key: found X, expected Y`.
 */
export function loadExperiment(file?: string, overrides: readonly string[] = []): LoadedExperiment {
  const path = file ?? (existsSync('lunet.yaml') ? 'lunet.yaml' : join(shippedConfigs, 'default.yaml'));
  const source = file ?? (path === 'lunet.yaml' ? path : relative(process.cwd(), path) || path);
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const reason =
      code === 'ENOENT' ? 'no such file' : code === 'EISDIR' ? 'is a folder' : (error as Error).message;
    throw new UserError('usage', `${source}: ${reason}; expected an experiment config (YAML)`);
  }
  const yaml = parseYaml(bytes);
  if (yaml.problems.length > 0)
    throw usage(yaml.problems.map((p) => `${source}${p.line ? `:${p.line}:${p.column}` : ''}: ${p.message}`));
  if (typeof yaml.value !== 'object' || yaml.value === null || Array.isArray(yaml.value))
    throw usage([`${source}: found ${describe(yaml.value)}, expected keys such as experiment and dataset`]);
  const raw = yaml.value as Record<string, unknown>;
  const overridden = new Set<string>();
  if (process.env['LUNET_OUTPUT']) {
    raw['output'] = process.env['LUNET_OUTPUT'];
    overridden.add('output');
  }
  for (const override of overrides) overridden.add(applyOverride(raw, override));

  const place = (keys: readonly PropertyKey[], key = false): string => {
    const dotted = keys.join('.');
    if ([...overridden].some((name) => dotted === name || dotted.startsWith(`${name}.`))) return '--set';
    const position = yaml.locate(keys, key);
    return position ? `${source}:${position.line}:${position.column}` : source;
  };
  const parsed = experimentSchema.safeParse(raw);
  if (!parsed.success) throw usage(parsed.error.issues.flatMap((issue) => issueLines(issue, raw, place)));
  const problems = crossFieldProblems(parsed.data);
  if (problems.length > 0)
    throw usage(problems.map(({ path: keys, message }) => `${place(keys)}: ${keys.join('.')}: ${message}`));
  return { config: parsed.data, source };
}

function usage(lines: readonly string[]): UserError {
  const more = lines.length > MAX_PROBLEMS ? [`and ${lines.length - MAX_PROBLEMS} more problems`] : [];
  return new UserError('usage', [...lines.slice(0, MAX_PROBLEMS), ...more].join('\n'));
}

type Place = (keys: readonly PropertyKey[], key?: boolean) => string;

function issueLines(issue: z.core.$ZodIssue, raw: unknown, place: Place): string[] {
  if (issue.code === 'unrecognized_keys') {
    const known = keysAt(issue.path, raw);
    return issue.keys.map((key) => {
      const keys = [...issue.path, key];
      return `${place(keys, true)}: ${keys.join('.')}: unknown key${suggestion(key, known)}`;
    });
  }
  if (issue.code === 'invalid_union' && issue.errors.length > 0) {
    // The alternative that got furthest is the one that was meant.
    const best = [...issue.errors].sort(
      (a, b) => Math.max(...b.map((i) => i.path.length)) - Math.max(...a.map((i) => i.path.length)),
    )[0];
    if (best?.some((inner) => inner.path.length > 0))
      return best.flatMap((inner) =>
        issueLines({ ...inner, path: [...issue.path, ...inner.path] }, raw, place),
      );
  }
  const found = valueAt(raw, issue.path);
  const key = issue.path.join('.');
  if (found === undefined)
    return [`${place(issue.path.slice(0, -1))}: ${key}: missing, expected ${expected(issue)}`];
  const hint =
    issue.code === 'invalid_value' && typeof found === 'string'
      ? suggestion(found, issue.values.map(String))
      : '';
  return [`${place(issue.path)}: ${key}: found ${describe(found)}, expected ${expected(issue)}${hint}`];
}

function expected(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      return issue.expected === 'int' ? 'a whole number' : article(issue.expected);
    case 'invalid_value':
      return issue.values.length === 1 ? String(issue.values[0]) : `one of ${issue.values.join(', ')}`;
    case 'too_small':
      return `${issue.origin === 'array' ? 'a list of ' : ''}${issue.inclusive ? 'at least' : 'more than'} ${String(issue.minimum)}`;
    case 'too_big':
      return `${issue.origin === 'array' ? 'a list of ' : ''}${issue.inclusive ? 'at most' : 'less than'} ${String(issue.maximum)}`;
    case 'invalid_union':
      return issue.path.at(-1) === 'family' || issue.discriminator === 'family'
        ? 'one of unet, lunet, explicit'
        : issue.errors
            .map((alternative) => (alternative[0] === undefined ? '' : expected(alternative[0])))
            .filter((text, i, all) => text !== '' && all.indexOf(text) === i)
            .join(', or ');
    default:
      return issue.message.replace(/^expected /, '');
  }
}

const article = (type: string): string =>
  ({ array: 'a list', object: 'a group of keys', record: 'a group of keys', tuple: 'a list' })[type] ??
  `a ${type}`;

function describe(value: unknown): string {
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (value === null || value === undefined) return 'nothing';
  if (typeof value === 'object') return 'a group of keys';
  const text = JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 60)}...` : text;
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((at, key) => (at as Record<PropertyKey, unknown> | undefined)?.[key], value);
}

/** Keys that the schema knows at a path; for one of a union's objects, those of the one that was meant. */
function keysAt(path: readonly PropertyKey[], raw: unknown): string[] {
  type Schema = { def: Record<string, unknown>; shape?: Record<string, Schema>; options?: Schema[] };
  const unwrap = (schema: Schema): Schema =>
    schema.def['innerType'] ? unwrap(schema.def['innerType'] as Schema) : schema;
  let schemas: Schema[] = [experimentSchema as unknown as Schema];
  const objects = (): Schema[] =>
    schemas.map(unwrap).flatMap((s) => (s.options ? s.options.map(unwrap) : [s]));
  for (const key of path)
    schemas = objects().flatMap((s) => {
      const next = s.shape?.[String(key)] ?? s.def['element'] ?? s.def['valueType'];
      return next ? [next as Schema] : [];
    });
  const family = (valueAt(raw, path) as { family?: unknown } | undefined)?.family;
  const shapes = objects().filter((s) => s.shape);
  const meant = shapes.filter(
    (s) => !s.shape?.['family'] || (family === 'explicit') === 'encoder' in (s.shape ?? {}),
  );
  return (meant.length > 0 ? meant : shapes).flatMap((s) => Object.keys(s.shape ?? {}));
}

/** Applies `a.b.0.c=value`; the value is read as YAML, never evaluated. Returns the dotted key. */
function applyOverride(raw: Record<string, unknown>, override: string): string {
  const equals = override.indexOf('=');
  const dotted = override.slice(0, Math.max(0, equals)).trim();
  if (dotted === '') throw usage([`--set ${override}: expected KEY=VALUE, such as --set training.epochs=10`]);
  let value: unknown;
  try {
    value = parseYamlValue(override.slice(equals + 1));
  } catch (error) {
    throw usage([`--set ${override}: ${(error as Error).message}`]);
  }
  const keys = dotted.split('.');
  if (keys.some((key) => ['__proto__', 'constructor', 'prototype', ''].includes(key)))
    throw usage([`--set ${override}: ${dotted} is not a key`]);
  let at: Record<string, unknown> = raw;
  for (const key of keys.slice(0, -1)) {
    if (Array.isArray(at) && !(key in at)) throw usage([`--set ${override}: there is no entry ${key}`]);
    if (typeof at[key] !== 'object' || at[key] === null) at[key] = Object.create(null);
    at = at[key] as Record<string, unknown>;
  }
  at[keys.at(-1) as string] = value;
  return dotted;
}
