// Finding files: links, absolute paths, both kinds of slash, names in any Unicode form; and the errors if this fails.

import assert from 'node:assert/strict';
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { after, describe, it } from 'node:test';
import { UserError } from '../../../src/errors.js';
import { listCases } from '../../../src/data/layouts/index.js';
import { type ListOptions, type Listing } from '../../../src/data/layouts/layout.js';
import { type CaseOptions, writeDatasetJson, writeDecathlon, writeVolume } from '../volumes.js';

const folder = mkdtempSync(join(tmpdir(), 'lunet-layouts-'));
after(() => rmSync(folder, { recursive: true }));

const CASES: CaseOptions[] = [{}, {}, {}];
const PLAIN: ListOptions = { followLinks: false };
const FOLLOW: ListOptions = { followLinks: true };

let roots = 0;
const newRoot = (): string => join(folder, `root${roots++}`);

/** The same three cases in each layout. */
const written = {
  decathlon: (root: string): void => writeDecathlon(root, CASES),
  nnunet: (root: string): void => {
    for (let i = 0; i < 3; i++) {
      writeVolume(join(root, 'imagesTr', `case_${i}_0000.nii.gz`));
      writeVolume(join(root, 'labelsTr', `case_${i}.nii.gz`));
    }
    writeDatasetJson(root, { labels: { background: 0, organ: 1 }, numTraining: 3, file_ending: '.nii.gz' });
  },
  folders: (root: string): void => {
    for (let i = 0; i < 3; i++) {
      writeVolume(join(root, 'images', `case_${i}.nii.gz`));
      writeVolume(join(root, 'labels', `case_${i}.nii.gz`));
    }
  },
};
type Name = keyof typeof written;
const NAMES = Object.keys(written) as Name[];
const IMAGES = { decathlon: 'imagesTr', nnunet: 'imagesTr', folders: 'images' };
const LABELS = { decathlon: 'labelsTr', nnunet: 'labelsTr', folders: 'labels' };

async function complaint(listing: Promise<Listing>): Promise<string> {
  try {
    return `accepted: ${(await listing).ids.join()}`;
  } catch (error) {
    assert.ok(error instanceof UserError, String((error as Error).stack));
    assert.equal(error.kind, 'data');
    return error.message.replaceAll(folder, 'DIR');
  }
}

const idsOf = async (listing: Promise<Listing>): Promise<string[]> =>
  (await listing).cases.map(({ id }) => id);

