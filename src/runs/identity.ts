// The identity of a run: everything that determines its results, and how identities are compared. It is plain JSON: the
// settings, which all seeds of a method share, and under `source` what this run was made from (a pruned architecture, the
// digest of its starting weights).

import { UserError } from '../errors.js';
import { sha256 } from '../sha256.js';
import { type RunKind } from './folders.js';

/** Everything except seed and voxels that determines the results of a run; it must be the same when a run resumes. */
export type Identity = Readonly<Record<string, unknown>> & { readonly source?: Source };

/** What a run was made from; it differs from seed to seed. */
export type Source = Readonly<Record<string, unknown>>;

/** The part of an identity that the runs of all seeds of a method share. */
export function settingsOf(identity: Identity): Identity {
  return Object.fromEntries(Object.entries(identity).filter(([key]) => key !== 'source'));
}

export function hashIdentity(identity: Identity): string {
  return sha256(JSON.stringify(identity));
}

/** A unique key of a run. Tensor files contain it; a file with another key is refused. */
export function runKey(run: {
  readonly kind: RunKind;
  readonly method: string;
  readonly split: string;
  readonly seed: number;
  readonly identityHash: string;
  readonly datasetHash: string;
}): string {
  const { kind, method, split, seed, identityHash, datasetHash } = run;
  return sha256(JSON.stringify([kind, method, split, seed, identityHash, datasetHash]));
}

/** Throws a UserError of kind `usage` if the identity of a run has changed since its start; it names the differences. */
export function requireSameIdentity(folder: string, then: Identity, now: Identity): void {
  const difference = describeDifference(then, now);
  if (difference !== undefined) throw otherRun(folder, difference);
}

/** The error for resuming a run that was started with other settings. */
export function otherRun(folder: string, difference: string): UserError {
  return new UserError(
    'usage',
    `${folder}: this run was started with ${difference}; ` +
      'give the experiment another name (--set experiment=NAME), or replace the run with --overwrite',
  );
}

/** How two identities differ, as the end of a sentence: `other settings: training.epochs (1 then, 30 now)`. */
export function describeDifference(then: Identity, now: Identity): string | undefined {
  const keys = differingKeys(settingsOf(then), settingsOf(now));
  if (keys.length > 0)
    return `other settings: ${keys.slice(0, 10).join(', ')}${keys.length > 10 ? ', ...' : ''}`;
  return JSON.stringify(then.source) === JSON.stringify(now.source)
    ? undefined
    : 'another network: the run that it comes from has been repeated since';
}

/** Dotted keys in which two plain values differ, with both values if they are short. */
function differingKeys(a: unknown, b: unknown, key = ''): string[] {
  if (JSON.stringify(a) === JSON.stringify(b)) return [];
  const plain = (value: unknown): value is Record<string, unknown> =>
    typeof value === 'object' && value !== null && !Array.isArray(value);
  if (plain(a) && plain(b))
    return [...new Set([...Object.keys(a), ...Object.keys(b)])].flatMap((name) =>
      differingKeys(a[name], b[name], key === '' ? name : `${key}.${name}`),
    );
  const short = (value: unknown): string => {
    const text = value === undefined ? 'unset' : JSON.stringify(value);
    return text.length > 40 ? `${text.slice(0, 40)}...` : text;
  };
  return [`${key} (${short(a)} then, ${short(b)} now)`];
}
