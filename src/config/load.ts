// Loads an experiment from a file, overrides and the environment, and checks it. Reports all problems at once, with their
// positions.

import { closeSync, constants, fstatSync, lstatSync, openSync, readSync } from 'node:fs';
import { relative } from 'node:path';
import { UserError } from '../errors.js';
import { fsReason } from '../fs-reason.js';
import { quoteWord } from '../quote-word.js';
import { type Sections, crossFieldProblems } from './cross-field.js';
import { withFolds } from './folds-file.js';
import { applyOverride } from './overrides.js';
import { type Problem, describe, schemaProblems } from './problems.js';
import { resolveExperiment } from './resolve.js';
import { type DeclaredExperiment, type Experiment, experimentSchema } from './schema.js';
import { findShipped, shippedHint, shippedPath } from './shipped.js';
import { MAX_BYTES, type ParsedYaml, parseYaml } from './yaml.js';

const MAX_PROBLEMS = 20;

/** A checked experiment and the file it came from. */
export interface LoadedExperiment {
  readonly config: Experiment;
  /** The name of the file for messages. */
  readonly source: string;
}

/**
 * Loads an experiment: the given file or the shipped config of that name, else ./lunet.yaml or ./lunet.yml, else the shipped
 * default. Precedence of values: overrides (`a.b=value`), LUNET_OUTPUT, the file, defaults. Throws a UserError of kind
 * `usage` that names every problem as `file:line:column: key: found X, expected Y`, and one of kind `data` for a bad file of folds.
 */
export function loadExperiment(file?: string, overrides: readonly string[] = []): LoadedExperiment {
  const shipped = file === undefined ? undefined : findShipped(file);
  const own = shipped === undefined ? (file ?? ownConfig()) : undefined;
  const path = own ?? shipped ?? shippedPath('default');
  const source = own ?? relative('', path);
  let bytes: Buffer;
  try {
    bytes = readStart(path);
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    const dead = missing && exists(path);
    const reason = dead ? 'is a broken link' : fsReason(error);
    const hint = missing && !dead ? shippedHint(path) : '';
    throw new UserError('usage', `${source}: ${reason}; expected an experiment config (YAML)${hint}`);
  }
  const yaml = parseYaml(bytes);
  if (yaml.problems.length > 0)
    throw usage(yaml.problems.map((p) => `${source}${p.line ? `:${p.line}:${p.column}` : ''}: ${p.message}`));
  if (typeof yaml.value !== 'object' || yaml.value === null || Array.isArray(yaml.value))
    throw usage([`${source}: found ${describe(yaml.value)}, expected keys such as experiment and dataset`]);
  const raw = yaml.value as Record<string, unknown>;
  // The source of each value that is not from the file, by dotted key; later ones win.
  const elsewhere = new Map<string, string>();
  const overridden = new Map<string, ParsedYaml>();
  if (process.env['LUNET_OUTPUT']) {
    raw['output'] = process.env['LUNET_OUTPUT'];
    elsewhere.set('output', 'LUNET_OUTPUT');
  }
  for (const override of overrides) {
    const { dotted, parsed } = applyOverride(raw, override);
    elsewhere.set(dotted, '--set');
    overridden.set(dotted, parsed);
  }

  const { config, problems } = check(raw);
  if (config !== undefined) return { config: resolveExperiment(withFolds(config)), source };
  throw usage(
    // Positions are looked up only for problems that are shown.
    problems.map(({ path: keys, message, at, wantsText }, index) => {
      if (index >= MAX_PROBLEMS) return message;
      const dotted = keys.join('.');
      const setter = [...elsewhere].reverse().find(([key]) => dotted === key || dotted.startsWith(`${key}.`));
      const position = yaml.locate(at === 'parent' ? keys.slice(0, -1) : keys, at === 'key');
      // A group of keys that only --set mentions has no position in the file.
      const onlySet = yaml.isCollection(keys)
        ? undefined
        : [...elsewhere].find(([key]) => key.startsWith(`${dotted}.`));
      const place =
        (setter ?? onlySet)?.[1] ?? (position ? `${source}:${position.line}:${position.column}` : source);
      const hint = wantsText ? quotesHint(keys, setter?.[0], yaml, overridden) : '';
      return `${place}: ${dotted}: ${message}${hint}`;
    }),
  );
}

/** The config of the working folder, if it has one. A broken link counts, so that it is reported and not ignored. */
function ownConfig(): string | undefined {
  const there = ['lunet.yaml', 'lunet.yml'].filter(exists);
  if (there.length > 1)
    throw new UserError(
      'usage',
      `found both ${there.join(' and ')}, expected one; give the name of one of them`,
    );
  return there[0];
}

/** Whether the path exists, also as a broken link. */
function exists(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}

/** How to write a value so that YAML reads it as text; `setter` is the key that was given with --set. */
function quotesHint(
  keys: readonly PropertyKey[],
  setter: string | undefined,
  yaml: ParsedYaml,
  overridden: ReadonlyMap<string, ParsedYaml>,
): string {
  const dotted = keys.join('.');
  const depth = setter?.split('.').length ?? 0;
  const written =
    setter === undefined ? yaml.written(keys) : overridden.get(setter)?.written(keys.slice(depth));
  if (written === undefined || written === '') return '';
  const quoted = JSON.stringify(written);
  return `; in quotes it is text: ${setter === dotted ? `--set ${quoteWord(`${dotted}=${quoted}`)}` : quoted}`;
}

/** How long to wait for the process that writes to a pipe. */
const PIPE_MS = 5000;

/** The bytes of the file, up to just over the limit for configs: the path may lead to anything. */
function readStart(path: string): Buffer {
  // Without O_NONBLOCK, opening a pipe without a writer would block.
  const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const pipe = fstatSync(file).isFIFO();
    const buffer = Buffer.alloc(MAX_BYTES + 1);
    const deadline = Date.now() + PIPE_MS;
    let length = 0;
    while (length < buffer.length) {
      const got = readOrWait(file, buffer, length);
      if (got > 0) length += got;
      else if (!pipe || (got === 0 && length > 0) || Date.now() > deadline) break;
      else Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
    }
    return buffer.subarray(0, length);
  } finally {
    closeSync(file);
  }
}

/** The number of bytes read; 0 at the end, -1 if a pipe has no data yet. */
function readOrWait(file: number, buffer: Buffer, at: number): number {
  try {
    return readSync(file, buffer, at, buffer.length - at, null);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return -1;
    throw error;
  }
}

/** The experiment that a raw value describes, or all its problems. */
function check(raw: Record<string, unknown>): { config?: DeclaredExperiment; problems: readonly Problem[] } {
  const parsed = experimentSchema.safeParse(raw);
  if (parsed.success) {
    const problems = crossFieldProblems(parsed.data);
    return problems.length === 0 ? { config: parsed.data, problems } : { problems };
  }
  // Valid sections are still checked against each other, so that all problems are reported at once.
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
