import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { shippedConfigs } from '../../../src/config/shipped.js';
import { buildArchitecture } from '../../../src/network/architecture.js';
import { initialWeights } from '../../../src/network/weights.js';
import { stream } from '../../../src/random.js';
import { encodeSafetensors } from '../../../src/runs/safetensors.js';
import { emptyFolder, lunet } from '../lunet.js';

interface Printed {
  size: number[];
  models: { model: string; parameters: number; multiplyAdds: number; layers: { name: string }[] }[];
}

test('parameters of the published networks', () => {
  const { stdout } = lunet(['info', join(shippedConfigs, 'harp.yaml'), '--json']);
  const { models } = JSON.parse(stdout) as Printed;
  const parameters = Object.fromEntries(models.map((model) => [model.model, model.parameters]));
  assert.equal(parameters['unet-n4'], 353949);
  assert.equal(parameters['lunet-n8'], 39025);
  assert.equal(parameters['lunet-n4'], 9929);
  assert.equal(parameters['lunet-n2'], 2569);
});

test('the table of a small network', () => {
  const model = '[{family: unet, n: 2, levels: 2, convs: 1}]';
  const { status, stdout } = lunet(['info', '--set', `models=${model}`, '--size', '8,4,4']);
  assert.equal(status, 0);
  assert.equal(
    stdout,
    `unet-n2
Layer        Voxels  Channels  Parameters  Multiply-adds  Activations
-----------  ------  --------  ----------  -------------  -----------
encoder.0.0   8x4x4    1 -> 2          60         0.01 M     0.00 MiB
encoder.1.0   4x2x2    2 -> 4         228         0.00 M     0.00 MiB
up.0          8x4x4    4 -> 2          66         0.00 M     0.00 MiB
decoder.0.0   8x4x4    4 -> 2         222         0.03 M     0.00 MiB
head          8x4x4    2 -> 1           3         0.00 M
total                                 579         0.04 M     0.00 MiB
`,
  );
});

test('a weights file', () => {
  const architecture = buildArchitecture(
    { family: 'lunet', n: 3, levels: 3, convs: 2, scale: 1, skips: true },
    2,
    2,
  );
  const file = join(emptyFolder(), 'weights.safetensors');
  const tensors = initialWeights(architecture, stream(1, 'weights'));
  const write = (metadata: Record<string, string>): void =>
    writeFileSync(file, encodeSafetensors({ tensors, metadata }));
  const labels = JSON.stringify(['left', 'right']);

  write({ architecture: JSON.stringify(architecture), labels });
  const { stdout, stderr } = lunet(['info', file]);
  assert.match(stdout, /\nencoder\.0\.0 +64x64x64 +2 -> 3 /);
  assert.match(stderr, /Outputs: left, right\./);

  const wider = JSON.stringify({ ...architecture, encoder: [[4, 3], ...architecture.encoder.slice(1)] });
  for (const [metadata, problem] of [
    [{ labels }, 'found no architecture in its metadata'],
    [{ architecture: '{', labels }, 'found an impossible architecture in its metadata'],
    [
      { architecture: JSON.stringify({ ...architecture, up: [] }), labels },
      'found an impossible architecture',
    ],
    [
      { architecture: wider, labels },
      'encoder.0.0.conv.weight: found 3x2x3x3x3 where its architecture has 4x2x3x3x3',
    ],
    [{ architecture: JSON.stringify(architecture), labels: '["one"]' }, 'found 1 labels for 2 outputs'],
  ] as [Record<string, string>, string][]) {
    write(metadata);
    const refused = lunet(['info', file]);
    assert.equal(refused.status, 3);
    assert.ok(refused.stderr.startsWith(`error: ${file}: ${problem}`), refused.stderr);
  }
});

test('a size that the network cannot halve', () => {
  const { status, stderr } = lunet(['info', '--size', '30,32,32']);
  assert.equal(status, 2);
  assert.match(stderr, /^error: --size: found 30,32,32, expected multiples of 8$/m);
});
