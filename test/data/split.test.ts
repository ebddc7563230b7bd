// Which cases are in which part of a split: counts, lists, folds and patients.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Experiment } from '../../src/config/schema.js';
import { chooseSplits, type Split } from '../../src/data/split.js';
import { UserError } from '../../src/errors.js';

type Dataset = Experiment['dataset'];

const choose = (ids: readonly string[], dataset: Partial<Dataset>): ReadonlyMap<string, Split> =>
  chooseSplits(ids, { dataset } as Experiment);

const one = (ids: readonly string[], split: Dataset['split'], groups?: string): Split =>
  choose(ids, { split, groups }).get('default') as Split;

function complaint(ids: readonly string[], dataset: Partial<Dataset>): string {
  try {
    choose(ids, dataset);
  } catch (error) {
    assert.ok(error instanceof UserError && error.kind === 'data', String(error));
    return error.message;
  }
  return 'accepted';
}

const numbered = (count: number, name = (i: number): string => `case_${i}`): string[] =>
  Array.from({ length: count }, (_, i) => name(i));

const CASES = numbered(10);
/** 12 patients with 1, 2 or 3 scans each: 24 cases. */
const SCANS = numbered(12).flatMap((_, p) =>
  numbered((p % 3) + 1, (s) => `patient_${String(p).padStart(2, '0')}_scan_${s}`),
);
const PATIENT = String.raw`^(patient_\d+)`;
const patientOf = (id: string): string => id.slice(0, 'patient_00'.length);

/** Checks that every case is in exactly one part of a split, and no patient in two. */
function requirePartition({ train, validation, test }: Split, ids: readonly string[]): void {
  assert.deepEqual([...train, ...validation, ...test].sort(), [...ids].sort());
  const patients = [train, validation, test].map((part) => [...new Set(part.map(patientOf))]);
  assert.equal(new Set(patients.flat()).size, patients.flat().length, 'a patient is in two parts');
}

describe('a split by counts', () => {
  const split = { train: 5, validation: 2, test: 3, seed: 1 };
  it('takes the same cases as ever, whatever the order of files', () => {
    const known = {
      train: ['case_0', 'case_7', 'case_3', 'case_5', 'case_1'],
      test: ['case_6', 'case_8', 'case_2'],
      validation: ['case_9', 'case_4'],
    };
    assert.deepEqual(one(CASES, split), known);
    assert.deepEqual(one([...CASES].reverse(), split), known);
    assert.notDeepEqual(one(CASES, { ...split, seed: 2 }).train, known.train);
  });
  it('says how many cases there are if it asks for more', () => {
    assert.equal(
      complaint(CASES, { split: { train: 9, validation: 0, test: 2, seed: 0 } }),
      'dataset.split: found 10 cases, but train 9 + validation 0 + test 2 ask for 11',
    );
  });
  it('keeps the scans of a patient together and has exactly the numbers', () => {
    for (let seed = 0; seed < 20; seed++) {
      const chosen = one(SCANS, { train: 14, validation: 3, test: 7, seed }, PATIENT);
      assert.deepEqual([chosen.train.length, chosen.validation.length, chosen.test.length], [14, 3, 7]);
      requirePartition(chosen, SCANS);
    }
  });
  it('names the nearest numbers if whole patients do not add up', () => {
    const pairs = numbered(8, (i) => `p${i >> 1}_${i % 2}`);
    const wanted = { train: 4, validation: 0, test: 3, seed: 0 };
    assert.equal(
      complaint(pairs, { split: wanted, groups: '^p\\d' }),
      'dataset.split.test: found 3, but no whole patients (dataset.groups) among the 4 cases that are left have exactly 3 cases; ' +
        '2 or 4 would do',
    );
  });
});

describe('a split by lists', () => {
  it('names what is not there, and the nearest', () => {
    assert.equal(
      complaint(CASES, { split: { train: ['case_1'], validation: [], test: ['cas_2'], seed: 0 } }),
      'dataset.split.test: there is no case cas_2 (did you mean case_2?)',
    );
  });
  it('names each patient with cases in two parts', () => {
    const lists = { train: ['a_1', 'b_1'], validation: ['c_1'], test: ['a_2', 'b_2'], seed: 0 };
    assert.equal(
      complaint(['a_1', 'a_2', 'b_1', 'b_2', 'c_1', 'unused'], { splits: { s: lists }, groups: '^(.)_' }),
      'dataset.splits.s: found cases of patient a in train (a_1) and test (a_2), expected all in one part\n' +
        'dataset.splits.s: found cases of patient b in train (b_1) and test (b_2), expected all in one part',
    );
  });
});

