import { describe, expect, it } from 'vitest';
import { ShoalError } from '../../base/errors.ts';
import { errnoOf, fileError, networkError } from './system-errors.ts';

function system(code: string): Error {
  return Object.assign(new Error(`${code}: what the system says, open '/a'`), { code });
}

describe('errors of the system', () => {
  it('become codes that a person can act on, with the cause kept', () => {
    const codes = {
      ENOSPC: 'DISK_FULL',
      EDQUOT: 'DISK_FULL',
      EROFS: 'READ_ONLY',
      EACCES: 'PERMISSION',
      EPERM: 'PERMISSION',
      ENOENT: 'FILE_NOT_FOUND',
      ENOTDIR: 'FILE_IN_THE_WAY',
      EISDIR: 'FILE_IN_THE_WAY',
      ELOOP: 'UNSAFE_PATH',
      EIO: 'IO',
      ESOMETHINGNEW: 'IO',
    };
    for (const [errno, code] of Object.entries(codes)) {
      const error = fileError(system(errno), 'write "/a"');
      expect(error.code).toBe(code);
      expect(error.message).toMatch(/^cannot write "\/a": ./);
      expect(errnoOf(error.cause)).toBe(errno);
    }
  });

  it('stay as they are when they have a code of ours', () => {
    const error = new ShoalError('FILE_CHANGED', 'changed');
    expect(fileError(error, 'read')).toBe(error);
    expect(networkError('HTTP_FAILED', error, 'get')).toBe(error);
  });

  it('say what is wrong with the network, known or not', () => {
    expect(networkError('LISTEN_FAILED', system('EADDRINUSE'), 'listen').message).toContain('in use');
    expect(networkError('CONNECT_FAILED', system('ESTRANGE'), 'connect').message).toBe('cannot connect: ESTRANGE');
    expect(networkError('HTTP_FAILED', new Error('it broke'), 'get').message).toBe('cannot get: it broke');
    expect(networkError('HTTP_FAILED', 'odd', 'get').message).toBe('cannot get: odd');
  });
});
