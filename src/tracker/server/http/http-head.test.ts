import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromLatin1, latin1 } from '../../../base/bytes.ts';
import { RequestHead, readHead } from './http-head.ts';

function read(text: string): { next: number; path: string; query: string; head: RequestHead } {
  const bytes = fromLatin1(text);
  const head = new RequestHead();
  const next = readHead(bytes, 0, bytes.length, head);
  return {
    next,
    path: latin1(bytes.subarray(head.pathStart, head.pathEnd)),
    query: latin1(bytes.subarray(head.queryStart, head.queryEnd)),
    head,
  };
}

describe('the head of a request', () => {
  it('has a path and a query', () => {
    const text = 'GET /announce?a=1&b=%20 HTTP/1.1\r\nHost: t\r\n\r\n';
    expect(read(text)).toMatchObject({ next: text.length, path: '/announce', query: 'a=1&b=%20' });
    expect(read('GET /stats HTTP/1.1\n\n')).toMatchObject({ path: '/stats', query: '', head: { fault: 0 } });
    expect(read('GET http://t:80/scrape?x HTTP/1.1\r\n\r\n')).toMatchObject({ path: '/scrape', query: 'x' });
    expect(read('GET http://t HTTP/1.1\r\n\r\n')).toMatchObject({ path: '', query: '', head: { fault: 0 } });
    expect(read('HEAD /#top HTTP/1.1\r\n\r\n')).toMatchObject({ path: '/', head: { fault: 0, isHead: true } });
  });

  it('is not complete before its empty line', () => {
    const text = 'GET / HTTP/1.1\r\nHost: t\r\n\r\n';
    for (let length = 0; length < text.length; length++) expect(read(text.slice(0, length)).next).toBe(-1);
    expect(read(`${text}GET /`).next).toBe(text.length);
  });

  it('says whether the connection stays', () => {
    const stays = (version: string, field: string): boolean =>
      read(`GET / HTTP/${version}\r\n${field}\r\n\r\n`).head.keepAlive;
    expect(stays('1.1', 'Host: t')).toBe(true);
    expect(stays('1.1', 'Connection: close')).toBe(false);
    expect(stays('1.1', 'connection:Upgrade, CLOSE')).toBe(false);
    expect(stays('1.0', 'Host: t')).toBe(false);
    expect(stays('1.0', 'Connection: Keep-Alive')).toBe(true);
  });

  it('with another method, version, form or a body is at fault', () => {
    const fault = (text: string): number => read(`${text}\r\n\r\n`).head.fault;
    expect(fault('POST / HTTP/1.1')).toBe(405);
    expect(fault('GETT / HTTP/1.1')).toBe(405);
    expect(fault('GET / HTTP/2.0')).toBe(400);
    expect(fault('GET /')).toBe(400);
    expect(fault('GET  HTTP/1.1')).toBe(400);
    expect(fault('GET / HTTP/1.1\r\nContent-Length: 5')).toBe(413);
    expect(fault('GET / HTTP/1.1\r\nContent-Length: 0')).toBe(0);
    expect(fault('GET / HTTP/1.1\r\ntransfer-encoding: chunked')).toBe(413);
  });

  it('of any bytes never throws and never reads past its end', () => {
    const part = fc.constantFrom(
      'GET ',
      'HEAD ',
      '/',
      '?',
      '#',
      ' HTTP/1.1',
      '\r\n',
      '\n',
      'connection:',
      'http://',
      'x',
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 20 }), (parts) => {
        const text = parts.join('');
        const { next, head } = read(text);
        expect(next).toBeLessThanOrEqual(text.length);
        if (next < 0 || head.fault !== 0) return;
        expect(head.pathStart).toBeLessThanOrEqual(head.pathEnd);
        expect(head.pathEnd).toBeLessThanOrEqual(head.queryStart);
        expect(head.queryStart).toBeLessThanOrEqual(head.queryEnd);
        expect(head.queryEnd).toBeLessThanOrEqual(next);
      }),
    );
  });
});
