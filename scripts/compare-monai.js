// Compares the speed of training with patches and augmentation with MONAI's on PyTorch, on this machine, alternately, each
// measurement in a new process:
//   node scripts/compare-monai.js [--python PYTHON] [--rounds 3] [--steps 250] [--json]
// PYTHON is an interpreter with MONAI (pip install monai); lunet must be built. LUnet n=4 with 4 levels of 2 convolutions, patches
// of 96^3 voxels, batches of 2, augmentation `standard`, on the same generated volumes. docs/performance.md has the results.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values: options } = parseArgs({
  options: {
    python: { type: 'string', default: 'python3' },
    rounds: { type: 'string', default: '3' },
    steps: { type: 'string', default: '250' },
    json: { type: 'boolean', default: false },
  },
});
const whole = (name) => {
  const value = Number(options[name]);
  if (!Number.isInteger(value) || value < 1)
    fail(`--${name}: found ${options[name]}, expected a whole number`);
  return value;
};
const [rounds, steps] = [whole('rounds'), whole('steps')];
const [N, LEVELS, CONVS, PATCH, BATCH] = [4, 4, 2, 96, 2];
/** PyTorch takes long for a step, so fewer of them give the same mean. */
const MONAI_STEPS = Math.min(steps, 40);
/** As many as its users take on two cores: one beside the thread that trains. */
const MONAI_WORKERS = 1;

const script = (name) => fileURLToPath(new URL(name, import.meta.url));
const work = mkdtempSync(join(tmpdir(), 'lunet-monai-'));
process.on('exit', () => rmSync(work, { recursive: true, force: true }));

function fail(message) {
  console.error(`error: ${message}`);
  process.exit(2);
}

function run(command, words) {
  const { status, stdout, stderr, error } = spawnSync(command, words, {
    cwd: work,
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
  });
  if (status !== 0) fail(`${command} ${words.join(' ')}: ${error?.message ?? stderr.trim()}`);
  return { stdout, stderr };
}

const config = (round) => `
experiment: round-${round}
dataset:
  layout: decathlon
  root: phantoms
  labels: { gland: 1 }
  split: { train: 8, test: 1 }
preprocessing: { normalisation: z-score }
models: [{ family: lunet, n: ${N}, levels: ${LEVELS}, convs: ${CONVS} }]
training:
  epochs: 2
  batch: ${BATCH}
  patch: { size: [${PATCH}, ${PATCH}, ${PATCH}], perEpoch: ${steps * BATCH} }
  augmentation: standard
  evaluateEvery: 2
  seeds: [1]
`;

/** The first epoch, which evaluates nothing. */
function timeLunet(round) {
  writeFileSync(join(work, 'lunet.yaml'), config(round));
  const atEnd = `process.on('exit', () => console.error('maxrss', process.resourceUsage().maxRSS))`;
  const { stderr } = run(process.execPath, [
    '--import',
    `data:text/javascript,${encodeURIComponent(atEnd)}`,
    script('../bin/lunet.js'),
    'train',
    '--engine',
    'native',
  ]);
  const method = `lunet-n${N}`;
  const [head, first] = readFileSync(
    join(work, `runs/round-${round}/train/${method}/seed-1/epochs.csv`),
    'utf8',
  )
    .split('\n')
    .map((line) => line.split(','));
  return {
    volumesPerSecond: (steps * BATCH) / Number(first[head.indexOf('seconds')]),
    peakMemoryMB: Number(/maxrss (\d+)/.exec(stderr)[1]) / 1024,
  };
}

function timeMonai() {
  const words = ['phantoms', N, LEVELS, CONVS, PATCH, BATCH, MONAI_STEPS, MONAI_WORKERS].map(String);
  return JSON.parse(run(options.python, [script('monai_step.py'), ...words]).stdout);
}

const median = (values) => {
  const sorted = [...values].sort((a, b) => a - b);
  return (sorted[Math.floor((sorted.length - 1) / 2)] + sorted[Math.ceil((sorted.length - 1) / 2)]) / 2;
};

const words = ['data', 'phantom', '--kind', 'gland', '--cases', '9', '--size', '160', '--out', 'phantoms'];
run(process.execPath, [script('../bin/lunet.js'), ...words]);
const [ours, theirs] = [[], []];
for (let round = 1; round <= rounds; round++) {
  theirs.push(timeMonai());
  ours.push(timeLunet(round));
}
const figures = (all) => ({
  volumesPerSecond: median(all.map((each) => each.volumesPerSecond)),
  peakMemoryMB: median(all.map((each) => each.peakMemoryMB)),
});
const { monai, torch, threads } = theirs[0];
const result = {
  lunet: figures(ours),
  monai: { ...figures(theirs), version: monai, torch, threads },
  faster: figures(ours).volumesPerSecond / figures(theirs).volumesPerSecond,
};
if (options.json) console.log(JSON.stringify(result, null, 2));
else {
  const shown = ({ volumesPerSecond, peakMemoryMB }) =>
    `${volumesPerSecond.toFixed(2)} patches a second, ${peakMemoryMB.toFixed(0)} MB`;
  console.log(`MONAI ${monai}, PyTorch ${torch}, ${threads} threads: ${shown(result.monai)}`);
  console.log(`lunet: ${shown(result.lunet)}`);
  console.log(`${result.faster.toFixed(1)} times faster; medians of ${rounds}.`);
}
