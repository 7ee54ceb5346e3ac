"""announce_udp.py ADDRESS PORT [-t TORRENTS] [-p PEERS] [-n NUMWANT] [-m LEAST] [-d SECONDS] [-w WINDOW] [-f]

The second opinion on UDP announces, written apart from main.c: packets are made beforehand, and go out and come in by batches
(sendmmsg, recvmmsg). All peers have one address and differ by port. With -f every peer announces once. Prints one line of JSON.
"""
import argparse
import ctypes
import json
import random
import socket
import struct
import time

BATCH = 64
ROOM = 2048
PATIENCE_S = 1
ANNOUNCE = 98
FIRST_PORT = 1024
MADE = 50_000


class Iovec(ctypes.Structure):
    _fields_ = [('base', ctypes.c_void_p), ('length', ctypes.c_size_t)]


class Message(ctypes.Structure):
    _fields_ = [('name', ctypes.c_void_p), ('name_length', ctypes.c_uint), ('parts', ctypes.POINTER(Iovec)), ('part_count', ctypes.c_size_t),
                ('control', ctypes.c_void_p), ('control_length', ctypes.c_size_t), ('flags', ctypes.c_int), ('_', ctypes.c_int),
                ('length', ctypes.c_uint)]


def batch(memory, step, length):
    """Heads of as many messages as `memory` has, `step` bytes apart."""
    count = len(memory) // step
    parts, heads, start = (Iovec * count)(), (Message * count)(), ctypes.addressof(memory)
    for i in range(count):
        parts[i] = Iovec(start + i * step, length)
        heads[i].parts, heads[i].part_count = ctypes.pointer(parts[i]), 1
    return heads, parts


def connect(sock):
    for _ in range(20):
        sock.send(struct.pack('>QII', 0x41727101980, 0, 7))
        try:
            action, transaction, connection = struct.unpack('>IIQ', sock.recv(ROOM)[:16])
        except (TimeoutError, ConnectionError):
            continue
        if (action, transaction) == (0, 7):
            return connection
    raise SystemExit('no answer to a connect')


def announce(connection, transaction, peer, o):
    torrent = peer // o.p
    info_hash = struct.pack('>II12s', torrent * 2654435761 & 0xffffffff, torrent, b'tracker-load')
    event = 2 if o.f else 0
    return struct.pack('>QII20s20sQQQIIIiH', connection, 1, transaction, info_hash, b'-XX0003-%012d' % peer, 0, 1, 0, event, 0, peer & 0xffffffff,
                       o.n, FIRST_PORT + peer % o.p)


def main():
    options = argparse.ArgumentParser()
    options.add_argument('address')
    options.add_argument('port', type=int)
    for name, kind, default in (('t', int, 10_000), ('p', int, 50), ('n', int, 50), ('m', int, 0), ('d', float, 5), ('w', int, 128)):
        options.add_argument('-' + name, type=kind, default=default)
    options.add_argument('-f', action='store_true')
    o = options.parse_args()
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind(('127.2.0.1', 0))
    sock.connect((o.address, o.port))
    sock.settimeout(0.2)
    connection = connect(sock)
    total = o.t * o.p
    count = total if o.f else MADE
    pick = random.Random(1)
    memory = ctypes.create_string_buffer(b''.join(
        announce(connection, i, i if o.f else pick.randrange(total), o) for i in range(count)), count * ANNOUNCE)
    print(json.dumps(run(sock, memory, count, o)))


def run(sock, memory, count, o):
    libc = ctypes.CDLL(None, use_errno=True)
    out, _out_parts = batch(memory, ANNOUNCE, ANNOUNCE)
    incoming = ctypes.create_string_buffer(BATCH * ROOM)
    heads, _in_parts = batch(incoming, ROOM, ROOM)
    view, lengths = memoryview(incoming).cast('B'), memoryview(heads).cast('B')
    length_at, step = Message.length.offset, ctypes.sizeof(Message)
    sent_at, waits, reply_head = [0.0] * count, [], struct.Struct('>II')
    made = at = under_way = lost = refused = broken = thin = peers = 0
    began = now = heard = time.perf_counter()
    while now - began < o.d and not (o.f and made == count and under_way == 0):
        most = min(BATCH, o.w - under_way, count - at)
        if most > 0:
            sent = max(0, libc.sendmmsg(sock.fileno(), ctypes.byref(out, at * step), most, 0))
            sent_at[at:at + sent] = [now] * sent
            under_way, made, at = under_way + sent, made + sent, at + sent
            if at == count and not o.f:
                at = 0
        got = libc.recvmmsg(sock.fileno(), heads, BATCH, socket.MSG_DONTWAIT, None)
        now = time.perf_counter()
        for i in range(got):
            start, length = i * ROOM, int.from_bytes(lengths[i * step + length_at:i * step + length_at + 4], 'little')
            action, transaction = reply_head.unpack_from(view, start)
            since = sent_at[transaction] if length >= 20 and transaction < count else 0.0
            if since == 0.0:
                continue
            sent_at[transaction] = 0.0
            under_way -= 1
            found, rest = divmod(length - 20, 6)
            if action == 3:
                refused += 1
            elif action != 1 or rest:
                broken += 1
            else:
                waits.append(now - since)
                peers += found
                thin += found < o.m
        if got > 0:
            heard = now
        elif now - heard > PATIENCE_S:
            lost, under_way, heard = lost + under_way, 0, now
    return outcome(waits, now - began, peers, {'lost': lost, 'refused': refused, 'broken': broken, 'thin': thin})


def outcome(waits, seconds, peers, errors):
    waits.sort()
    at = lambda part: 1000 * waits[int(part * (len(waits) - 1))] if waits else 0
    return {'answered': len(waits), **errors, 'perSecond': len(waits) / seconds, 'p50Ms': at(0.5), 'p99Ms': at(0.99),
            'peersPerReply': peers / max(1, len(waits)), 'core': time.process_time() / (seconds + 1e-9)}


main()
