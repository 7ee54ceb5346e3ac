import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ByteStream } from '../ports/sockets.ts';
import { putHave } from '../wire/encoder.ts';
import { Outbox } from './outbox.ts';
import { blockAt, Requests } from './requests.ts';
import { MAX_WAITING_REQUESTS, Uploads } from './uploads.ts';

describe('outstanding requests', () => {
  it('are a list without the ones taken out, in the order they were made', () => {
    const act = fc.tuple(fc.constantFrom('add', 'add', 'remove'), fc.nat(30), fc.nat(5));
    fc.assert(
      fc.property(fc.array(act, { maxLength: 300 }), (acts) => {
        const requests = new Requests();
        const model: string[] = [];
        for (const [kind, piece, block] of acts) {
          const key = `${piece}/${block}`;
          const at = model.indexOf(key);
          expect(requests.has(piece, block)).toBe(at >= 0);
          if (kind === 'add') {
            requests.add(piece, block);
            model.push(key);
          } else {
            expect(requests.remove(piece, block)).toBe(at >= 0);
            if (at >= 0) model.splice(at, 1);
          }
        }
        const listed: string[] = [];
        requests.forEach((piece, block) => {
          listed.push(`${piece}/${block}`);
        });
        expect(listed).toEqual(model);
        expect(requests.count).toBe(model.length);
        requests.clear();
        expect(requests.count).toBe(0);
      }),
    );
  });

  it('stay small while they are answered in order for ever', () => {
    const requests = new Requests();
    for (let i = 0; i < 200_000; i++) {
      requests.add(i, 0);
      if (i >= 50) expect(requests.remove(i - 50, 0)).toBe(true);
    }
    expect(requests.count).toBe(50);
  });

  it('a block begins at whole blocks only', () => {
    expect([blockAt(0), blockAt(32768), blockAt(5)]).toEqual([0, 2, -1]);
  });
});

describe('requests of a remote', () => {
  it('are a queue from which any can be cancelled, or brought to the head', () => {
    const act = fc.tuple(fc.constantFrom('add', 'add', 'shift', 'cancel', 'promote'), fc.nat(9));
    fc.assert(
      fc.property(fc.array(act, { maxLength: 200 }), (acts) => {
        const uploads = new Uploads();
        const model: number[] = [];
        for (const [kind, piece] of acts) {
          if (kind === 'add') {
            expect(uploads.add(piece, 0, 1)).toBe(true);
            model.push(piece);
          } else if (kind === 'shift' && model.length > 0) {
            expect(uploads.peek()?.piece).toBe(model.shift());
            uploads.shift();
          } else if (kind === 'cancel') {
            const at = model.indexOf(piece);
            expect(uploads.remove(piece, 0, 1)).toBe(at >= 0);
            if (at >= 0) model.splice(at, 1);
          } else if (kind === 'promote' && piece < model.length) {
            uploads.promote(piece);
            model.unshift(...model.splice(piece, 1));
          }
          expect(model.map((_, i) => uploads.peek(i)?.piece)).toEqual(model);
        }
      }),
    );
  });

  it('are refused when too many wait', () => {
    const uploads = new Uploads();
    for (let i = 0; i < MAX_WAITING_REQUESTS; i++) expect(uploads.add(i, 0, 16384)).toBe(true);
    expect(uploads.add(1, 0, 16384)).toBe(false);
    uploads.clear();
    expect(uploads.count).toBe(0);
  });
});

describe('an outbox', () => {
  const streamOf = (written: Uint8Array[], done: (() => void)[]): ByteStream =>
    ({
      bufferedBytes: 0,
      write: (parts: readonly Uint8Array[], released?: () => void) => {
        written.push(...parts);
        if (released) done.push(released);
      },
    }) as unknown as ByteStream;

  it('keeps the order of small and lent messages, and gives lent memory back once it is written', () => {
    const [written, done]: [Uint8Array[], (() => void)[]] = [[], []];
    const outbox = new Outbox(streamOf(written, done));
    let released = 0;
    outbox.wrote(putHave(outbox.buffer, outbox.room(), 1));
    outbox.lent(Uint8Array.of(7, 7, 7), () => released++);
    outbox.wrote(putHave(outbox.buffer, outbox.room(), 2));
    expect(outbox.pendingBytes).toBe(21);
    outbox.flush();
    expect(written.map((part) => part.length)).toEqual([9, 3, 9]);
    expect([outbox.isEmpty, released]).toEqual([true, 0]);
    for (const call of done) call();
    expect(released).toBe(1);
    outbox.lent(Uint8Array.of(1), () => released++);
    outbox.discard();
    expect([released, outbox.isEmpty]).toEqual([2, true]);
  });

  it('takes any number of small messages', () => {
    const written: Uint8Array[] = [];
    const outbox = new Outbox(streamOf(written, []));
    for (let i = 0; i < 5000; i++) outbox.wrote(putHave(outbox.buffer, outbox.room(), i));
    outbox.flush();
    const bytes = Buffer.concat(written);
    expect(bytes.length).toBe(9 * 5000);
    for (let i = 0; i < 5000; i++) expect(bytes.readUInt32BE(9 * i + 5)).toBe(i);
  });
});
