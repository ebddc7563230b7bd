// The patients of cases. A patient may have been scanned several times; the cases of one stay together.

import { UserError } from '../errors.js';

/** A patient with its cases. */
export interface Patient {
  readonly name: string;
  /** Sorted. */
  readonly cases: readonly string[];
}

/**
 * The patients of cases, in the order of their first cases. A patient is what the first group of the pattern `groups`, or the
 * whole pattern if it has none, finds in the id; without a pattern every case is a patient. Throws a UserError of kind `data` if
 * the pattern does not match every case.
 */
export function patientsOf(ids: readonly string[], groups: string | undefined): Patient[] {
  const pattern = groups === undefined ? undefined : new RegExp(groups, 'u');
  const nameOf = (id: string): string | undefined => {
    if (pattern === undefined) return id;
    const match = pattern.exec(id);
    return match?.[1] ?? match?.[0];
  };
  const patients = new Map<string, string[]>();
  const unmatched: string[] = [];
  for (const id of [...ids].sort()) {
    const name = nameOf(id);
    // An empty match names no patient: it would put all such cases into one group.
    if (name === undefined || name === '') unmatched.push(id);
    else patients.set(name, [...(patients.get(name) ?? []), id]);
  }
  if (unmatched.length > 0)
    throw new UserError(
      'data',
      `dataset.groups: found no patient with ${groups} in ${unmatched.length} of ${ids.length} cases ` +
        `(${unmatched.slice(0, 3).join(', ')}${unmatched.length > 3 ? ', ...' : ''}), expected a match in every case id`,
    );
  return [...patients].map(([name, cases]) => ({ name, cases }));
}

/** The cases of patients, one patient after the other. */
export function inOrder(patients: readonly Patient[]): string[] {
  return patients.flatMap(({ cases }) => cases);
}

/**
 * Takes whole patients with exactly `wanted` cases: in the given order, leaving out a patient only if the number cannot be
 * reached with it. Throws a UserError of kind `data` if no patients have exactly so many cases; `key` is where the number stands.
 */
export function takeCases(
  patients: readonly Patient[],
  wanted: number,
  key: string,
): { readonly cases: string[]; readonly left: readonly Patient[] } {
  // Bit s of reachable[i] tells whether some of the patients from i on have s cases together.
  const reachable: bigint[] = new Array<bigint>(patients.length + 1).fill(1n);
  for (let i = patients.length - 1; i >= 0; i--) {
    const rest = reachable[i + 1] as bigint;
    reachable[i] = rest | (rest << BigInt((patients[i] as Patient).cases.length));
  }
  const reach = (i: number, cases: number): boolean =>
    cases >= 0 && (((reachable[i] as bigint) >> BigInt(cases)) & 1n) === 1n;
  if (!reach(0, wanted)) throw impossible(patients, wanted, key, (cases) => reach(0, cases));
  const taken: Patient[] = [];
  let missing = wanted;
  for (const [i, patient] of patients.entries())
    if (reach(i + 1, missing - patient.cases.length)) {
      taken.push(patient);
      missing -= patient.cases.length;
    }
  const gone = new Set(taken);
  return { cases: inOrder(taken), left: patients.filter((patient) => !gone.has(patient)) };
}

function impossible(
  patients: readonly Patient[],
  wanted: number,
  key: string,
  reach: (cases: number) => boolean,
): UserError {
  const total = inOrder(patients).length;
  const [below, above] = [-1, 1].map((step) => {
    let cases = wanted + step;
    while (cases > 0 && cases < total && !reach(cases)) cases += step;
    return cases > 0 && cases <= total ? [cases] : [];
  });
  return new UserError(
    'data',
    `${key}: found ${wanted}, but no whole patients (dataset.groups) among the ${total} cases that are left have exactly ` +
      `${wanted} cases; ${[below, above].flat().join(' or ')} would do`,
  );
}
