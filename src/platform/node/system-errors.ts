// What the system says (errno codes) as what a person can act on. The only place that knows errno names.

import { type ErrorCode, ShoalError } from '../../base/errors.ts';

/** `[our code, what it means and what to do]` by errno of file operations. */
const FILE_ERRORS: Readonly<Record<string, readonly [ErrorCode, string]>> = {
  ENOSPC: ['DISK_FULL', 'the disk is full: make room and start again'],
  EDQUOT: ['DISK_FULL', 'the disk quota is used up: make room and start again'],
  EROFS: ['READ_ONLY', 'the file system is read-only: choose another folder'],
  EACCES: ['PERMISSION', 'permission denied: change the permissions or choose another folder'],
  EPERM: ['PERMISSION', 'the system does not permit it: change the permissions or choose another folder'],
  ENOENT: ['FILE_NOT_FOUND', 'there is no such file or folder'],
  ENOTDIR: ['FILE_IN_THE_WAY', 'a file is where a folder should be: move it away'],
  EISDIR: ['FILE_IN_THE_WAY', 'a folder is where a file should be: move it away'],
  EEXIST: ['FILE_IN_THE_WAY', 'something else is there already: move it away'],
  ENOTEMPTY: ['FILE_IN_THE_WAY', 'the folder is not empty'],
  ENXIO: ['FILE_IN_THE_WAY', 'something that is no regular file is there: move it away'],
  ELOOP: ['UNSAFE_PATH', 'a symbolic link is in the path: remove the link'],
  EMFILE: ['IO', 'too many files are open: raise the limit (ulimit -n)'],
  ENFILE: ['IO', 'too many files are open on this machine'],
  ENAMETOOLONG: ['IO', 'the name is too long for the file system'],
  EFBIG: ['IO', 'the file system cannot hold a file of this size'],
  EIO: ['IO', 'the disk reports an error: check it'],
};

const NETWORK_ERRORS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'the remote broke the connection off',
  EPIPE: 'the remote broke the connection off',
  ETIMEDOUT: 'no answer in time',
  EHOSTUNREACH: 'no route to the host',
  ENETUNREACH: 'no route to the network',
  EADDRINUSE: 'the port is in use by another program: choose another one',
  EADDRNOTAVAIL: 'this machine does not have that address',
  EACCES: 'the system does not permit this port: choose one above 1023',
  EAFNOSUPPORT: 'this machine has no such network (IPv6?)',
  EINVAL: 'the own address and the address of the remote do not go together',
  ENOTFOUND: 'no such host name',
  EAI_AGAIN: 'the name service does not answer',
  EMFILE: 'too many files are open: raise the limit (ulimit -n)',
};

/** The errno name (`ENOENT`) of what the system threw; empty where it has none. */
export function errnoOf(error: unknown): string {
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
  return typeof code === 'string' ? code : '';
}

/** A failed file operation; `what` completes "cannot …", such as `write "a/b"`. A ShoalError stays as it is. */
export function fileError(error: unknown, what: string): ShoalError {
  if (error instanceof ShoalError) return error;
  const errno = errnoOf(error);
  const [code, meaning] = FILE_ERRORS[errno] ?? [
    'IO',
    errno || (error instanceof Error ? error.message : String(error)),
  ];
  return new ShoalError(code, `cannot ${what}: ${meaning}`, error);
}

/** A failed network operation, with the code that the port promises; `what` as in {@link fileError}. */
export function networkError(code: ErrorCode, error: unknown, what: string): ShoalError {
  if (error instanceof ShoalError) return error;
  const errno = errnoOf(error);
  const meaning = NETWORK_ERRORS[errno] ?? (errno || (error instanceof Error ? error.message : String(error)));
  return new ShoalError(code, `cannot ${what}: ${meaning}`, error);
}