describe('folds', () => {
  const folds = (count: number, seed = 0, validation = 0) => ({ folds: count, seed, validation });
  it('test each case once, and are as equal as possible', () => {
    const found = choose(CASES, { split: folds(4) });
    assert.deepEqual([...found.keys()], ['fold-0', 'fold-1', 'fold-2', 'fold-3']);
    for (const fold of found.values()) requirePartition(fold, CASES);
    const tested = [...found.values()].map(({ test }) => test);
    assert.deepEqual(tested.flat().sort(), CASES);
    assert.deepEqual(tested.map(({ length }) => length).sort(), [2, 2, 3, 3]);
  });
  it('are the same for the same seed, whatever the order of files, and others for another', () => {
    const found = choose(CASES, { split: folds(3) });
    assert.deepEqual(choose([...CASES].reverse(), { split: folds(3) }), found);
    assert.notDeepEqual(choose(CASES, { split: folds(3, 1) }), found);
  });
  it('keep patients together: their numbers differ by at most one, numbers of cases hardly', () => {
    for (const count of [2, 3, 5, 12]) {
      const found = [...choose(SCANS, { split: folds(count), groups: PATIENT }).values()];
      for (const fold of found) requirePartition(fold, SCANS);
      const tested = found.map(({ test }) => test);
      assert.deepEqual(tested.flat().sort(), [...SCANS].sort());
      const patients = tested.map((ids) => new Set(ids.map(patientOf)).size);
      assert.ok(Math.max(...patients) - Math.min(...patients) <= 1, String(patients));
      const cases = tested.map(({ length }) => length);
      assert.ok(Math.max(...cases) - Math.min(...cases) <= 2, String(cases));
    }
  });
  it('set aside validation cases of whole patients, others in each fold', () => {
    const found = [...choose(SCANS, { split: folds(3, 0, 4), groups: PATIENT }).values()];
    for (const fold of found) {
      requirePartition(fold, SCANS);
      assert.equal(fold.validation.length, 4);
    }
    assert.equal(new Set(found.map(({ validation }) => validation.join())).size, 3);
  });
  it('say why they are impossible', () => {
    const few = CASES.slice(0, 3);
    assert.equal(
      complaint(few, { split: folds(4) }),
      'dataset.split.folds: found 4, expected at most 3, the number of cases',
    );
    assert.equal(
      complaint(SCANS, { split: folds(13), groups: PATIENT }),
      'dataset.split.folds: found 13, expected at most 12, the number of patients',
    );
    assert.equal(
      complaint(few, { split: folds(3, 0, 2) }),
      'dataset.split.validation: found 2, expected less than the 2 cases that fold-0 does not test',
    );
  });
});

describe('folds of a file', () => {
  const lists = (train: string[], test: string[]) => ({ train, validation: [], test });
  it('are splits like others', () => {
    const file = [lists(['case_0', 'case_1'], ['case_2']), lists(['case_2', 'case_1'], ['case_0'])];
    const found = choose(CASES, { split: { file: 'splits_final.json', lists: file } });
    assert.deepEqual([...found.keys()], ['fold-0', 'fold-1']);
    assert.deepEqual(found.get('fold-1'), file[1]);
  });
  it('name each unknown case once, with the file', () => {
    const file = [lists(['case_0', 'cas_1'], ['x']), lists(['x', 'cas_1'], ['case_0'])];
    assert.equal(
      complaint(CASES, { split: { file: 'splits_final.json', lists: file } }),
      'splits_final.json: there is no case cas_1 (did you mean case_1?)\nsplits_final.json: there is no case x',
    );
  });
  it('are checked against the patients', () => {
    const file = [lists(['a_1', 'b_1'], ['a_2'])];
    assert.equal(
      complaint(['a_1', 'a_2', 'b_1'], { split: { file: 'f.json', lists: file }, groups: '^.' }),
      'f.json: fold-0: found cases of patient a in train (a_1) and test (a_2), expected all in one part',
    );
  });
});

describe('the pattern of patients', () => {
  const split = { folds: 2, seed: 0, validation: 0 };
  it('must match every case', () => {
    assert.equal(
      complaint(CASES, { split, groups: '^patient' }),
      'dataset.groups: found no patient with ^patient in 10 of 10 cases (case_0, case_1, case_2, ...), expected a match in every ' +
        'case id',
    );
    assert.match(complaint(CASES, { split, groups: '[0-8]' }), /in 1 of 10 cases \(case_9\)/);
  });
  it('must find some text', () => {
    assert.match(complaint(CASES, { split, groups: 'x*' }), /in 10 of 10 cases/);
  });
  it('may use the whole match where its group takes no part', () => {
    const ids = ['a-1', 'a-2', 'b'];
    const found = [...choose(ids, { split, groups: '^([a-z])-|^b$' }).values()].map(({ test }) => test);
    assert.deepEqual(found.map((test) => test.join()).sort(), ['a-1,a-2', 'b']);
  });
});
