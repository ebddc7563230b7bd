// Plain messages for errors of the file system.

import { getSystemErrorMap } from 'node:util';

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file or folder',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EISDIR: 'is a folder, not a file',
  ENOTDIR: 'a part of the path is a file, not a folder',
  ELOOP: 'its links lead in a circle',
  ENAMETOOLONG: 'the name is too long',
  EMFILE: 'too many files are open (ulimit -n)',
  ENFILE: 'too many files are open on this machine',
  EIO: 'the disk reports an input/output error',
  ESTALE: 'the network drive has lost the file (stale handle)',
  ETIMEDOUT: 'the network drive does not answer',
  EHOSTDOWN: 'the network drive does not answer',
  EROFS: 'the file system is read-only',
  EBUSY: 'it is in use by the system',
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is used up',
  EFBIG: 'the file would be larger than the disk allows',
  ERR_FS_FILE_TOO_LARGE: 'the file is larger than 2 GiB, which Node.js reads at once at most',
};

/**
 * The reason of a file system error in words, without its path. For codes that are not listed here it is the text of the
 * system; for any other error it is the message of the error.
 */
export function fsReason(error: unknown): string {
  const { code, errno, message } = (error ?? {}) as NodeJS.ErrnoException;
  if (code !== undefined && Object.hasOwn(REASONS, code)) return REASONS[code] as string;
  // Node's message would contain call and path: `ENXIO: no such device or address, open '/x'`.
  const known = errno === undefined ? undefined : getSystemErrorMap().get(errno);
  return known ? `${known[1]} (${known[0]})` : (message ?? String(error));
}
