// Tries CONTRIBUTING's table: adds a criterion, a strategy, a layout and a command to a copy of lunet, in the files that the
// table names and in no others, then compiles, runs their tests and asks the command line for them. Needs a built checkout.
import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const copy = mkdtempSync(join(tmpdir(), 'lunet-contributing-'));
const table = readFileSync(join(root, 'CONTRIBUTING.md'), 'utf8');

/** What is added: new files by path, and lines for files that are there, each in front of a text that stands in it once. */
const ADDITIONS = {
  criterion: {
    name: 'weight-max',
    files: {
      'src/pruning/criteria/weight-max.ts': `import { type Criterion, filtersOf } from './criterion.js';
export const weightMax: Criterion = {
  needs: 'weights',
  score: (layer, weights) => {
    const [filters, size] = [filtersOf(layer, weights), layer.inputs * 27];
    return Float64Array.from({ length: layer.width }, (_, c) =>
      filters.subarray(c * size, (c + 1) * size).reduce((most, w) => Math.max(most, Math.abs(w)), 0),
    );
  },
};
`,
    },
    lines: {
      'src/pruning/criteria/index.ts': [
        ["import { snip } from './snip.js';", "import { weightMax } from './weight-max.js';\n"],
        ['\n} satisfies', "\n  'weight-max': weightMax,"],
      ],
      'test/pruning/criteria.test.ts': [
        [
          "    case 'weight-l1':",
          "    case 'weight-max':\n      return byChannel((layer, c) => Math.max(...filter(layer, c).map(Math.abs)));\n",
        ],
      ],
    },
    tests: ['test/pruning/criteria.test.js'],
    command: ['config', 'default', '--set', 'pruning.criterion=weight-max'],
  },
  'pruning strategy': {
    name: 'first',
    files: {
      'src/pruning/strategies/first.ts': `import { type Strategy, removable } from './strategy.js';
export const first: Strategy = {
  scores: false,
  choose: (architecture) => {
    const [layer] = removable(architecture);
    return layer && { layer, channel: 0 };
  },
};
`,
      'test/pruning/first.test.ts': `import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildArchitecture } from '../../src/network/architecture.js';
import { schedule } from '../../src/pruning/schedule.js';
const SHAPE = { family: 'lunet', n: 2, levels: 2, convs: 2, scale: 1, skips: true } as const;
test('the first layer goes first', () => {
  const [step] = schedule('first', buildArchitecture(SHAPE, 1, 1), 1);
  assert.deepEqual(step?.removal, { layer: 'encoder.0.0', channel: 0 });
});
`,
    },
    lines: {
      'src/pruning/strategies/index.ts': [
        ["import { stamp } from './stamp.js';", "import { first } from './first.js';\n"],
        ['\n} satisfies', '\n  first,'],
      ],
    },
    tests: ['test/pruning/first.test.js'],
    command: ['prune', 'default', '--dry-run', '--strategy', 'first', '--seeds', '1'],
  },
  'dataset layout': {
    name: 'nothing',
    files: {
      'src/data/layouts/nothing.ts': `import { type Layout } from './layout.js';
export const nothing: Layout = async () => Promise.resolve({ ids: [], cases: [], warnings: [] });
`,
      'test/data/layouts/nothing.test.ts': `import assert from 'node:assert/strict';
import { test } from 'node:test';
import { listCases } from '../../../src/data/layouts/index.js';
test('nothing has no cases', async () => {
  assert.deepEqual((await listCases('nothing', '.', { followLinks: false })).ids, []);
});
`,
    },
    lines: {
      'src/data/layouts/index.ts': [
        ['\n} satisfies', "\n  nothing: async () => (await import('./nothing.js')).nothing,"],
      ],
    },
    tests: ['test/data/layouts/nothing.test.js'],
    command: ['config', 'default', '--print', '--set', 'dataset.layout=nothing', '--set', 'dataset.root=.'],
  },
  command: {
    name: 'greet',
    files: {
      'src/cli/commands/greet.ts': `import { Command } from 'commander';
import { print } from '../terminal/output.js';
export const command = new Command('greet').action(() => print('hello'));
`,
      'test/cli/commands/greet.test.ts': `import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lunet } from '../lunet.js';
test('greets', () => assert.equal(lunet(['greet']).stdout, 'hello\\n'));
`,
    },
    lines: {
      'src/cli/index.ts': [
        [
          "  {\n    name: 'run',",
          "  { name: 'greet', summary: 'greet', load: () => import('./commands/greet.js') },\n",
        ],
      ],
    },
    tests: ['test/cli/commands/greet.test.js'],
    command: ['greet', '--help'],
  },
};

/** Ends with what went wrong. */
function fail(message) {
  console.error(`check-contributing: ${message}`);
  rmSync(copy, { recursive: true, force: true });
  process.exit(1);
}

/** Runs Node.js in the copy. */
function node(what, args) {
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: copy, encoding: 'utf8' });
  if (status !== 0) fail(`${what}:\n${stdout}${stderr}`);
}

/** The files that the table's row names for something of that name. */
function row(what, name) {
  const [, files = ''] = new RegExp(`^\\| ${what} +\\| (.*) \\|$`, 'm').exec(table) ?? [];
  return files.replaceAll('NAME', name);
}

for (const part of [
  'src',
  'test',
  'bin',
  'configs',
  'package.json',
  'tsconfig.json',
  'dist/native-sources.txt',
])
  if (existsSync(join(root, part))) cpSync(join(root, part), join(copy, part), { recursive: true });
for (const part of ['node_modules', 'build']) symlinkSync(realpathSync(join(root, part)), join(copy, part));

for (const [what, { name, files, lines }] of Object.entries(ADDITIONS)) {
  for (const [path, text] of Object.entries(files)) writeFileSync(join(copy, path), text);
  for (const [path, changes] of Object.entries(lines)) {
    let text = readFileSync(join(copy, path), 'utf8');
    for (const [before, line] of changes) {
      if (text.split(before).length !== 2) fail(`${path}: found ${JSON.stringify(before)} not just once`);
      text = text.replace(before, () => line + before);
    }
    writeFileSync(join(copy, path), text);
  }
  for (const path of [...Object.keys(files), ...Object.keys(lines)])
    if (!path.startsWith('test/') && !row(what, name).includes(`\`${path}\``))
      fail(`CONTRIBUTING.md: the row of "${what}" does not name ${path}`);
}
node('what was added does not compile', ['node_modules/typescript/bin/tsc', '--sourceMap', 'false']);
const tests = Object.values(ADDITIONS).flatMap((each) => each.tests.map((test) => `dist/${test}`));
node('a test failed', ['--test', ...tests]);
for (const { command } of Object.values(ADDITIONS))
  node(`lunet ${command.join(' ')}`, ['bin/lunet.js', ...command]);
rmSync(copy, { recursive: true });
console.log(`CONTRIBUTING's table holds: ${Object.keys(ADDITIONS).join(', ')}`);
