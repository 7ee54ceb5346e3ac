import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  checkWebSeedUrl,
  parseHostPort,
  parseListen,
  parseRate,
  parseRatio,
  parseSeconds,
  parseSize,
  parseTrackers,
  UsageError,
} from './args.ts';

describe('sizes and rates', () => {
  it.each([
    ['16384', 16384],
    ['1 B', 1],
    ['1kB', 1000],
    ['1MB', 1e6],
    ['1.5 GB', 1.5e9],
    ['2TB', 2e12],
    ['1KiB', 1024],
    ['4MiB', 4194304],
    ['.5MiB', 524288],
    ['0.1 GiB', 107374182],
    ['1tib', 2 ** 40],
  ])('reads %s as %d bytes', (text, bytes) => {
    expect(parseSize(text)).toBe(bytes);
  });

  it.each(['', 'MB', '1K', '5M', '-1', '1e6', '1,5MB', '1 MB 2', '0x10', 'NaN', '0', '0.1', '99999999TiB', '1MBit'])(
    'refuses %j',
    (text) => {
      expect(() => parseSize(text)).toThrow(UsageError);
    },
  );

  it.each([
    ['500kB', 500_000],
    ['500kB/s', 500_000],
    ['2 MiB / s', 2 ** 21],
    ['1000', 1000],
  ])('reads the rate %s', (text, bytes) => {
    expect(parseRate(text)).toBe(bytes);
  });

  it('says that a rate of nothing is no way to lift a limit', () => {
    for (const text of ['0', '0/s', '0 MB/s']) expect(() => parseRate(text)).toThrow(/leave the option out/);
  });

  it('reads every whole number of bytes as itself', () => {
    fc.assert(fc.property(fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }), (n) => parseSize(String(n)) === n));
  });

  it('throws usage errors only, whatever is typed', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        for (const parse of [parseSize, parseRate, parseRatio, parseSeconds, parseHostPort, parseListen]) {
          try {
            parse(text);
          } catch (error) {
            expect(error).toBeInstanceOf(UsageError);
          }
        }
      }),
    );
  });
});

describe('addresses', () => {
  it.each([
    ['192.0.2.7:6881', '192.0.2.7', 6881],
    ['[2001:db8::7]:6881', '2001:db8::7', 6881],
    ['[::1]:1', '::1', 1],
    ['seed.example.org:65535', 'seed.example.org', 65535],
    ['localhost:5', 'localhost', 5],
    ['bücher.example:5', 'bücher.example', 5],
  ])('reads %s', (text, host, port) => {
    expect(parseHostPort(text)).toEqual({ host, port });
  });

  it.each([
    '',
    'host',
    '1.2.3.4',
    '1.2.3.4:0',
    '1.2.3.4:65536',
    '1.2.3:5',
    '[::1]',
    '::1:5:',
    '[host]:5',
    'a b:5',
    'x:y',
  ])('refuses the peer %j', (text) => {
    expect(() => parseHostPort(text)).toThrow(UsageError);
  });

  it.each([
    ['0.0.0.0:6881', '0.0.0.0', 6881],
    ['[::]:0', '::', 0],
    [':6881', null, 6881],
    ['6881', null, 6881],
    ['0', null, 0],
    ['*:7000', null, 7000],
    ['192.0.2.7', '192.0.2.7', null],
    ['::1', '::1', null],
    ['box.example:1', 'box.example', 1],
  ])('listens at %s', (text, host, port) => {
    expect(parseListen(text)).toEqual({ host, port });
  });

  it.each(['', '65536', ':x', '1.2.3.4:99999', 'a b', 'http://x'])('refuses to listen at %j', (text) => {
    expect(() => parseListen(text)).toThrow(UsageError);
  });
});

describe('trackers', () => {
  it('gives each option a tier of its own, commas sharing one', () => {
    const options = ['http://a.example/announce,udp://b.example:80', 'https://c.example/announce?key=1'];
    expect(parseTrackers(options)).toEqual([
      ['http://a.example/announce', 'udp://b.example:80'],
      ['https://c.example/announce?key=1'],
    ]);
  });

  it.each(['', 'tracker.example', 'ftp://a.example/', 'http://', 'udp://a.example', 'http://a/x y', 'http://a/,'])(
    'refuses %j',
    (text) => {
      expect(() => parseTrackers([text])).toThrow(UsageError);
    },
  );

  it('takes web seeds over HTTP only', () => {
    expect(checkWebSeedUrl('https://a.example/x/')).toBe('https://a.example/x/');
    expect(() => checkWebSeedUrl('udp://a.example:5')).toThrow(UsageError);
  });
});

describe('seconds', () => {
  it('are numbers that a timer can count', () => {
    expect([parseSeconds('5'), parseSeconds('0.5')]).toEqual([5, 0.5]);
    for (const text of ['0', '0.01', '-1', '1e9', '9999999', 's']) expect(() => parseSeconds(text)).toThrow(UsageError);
  });
});

describe('ratios', () => {
  it('are numbers from 0 up', () => {
    expect([parseRatio('0'), parseRatio('1.5'), parseRatio(' 2 ')]).toEqual([0, 1.5, 2]);
    for (const text of ['', '-1', 'x', '1e3', 'Infinity']) expect(() => parseRatio(text)).toThrow(UsageError);
  });
});
