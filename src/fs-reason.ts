// Why a file or folder could not be used, in words that say what to look at.

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
  EROFS: 'the file system is read-only',
  EBUSY: 'it is in use by the system',
};

/** The reason of an error of the file system in words; the system's own message where there are none. */
export function fsReason(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return REASONS[code ?? ''] ?? message;
}
