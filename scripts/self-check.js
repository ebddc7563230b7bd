// Does a training step with an engine and prints its instruction sets: node scripts/self-check.js LUNET.NODE. Used by
// scripts/check-prebuilds.js.
import { writeSync } from 'node:fs';

process.env.LUNET_NATIVE = process.argv[2];
const { createNativeEngine } = await import('../dist/src/engine/native/index.js');
const { loadAddon } = await import('../dist/src/engine/native/loader.js');
const { selfCheck } = await import('../dist/src/engine/self-check.js');

const sets = loadAddon().addon?.instructionSets() ?? [];
for (const isa of sets) {
  const problem = await selfCheck(createNativeEngine({ isa, threads: 2 }));
  if (problem === undefined) continue;
  console.error(`${isa}: ${problem}`);
  process.exit(1);
}
if (sets.length === 0) createNativeEngine(); // throws an error that explains why it does not load
// Under Wine, Node.js cannot open a pipe as its console.
writeSync(1, `a training step is right on ${sets.join(', ')}\n`);
