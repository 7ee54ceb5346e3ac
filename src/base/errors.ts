// The one list of error codes that a user, a script or a caller can meet, and the error that carries one.

/**
 * Stable codes: once published a code keeps its meaning. Each stands for one thing that a person can act on.
 * The code is printed by the CLI as `shoal: CODE: message`.
 */
export type ErrorCode =
  // bytes that came from outside
  | 'BENCODE_INVALID'
  | 'METAINFO_INVALID'
  | 'MAGNET_INVALID'
  | 'MTORRENT_INVALID'
  | 'METADATA_MISMATCH'
  | 'STATE_INVALID'
  | 'STATE_VERSION'
  // making a torrent
  | 'CREATE_EMPTY'
  | 'CREATE_CHANGED'
  | 'CREATE_VANISHED'
  | 'CREATE_NAME'
  | 'CREATE_LOOP'
  | 'CREATE_UNSUPPORTED'
  // files and disks
  | 'FILE_NOT_FOUND'
  | 'FILE_IN_THE_WAY'
  | 'FILE_CHANGED'
  | 'FILE_TOO_LARGE'
  | 'DISK_FULL'
  | 'READ_ONLY'
  | 'PERMISSION'
  | 'IO'
  | 'UNSAFE_PATH'
  | 'CONTENT_BAD'
  | 'CONTENT_MISMATCH'
  // network
  | 'LISTEN_FAILED'
  | 'HOST_NOT_FOUND'
  | 'CONNECT_FAILED'
  | 'HTTP_FAILED'
  | 'TRACKER_FAILED'
  | 'TRACKER_INVALID'
  | 'NO_PEERS'
  | 'STORE_REFUSED'
  | 'SWARM_REFUSED'
  // the tracker's site
  | 'TOKEN_REFUSED'
  | 'REQUEST_INVALID'
  | 'NOT_FOUND'
  | 'NAME_TAKEN'
  | 'NAME_UNKNOWN'
  | 'TOO_MANY_REQUESTS'
  // session
  | 'TORRENT_BUSY'
  | 'TORRENT_UNKNOWN'
  | 'TORRENT_EXISTS'
  | 'NOTHING_TO_DO'
  | 'UNFINISHED'
  | 'HOOK_FAILED'
  | 'STOPPED'
  | 'USAGE'
  | 'INTERNAL';

/** An operating error: something outside the program went wrong, and `code` says what. */
export class ShoalError extends Error {
  readonly code: ErrorCode;

  /** `message` is one line that says what, and what to do; `cause` keeps what the system said. */
  constructor(code: ErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'ShoalError';
    this.code = code;
  }
}

/** Whether `error` is a ShoalError, with this code where one is given. */
export function isShoalError(error: unknown, code?: ErrorCode): error is ShoalError {
  return error instanceof ShoalError && (code === undefined || error.code === code);
}

/** One line about anything that was thrown. */
export function describeError(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.split('\n', 1)[0] ?? '';
}
