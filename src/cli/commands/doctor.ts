// `lunet doctor`: shows what lunet runs on, and how to fix what does not work.

import { cpus, totalmem } from 'node:os';
import { dirname } from 'node:path';
import { Command } from 'commander';
import { EXIT, UserError } from '../../errors.js';
import { compilerCandidates, findCompiler } from '../../engine/compiler.js';
import { type Engine } from '../../engine/engine.js';
import { createEngine } from '../../engine/index.js';
import { prebuildFolder, readRecord } from '../../engine/native/builds.js';
import { physicalCores } from '../../engine/native/cores.js';
import { type Provided, provideAddon } from '../../engine/native/provide.js';
import { readInstallation } from '../../engine/tensorflow/installation.js';
import { selfCheck } from '../../engine/self-check.js';
import { lunetCommand } from '../../invocation.js';
import { packageVersion } from '../../version.js';
import { addExamples } from '../help.js';
import { jsonOption } from '../options.js';
import { note, paint, print, printJson } from '../terminal/output.js';

/** The result of one check. */
interface Finding {
  readonly what: string;
  readonly ok: boolean;
  readonly found: string;
  /** How to fix it, if it is not ok. */
  readonly cure?: string;
}

const BUG = 'report it as a bug';

export const command = addExamples(
  new Command('doctor')
    .description(
      'Shows compiler, engines, instruction sets and threads, runs a small self-check, and tells how to fix problems.',
    )
    .addOption(jsonOption())
    .action(async (options: { json?: boolean }) => {
      // As in every command that computes: built now if it is missing.
      const native = await provideAddon({ say: note });
      const findings = [
        ...machine(),
        compiler(native),
        nativeEngine(native),
        ...(native.addon ? [await checked('native', `${lunetCommand()} setup native --force`)] : []),
        ...(await tensorflow()),
        await checked('wasm'),
      ];
      if (options.json) printJson({ findings });
      else
        for (const { what, ok, found, cure } of findings) {
          print(`${ok ? paint('green', 'ok  ') : paint('red', 'FAIL')} ${what.padEnd(20)} ${found}`);
          if (cure !== undefined) print(`     ${' '.repeat(20)} -> ${cure}`);
        }
      if (findings.some(({ ok }) => !ok)) process.exitCode = EXIT.engine;
    }),
  [
    ['check whether everything works', 'lunet doctor'],
    ['for a bug report', 'lunet doctor --json'],
  ],
);

function machine(): Finding[] {
  const major = Number(process.versions.node.split('.')[0]);
  return [
    { what: 'lunet', ok: true, found: packageVersion() },
    {
      what: 'Node.js',
      ok: major >= 20,
      found: `${process.version} on ${process.platform} ${process.arch}`,
      ...(major < 20 && { cure: 'install Node.js 20 or later' }),
    },
    { what: 'processor', ok: true, found: cpus()[0]?.model ?? 'unknown' },
    { what: 'threads', ok: true, found: `${physicalCores()} (--threads sets another number)` },
    { what: 'memory', ok: true, found: `${(totalmem() / 2 ** 30).toFixed(1)} GiB` },
  ];
}

/** The compiler, which is needed once, to build the native engine. */
function compiler(native: Provided): Finding {
  const what = 'C++ compiler';
  const found = findCompiler();
  if (found) return { what, ok: true, found: `${found.name}: ${found.version}` };
  const none = `none of ${compilerCandidates().join(', ')} runs`;
  return native.addon
    ? { what, ok: true, found: `${none}; none is needed, the native engine is there` }
    : { what, ok: false, found: none };
}

function nativeEngine(native: Provided): Finding {
  const what = 'native engine';
  if (native.addon) {
    const found = `${native.path} (${originOf(native.path)}); instruction sets: ${native.addon.instructionSets().join(', ')}`;
    return { what, ok: true, found };
  }
  const { problem, cure, attempts } = native;
  // The attempts may already describe the build that failed.
  const lines = attempts.some((each) => each.includes(problem)) ? attempts : [problem, ...attempts];
  return { what, ok: false, found: lines.join('; '), cure };
}

/** Where an engine comes from, in a few words. */
function originOf(path: string): string {
  if (process.env['LUNET_NATIVE']) return 'as LUNET_NATIVE says';
  const by = readRecord(dirname(path))?.compiler ?? 'an unknown compiler';
  return dirname(path) === prebuildFolder() ? `from the package, made with ${by}` : `built here with ${by}`;
}

/** The TensorFlow set-up; it is optional, so its absence is not an error. */
async function tensorflow(): Promise<Finding[]> {
  const what = 'TensorFlow';
  const cure = 'lunet setup tensorflow';
  try {
    const installation = readInstallation();
    if (installation === undefined)
      return [{ what, ok: true, found: `not set up (optional, for GPUs: ${cure})` }];
    const { kind, tensorflow: version, device, binding } = installation;
    const found = `${version} (${kind}), set up for ${device}: ${binding}`;
    const check = await checked('tensorflow');
    return [
      { what, ok: true, found },
      { ...check, ...(!check.ok && { cure }) },
    ];
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return [{ what, ok: false, found: error.message, cure }];
  }
}

async function checked(name: string, cure?: string): Promise<Finding> {
  const what = `self-check ${name}`;
  let engine: Engine;
  try {
    engine = await createEngine(name);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { what, ok: false, found: error.message.split('\n')[0] as string };
  }
  const problem = await selfCheck(engine);
  return problem === undefined
    ? {
        what,
        ok: true,
        found: `a training step gives the expected loss and gradient (${engine.description.device})`,
      }
    : {
        what,
        ok: false,
        found: problem,
        cure: cure === undefined ? BUG : `${cure}; if that does not help, ${BUG}`,
      };
}
