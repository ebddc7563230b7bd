// Writes the files that are generated from the config schema: configs/lunet.schema.json and docs/config.md.
// Run `npm run reference` after changing src/config/schema.ts; a test compares the files.
import { writeFileSync } from 'node:fs';
import { format, resolveConfig } from 'prettier';
import { configReference, experimentJsonSchema } from '../dist/src/config/reference.js';

const root = new URL('..', import.meta.url);

for (const [file, text] of [
  ['configs/lunet.schema.json', JSON.stringify(experimentJsonSchema())],
  ['docs/config.md', configReference()],
]) {
  const path = new URL(file, root);
  writeFileSync(path, await format(text, { ...(await resolveConfig(path)), filepath: file }));
}