for (const name of NAMES)
  describe(`the layout ${name}`, () => {
    it('reads files behind links that lead out of the root only if it may, and says how', async () => {
      const real = newRoot();
      written[name](real);
      const linked = newRoot();
      written[name](linked);
      for (const part of [IMAGES[name], LABELS[name]]) {
        rmSync(join(linked, part), { recursive: true });
        symlinkSync(join(real, part), join(linked, part));
      }
      const message = await complaint(listCases(name, linked, PLAIN));
      assert.match(message, new RegExp(`which leads to DIR/${basename(real)}/(images|labels)`));
      assert.match(message, /dataset\.followLinks: true/);
      assert.deepEqual(await idsOf(listCases(name, linked, FOLLOW)), ['case_0', 'case_1', 'case_2']);
    });
    it('names every single file that leads out of the root', async () => {
      const root = newRoot();
      written[name](root);
      const elsewhere = newRoot();
      mkdirSync(elsewhere);
      const suffix = name === 'nnunet' ? '_0000' : '';
      const files = [`${IMAGES[name]}/case_0${suffix}`, `${LABELS[name]}/case_0`, `${LABELS[name]}/case_2`];
      for (const [i, file] of files.entries()) {
        renameSync(join(root, `${file}.nii.gz`), join(elsewhere, `${i}`));
        symlinkSync(join(elsewhere, `${i}`), join(root, `${file}.nii.gz`));
      }
      const lines = (await complaint(listCases(name, root, PLAIN))).split('\n');
      assert.equal(lines.length, 3, lines.join('\n'));
      for (const line of lines) assert.match(line, /which leads to DIR\/.* expected files inside/);
      // Messages use the name of the file in the dataset, not that of the link target.
      const { cases } = await listCases(name, root, FOLLOW);
      assert.equal(cases[0]?.label, join(root, `${LABELS[name]}/case_0.nii.gz`));
    });
    it('reads links inside of the root as they are', async () => {
      const root = newRoot();
      written[name](root);
      renameSync(join(root, LABELS[name]), join(root, 'store'));
      symlinkSync('store', join(root, LABELS[name]));
      assert.equal((await idsOf(listCases(name, root, PLAIN))).length, 3);
    });
    it('looks at the cases that are wanted and no others', async () => {
      const root = newRoot();
      written[name](root);
      const suffix = name === 'nnunet' ? '_0000' : '';
      rmSync(join(root, LABELS[name], 'case_1.nii.gz'));
      rmSync(join(root, IMAGES[name], `case_2${suffix}.nii.gz`));
      symlinkSync('/nowhere', join(root, IMAGES[name], `case_2${suffix}.nii.gz`));
      const only = (...ids: string[]): ListOptions => ({ ...PLAIN, wanted: new Set(ids) });
      const listing = await listCases(name, root, only('case_0'));
      assert.deepEqual(
        listing.cases.map(({ id }) => id),
        ['case_0'],
      );
      assert.deepEqual(listing.ids, ['case_0', 'case_1', 'case_2'], 'for those who misspell one');
      assert.deepEqual(listing.warnings, []);
      assert.match(await complaint(listCases(name, root, only('case_0', 'case_1'))), /case_1/);
      const dead = await complaint(listCases(name, root, only('case_2')));
      assert.match(dead, /a link to \/nowhere: no such file or folder/);
      assert.doesNotMatch(dead, /case_1/);
      assert.doesNotMatch(await complaint(listCases(name, root, PLAIN)), /accepted/);
    });
    it('says what is wrong with its folder', async () => {
      assert.match(await complaint(listCases(name, join(folder, 'absent'), PLAIN)), /^DIR\/absent: no such file or folder; dataset\.root is the folder/); // prettier-ignore
      const file = join(folder, `file-${name}`);
      writeFileSync(file, '');
      assert.match(
        await complaint(listCases(name, file, PLAIN)),
        /a part of the path is a file, not a folder/,
      );
      symlinkSync(`circle-${name}`, join(folder, `circle-${name}`));
      assert.match(await complaint(listCases(name, join(folder, `circle-${name}`), PLAIN)), /links lead in a circle/); // prettier-ignore
      const empty = newRoot();
      mkdirSync(empty);
      assert.match(await complaint(listCases(name, empty, PLAIN)), /no such file or folder/);
    });
  });

