import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { concatBytes, utf8 } from '../../base/bytes.ts';
import type { GzipStream } from '../../ports/gzip.ts';
import { createNodeGzip } from './gzip.ts';

const push = (stream: GzipStream, part: Uint8Array, isLast: boolean): Promise<readonly Uint8Array[]> =>
  new Promise((resolve) => {
    stream.push(part, isLast, resolve);
  });

describe('gzip', () => {
  it('gives back what was put in, part by part, and most of it before the end', async () => {
    const stream = createNodeGzip().start();
    const parts = Array.from({ length: 20 }, (_, n) => utf8(`${n} `.repeat(5_000)));
    const out: Uint8Array[] = [];
    for (const part of parts) out.push(...(await push(stream, part, false)));
    expect(out.length).toBeGreaterThan(0);
    const last = utf8('the end');
    out.push(...(await push(stream, last, true)));
    const whole = concatBytes(out);
    expect(whole.length).toBeLessThan(50_000);
    expect(gunzipSync(whole).equals(concatBytes([...parts, last]))).toBe(true);
  });

  it('says nothing after it was closed', async () => {
    const stream = createNodeGzip().start();
    let called = 0;
    stream.push(new Uint8Array(100_000), false, () => called++);
    stream.close();
    stream.close();
    const other = createNodeGzip().start();
    await push(other, new Uint8Array(100_000), true);
    expect(called).toBe(0);
  });
});
