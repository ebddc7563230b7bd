// Trains the models that lunet ships, and writes their cards: node scripts/train-models.js TASK04_HIPPOCAMPUS_FOLDER
// The data: Task04 of the Medical Segmentation Decathlon, http://medicaldecathlon.com. Needs `npm run compile` first; a few
// minutes on two cores. The same bits come out on the same instruction set.

import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import prettier from 'prettier';
import { parseCsv } from '../dist/src/runs/csv.js';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const [data] = process.argv.slice(2);
if (data === undefined) {
  console.error('usage: node scripts/train-models.js TASK04_HIPPOCAMPUS_FOLDER');
  process.exit(2);
}

const EPOCHS = 60;
const LABELS = ['anterior', 'posterior'];
const SETTINGS = [
  `dataset.root=${data}`,
  'dataset.labels={anterior: 1, posterior: 2}',
  'dataset.licence=CC-BY-SA 4.0 (Medical Segmentation Decathlon, Task04 Hippocampus)',
  `training.epochs=${EPOCHS}`,
];
const work = mkdtempSync(join(tmpdir(), 'lunet-models-'));
const run = join(work, 'hippocampus/train/lunet-n4/seed-1');
try {
  const args = ['train', 'hippocampus', '--model', 'lunet-n4', '--seeds', '1'];
  const set = [...SETTINGS, `output=${work}`].flatMap((setting) => ['--set', setting]);
  const { status } = spawnSync(process.execPath, [join(root, 'bin/lunet.js'), ...args, ...set], {
    stdio: 'inherit',
  });
  if (status !== 0) process.exit(status ?? 1);
  mkdirSync(join(root, 'models'), { recursive: true });
  copyFileSync(join(run, 'model.safetensors'), join(root, 'models/hippocampus.safetensors'));
  const cases = parseCsv(readFileSync(join(run, 'cases.csv')));
  const { parameters, environment } = JSON.parse(readFileSync(join(run, 'run.json'), 'utf8'));
  const card = join(root, 'models/hippocampus.md');
  const options = await prettier.resolveConfig(card);
  writeFileSync(
    card,
    await prettier.format(cardText(cases, parameters, environment), { ...options, filepath: card }),
  );
} finally {
  rmSync(work, { recursive: true, force: true });
}

/** The model card, with the Dice of the test cases. */
function cardText(cases, parameters, { engine }) {
  const kilobytes = Math.round(statSync(join(root, 'models/hippocampus.safetensors')).size / 1000);
  const row = (name, column) => {
    const dice = cases.map((each) => Number(each[column])).sort((a, b) => a - b);
    const at = (share) => dice[Math.round(share * (dice.length - 1))].toFixed(3);
    const mean = dice.reduce((sum, each) => sum + each, 0) / dice.length;
    return `| ${name} | ${mean.toFixed(3)} | ${at(0.5)} | ${at(0.25)} to ${at(0.75)} | ${at(0)} |`;
  };
  return `# hippocampus

<!-- Written by scripts/train-models.js; not to be edited by hand. -->

Anterior (label 1) and posterior (label 2) hippocampus in T1-weighted MRI that was cropped to the region around one hippocampus.

\`\`\`sh
npx lunet predict hippocampus -i scan.nii.gz -o seg.nii.gz
\`\`\`

- **Network**: a LUnet, n = 4, five levels, two convolutions a block: ${parameters.toLocaleString('en')} parameters, a file of ${kilobytes} KB.
- **Data**: Task04 of the Medical Segmentation Decathlon (http://medicaldecathlon.com), CC-BY-SA 4.0: Vanderbilt University Medical
  Center; healthy adults and adults with a non-affective psychotic disorder. 140 cases trained it, chosen at random (seed 0).
- **Preprocessing**: turned to RAS, z-score of the whole volume, cropped or padded about its centre to 48 x 64 x 48 voxels; not
  resampled: scans must have voxels of about 1 mm.
- **Training**: \`lunet train hippocampus --model lunet-n4 --seeds 1\` with ${EPOCHS} epochs and both labels apart; no augmentation.
  Repeat it with \`node scripts/train-models.js FOLDER\`; this file is from ${engine.name} (${engine.device}).

## Dice on the ${cases.length} test cases

None of them was seen in training, and nothing was chosen on them.

| Label | Mean | Median | Quartiles | Least |
| --- | ---: | ---: | ---: | ---: |
${row('mean of both', 'dice')}
${LABELS.map((label) => row(label, `dice_${label}`)).join('\n')}

## What it is not for

Research only: it is no medical device, and not for diagnosis or treatment. It knows nothing but such crops: not whole heads, other
contrasts (T2, FLAIR), other species, children, or hippocampi with tumours, resections or severe atrophy. All scans are from one site
and scanner, so expect less elsewhere, and look at every result. The licence of the data (CC-BY-SA 4.0) asks for attribution:
Antonelli et al., _The Medical Segmentation Decathlon_, Nature Communications 13, 4128 (2022).
`;
}
