"""Makes and reads torrent files with libtorrent.

On stdin a JSON object with a list `make` (path, output, meta, pieceLength, keepSymlinks?, tracker?) or a list `read`
(paths of torrent files). Prints a JSON list of what is in each file.
"""
import json
import os
import sys

import libtorrent as lt

FLAGS = {'v1': lt.create_torrent.v1_only, 'v2': lt.create_torrent.v2_only, 'hybrid': 0}


def make(job):
    flags = FLAGS[job['meta']] | (lt.create_torrent.symlinks if job.get('keepSymlinks') else 0)
    files = lt.file_storage()
    lt.add_files(files, job['path'], flags=flags)
    torrent = lt.create_torrent(files, piece_size=job['pieceLength'], flags=flags)
    if job.get('tracker'):
        torrent.add_tracker(job['tracker'])
    lt.set_piece_hashes(torrent, os.path.dirname(job['path']))
    with open(job['output'], 'wb') as output:
        output.write(lt.bencode(torrent.generate()))
    return read(job['output'])


def read(path):
    info = lt.torrent_info(path)
    hashes = info.info_hashes()
    files = info.files()
    return {
        'name': info.name(),
        'infoHashV1': str(hashes.v1) if hashes.has_v1() else None,
        'infoHashV2': str(hashes.v2) if hashes.has_v2() else None,
        'pieceLength': info.piece_length(),
        'pieceCount': info.num_pieces(),
        'files': [{
            'path': files.file_path(i).split('/', 1)[-1],
            'length': files.file_size(i),
            'padding': bool(files.file_flags(i) & lt.file_storage.flag_pad_file),
        } for i in range(files.num_files())],
    }


work = json.load(sys.stdin)
print(json.dumps([make(job) for job in work['make']] if 'make' in work else [read(path) for path in work['read']]))
