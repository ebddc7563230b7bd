// A model as one HTML file that segments scans in a browser. It contains page, engine and model, and fetches nothing.

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { UserError } from '../errors.js';
import { WASM_FILE } from '../engine/wasm/node.js';
import { fsReason } from '../fs-reason.js';
import { escapeHtml, policyHash } from '../html.js';
import { type Model, type ModelDescription } from '../model/model.js';
import { packageVersion } from '../version.js';
import { preprocessingSteps, summariseModel } from './describe.js';
import { type ExportFormat } from './format.js';
import { modelFile } from './model-file.js';

export const html: ExportFormat = {
  name: 'html',
  target: 'file',
  description: 'page that segments scans in a browser, without a server',
  files: (model, path) => [{ path, content: modelPage(model) }],
};

/** The folder where scripts/build-page.js writes the parts of the page. */
const PARTS = fileURLToPath(new URL('../../web/page/', import.meta.url));

/** The text of the page of a model. Throws a UserError of kind `engine` if a part of it is not installed. */
export function modelPage(model: Model): string {
  const part = (name: string): string => readPart(`${PARTS}${name}`).toString('utf8');
  const [script, style] = [part('main.js'), part('page.css')];
  const { channels } = model;
  const filled: Readonly<Record<string, string>> = {
    // Forbids everything except the script and style of the page, compiling the engine, and a worker made from text in the page.
    policy: escapeHtml(
      `default-src 'none'; script-src ${policyHash(script)} 'wasm-unsafe-eval'; style-src ${policyHash(style)}; ` +
        "worker-src blob:; img-src data:; base-uri 'none'; form-action 'none'",
    ),
    generator: `lunet ${packageVersion()}`,
    title: escapeHtml(model.name),
    summary: escapeHtml(summariseModel(model)),
    invitation: escapeHtml(invitation(channels)),
    channels: channelChoice(channels),
    about: about(model),
    style: `<style>${style}</style>`,
    // Browsers do not run scripts of this type, so they only hold data.
    data: [
      ['model', packed(modelFile(model))],
      ['engine', packed(readPart(WASM_FILE))],
      ['worker', part('worker.js')],
    ]
      .map(([id, text]) => `<script type="text/plain" id="${id}">${text}</script>`)
      .join('\n'),
    script: `<script>${script}</script>`,
  };
  return part('page.html').replace(/\{\{(\w+)\}\}/g, (_, name: string) => filled[name] as string);
}

function readPart(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new UserError(
      'engine',
      `${file}: cannot be read (${fsReason(error)}); install lunet again; in a checkout: npm run compile`,
    );
  }
}

const packed = (bytes: Uint8Array): string => gzipSync(bytes, { level: 9 }).toString('base64');

function invitation(channels: readonly string[]): string {
  return channels.length === 1
    ? 'Drop a NIfTI file (.nii, .nii.gz) anywhere on this page, or choose one.'
    : `Drop the NIfTI files (.nii, .nii.gz) of ${channels.join(', ')} together anywhere on this page, or choose them.`;
}

function channelChoice(channels: readonly string[]): string {
  const options = channels.map((channel) => `<option>${escapeHtml(channel)}</option>`).join('');
  return `<p class="channel"${channels.length === 1 ? ' hidden' : ''}><label>Channel <select id="channel">${options}</select></label></p>`;
}

/** Facts about a model, as an HTML list. */
function about(model: ModelDescription): string {
  const { outputs, channels, training, licence, run } = model;
  const span = (low: readonly number[], high: readonly number[], unit: string): string =>
    `${[...new Set([low.join(' x '), high.join(' x ')])].join(' to ')} ${unit}`;
  const facts: (readonly [string, string])[] = [
    ['Finds', outputs.map(({ name, values }) => `${name} (${values.join(', ')})`).join('; ')],
    ['In', channels.join(', ')],
    ...(training
      ? ([
          ['Trained on', `${training.cases} cases`],
          ['Their spacing', span(training.spacing.min, training.spacing.max, 'mm')],
          ['Their size', span(training.size.min, training.size.max, 'voxels')],
        ] as const)
      : []),
    ['Licence of the data', licence ?? 'not given'],
    ['Before the network', preprocessingSteps(model).join(' ')],
    ['Run', run.key],
  ];
  return `<dl>${facts.map(([term, text]) => `<dt>${term}</dt><dd>${escapeHtml(text)}</dd>`).join('')}</dl>`;
}
