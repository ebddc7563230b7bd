import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { commands } from '../../src/cli/index.js';
import { BIN, lunet, plainEnvironment } from './lunet.js';

const module = (path: string): string => JSON.stringify(new URL(`../../src/${path}`, import.meta.url).href);

/** Runs a script with modules of src in a separate process. */
function script(lines: readonly string[]) {
  return spawn(process.execPath, ['--input-type=module', '-e', lines.join('\n')], {
    env: plainEnvironment(),
  });
}

test('lunet and lunet --help list every command and nothing fails', () => {
  for (const args of [[], ['--help'], ['help']]) {
    const { status, stdout, stderr } = lunet(args);
    assert.deepEqual([status, stderr], [0, '']);
    const words = stdout.replace(/\s+/g, ' '); // long lines are wrapped
    for (const { name, summary } of commands)
      assert.ok(words.includes(` ${name} ${summary} `), `${name}: ${stdout}`);
  }
});

test('help loads neither an engine nor what reads configs', () => {
  const hook = `data:text/javascript,${encodeURIComponent(
    'export async function resolve(name, context, next) { process._rawDebug(name); return next(name, context); }',
  )}`;
  const register = `import { register } from 'node:module'; register(${JSON.stringify(hook)});`;
  const loader = `data:text/javascript,${encodeURIComponent(register)}`;
  const loaded = (args: string[]): string[] =>
    spawnSync(process.execPath, ['--import', loader, BIN, ...args], { encoding: 'utf8' }).stderr.split('\n');
  const heavy = /^(zod|yaml)(\/|$)|tfjs|\/engine\/|\/config\//;
  assert.ok(loaded(['config', '--help']).some((name) => heavy.test(name)));
  assert.deepEqual(
    loaded(['--help']).filter((name) => heavy.test(name)),
    [],
  );
});