describe('paths in dataset.json', () => {
  const listed = async (entry: (name: string, root: string) => object, options = PLAIN): Promise<string> => {
    const root = newRoot();
    writeDecathlon(root, CASES, (name) => entry(name, root));
    return complaint(listCases('decathlon', root, options));
  };
  const pair = (image: string, label: string): object => ({ image, label });
  const ok = 'accepted: case_0,case_1,case_2';

  it('may be written with either slash', async () => {
    assert.equal(await listed((name) => pair(`.\\imagesTr\\${name}`, `.\\labelsTr\\${name}`)), ok);
    assert.equal(await listed((name) => pair(`imagesTr\\${name}`, `labelsTr/${name}`)), ok);
    assert.equal(await listed((name) => pair(`.\\imagesTr/${name}`, `.\\\\labelsTr\\\\${name}`)), ok);
    assert.match(
      await listed((name) => pair(`..\\${name}`, `.\\labelsTr\\${name}`)),
      /training\[0\]\.image: found \.\.\/case_0\.nii\.gz: no such file/,
    );
  });
  it('are taken literally where a file has a backslash in its name', async () => {
    const root = newRoot();
    writeDecathlon(root, [{}], () => pair('imagesTr\\odd.nii.gz', './labelsTr/case_0.nii.gz'));
    renameSync(join(root, 'imagesTr', 'case_0.nii.gz'), join(root, 'imagesTr\\odd.nii.gz'));
    const { cases } = await listCases('decathlon', root, PLAIN);
    assert.deepEqual(cases[0]?.images, [join(root, 'imagesTr\\odd.nii.gz')]);
  });
  it('may be absolute if they lead into the root, also where the root is behind a link', async () => {
    const absolute = (name: string, root: string): object =>
      pair(join(root, 'imagesTr', name), join(root, 'labelsTr', name));
    assert.equal(await listed(absolute), ok);
    const root = newRoot();
    const link = newRoot();
    symlinkSync(root, link);
    writeDecathlon(root, CASES, (name) => absolute(name, link));
    assert.equal(await complaint(listCases('decathlon', link, PLAIN)), ok);
    assert.equal(await complaint(listCases('decathlon', root, PLAIN)), ok);
  });
  it('that lead elsewhere are refused in words that do not contradict themselves, or followed', async () => {
    const other = newRoot();
    writeDecathlon(other, CASES);
    for (const image of [
      (name: string) => join(other, 'imagesTr', name),
      (name: string) => join('..', basename(other), 'imagesTr', name),
    ]) {
      const entry = (name: string): object => pair(image(name), `./labelsTr/${name}`);
      const message = await listed(entry);
      assert.match(message, /training\[0\]\.image: found .*expected files inside DIR\/root\d+ \(to read .*dataset\.followLinks: true\)/); // prettier-ignore
      const [, found, leads] = /found (\S+), which leads to (\S+),/.exec(message) ?? [];
      assert.ok(found === undefined || found !== leads, message);
      assert.equal(await listed(entry, FOLLOW), ok);
    }
  });
  it('to a pair whose voxels lead elsewhere are refused as well', async () => {
    const other = newRoot();
    mkdirSync(other);
    writeFileSync(join(other, 'a.img'), '');
    const root = newRoot();
    writeDecathlon(root, [{}], () => pair('imagesTr/a.hdr', 'labelsTr/case_0.nii.gz'));
    writeFileSync(join(root, 'imagesTr', 'a.hdr'), '');
    symlinkSync(join(other, 'a.img'), join(root, 'imagesTr', 'a.img'));
    renameSync(join(root, 'labelsTr', 'case_0.nii.gz'), join(root, 'labelsTr', 'a.nii.gz'));
    writeDatasetJson(root, { training: [pair('imagesTr/a.hdr', 'labelsTr/a.nii.gz')] });
    assert.match(await complaint(listCases('decathlon', root, PLAIN)), /found DIR\/.*a\.img, which leads to DIR\/.*followLinks/); // prettier-ignore
    assert.equal(await complaint(listCases('decathlon', root, FOLLOW)), 'accepted: a');
  });
  it('find names in another Unicode form, and hidden files are skipped', async () => {
    const root = newRoot();
    writeDecathlon(root, [{}, {}], (name, i) =>
      i === 0
        ? pair('./imagesTr/caf\u00e9.nii.gz', './labelsTr/cafe\u0301.nii.gz')
        : pair(`./imagesTr/._${name}`, name),
    );
    for (const part of ['imagesTr', 'labelsTr'])
      renameSync(join(root, part, 'case_0.nii.gz'), join(root, part, 'cafe\u0301.nii.gz'));
    const { ids, warnings } = await listCases('decathlon', root, PLAIN);
    assert.deepEqual(ids, ['caf\u00e9']);
    assert.match(warnings.join('\n'), /skipped 1 hidden file, such as \.\/imagesTr\/\._case_1/);
  });
  it('may be of cases that nobody wants, whatever they are', async () => {
    const root = newRoot();
    writeDecathlon(root, CASES);
    const json = JSON.parse(readFileSync(join(root, 'dataset.json'), 'utf8')) as { training: unknown[] };
    const training = [
      ...json.training,
      null,
      3,
      { image: 'imagesTr/gone.nii.gz' },
      pair('/etc/passwd', '../x'),
    ];
    writeDatasetJson(root, { training, numTraining: 99 });
    const wanted = new Set(['case_0']);
    assert.deepEqual(await idsOf(listCases('decathlon', root, { ...PLAIN, wanted })), ['case_0']);
    const message = await complaint(listCases('decathlon', root, PLAIN));
    for (const part of ['numTraining', 'training[3]', 'training[4]', 'training[5]', 'training[6].image'])
      assert.ok(message.includes(part), message);
  });
});
