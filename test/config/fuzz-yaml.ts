// Started by yaml.test.ts as a separate process. Exits with 0 if the loader handles all input that fast-check generates.

import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { stringify } from 'yaml';
import { loadExperiment } from '../../src/config/load.js';
import { shippedConfigs } from '../../src/config/shipped.js';
import { parseYaml } from '../../src/config/yaml.js';
import { UserError } from '../../src/errors.js';

const text = (value: string): Uint8Array => new TextEncoder().encode(value);

function holds(bytes: Uint8Array): void {
  const { value, problems } = parseYaml(bytes);
  assert.ok(problems.length === 0 || value === undefined);
  for (const { message } of problems) assert.ok(message.length > 0 && message.length < 400);
}

const fragments = fc.constantFrom(
  ...[
    'a',
    ': ',
    '- ',
    '[',
    ']',
    '{',
    '}',
    ',',
    '\n',
    '  ',
    '\t',
    '&a ',
    '*a',
    '!x ',
    '!!map ',
    '<<',
    '? ',
    '|',
    '>-',
  ],
  ...[
    '"',
    "'",
    '#',
    '%YAML 1.1\n',
    '---\n',
    '...\n',
    '.nan',
    '1e999',
    '__proto__',
    'constructor',
    '\r',
    '\0',
    '\ufeff',
  ],
);
fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), holds), { numRuns: 1000 });
fc.assert(
  fc.property(fc.array(fragments, { maxLength: 60 }), (parts) => holds(text(parts.join('')))),
  { numRuns: 3000 },
);
fc.assert(
  fc.property(fragments, fc.integer({ min: 65, max: 5000 }), (part, times) =>
    holds(text(part.repeat(times))),
  ),
  { numRuns: 100 },
);

// Valid YAML without refused features is parsed unchanged.
const names = fc
  .string({ minLength: 1, maxLength: 8 })
  .filter((key) => !/^(__proto__|constructor|prototype|<<)$/.test(key));
const { tree } = fc.letrec<{ tree: unknown }>((tie) => ({
  tree: fc.oneof(
    { depthSize: 'small' },
    fc.integer(),
    fc.string(),
    fc.boolean(),
    fc.array(tie('tree'), { maxLength: 4 }),
    fc
      .uniqueArray(fc.tuple(names, tie('tree')), { maxLength: 4, selector: ([key]) => key })
      .map(Object.fromEntries),
  ),
}));
fc.assert(
  fc.property(tree, (value) => {
    const { value: read, problems } = parseYaml(text(stringify({ value }, { aliasDuplicateObjects: false })));
    assert.deepEqual(problems, []);
    assert.equal(JSON.stringify(read), JSON.stringify({ value }));
  }),
  { numRuns: 500 },
);

// A damaged config loads or is refused with a UserError, and nothing reaches a prototype.
const folder = mkdtempSync(join(tmpdir(), 'lunet-'));
const shipped = readFileSync(join(shippedConfigs, 'default.yaml'), 'utf8');
const file = join(folder, 'damaged.yaml');
const damage = fc.array(fc.tuple(fc.nat(shipped.length), fc.nat(12), fc.oneof(fragments, fc.string())), {
  minLength: 1,
  maxLength: 4,
});
const override = fc
  .tuple(
    fc.constantFrom(
      'models.0.n',
      'training',
      'a.b',
      '__proto__.x',
      'constructor.prototype.x',
      'dataset.labels',
    ),
    fc.oneof(fragments, fc.string()),
  )
  .map(([key, value]) => `${key}=${value}`);
fc.assert(
  fc.property(damage, fc.array(override, { maxLength: 2 }), (edits, overrides) => {
    let damaged = shipped;
    for (const [at, gone, put] of edits) damaged = damaged.slice(0, at) + put + damaged.slice(at + gone);
    writeFileSync(file, damaged);
    try {
      assert.ok(loadExperiment(file, overrides).config.models.length > 0);
    } catch (error) {
      assert.ok(error instanceof UserError && error.kind === 'usage', String((error as Error).stack));
      assert.ok(error.message.split('\n').length <= 21);
    }
    assert.equal(({} as Record<string, unknown>)['x'], undefined);
  }),
  { numRuns: 1000 },
);
rmSync(folder, { recursive: true });