for (const { name } of commands) {
  test(`lunet ${name} --help says what it does, with examples`, () => {
    const { status, stdout, stderr } = lunet([name, '--help']);
    assert.deepEqual([status, stderr], [0, '']);
    assert.match(stdout, new RegExp(`^Usage: lunet ${name} `));
    // Groups of commands have no examples; their commands do.
    if (!stdout.includes('\nCommands:')) assert.match(stdout, /\nExamples:\n {2}# .+\n {2}\$ lunet .+/);
    assert.equal(lunet(['help', name]).stdout, stdout);
  });
}

test('the version is that of the package', () => {
  const file = new URL('../../../package.json', import.meta.url);
  const { version } = JSON.parse(readFileSync(file, 'utf8')) as { version: string };
  assert.equal(lunet(['--version']).stdout, `${version}\n`);
});

// One line each: what is wrong, and what to type.
const misuse: [args: string[], error: string][] = [
  [['cofnig'], "unknown command 'cofnig' (did you mean config?)"],
  [['help', 'nosuch'], "unknown command 'nosuch'; see: lunet --help"],
  [['data', 'fantom'], "unknown command 'fantom' (did you mean phantom?)"],
  [['--hlep'], "unknown option '--hlep' (did you mean --help?)"],
  [['config', '--pirnt'], "unknown option '--pirnt' (did you mean --print?)"],
  [['config', '--wombat'], "unknown option '--wombat'; see: lunet config --help"],
  [
    ['config', 'a.yaml', 'b.yaml'],
    "too many arguments for 'config'. Expected 1 argument but got 2; see: lunet config --help",
  ],
  [['config', '--set'], "option '--set <key=value>' argument missing; see: lunet config --help"],
  [['train', '--threads', '0x1'], '--threads: found 0x1, expected a whole number from 1 to 72'],
  [
    ['run', '--executor', 'slrm'],
    '--executor: found slrm, expected one of local, slurm (did you mean slurm?)',
  ],
  [
    ['train', '--engine', 'nativ'],
    '--engine: found nativ, expected one of auto, native, wasm, tensorflow, webgpu (did you mean native?)',
  ],
  [['train', '--model', ''], '--model: found nothing, expected one name or several, separated by commas'],
  [['train', '--model', ','], '--model: found ,, expected one name or several, separated by commas'],
  [['train', '--split', ' '], '--split: found nothing, expected one name or several, separated by commas'],
  [['train', '--seeds', ''], '--seeds: found nothing, expected whole numbers such as 1,2 or 1-3'],
  [['train', '--seeds', '1,,2'], '--seeds: found 1,,2, expected whole numbers such as 1,2 or 1-3'],
  [['train', '--seeds', '3-1'], '--seeds: found 3-1, expected the smaller number first: 1-3'],
  [['train', '--seeds', '1-1000000000'], '--seeds: found 1-1000000000, expected at most 1000 seeds'],
  [
    ['prune', '--strategy', ''],
    '--strategy: found nothing, expected one name or several, separated by commas',
  ],
  [
    ['prune', '--criterion', ''],
    '--criterion: found nothing, expected one of l2, l1, l1-std, taylor, random, weight-l1, weight-l2, bn-scale, snip, synflow',
  ],
  [['retrain', '--init', ','], '--init: found ,, expected one name or several, separated by commas'],
  [
    ['retrain', '--from-snapshot', ''],
    "--from-snapshot: found nothing, expected 75%, 50%, 25%, a number such as '60 channels', or all",
  ],
  [['train', '--set', ''], '--set : expected KEY=VALUE, such as --set training.epochs=10'],
];

for (const [args, expected] of misuse) {
  test(`lunet ${args.join(' ')} is wrong use: exit 2, one line`, () => {
    const { status, stdout, stderr } = lunet(args);
    const line = stderr.replace(/from 1 to \d+/, 'from 1 to 72');
    assert.deepEqual([status, stdout, line.replace(/^Config: .*\n/, '')], [2, '', `error: ${expected}\n`]);
  });
}

test('what is missing is said with examples', () => {
  const { status, stderr } = lunet(['data', 'phantom']);
  assert.equal(status, 2);
  assert.match(
    stderr,
    /^error: required option '--out <folder>' not specified\n\nUsage: lunet data phantom /,
  );
  assert.match(stderr, /\n {2}\$ lunet data phantom --kind /);
});

test('a wrong value from the environment is named by its variable', () => {
  const { status, stderr } = lunet(['train'], { env: { LUNET_ENGINE: 'x' } });
  assert.equal(status, 2);
  assert.match(stderr, /^error: LUNET_ENGINE: found x, expected one of auto, /);
});

test('an error of the user has no stack trace, unless --debug asks for it', () => {
  const message = 'nope.yaml: no such file or folder; expected an experiment config (YAML)';
  const { status, stderr } = lunet(['config', 'nope.yaml']);
  assert.deepEqual([status, stderr], [2, `error: ${message}\n`]);
  const debug = lunet(['config', 'nope.yaml', '--debug']);
  assert.equal(debug.status, 2);
  assert.match(debug.stderr, /^UserError: nope\.yaml: no such file or folder.*\n {4}at loadExperiment/);
});

test('anything else is called a bug: exit 1', async () => {
  for (const debug of [false, true]) {
    const child = script([
      `import { commands } from ${module('cli/index.js')};`,
      `import { main } from ${module('cli/main.js')};`,
      "import { Command } from 'commander';",
      "const command = new Command('broken').action(() => { throw new TypeError('x is not y'); });",
      "commands.push({ name: 'broken', summary: '', load: async () => ({ command }) });",
      `process.exitCode = await main(['node', 'lunet', 'broken'${debug ? ", '--debug'" : ''}]);`,
    ]);
    let stderr = '';
    child.stderr.on('data', (chunk) => (stderr += String(chunk)));
    assert.equal((await once(child, 'close'))[0], 1);
    assert.match(stderr, /error: this is a bug in lunet: x is not y\n/);
    assert.equal(stderr.includes('    at '), debug);
    assert.equal(stderr.includes('--debug'), !debug);
  }
});

test('a reader that goes away is no error', async () => {
  const child = spawn(process.execPath, [BIN, 'config', '--schema'], { env: plainEnvironment() });
  child.stdout.destroy();
  let stderr = '';
  child.stderr.on('data', (chunk) => (stderr += String(chunk)));
  assert.deepEqual(await once(child, 'close'), [0, null]);
  assert.equal(stderr, '');
});

test('the first Ctrl-C or SIGTERM asks a command to stop, the second one ends it', async () => {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    const child = script([
      `import { interruptSignal } from ${module('cli/terminal/interrupt.js')};`,
      "interruptSignal().addEventListener('abort', (event) => console.log(event.target.reason.kind));",
      'setInterval(() => {}, 1000);',
      "console.log('ready');",
    ]);
    const said: string[] = [];
    const next = async (): Promise<void> => {
      said.push(String(((await once(child.stdout, 'data')) as [Buffer])[0]).trim());
    };
    await next();
    child.kill(signal);
    await next();
    assert.deepEqual(said, ['ready', 'interrupted']);
    assert.equal(child.exitCode, null);
    // A second signal immediately after the first is a duplicate, forwarded by npx.
    await sleep(250);
    child.kill(signal);
    assert.deepEqual(await once(child, 'close'), [130, null]);
  }
});
