import { describe, expect, it, vi } from 'vitest';
import { Address } from '../../base/address.ts';
import { fromLatin1, latin1 } from '../../base/bytes.ts';
import type { ByteStream, StreamSink } from '../../ports/sockets.ts';
import { HttpFront } from './http-front.ts';
import type { SiteRequest, SiteResponse } from './site-protocol.ts';

const DONE: SiteResponse = { status: 200, headers: [], body: new Uint8Array(0) };

/** Uploads so many bytes on a connection of its own; resolves with the status of the answer. */
function upload(front: HttpFront, lengthBytes: number): Promise<number> {
  return new Promise((resolve) => {
    let sink: StreamSink | null = null;
    let told = '';
    const stream: ByteStream = {
      remote: new Address(Uint8Array.of(192, 0, 2, 1), 1),
      local: null,
      bufferedBytes: 0,
      attach: (to) => {
        sink = to;
      },
      write: (parts, released) => {
        told += parts.map(latin1).join('');
        queueMicrotask(() => released?.());
      },
      pause: () => undefined,
      resume: () => undefined,
      end: () => {
        resolve(Number(/^HTTP\/1\.1 (\d+)/.exec(told)?.[1]));
        sink!.onClose(null);
      },
      destroy: () => undefined,
    };
    const head = `POST /api/torrents HTTP/1.1\r\nHost: t\r\nContent-Length: ${lengthBytes}\r\n\r\n`;
    front.accept(stream, fromLatin1(head + 'x'.repeat(lengthBytes)));
  });
}

/** As a thread does that a body is handed to. */
function takeOver({ body }: SiteRequest): void {
  structuredClone(body, { transfer: [body!.buffer as ArrayBuffer] });
}

describe('the uploads of a site', () => {
  it('count while they are under way, and no longer', async () => {
    const waiting: (() => void)[] = [];
    const front = new HttpFront({
      maxUploadBytes: 80,
      maxBodyBytes: 100,
      fetch: (request) => {
        takeOver(request);
        return new Promise((resolve) => waiting.push(() => resolve(DONE)));
      },
    });
    for (let n = 0; n < 3; n++) {
      const first = upload(front, 60);
      await vi.waitFor(() => expect(waiting).toHaveLength(1), { interval: 1 });
      expect(await upload(front, 60)).toBe(429);
      waiting.pop()!();
      expect(await first).toBe(200);
    }
    expect(await upload(front, 81)).toBe(413);
    front.close();
  });
});
