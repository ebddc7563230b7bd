// The type of a layout: a function that finds the cases in a folder.

/** The files of one case. */
export interface CaseFiles {
  readonly id: string;
  /** One file, or one file per channel. */
  readonly images: readonly string[];
  readonly label: string;
  /** Label values without an output that count as background. */
  readonly background?: readonly number[];
}

/** Options for a layout. */
export interface ListOptions {
  /** The cases that are needed; undefined means all. Problems with files of other cases are ignored. */
  readonly wanted?: ReadonlySet<string> | undefined;
  /** Whether files may lie outside of the root. */
  readonly followLinks: boolean;
  /** Told of every problem instead of a UserError; cases with problems are then left out. */
  readonly fault?: (problem: string) => void;
}

/** The result of a layout. */
export interface Listing {
  /** Ids of all cases, sorted. */
  readonly ids: readonly string[];
  /** The needed cases, sorted by id. */
  readonly cases: readonly CaseFiles[];
  /** Names of the input channels, if the layout knows them; `key` is their source. */
  readonly channels?: { readonly names: readonly string[]; readonly key: string };
  /** Names by label value, if the layout knows them; `key` is their source. */
  readonly labels?: { readonly names: ReadonlyMap<number, string>; readonly key: string };
  readonly warnings: readonly string[];
}

/** Lists the cases under a folder. Throws a UserError of kind `data` that names all problems with the needed cases. */
export type Layout = (root: string, options: ListOptions) => Promise<Listing>;
