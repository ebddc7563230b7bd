// What the files of a dataset were when it was inspected: a file beside the experiment, so that training notices changes.

import { readFile, stat } from 'node:fs/promises';
import { relative, sep } from 'node:path';
import { z } from 'zod';
import { UserError } from '../../errors.js';
import { fsReason } from '../../fs-reason.js';
import { type CaseFiles } from '../layouts/layout.js';
import { throwAll } from '../layouts/pairing.js';
import { realRoot } from '../layouts/paths.js';
import { imageOfPair } from '../nifti/read.js';
import { digestOf } from './case-facts.js';
import { type DatasetFacts } from './dataset-facts.js';

const schema = z.object({
  version: z.literal(1),
  /** By path below the root, with slashes. */
  files: z.record(
    z.string(),
    z.object({ bytes: z.number(), changed: z.number(), sha256: z.string().regex(/^[0-9a-f]{64}$/) }),
  ),
});

/** The text of the record of an inspection. */
export async function inspectionRecord({ root, cases }: DatasetFacts): Promise<string> {
  const real = await realRoot(root);
  const files = Object.fromEntries(
    cases
      .flatMap((each) => each.files)
      .map(({ file, ...stamp }) => [below(real, file), stamp] as const)
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );
  return `${JSON.stringify({ version: 1, files } satisfies z.infer<typeof schema>, null, 1)}\n`;
}

/**
 * Compares the files of cases with the record of an inspection: by size and time, and by content where the time differs. Throws a
 * UserError of kind `data` with a line for each file that is not as it was, or if the record cannot be read.
 */
export async function requireUnchanged(
  recordFile: string,
  root: string,
  cases: readonly CaseFiles[],
): Promise<void> {
  const { files: known } = await readRecord(recordFile);
  const real = await realRoot(root);
  const advice =
    `since it was inspected (${recordFile}); to inspect again: lunet init --force, ` +
    'to use it anyway: --set dataset.inspected=';
  const problems: string[] = [];
  const files = cases.flatMap(({ images, label }) => [...images, label]);
  for (const file of new Set(files.flatMap((each) => [each, imageOfPair(each)]))) {
    const before = known[below(real, file)];
    // Files that cannot be read are told when they are read.
    const now = await stat(file).catch(() => undefined);
    if (now === undefined) continue;
    if (before === undefined) problems.push(`${file}: was added ${advice}`);
    else if (now.size !== before.bytes)
      problems.push(`${file}: found ${now.size} bytes, had ${before.bytes}: it was changed ${advice}`);
    else if (now.mtimeMs !== before.changed && (await digestOf(file)) !== before.sha256)
      problems.push(`${file}: found other content of the same length: it was changed ${advice}`);
  }
  throwAll(problems);
}

async function readRecord(file: string): Promise<z.infer<typeof schema>> {
  const refuse = (found: string): UserError =>
    new UserError(
      'data',
      `dataset.inspected: ${file}: ${found}, expected what lunet init wrote; remove the key, or run lunet init again`,
    );
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw refuse(fsReason(error));
  });
  try {
    return schema.parse(JSON.parse(text));
  } catch {
    throw refuse('is damaged');
  }
}

function below(root: string, file: string): string {
  return relative(root, file).split(sep).join('/');
}
