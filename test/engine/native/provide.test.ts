// The native engine of an installed package: it is built once, at first use, in a writable folder; a stale, foreign or
// damaged build is never used. The compilers are fake here; test/package uses a real one.

import assert from 'node:assert/strict';
import {
  appendFileSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'node:test';
import { prebuildFolder } from '../../../src/engine/native/builds.js';
import { loadAddon } from '../../../src/engine/native/loader.js';
import { sourcesDigest } from '../../../src/engine/native/sources.js';
import { sha256 } from '../../../src/sha256.js';
import { type Ended, type Installed, buildsIn, fakeCompiler, install, start } from './installed.js';

const PATH = '/usr/bin:/bin';
const TRAIN = [
  ...['train', 'tiny.yaml', '--model', 'unet-n2', '--seeds', '1', '--set', 'training.epochs=1'],
  '--overwrite',
];

const run = (installed: Installed, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Ended> =>
  start(installed, args, env).ended;
const using = (compiler: { path: string }): NodeJS.ProcessEnv => ({ CXX: compiler.path, PATH });
/** `doctor --json`'s finding on the native engine. */
const doctor = async (installed: Installed, env: NodeJS.ProcessEnv = {}) => {
  const { stdout, code } = await run(installed, ['doctor', '--json'], env);
  const { findings } = JSON.parse(stdout) as {
    findings: { what: string; ok: boolean; found: string; cure?: string }[];
  };
  const native = findings.find(({ what }) => what === 'native engine');
  assert.ok(native);
  return { ...native, code };
};
const builds = ({ package: folder }: Installed): string[] => buildsIn(join(folder, 'build'));
const cached = ({ cache }: Installed): string[] => buildsIn(join(cache, 'native'));
/** Creates a file with the name of a folder, so that nobody, not even root, can create the folder. */
const block = (path: string): void => writeFileSync(path, '');

test('processes that start at once build once, and then no compiler is asked', async () => {
  const installed = install();
  const compiler = fakeCompiler('fake 1', 'sleep 0.05');
  const ended = await Promise.all(
    [1, 2, 3].map(() => run(installed, ['bench', '--kernels', '--json'], using(compiler))),
  );
  assert.deepEqual(
    ended.map(({ code }) => code),
    [0, 0, 0],
    ended.map(({ stderr }) => stderr).join(),
  );
  const said = (what: RegExp): number => ended.filter(({ stderr }) => what.test(stderr)).length;
  assert.equal(said(/^Building the native engine/m), 1);
  assert.equal(said(/waiting for it/), 2);
  const once = compiler.calls();
  const [folder] = builds(installed);
  assert.deepEqual(readdirSync(folder as string).sort(), ['build.json', 'lunet.node']);
  assert.equal((await doctor(installed)).code, 0);
  assert.equal(compiler.calls(), once);
  assert.deepEqual(cached(installed), []);
});

test('without a compiler one line says what to type, and that works', async () => {
  const installed = install();
  const { code, stderr } = await run(installed, TRAIN);
  assert.equal(code, 0, stderr);
  const [line, engine] = stderr.split('\n');
  assert.match(
    line as string,
    /no C\+\+ compiler \(c\+\+, g\+\+, clang\+\+\) was found; install one \(.*\), then: node \S+ setup native\. /,
  );
  assert.match(engine as string, /^Engine: wasm /);
  const { ok, found, cure, code: failed } = await doctor(installed);
  assert.deepEqual([ok, failed], [false, 4]);
  assert.ok(line?.includes(`${found.split(';')[0]}; ${cure}`), `${found} -> ${cure}`);
  for (const place of [installed.package, installed.cache]) assert.ok(found.includes(place), found);

  const typed = /then: node (\S+) (setup native)/.exec(line as string);
  assert.equal(typed?.[1], join(installed.package, 'bin/lunet.js'));
  const built = await run(installed, ['setup', 'native'], using(fakeCompiler('fake 1')));
  assert.equal(built.code, 0, built.stderr);
  assert.match((await run(installed, TRAIN)).stderr, /^Engine: native/m);
});

test('a compiler that was given and does not run is not said to be missing', async () => {
  const { found, cure } = await doctor(install(), { CXX: 'nonesuch' });
  assert.match(found, /^CXX=nonesuch does not run;/);
  assert.match(cure as string, /^set it to a C\+\+17 compiler or unset it, then: .*setup native$/);
});

test('native asked for and not to be had is one line and exit code 4', async () => {
  const { code, stderr } = await run(install(), [...TRAIN, '--engine', 'native']);
  assert.deepEqual([code, stderr.trimEnd().split('\n').length], [4, 1]);
  assert.match(stderr, /^error: there is no native engine: .* setup native/);
});

test('a package that cannot be written has its engine in the cache, and without one says what to set', async () => {
  const installed = install();
  block(join(installed.package, 'build'));
  const compiler = using(fakeCompiler('fake 1'));
  assert.equal((await run(installed, [...TRAIN, '--dry-run'], compiler)).code, 0);
  const native = [...TRAIN, '--engine', 'native'];
  const off = await run(installed, native, { ...compiler, LUNET_CACHE: 'off' });
  assert.match(
    off.stderr,
    /^[^\n]*cannot be written \([^()]+\); set LUNET_CACHE to a folder that it can be written to/,
  );
  block(join(installed.cwd, 'file'));
  const file = await run(installed, native, { ...compiler, LUNET_CACHE: 'file' });
  assert.match(file.stderr, /set LUNET_CACHE/);
  assert.match((await run(installed, TRAIN, compiler)).stderr, /^Engine: native/m);
  assert.equal(cached(installed).length, 1);
  assert.ok((await doctor(installed)).found.startsWith(installed.cache));
});

test('a full disk is no fault of the compiler: the next folder is taken', async () => {
  const installed = install();
  const full = fakeCompiler(
    'fake 1',
    `case "$output" in *package*) echo "error: No space left on device" >&2; exit 1;; esac`,
  );
  assert.equal((await doctor(installed, using(full))).code, 0);
  assert.equal(cached(installed).length, 1);
});

test('a failed build is remembered until there is another compiler, or it is asked for', async () => {
  const installed = install();
  const broken = fakeCompiler(
    'broken 1',
    'echo "x.cpp:1: error: no such instruction" >&2; echo more >&2; exit 1',
  );
  const first = await doctor(installed, using(broken));
  assert.match(first.found, /could not be compiled: x\.cpp:1: error: no such instruction/);
  assert.match(first.cure as string, /setup native$/);
  const calls = broken.calls();
  const again = await run(installed, [...TRAIN, '--engine', 'native'], using(broken));
  assert.match(again.stderr, /^error: there is no native engine: .*no such instruction; .*setup native\n$/);
  assert.equal(broken.calls(), calls);
  const asked = await run(installed, ['setup', 'native'], using(broken));
  assert.equal(asked.code, 4);
  assert.match(asked.stderr, /\nmore\n/);
  assert.ok(broken.calls() > calls);
  assert.equal((await doctor(installed, using(fakeCompiler('repaired 2')))).code, 0);
});

test('what the compiler makes is tried before it is put in place', async () => {
  const installed = install();
  const wrong = fakeCompiler('wrong 1');
  writeFileSync(wrong.path, readFileSync(wrong.path, 'utf8').replace(/cp '.*' /, 'echo >'));
  assert.match((await doctor(installed, using(wrong))).found, /does not load/);
  assert.ok(!existsSync(join(builds(installed)[0] as string, 'lunet.node')));
});

test('setup native repeats nothing without --force, but follows the compiler', async () => {
  const installed = install();
  const [one, two] = [fakeCompiler('fake 1'), fakeCompiler('fake 2')];
  await run(installed, ['setup', 'native'], using(one));
  const calls = one.calls();
  assert.match(
    (await run(installed, ['setup', 'native'], using(one))).stdout,
    /already built: .*lunet\.node/,
  );
  assert.equal(one.calls(), calls);
  await run(installed, ['setup', 'native', '--force'], using(one));
  assert.equal(one.calls(), 2 * calls);
  await run(installed, ['setup', 'native'], using(two));
  assert.equal(two.calls(), calls);
});

test('an engine of other sources or another machine is left alone, a damaged one is built again', async () => {
  const installed = install();
  const compiler = fakeCompiler('fake 1');
  const train = async (): Promise<void> =>
    assert.match((await run(installed, TRAIN, using(compiler))).stderr, /^Engine: native/m);
  await train();
  const each = compiler.calls();
  const [before] = builds(installed);
  const engine = join(before as string, 'lunet.node');
  for (const [i, damage] of [
    (): void => truncateSync(engine, 100_000),
    (): void => appendFileSync(engine, 'x'),
    (): void => writeFileSync(engine, ''),
    (): void => rmSync(join(before as string, 'build.json')),
    (): void => writeFileSync(join(before as string, 'build.json'), '{'),
  ].entries()) {
    damage();
    await train();
    assert.equal(compiler.calls(), (i + 2) * each);
  }
  writeFileSync(join(installed.package, 'dist/native-sources.txt'), '0123456789abcdef\n');
  const upgraded = await doctor(installed, using(compiler));
  assert.match(upgraded.found, /-0123456789abcdef\/lunet\.node/);
  assert.deepEqual([compiler.calls(), builds(installed).length], [7 * each, 1]);
});

test('a build that is interrupted or killed leaves nothing that the next one minds', async () => {
  const installed = install();
  const slow = fakeCompiler('fake 1', 'sleep 0.5');
  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 130],
    ['SIGKILL', null],
  ] as const) {
    const { ended, kill } = start(installed, TRAIN, using(slow));
    while (slow.calls() === 0) await sleep(20);
    kill(signal);
    assert.equal((await ended).code, code);
    if (code !== null) assert.deepEqual(readdirSync(builds(installed)[0] as string), []);
    rmSync(join(installed.cwd, 'runs'), { recursive: true, force: true });
    writeFileSync(join(slow.path, '../log'), '');
  }
  const next = await run(installed, TRAIN, using(fakeCompiler('fake 1')));
  assert.match(next.stderr, /^Built .*\nEngine: native/m);
  assert.deepEqual(readdirSync(builds(installed)[0] as string).sort(), ['build.json', 'lunet.node']);
});

