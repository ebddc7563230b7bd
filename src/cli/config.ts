// `lunet config`: checks, shows and describes the configuration.

import { Command } from 'commander';
import { Document, Scalar, visit } from 'yaml';
import { experimentJsonSchema } from '../config/reference.js';
import { listShipped } from '../config/shipped.js';
import { openExperiment } from './experiment-file.js';
import { addExamples } from './help.js';
import { configArgument, jsonOption, setOption } from './options.js';
import { formatTable, note, print, printJson, visible } from './terminal.js';

interface Options {
  readonly set: string[];
  readonly print?: boolean;
  readonly schema?: boolean;
  readonly list?: boolean;
  readonly json?: boolean;
}

export const command = addExamples(
  new Command('config')
    .description('Checks a configuration and shows it with overrides and defaults filled in.')
    .addArgument(configArgument())
    .option('--print', 'print the resolved configuration as YAML')
    .option('--list', 'list the configs that lunet ships')
    .option('--schema', 'print the JSON Schema of experiment files')
    .addOption(jsonOption())
    .addOption(setOption())
    .action((path: string | undefined, options: Options) => {
      if (options.schema) return print(JSON.stringify(experimentJsonSchema(), null, 2));
      if (options.list) return showShipped(options.json);
      const { config, source } = openExperiment(path, options.set);
      if (options.json) printJson({ source, config });
      else if (options.print) print(toYaml(config));
      else note(`${source} is valid; --print shows what it means.`);
    }),
  [
    ['print what a file means, defaults included', 'lunet config experiment.yaml --print'],
    ['a shipped one, from any folder', 'lunet config hippocampus --print'],
    ['see what an override does', 'lunet config --print --set training.epochs=10'],
  ],
);

/** A config as YAML that reads back the same, what a terminal would obey written in double quotes. */
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
