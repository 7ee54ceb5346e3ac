import { describe, expect, it } from 'vitest';
import { parseRedisPlace } from './redis-place.ts';

describe('the URL of a store', () => {
  it('names a server, a database, a prefix and who asks', () => {
    expect(parseRedisPlace('redis://cache.example')).toMatchObject({
      hosts: [{ host: 'cache.example', port: 6379 }],
      isCluster: false,
      isTls: false,
      password: null,
      database: 0,
      prefix: 'shoal:',
    });
    expect(parseRedisPlace('rediss://ann:p%40ss@[2001:db8::1]:7000/3?prefix=films:&ca=/etc/ca.pem')).toMatchObject({
      hosts: [{ host: '2001:db8::1', port: 7000 }],
      isTls: true,
      user: 'ann',
      password: 'p@ss',
      database: 3,
      prefix: 'films:',
      caFile: '/etc/ca.pem',
    });
  });

  it('names a cluster by several hosts, or by its scheme', () => {
    expect(parseRedisPlace('redis://:pw@a,b:7001,[::1]:7002')).toMatchObject({
      hosts: [
        { host: 'a', port: 6379 },
        { host: 'b', port: 7001 },
        { host: '::1', port: 7002 },
      ],
      isCluster: true,
      user: null,
      password: 'pw',
    });
    expect(parseRedisPlace('rediss+cluster://a')).toMatchObject({ isCluster: true, isTls: true });
  });

  it('says whether keys lie on one server', () => {
    const isSharded = (text: string): boolean => parseRedisPlace(text).isSharded;
    expect(['redis://a', 'redis://a?sharded=yes', 'redis://a,b', 'unix:///a'].map(isSharded)).toEqual([
      false,
      true,
      true,
      false,
    ]);
    expect(() => parseRedisPlace('redis://a?sharded=no')).toThrow('sharded is yes');
  });

  it('names a Unix socket', () => {
    const place = parseRedisPlace('unix:///run/redis/redis.sock?db=2&password=pw');
    expect(place).toMatchObject({ socket: '/run/redis/redis.sock', database: 2, password: 'pw', hosts: [] });
  });

  it('is refused where it is none, and a password is never repeated', () => {
    const wrong = [
      'http://host',
      'redis://',
      'redis://host:0',
      'redis://host:99999',
      'redis://a,b/1',
      'redis://host/x',
      'redis://host?colour=red',
      'redis://host#part',
      'redis://u:secret@host name',
      'redis://u:%zzsecret@host',
      'redis://u:p@secret@host',
      'redis://u:secret?x@host',
      'redis://u:12?secret@host',
      'redis://u:secret/x@host',
      'unix://relative',
      'unix:///socket?db=x',
      'memory',
      '',
    ];
    for (const text of wrong) {
      expect(() => parseRedisPlace(text), text).toThrowError(expect.objectContaining({ code: 'USAGE' }));
      expect(() => parseRedisPlace(text)).not.toThrowError(/secret/);
    }
    expect(parseRedisPlace('redis://ann:secret@host').name).toBe('redis://host:6379');
  });
});
