// What `lunet init` decides.

/** A setting, its value, and the reason for it. */
export interface Choice {
  /** The keys that lead to it. */
  readonly path: readonly string[];
  readonly value: unknown;
  readonly why: string;
}
