// `npm run faults -- --minutes 20 [--seed 1]`: kills, damaged files, full disks and hostile inputs for this time. Prints what
// it did and all violations, and fails if there are any. docs/reliability.md shows its results.

import { parseArgs } from 'node:util';
import { stream } from '../../src/random.js';
import { type Campaign, type Outcome, wholeRuns } from './campaign.js';
import { damage } from './damage.js';
import { disks } from './disks.js';
import { inputs } from './inputs.js';
import { kills } from './kills.js';

/** The parts of the campaign with their shares of the time. */
const CAMPAIGNS: readonly { name: string; campaign: Campaign; share: number }[] = [
  { name: 'kills', campaign: kills, share: 0.4 },
  { name: 'damage', campaign: damage, share: 0.2 },
  { name: 'disks', campaign: disks, share: 0.2 },
  { name: 'inputs', campaign: inputs, share: 0.2 },
];

const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '5' }, seed: { type: 'string', default: '1' } },
});
const [minutes, seed] = [Number(values.minutes), Number(values.seed)];
if (!(minutes >= 0) || !Number.isSafeInteger(seed)) {
  console.error('usage: npm run faults -- [--minutes 5] [--seed 1]');
  process.exit(2);
}

wholeRuns();
const outcomes: Outcome[] = [];
for (const { name, campaign, share } of CAMPAIGNS)
  outcomes.push(...(await campaign(Date.now() + share * minutes * 60_000, stream(seed, name))));
for (const { what, tried, faults } of outcomes)
  console.log(
    `${String(tried).padStart(8)} ${what.padEnd(40)} ${faults.length === 0 ? 'no fault' : `${faults.length} FAULTS`}`,
  );
const faults = [...new Set(outcomes.flatMap((outcome) => outcome.faults))];
for (const fault of faults.slice(0, 20)) console.log(`\n${fault}`);
process.exitCode = faults.length > 0 ? 1 : 0;
