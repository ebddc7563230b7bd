// From a file, overrides and the environment to a checked experiment. All problems are named at once, with places.

import { closeSync, existsSync, openSync, readSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { UserError } from '../errors.js';
import { type Sections, crossFieldProblems } from './cross-field.js';
import { applyOverride } from './overrides.js';
import { type Problem, describe, schemaProblems } from './problems.js';
import { resolveExperiment } from './resolve.js';
import { type DeclaredExperiment, type Experiment, experimentSchema } from './schema.js';
import { MAX_BYTES, parseYaml } from './yaml.js';

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
    bytes = readStart(path);
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
  // Where a value comes from that is not from the file, by dotted key; later ones win.
  const elsewhere = new Map<string, string>();
  if (process.env['LUNET_OUTPUT']) {
    raw['output'] = process.env['LUNET_OUTPUT'];
    elsewhere.set('output', 'LUNET_OUTPUT');
  }
  for (const override of overrides) elsewhere.set(applyOverride(raw, override), '--set');

  const { config, problems } = check(raw);
  if (config !== undefined) return { config: resolveExperiment(config), source };
  throw usage(
    problems.map(({ path: keys, message, at }) => {
      const dotted = keys.join('.');
      const setter = [...elsewhere].reverse().find(([key]) => dotted === key || dotted.startsWith(`${key}.`));
      const position = yaml.locate(at === 'parent' ? keys.slice(0, -1) : keys, at === 'key');
      // A group of keys that only --set speaks of stands nowhere in the file.
      const onlySet = yaml.isCollection(keys)
        ? undefined
        : [...elsewhere].find(([key]) => key.startsWith(`${dotted}.`));
      const place =
        (setter ?? onlySet)?.[1] ?? (position ? `${source}:${position.line}:${position.column}` : source);
      return `${place}: ${dotted}: ${message}`;
    }),
  );
}

/** The file's bytes, but not many more than a config may have: the path may lead to anything. */
function readStart(path: string): Buffer {
  const file = openSync(path, 'r');
  try {
    const buffer = Buffer.alloc(MAX_BYTES + 1);
    let length = 0;
    for (let got = -1; got !== 0 && length < buffer.length; length += got)
      got = readSync(file, buffer, length, buffer.length - length, null);
    return buffer.subarray(0, length);
  } finally {
    closeSync(file);
  }
}

/** The experiment that a raw value describes, or all that is wrong with it. */
function check(raw: Record<string, unknown>): { config?: DeclaredExperiment; problems: readonly Problem[] } {
  const parsed = experimentSchema.safeParse(raw);
  if (parsed.success) {
    const problems = crossFieldProblems(parsed.data);
    return problems.length === 0 ? { config: parsed.data, problems } : { problems };
  }
  // What is right by itself can still be checked against the rest, so that all problems are named at once.
  const sections: Sections = Object.fromEntries(
    Object.entries(experimentSchema.shape).flatMap(([key, schema]) => {
      const section = schema.safeParse(raw[key]);
      return section.success ? [[key, section.data]] : [];
    }),
  );
  const problems = parsed.error.issues.flatMap((issue) => schemaProblems(issue, raw));
  return { problems: [...problems, ...crossFieldProblems(sections)] };
}

/** Problems as one error. */
function usage(lines: readonly string[]): UserError {
  const shown = lines.slice(0, MAX_PROBLEMS);
  const more = lines.length > MAX_PROBLEMS ? [`and ${lines.length - MAX_PROBLEMS} more problems`] : [];
  return new UserError('usage', [...shown, ...more].join('\n'));
}
