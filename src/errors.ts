// Errors caused by the user or by the machine. All other errors are bugs and keep their stack.

/** Exit codes of the command line. */
export const EXIT = { done: 0, failed: 1, usage: 2, data: 3, engine: 4, disk: 5, interrupted: 130 } as const;

export type FailureKind = Exclude<keyof typeof EXIT, 'done'>;

/**
 * An error whose message is meant for the user: what was found, what was expected, what to do, one line for each
 * problem. The command line prints it without a stack trace and exits with the code of its kind.
 */
export class UserError extends Error {
  readonly kind: FailureKind;

  constructor(kind: FailureKind, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'UserError';
    this.kind = kind;
  }
}
