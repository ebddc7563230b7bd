// Compares the speed of lunet's native engine and PyTorch on this machine, alternately, each measurement in a new process:
//   node scripts/compare-pytorch.js [--python PYTHON] [--rounds 3] [--json]
// PYTHON is an interpreter with PyTorch (pip install torch); lunet must be built. Prints the first table of
// docs/performance.md.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { STANDARD_LIST } from '../dist/src/engine/bench.js';

const { values: options } = parseArgs({
  options: {
    python: { type: 'string', default: 'python3' },
    rounds: { type: 'string', default: '3' },
    json: { type: 'boolean', default: false },
  },
});
const rounds = Number(options.rounds);
if (!Number.isInteger(rounds) || rounds < 1)
  fail(`--rounds: found ${options.rounds}, expected a whole number`);

function fail(message) {
  console.error(`error: ${message}`);
  process.exit(2);
}

/** The JSON object that a command prints. */
function printed(command, words) {
  const { status, stdout, stderr, error } = spawnSync(command, words, { encoding: 'utf8' });
  if (status !== 0) fail(`${command} ${words.join(' ')}: ${error?.message ?? stderr.trim()}`);
  try {
    return JSON.parse(stdout);
  } catch {
    return fail(`${command} ${words.join(' ')}: found ${stdout.trim() || 'nothing'}, expected JSON`);
  }
}

const script = (name) => fileURLToPath(new URL(name, import.meta.url));

function timeLunet(test) {
  const words = Object.entries(test).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const { isa, threads, cases } = printed(process.execPath, [
    script('../bin/lunet.js'),
    'bench',
    '--engine',
    'native',
    '--json',
    ...words,
  ]);
  return { isa, threads, ...cases[0] };
}

function timePyTorch({ family, n, levels, convs, size, batch, mode }) {
  const words = [family, n, levels, convs, size, batch, mode, batch > 1 ? 3 : 5].map(String);
  return printed(options.python, [script('pytorch_step.py'), ...words]);
}

function median(measurements, key) {
  const sorted = measurements.map((each) => each[key]).sort((a, b) => a - b);
  return (sorted[Math.floor((sorted.length - 1) / 2)] + sorted[Math.ceil((sorted.length - 1) / 2)]) / 2;
}

const results = STANDARD_LIST.map((test) => {
  const ours = [];
  const theirs = [];
  for (let round = 0; round < rounds; round++) {
    theirs.push(timePyTorch(test));
    ours.push(timeLunet(test));
  }
  const figures = (measurements) => ({
    msPerVolume: median(measurements, 'msPerVolume'),
    peakMemoryMB: median(measurements, 'peakMemoryMB'),
  });
  const [lunet, pytorch] = [figures(ours), figures(theirs)];
  const result = {
    ...test,
    lunet: { ...lunet, isa: ours[0].isa, threads: ours[0].threads },
    pytorch: { ...pytorch, version: theirs[0].torch, threads: theirs[0].threads },
    faster: pytorch.msPerVolume / lunet.msPerVolume,
    memory: lunet.peakMemoryMB / pytorch.peakMemoryMB,
  };
  if (!options.json) {
    const shown = ({ msPerVolume, peakMemoryMB }) =>
      `${msPerVolume.toFixed(msPerVolume < 100 ? 1 : 0)} ms, ${peakMemoryMB.toFixed(0)} MB`;
    console.log(
      `| ${test.mode} ${test.family} n=${test.n}, ${test.levels} levels, ${test.convs} convolutions, batch ${test.batch} ` +
        `| ${shown(pytorch)} | ${shown(lunet)} | ${result.faster.toFixed(1)}x | ${result.memory.toFixed(2)} |`,
    );
  }
  return result;
});
if (options.json) console.log(JSON.stringify(results, null, 2));
else {
  const [{ lunet, pytorch }] = results;
  console.log(
    `\nPyTorch ${pytorch.version} with ${pytorch.threads} threads, lunet on ${lunet.isa} with ${lunet.threads}; ` +
      `medians of ${rounds}.`,
  );
}
