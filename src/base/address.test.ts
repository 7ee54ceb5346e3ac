import { isIP } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Address, formatIp, nearness, parseIp, sameSite } from './address.ts';

const v4 = fc.uint8Array({ minLength: 4, maxLength: 4 });
const v6 = fc.uint8Array({ minLength: 16, maxLength: 16 });

describe('addresses', () => {
  it('text goes there and back, and is what other programs take for an address', () => {
    fc.assert(
      fc.property(fc.oneof(v4, v6), fc.nat(65535), (ip, port) => {
        const address = new Address(ip, port);
        expect(isIP(formatIp(ip))).toBe(ip.length === 4 ? 4 : 6);
        expect(Address.parse(address.key)?.key).toBe(address.key);
        expect(parseIp(address.host)).toEqual(address.ip);
      }),
    );
  });

  it('takes for an IP address what Node takes for one', () => {
    const part = fc.oneof(
      fc.constantFrom('', ':', '::', '.', '1.2.3.4', 'ffff', '0', '12345', 'g', '256', '%'),
      fc.string(),
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 9 }), fc.constantFrom('', ':', '.'), (parts, joint) => {
        const text = parts.join(joint);
        if (text.includes('%')) return;
        expect(parseIp(text) !== null).toBe(isIP(text) !== 0);
      }),
    );
  });

  it('an IPv4 address in IPv6 clothes is the IPv4 address', () => {
    expect(Address.parse('[::ffff:1.2.3.4]:80')?.key).toBe('1.2.3.4:80');
    expect(Address.parse('1.2.3.4:70000')).toBeNull();
    expect(Address.parse('name:80')).toBeNull();
  });

  it('compact lists leave out port 0 and a torn end', () => {
    const list = Address.listFromCompact(Uint8Array.of(1, 2, 3, 4, 0, 80, 5, 6, 7, 8, 0, 0, 9, 9), 4);
    expect(list.map((each) => each.key)).toEqual(['1.2.3.4:80']);
    expect(new Address(Uint8Array.of(1, 2, 3, 4), 80).toCompact()).toEqual(Uint8Array.of(1, 2, 3, 4, 0, 80));
  });

  it('knows what is near', () => {
    const own = [{ ip: Uint8Array.of(203, 0, 113, 7), prefix: 24 }];
    const near = (text: string): string => nearness(Address.parse(text)!, own);
    expect(near('127.0.0.1:1')).toBe('machine');
    expect(near('[::1]:1')).toBe('machine');
    expect(near('203.0.113.7:1')).toBe('machine');
    expect(near('203.0.113.9:1')).toBe('network');
    expect(near('192.168.4.4:1')).toBe('network');
    expect(near('[fe80::1]:1')).toBe('network');
    expect(near('203.0.114.9:1')).toBe('internet');
  });

  it('of one site are equal IPv4 addresses, and IPv6 addresses of one /64', () => {
    const same = (a: string, b: string): boolean => sameSite(parseIp(a)!, parseIp(b)!);
    expect([same('203.0.113.9', '203.0.113.9'), same('203.0.113.9', '203.0.113.8')]).toEqual([true, false]);
    expect([same('2a00:1::1', '2a00:1::2:3'), same('2a00:1::1', '2a00:1:0:1::1')]).toEqual([true, false]);
    expect(same('203.0.113.9', '2a00:1::1')).toBe(false);
  });
});
