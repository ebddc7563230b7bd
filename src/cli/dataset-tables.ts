// The tables of `lunet data inspect` and `lunet init`.

import { type DatasetFacts } from '../data/inspect/dataset-facts.js';
import { type IntensityStatistics } from '../data/inspect/intensities.js';
import { countEach, summariseExtents, summariseLabels } from '../data/inspect/summary.js';
import { inWords } from '../data/nifti/decode.js';
import { type Extent } from '../data/preprocess.js';
import { formatTable } from './terminal/table.js';

/** Kinds of spacings that are listed. */
const MOST_KINDS = 5;

/** What a dataset contains, as tables; there must be a good case. */
export function datasetTables(facts: DatasetFacts): string {
  return [headline(facts), geometryTable(facts), intensityTable(facts), labelTable(facts)].join('\n\n');
}

function headline({ root, layout, cases, channels, channelsNamed }: DatasetFacts): string {
  const names = channelsNamed ? `: ${channels.map(({ name }) => name).join(', ')}` : '';
  return `${root}: layout ${layout}, ${counted(cases.length, 'case')}, ${counted(channels.length, 'channel')}${names}`;
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}

function geometryTable({ cases }: DatasetFacts): string {
  const size = summariseExtents(cases.map((each) => each.size));
  const spacing = summariseExtents(cases.map((each) => each.spacing));
  const mm = summariseExtents(
    cases.map((each) => each.size.map((n, i) => n * (each.spacing[i] as number)) as unknown as Extent),
  );
  const row = (name: string, { min, median, max }: typeof size, digits: number): string[] => [
    name,
    ...[min, median, max].map((extent) => extent.map((value) => rounded(value, digits)).join(' x ')),
  ];
  const kinds = (values: readonly string[]): string => {
    const found = countEach(values);
    const shown = found.slice(0, MOST_KINDS).map(([value, count]) => `${value} (${count})`);
    return shown.join(', ') + (found.length > MOST_KINDS ? `, and ${found.length - MOST_KINDS} others` : '');
  };
  return [
    formatTable(
      [
        { title: 'Right x anterior x superior' },
        { title: 'Min', align: 'right' },
        { title: 'Median', align: 'right' },
        { title: 'Max', align: 'right' },
      ],
      [row('Size (voxels)', size, 4), row('Spacing (mm)', spacing, 4), row('Extent (mm)', mm, 4)],
    ),
    '',
    `Spacings:     ${kinds(cases.map((each) => inWords(each.spacing, 'mm')))}`,
    `Orientations: ${kinds(cases.map(({ orientation }) => orientation))}`,
  ].join('\n');
}

function intensityTable({ channels }: DatasetFacts): string {
  const numbers = ['Min', '0.5 %', '50 %', '99.5 %', 'Max', 'Mean', 'Deviation'];
  const row = (name: string, where: string, found: IntensityStatistics | undefined): string[] => {
    if (found === undefined) return [name, where];
    const { min, max, mean, deviation, percentiles } = found;
    const values = [min, percentiles['0.5'], percentiles['50'], percentiles['99.5'], max, mean, deviation];
    return [name, where, ...values.map((value) => rounded(value, 5))];
  };
  return formatTable(
    [
      { title: 'Intensity of' },
      { title: 'Voxels' },
      ...numbers.map((title) => ({ title, align: 'right' as const })),
    ],
    channels.flatMap(({ name, all, foreground }) => [
      row(name, 'all', all),
      row(name, 'foreground', foreground),
    ]),
  );
}

function labelTable({ cases, labels }: DatasetFacts): string {
  return formatTable(
    [
      { title: 'Label', align: 'right' },
      { title: 'Name' },
      ...['Cases', 'Voxels', 'ml: min', 'median', 'max'].map((title) => ({
        title,
        align: 'right' as const,
      })),
    ],
    summariseLabels(cases, labels).map(({ value, name, cases: having, voxels, ml }) => [
      String(value),
      name ?? '',
      String(having),
      String(voxels),
      ...(having > 0 ? [ml.min, ml.median, ml.max].map((each) => rounded(each, 4)) : []),
    ]),
  );
}

/** A number with so many digits, without zeros that say nothing. */
function rounded(value: number, digits: number): string {
  const short = Number(value.toPrecision(digits));
  return String(Math.abs(value) >= 10 ** digits ? Math.round(value) : short);
}
