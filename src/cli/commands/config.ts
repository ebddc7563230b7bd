// `lunet config`: checks, shows and describes the configuration.

import { Command } from 'commander';
import { Document, Scalar, visit } from 'yaml';
import { experimentJsonSchema } from '../../config/reference.js';
import { type Experiment } from '../../config/schema.js';
import { listShipped } from '../../config/shipped.js';
import { checkDataset } from '../../data/dataset.js';
import { createEstimator } from '../../engine/index.js';
import { requireMemory } from '../../training/memory.js';
import { openExperiment } from '../experiment-file.js';
import { addExamples } from '../help.js';
import { configArgument, engineOption, jsonOption, setOption } from '../options.js';
import { note, print, printJson, visible, warn } from '../terminal/output.js';
import { formatTable } from '../terminal/table.js';

interface Options {
  readonly set: string[];
  readonly engine: string;
  readonly print?: boolean;
  readonly schema?: boolean;
  readonly list?: boolean;
  readonly json?: boolean;
}

export const command = addExamples(
  new Command('config')
    .description(
      'Checks a configuration, the memory that it needs and the files of its data set, without reading a volume; or shows it ' +
        'with overrides and defaults filled in.',
    )
    .addArgument(configArgument())
    .option('--print', 'print the resolved configuration as YAML')
    .option('--list', 'list the configs that come with lunet')
    .option('--schema', 'print the JSON Schema of experiment files')
    .addOption(jsonOption())
    .addOption(setOption())
    .addOption(engineOption())
    .action(async (path: string | undefined, options: Options) => {
      if (options.schema) return print(JSON.stringify(experimentJsonSchema(), null, 2));
      if (options.list) return showShipped(options.json);
      const { config, source } = openExperiment(path, options.set);
      if (options.json) printJson({ source, config });
      else if (options.print) print(toYaml(config));
      else {
        await requireTrainable(config, options.engine);
        note(`${source} is valid; --print shows all its settings.`);
      }
    }),
  [
    ['print all settings of a file, including defaults', 'lunet config experiment.yaml --print'],
    ['a shipped config, from any folder', 'lunet config hippocampus --print'],
    ['see what an override does', 'lunet config --print --set training.epochs=10'],
  ],
);

/** Throws the UserError with which training would end before it reads a volume: too little memory, missing data. */
async function requireTrainable(config: Experiment, engine: string): Promise<void> {
  await requireMemory(config, await createEstimator(engine, { warn, say: note }), config.models);
  (await checkDataset(config)).forEach(warn);
}

/** A config as YAML that parses to the same config; text with control characters is in double quotes. */
function toYaml(config: object): string {
  const document = new Document(config, { aliasDuplicateObjects: false });
  visit(document, {
    Scalar(_, node) {
      if (typeof node.value === 'string' && visible(node.value) !== node.value)
        node.type = Scalar.QUOTE_DOUBLE;
    },
  });
  return document.toString().trimEnd();
}

function showShipped(json = false): void {
  const configs = listShipped();
  if (json) printJson({ configs });
  else
    print(
      formatTable(
        [{ title: 'Name' }, { title: 'What it is' }],
        configs.map(({ name, summary }) => [name, summary]),
      ),
    );
}
