import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { commands } from '../../src/cli/index.js';
import { BIN, lunet, plainEnvironment } from './lunet.js';

const module = (path: string): string => JSON.stringify(new URL(`../../src/${path}`, import.meta.url).href);

/** Runs a script with modules of src in a process of its own. */
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
    // Groups of commands give the examples at the command.
    if (!stdout.includes('\nCommands:')) assert.match(stdout, /\nExamples:\n {2}# .+\n {2}\$ lunet .+/);
    assert.equal(lunet(['help', name]).stdout, stdout);
  });
}

test('the version is that of the package', () => {
  const file = new URL('../../../package.json', import.meta.url);
  const { version } = JSON.parse(readFileSync(file, 'utf8')) as { version: string };
  assert.equal(lunet(['--version']).stdout, `${version}\n`);
});

const misuse: [args: string[], stderr: string[]][] = [
  [
    ['cofnig'],
    ["error: unknown command 'cofnig'", '(Did you mean config?)', '', 'Usage: lunet [options] [command]'],
  ],
  [
    ['--hlep'],
    ["error: unknown option '--hlep'", '(Did you mean --help?)', '', 'Usage: lunet [options] [command]'],
  ],
  [
    ['config', '--pirnt'],
    [
      "error: unknown option '--pirnt'",
      '(Did you mean --print?)',
      '',
      'Usage: lunet config [options] [config]',
      '  # print what a file means, defaults included',
      '  $ lunet config experiment.yaml --print',
      '  # see what an override does',
      '  $ lunet config --print --set training.epochs=10',
      'All options: lunet config --help',
    ],
  ],
  [
    ['config', 'a.yaml', 'b.yaml'],
    ["error: too many arguments for 'config'. Expected 1 argument but got 2."],
  ],
  [['config', '--set'], ["error: option '--set <key=value>' argument missing"]],
];

for (const [args, expected] of misuse) {
  test(`lunet ${args.join(' ')} is wrong use: exit 2, with help`, () => {
    const { status, stdout, stderr } = lunet(args);
    assert.deepEqual([status, stdout], [2, '']);
    assert.deepEqual(stderr.split('\n').slice(0, expected.length), expected);
  });
}

test('an error of the user has no stack trace, unless --debug asks for it', () => {
  const message = 'nope.yaml: no such file; expected an experiment config (YAML)';
  const { status, stderr } = lunet(['config', 'nope.yaml']);
  assert.deepEqual([status, stderr], [2, `error: ${message}\n`]);
  const debug = lunet(['config', 'nope.yaml', '--debug']);
  assert.equal(debug.status, 2);
  assert.match(debug.stderr, /^UserError: nope\.yaml: no such file.*\n {4}at loadExperiment/);
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
      `import { interruptSignal } from ${module('cli/interrupt.js')};`,
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
    child.kill(signal);
    assert.deepEqual(await once(child, 'close'), [130, null]);
  }
});
