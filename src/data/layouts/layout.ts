// What a layout is: given a folder, the cases that lie there.

/** The files of one case. */
export interface CaseFiles {
  readonly id: string;
  /** One file, or one a channel. */
  readonly images: readonly string[];
  readonly label: string;
  /** Label values that count as background though no output names them. */
  readonly background?: readonly number[];
}

/** What is asked of a layout. */
export interface ListOptions {
  /** The only cases that are needed; undefined where any may be. Nothing wrong with the files of others matters. */
  readonly wanted?: ReadonlySet<string> | undefined;
  /** Whether files may lie outside of the root. */
  readonly followLinks: boolean;
}

/** What a layout found. */
export interface Listing {
  /** Of all cases, sorted. */
  readonly ids: readonly string[];
  /** Those that are needed, sorted by id. */
  readonly cases: readonly CaseFiles[];
  /** Names of the input channels, where the layout knows them, and where it has them from. */
  readonly channels?: { readonly names: readonly string[]; readonly key: string };
  /** Names by label value, where the layout knows them, and where it has them from. */
  readonly labels?: { readonly names: ReadonlyMap<number, string>; readonly key: string };
  readonly warnings: readonly string[];
}

/** Lists the cases under a folder. Throws a UserError of kind `data` naming every problem with those needed at once. */
export type Layout = (root: string, options: ListOptions) => Promise<Listing>;
