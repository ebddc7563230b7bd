// Every layout by its name in the config. A layout is one file, which is loaded when a data set of its kind is read, and
// one line here.

import { type Layout, type ListOptions, type Listing } from './layout.js';

const layouts = {
  decathlon: async () => (await import('./decathlon.js')).decathlon,
  nnunet: async () => (await import('./nnunet.js')).nnunet,
  folders: async () => (await import('./folders.js')).folders,
} satisfies Readonly<Record<string, () => Promise<Layout>>>;

export type LayoutName = keyof typeof layouts;

/** The names of all layouts. */
export const LAYOUTS = Object.keys(layouts) as LayoutName[];

/** Lists the cases under a folder. Throws as `Layout` does. */
export async function listCases(layout: LayoutName, root: string, options: ListOptions): Promise<Listing> {
  return (await layouts[layout]())(root, options);
}