/** Gives the package an engine for this machine, as of these sources. */
function bring(installed: Installed, sources = sourcesDigest()): string {
  const engine = loadAddon();
  assert.ok(engine.addon);
  const path = join(installed.package, 'prebuilds', basename(prebuildFolder()), 'lunet.node');
  mkdirSync(dirname(path), { recursive: true });
  copyFileSync(engine.path, path);
  const record = { compiler: 'elsewhere 1', sources, sha256: sha256(readFileSync(path)) };
  writeFileSync(join(dirname(path), 'build.json'), JSON.stringify(record));
  return path;
}

test('an engine that the package brings is used, without a compiler or with one', async () => {
  const installed = install();
  const path = bring(installed);
  const { code, stderr } = await run(installed, TRAIN);
  assert.equal(code, 0, stderr);
  assert.match(stderr, /^Engine: native/m);
  const compiler = fakeCompiler('fake 1');
  const brought = await doctor(installed, using(compiler));
  assert.ok(brought.found.startsWith(`${path} (from the package, made with elsewhere 1)`), brought.found);
  assert.match((await run(installed, ['setup', 'native'])).stdout, /already built: .*prebuilds/);
  await run(installed, ['setup', 'native'], using(compiler));
  assert.deepEqual([compiler.calls(), builds(installed), cached(installed)], [0, [], []]);

  await run(installed, ['setup', 'native', '--force'], using(compiler));
  const [own] = builds(installed);
  const { found } = await doctor(installed);
  assert.ok(found.startsWith(join(own as string, 'lunet.node (built here with fake 1)')), found);
});

test('an engine that the package brings of other sources or damaged is not loaded, and one is built', async () => {
  const installed = install();
  bring(installed, '0123456789abcdef');
  assert.match((await doctor(installed)).found, /prebuilds.*: made of other sources/);
  appendFileSync(bring(installed), 'x');
  assert.match((await doctor(installed)).found, /prebuilds.*: damaged/);
  const built = await doctor(installed, using(fakeCompiler('fake 1')));
  assert.deepEqual([built.ok, builds(installed).length], [true, 1]);
});

test('LUNET_NATIVE is taken and nothing else', async () => {
  const installed = install();
  const compiler = fakeCompiler('fake 1');
  const missing = await doctor(installed, { ...using(compiler), LUNET_NATIVE: 'nowhere.node' });
  assert.match(missing.found, /LUNET_NATIVE=.*nowhere\.node: no such file/);
  assert.match(missing.cure as string, /unset LUNET_NATIVE/);
  assert.equal(compiler.calls(), 0);
  await run(installed, ['setup', 'native'], using(compiler));
  const engine = join(builds(installed)[0] as string, 'lunet.node');
  assert.ok((await doctor(installed, { LUNET_NATIVE: engine })).found.startsWith(engine));
});
