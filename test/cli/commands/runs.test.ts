// The commands that compute, from the command line: in order, killed and resumed, interrupted, with wrong usage.

import assert from 'node:assert/strict';
import { type SpawnSyncReturns, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { readRun } from '../../../src/runs/run.js';
import { FAILPOINTS } from '../../../src/runs/commit.js';
import { BIN, emptyFolder, lunet, plainEnvironment, readCsv } from '../lunet.js';
import { TINY } from '../tiny.js';

function workFolder(): string {
  const cwd = emptyFolder();
  writeFileSync(join(cwd, 'lunet.yaml'), TINY);
  return cwd;
}

function succeed(cwd: string, ...args: string[]): SpawnSyncReturns<string> {
  const result = lunet(args, { cwd });
  assert.equal(result.status, 0, `lunet ${args.join(' ')}: ${result.stderr}`);
  return result;
}

const sha256 = (path: string): string => createHash('sha256').update(readFileSync(path)).digest('hex');

/** What must be the same after any number of kills: weights, and rows without their times. */
function outcome(run: string): unknown {
  const files = ['model', 'initial', 'snapshot-75', 'snapshot-50', 'snapshot-25'].map((name) =>
    join(run, `${name}.safetensors`),
  );
  const rows = ['epochs.csv', 'steps.csv', 'scores.csv', 'cases.csv', 'cases-best.csv', 'cases-50.csv']
    .map((name) => join(run, name))
    .filter(existsSync)
    .map((path) => readCsv(path).map((row) => ({ ...row, seconds: '' })));
  assert.ok(existsSync(join(run, 'model.safetensors')), `${run} has not finished`);
  return [files.filter(existsSync).map(sha256), rows];
}

const TRAIN = ['train', '--model', 'lunet-n2', '--seeds', '1'];
const TRAINED = 'runs/tiny/train/lunet-n2/seed-1';
const PRUNE = ['prune', '--strategy', 'stamp', '--seeds', '1'];
const PRUNED = 'runs/tiny/prune/stamp/seed-1';

describe('train, prune, retrain, report', () => {
  const cwd = workFolder();
  it('work in this order without further arguments', () => {
    assert.match(succeed(cwd, 'train').stderr, /Next: lunet prune --strategy widest\n$/);
    assert.match(
      succeed(cwd, 'prune', '--strategy', 'widest').stderr,
      /Next: lunet retrain --from-snapshot 50%\n$/,
    );
    assert.match(succeed(cwd, 'retrain', '--from-snapshot', '50%').stderr, /Next: lunet report\n$/);
    const report = succeed(cwd, 'report');
    assert.match(report.stdout, /≤ \d\.\d{4}/);
    assert.match(report.stdout, /widest\/50%-random/);
    for (const file of ['index.html', 'summary.csv', 'steps.csv', 'dice-over-parameters.png', 'methods.svg'])
      assert.ok(existsSync(join(cwd, 'runs/tiny/report', file)), file);
  });
  it('leave a summary with every figure, the upper bound flagged', () => {
    const rows = readCsv(join(cwd, 'runs/tiny/summary.csv'));
    const of = (kind: string): string[] =>
      rows.filter((row) => row['kind'] === kind).map((row) => row['method'] as string);
    assert.deepEqual(of('train'), ['lunet-n2', 'unet-n2']);
    assert.deepEqual(of('prune'), [
      'widest best',
      'widest chosen on validation',
      'widest 75%',
      'widest 50%',
      'widest final',
    ]);
    assert.deepEqual(of('retrain'), ['widest/50%-random']);
    for (const row of rows) {
      assert.equal(row['upper_bound'], String(row['method'] === 'widest best'));
      assert.equal(row['seeds'], '2');
    }
  });
  it('record each step of pruning, from all channels to one a layer', () => {
    const steps = readCsv(join(cwd, 'runs/tiny/prune/widest/seed-2/steps.csv'));
    assert.deepEqual(
      steps.map((row) => [
        row['step'],
        row['epochs'],
        row['encoder.0.0'],
        row['encoder.1.0'],
        row['decoder.0.0'],
        row['stop'],
      ]),
      [
        ['0', '2', '2', '4', '2', ''],
        ['1', '4', '2', '3', '2', ''],
        ['2', '6', '2', '2', '2', ''],
        ['3', '8', '2', '1', '2', ''],
        ['4', '10', '1', '1', '2', 'one-channel'],
      ],
    );
    const best = readFileSync(join(cwd, 'runs/tiny/prune/widest/seed-2/best.json'), 'utf8');
    assert.equal((JSON.parse(best) as { upper_bound: boolean }).upper_bound, true);
  });
  it('do nothing when all is done, and say so', () => {
    assert.match(succeed(cwd, 'train').stderr, /Nothing to do: all 4 runs are done/);
    assert.match(
      succeed(cwd, 'retrain', '--from-snapshot', '50%').stderr,
      /Nothing to do: all 2 runs are done/,
    );
  });
  it('refuse settings that do not fit what was begun, naming them', () => {
    const { status, stderr } = lunet(['train', '--set', 'training.learningRate=0.5'], { cwd });
    assert.equal(status, 2);
    assert.match(stderr, /training\.learningRate \(0\.01 then, 0\.5 now\)/);
    assert.match(stderr, /--overwrite/);
  });
  it('retrain from the first weights, from the pruned ones, and from any number of channels', () => {
    succeed(cwd, 'retrain', '--from-snapshot', '75%,50%', '--init', 'rewind,inherit', '--seeds', '1');
    succeed(cwd, 'retrain', '--from-snapshot', '4 channels', '--seeds', '2');
    const initial = (method: string, seed: number): string =>
      sha256(join(cwd, `runs/tiny/retrain/widest/${method}/seed-${seed}/initial.safetensors`));
    assert.notEqual(initial('50%-rewind', 1), initial('50%-inherit', 1));
    assert.notEqual(initial('50%-random', 1), initial('50%-rewind', 1));
    assert.ok(existsSync(join(cwd, 'runs/tiny/retrain/widest/4-channels-random/seed-2/model.safetensors')));
  });
});

describe('named splits, a config of another name, settings', () => {
  const cwd = emptyFolder();
  const split = '{train: 5, validation: 2, test: 2}';
  writeFileSync(
    join(cwd, 'my config.yaml'),
    TINY.replace(/ {2}split: .*\n/, `  splits: {a: ${split}, b: ${split}}\n`),
  );
  const GIVEN = ['my config.yaml', '--set', 'training.epochs=2', '--split', 'a'];
  it('are kept by the line that says what to type next, and that line works', () => {
    const next = (...args: string[]): string => {
      const [, line = ''] = /\nNext: lunet (.*)\n$/.exec(succeed(cwd, ...args).stderr) ?? [];
      return line;
    };
    const words = (line: string): string[] =>
      [...line.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? (plain as string));
    const kept = '--set training.epochs=2 --split a';
    const prune = next('train', ...GIVEN, '--model', 'unet-n2', '--seeds', '1');
    assert.equal(prune, `prune 'my config.yaml' --strategy widest ${kept}`);
    const retrain = next(...words(prune), '--seeds', '1');
    assert.equal(retrain, `retrain 'my config.yaml' --from-snapshot 50% ${kept}`);
    const report = next(...words(retrain));
    assert.equal(report, "report 'my config.yaml' --set training.epochs=2");
    succeed(cwd, ...words(report));
    const status = succeed(cwd, 'status', 'my config.yaml', '--set', 'training.epochs=2').stderr;
    assert.match(status, /\nNext: lunet run 'my config\.yaml' --set training\.epochs=2\n$/);
    assert.ok(!existsSync(join(cwd, 'runs/tiny/split-b')), 'nothing was begun of split b');
  });
});

describe('retraining where not every snapshot was reached', () => {
  const cwd = workFolder();
  const collapse = ['--set', 'pruning.collapse={floor: 0.999, steps: 2}'];
  it('does the others and says what is missing', () => {
    // A random order of removals collapses after one step; the checks below expect this.
    succeed(cwd, 'prune', '--strategy', 'widest', '--seeds', '1', ...collapse);
    const snapshots = '75%,4 channels,5 channels,6 channels';
    const all = lunet(['retrain', '--from-snapshot', snapshots, '--seeds', '1', ...collapse], { cwd });
    assert.equal(all.status, 0, all.stderr);
    assert.match(
      all.stderr,
      /warning: not done: .*widest\/seed-1: has no snapshot at 75 %: the run ended at \d+ %/,
    );
    assert.match(all.stderr, /warning: not done: .*has no network with 4 prunable channels/);
    const done = readdirSync(join(cwd, 'runs/tiny/retrain/widest'));
    assert.deepEqual(done.sort(), ['5-channels-random', '6-channels-random']);
  });
  it('ends with 1 if a pruning run that was asked for may still come, after the others', () => {
    const { status, stderr } = lunet(
      ['retrain', '--from-snapshot', '5 channels', '--seeds', '1,2', ...collapse],
      { cwd },
    );
    assert.equal(status, 1);
    assert.match(stderr, /Nothing to do|5-channels/);
    assert.match(stderr, /1 of 2 runs failed\n {2}.*there is no pruning run of seed 2; run: lunet prune/);
  });
  it('refuses points that no pruning run will ever come to', () => {
    for (const [points, message] of [
      ['40%', /found 40%, expected one of 75%, 50%, 25%/],
      ['75%,40%', /found 40%/],
      ['1000 channels', /found 1000 channels, expected 1 to \d+/],
    ] as const) {
      const { status, stderr } = lunet(['retrain', '--from-snapshot', points, '--seeds', '1', ...collapse], {
        cwd,
      });
      assert.equal(status, 2);
      assert.match(stderr, message);
    }
  });
});

describe('pruning', () => {
  const cwd = workFolder();
  const collapse = ['--set', 'pruning.collapse={floor: 0.999, steps: 2}'];
  it('stops at collapse, and says so in the CSV', () => {
    succeed(cwd, ...PRUNE, ...collapse);
    const stops = readCsv(join(cwd, PRUNED, 'steps.csv')).map((row) => row['stop']);
    assert.deepEqual(stops, ['', 'collapse']);
  });
  it('says where a run ended when a snapshot was not reached', () => {
    const { status, stderr } = lunet(['retrain', '--from-snapshot', '50%', ...collapse], { cwd });
    assert.equal(status, 1);
    assert.match(stderr, /no snapshot at 50 %: the run ended at 83 %/);
    assert.ok(!existsSync(join(cwd, 'runs/tiny/retrain')));
  });
  it('prints the whole prescribed schedule without training', () => {
    const { stdout } = succeed(cwd, 'prune', '--dry-run', '--strategy', 'widest', '--seeds', '1');
    assert.equal(stdout.split('\n').filter((line) => /^ *\d+ /.test(line)).length, 5);
    assert.ok(!existsSync(join(cwd, 'runs/tiny/prune/widest')));
  });
});

describe('wrong use', () => {
  const cwd = workFolder();
  const cases: [string[], number, RegExp][] = [
    [['retrain', '--from-snapshot', '50%'], 1, /no pruning run to retrain from; run: lunet prune/],
    [['report'], 1, /nothing to report yet; run: lunet train/],
    [['prune', '--strategy', 'widst'], 2, /expected one of .*did you mean widest/],
    [['prune', '--criterion', 'tylor'], 2, /did you mean taylor/],
    [['prune', '--model', 'unet-n3'], 2, /did you mean unet-n2/],
    [['prune', '--from-model', '--strategy', 'widest'], 1, /no finished training run to start from/],
    [['prune', '--dry-run', '--strategy', 'stamp'], 2, /depends on scores/],
    [['train', '--model', 'lunet'], 2, /did you mean lunet-n2/],
    [['train', '--seeds', 'one'], 2, /whole numbers/],
    [['retrain', '--from-snapshot', 'half'], 2, /expected 75%/],
    [['retrain', '--strategy', 'widst'], 2, /did you mean widest/],
    [['retrain', '--strategy', 'stamp'], 1, /no pruning run to retrain from/],
    [['prune', '--strategy', 'all,widst'], 2, /did you mean widest/],
    [['train', '--split', 'defalt'], 2, /did you mean default/],
  ];
  for (const [args, status, message] of cases)
    it(`lunet ${args.join(' ')}`, () => {
      const result = lunet(args, { cwd });
      assert.match(result.stderr, message);
      assert.equal(result.status, status);
      assert.doesNotMatch(result.stderr, /\n +at /, 'no stack trace');
      assert.ok(!existsSync(join(cwd, 'runs/tiny/prune')), 'nothing may be touched');
    });
});

describe('a killed run', () => {
  const whole = workFolder();
  succeed(whole, ...TRAIN, '--threads', '1');
  succeed(whole, ...PRUNE, '--threads', '1');

  /** Kills the command at a failpoint, repeatedly and each time later, until it completes. */
  function comeThrough(args: string[], point: string, every: number): string {
    const cwd = workFolder();
    for (let kills = 0; ; kills++) {
      assert.ok(kills < 60, 'never comes through');
      const { status, signal, stderr } = lunet([...args, '--threads', '2'], {
        cwd,
        env: { LUNET_FAILPOINT: `${point}:${every}` },
      });
      if (status === 0) {
        assert.ok(kills > 0, `${point} was never reached ${every} times`);
        return cwd;
      }
      assert.equal(signal, 'SIGKILL', stderr);
    }
  }
  const inTraining = FAILPOINTS.filter(
    (point) => !['evaluated', 'scored', 'removed', 'locked', 'created', 'ended'].includes(point),
  );
  for (const point of inTraining)
    it(`at ${point} trains to the same bits`, () => {
      // Late enough that each attempt completes one more epoch: a checkpoint and its rows are two commits.
      const cwd = comeThrough(TRAIN, point, point === 'checkpoint' || point === 'moved' ? 2 : 7);
      assert.deepEqual(outcome(join(cwd, TRAINED)), outcome(join(whole, TRAINED)));
    });
  for (const [point, every] of [
    ['checkpoint', 3],
    ['evaluated', 2],
    ['scored', 2],
    ['removed', 2],
    ['renamed', 17],
  ] as const)
    it(`at ${point} prunes to the same bits`, () => {
      const cwd = comeThrough(PRUNE, point, every);
      assert.deepEqual(outcome(join(cwd, PRUNED)), outcome(join(whole, PRUNED)));
    });
  for (const [args, run] of [
    [TRAIN, TRAINED],
    [PRUNE, PRUNED],
  ] as const)
    it(`at random times ends ${args[0]} with the same bits`, async () => {
      const cwd = workFolder();
      for (let kill = 0; kill < 6; kill++) {
        const child = spawn(process.execPath, [BIN, ...args], {
          cwd,
          env: plainEnvironment(),
          stdio: 'ignore',
        });
        const ended = new Promise((resolve) => child.on('close', resolve));
        setTimeout(() => child.kill('SIGKILL'), 150 + 60 * kill);
        await ended;
      }
      succeed(cwd, ...args);
      assert.deepEqual(outcome(join(cwd, run)), outcome(join(whole, run)));
    });
  it('that cannot write while it computes says so in one line and goes on to the same bits', () => {
    const cwd = workFolder();
    const killed = lunet(PRUNE, { cwd, env: { LUNET_FAILPOINT: 'checkpoint:1' } });
    assert.equal(killed.signal, 'SIGKILL', killed.stderr);
    const inTheWay = join(cwd, PRUNED, 'steps.csv');
    mkdirSync(inTheWay);
    const { status, stderr } = lunet(PRUNE, { cwd });
    assert.equal(status, 5, stderr);
    assert.match(stderr, /^error: .*steps\.csv: could not be written: .+$/m);
    assert.doesNotMatch(stderr, /\n +at /, 'no stack trace');
    rmSync(inTheWay, { recursive: true });
    succeed(cwd, ...PRUNE);
    assert.deepEqual(outcome(join(cwd, PRUNED)), outcome(join(whole, PRUNED)));
  });
  it('by two processes at once is done by one, and the other says so', async () => {
    const cwd = workFolder();
    const both = await Promise.all(
      [1, 2].map(
        () =>
          new Promise<{ code: number | null; text: string }>((resolve) => {
            const child = spawn(process.execPath, [BIN, ...TRAIN], { cwd, env: plainEnvironment() });
            let text = '';
            child.stderr.on('data', (chunk: Buffer) => (text += chunk.toString()));
            child.on('close', (code) => resolve({ code, text }));
          }),
      ),
    );
    // The later process either finds the lock, or starts when all runs are done.
    assert.ok(
      both.some(({ code }) => code === 0),
      both.map(({ text }) => text).join(),
    );
    for (const { code, text } of both)
      if (code !== 0) assert.match(text, /in use by process \d+; wait for it to end/);
    assert.deepEqual(outcome(join(cwd, TRAINED)), outcome(join(whole, TRAINED)));
  });
  for (const name of ['SIGINT', 'SIGTERM'] as const)
    it(`by ${name} writes a checkpoint, exits with 130 and goes on to the same bits`, async () => {
      const cwd = workFolder();
      const child = spawn(process.execPath, [BIN, ...TRAIN, '--set', 'training.epochs=400'], {
        cwd,
        env: plainEnvironment(),
      });
      let text = '';
      let asked = false;
      child.stderr.on('data', (chunk: Buffer) => {
        text += chunk.toString();
        if (asked || !text.includes('epoch 2/')) return;
        asked = true;
        child.kill(name);
      });
      const code = await new Promise((resolve) => child.on('close', resolve));
      assert.equal(code, 130, text);
      const record = JSON.parse(readFileSync(join(cwd, TRAINED, 'run.json'), 'utf8')) as { status: string };
      assert.equal(record.status, 'interrupted');
      assert.ok(existsSync(join(cwd, TRAINED, 'checkpoint.safetensors')));
    });
});

describe('odd wishes', () => {
  it('a seed that the config does not have is trained, and that no table counts it is said before', () => {
    const { stderr } = succeed(workFolder(), 'train', '--model', 'lunet-n2', '--seeds', '7');
    assert.match(stderr, /^warning: --seeds: 7 is not one of training\.seeds \(1, 2\)/m);
    assert.match(stderr, /--set 'training\.seeds=\[1, 2, 7\]'/);
  });
  it('an output that is no folder, or that none can be made in, is a fault of the disk', () => {
    for (const output of ['/dev/null/x', '/proc/x']) {
      const { status, stderr } = lunet([...TRAIN, '--set', `output=${output}`], { cwd: workFolder() });
      assert.equal(status, 5, stderr);
      assert.match(stderr, /^error: .*(could not be made|cannot be read): .*--set output=DIR$/m);
    }
  });
  it('retraining passes over pruning runs of other settings that it was not asked for', () => {
    const cwd = workFolder();
    succeed(cwd, ...PRUNE);
    const quick = ['--set', 'pruning.recoveryEpochs=1'];
    succeed(cwd, 'prune', '--strategy', 'widest', '--seeds', '1', ...quick);
    const { stderr } = succeed(cwd, 'retrain', '--from-snapshot', '50%', '--seeds', '1', ...quick);
    assert.match(stderr, /warning: not done: .*stamp\/seed-1: was pruned with other settings/);
    assert.ok(existsSync(join(cwd, 'runs/tiny/retrain/widest/50%-random/seed-1/model.safetensors')));
    assert.ok(!existsSync(join(cwd, 'runs/tiny/retrain/stamp')));
    const asked = lunet(['retrain', '--strategy', 'stamp', '--seeds', '1', ...quick], { cwd });
    assert.equal(asked.status, 2, asked.stderr);
    const { stderr: status } = lunet(['status', ...quick], { cwd });
    assert.match(status, /Give the --set with which the runs were made/);
  });
});

describe('an instruction set that was asked for', () => {
  it('is the one that a run is begun and finished on, and the next line names it', () => {
    const cwd = workFolder();
    const { stderr } = succeed(cwd, ...TRAIN, '--isa', 'baseline');
    assert.match(stderr, /Engine: native \(baseline,/);
    assert.match(stderr, /Next: lunet prune --strategy widest --isa baseline\n$/);
    const record = readRun(join(cwd, TRAINED));
    assert.equal(record?.environment.engine.device, 'baseline');
    const unknown = lunet([...TRAIN, '--isa', 'avx9', '--overwrite'], { cwd });
    assert.match(unknown.stderr, /avx9/);
    assert.equal(unknown.status, 4, unknown.stderr);
  });
});
