"""A libtorrent peer with generous settings: seeds or fetches torrents until it is ended.

Its argument is a JSON object, `LibtorrentPeer` in bench/clients/libtorrent.ts. Creates `done` once all torrents are complete.
"""
import json
import sys

import libtorrent as lt

MIB = 1 << 20
job = json.loads(sys.argv[1])
plain = int(lt.enc_policy.disabled)
session = lt.session({
    'listen_interfaces': f'{job["ip"]}:{job["port"]}', 'outgoing_interfaces': job['ip'], 'max_retry_port_bind': 0,
    'enable_dht': False, 'enable_lsd': False, 'enable_upnp': False, 'enable_natpmp': False,
    'enable_incoming_utp': False, 'enable_outgoing_utp': False, 'in_enc_policy': plain, 'out_enc_policy': plain,
    'ssrf_mitigation': False, 'allow_multiple_connections_per_ip': True, 'rate_limit_ip_overhead': False,
    'alert_mask': lt.alert.category_t.status_notification | lt.alert.category_t.error_notification,
    'alert_queue_size': 200_000,
    # Measured to be the best for a rate without limits.
    'connections_limit': 2000, 'unchoke_slots_limit': -1, 'connection_speed': 500, 'torrent_connect_boost': 255,
    'max_out_request_queue': 2000, 'max_allowed_in_request_queue': 4000,
    'send_buffer_watermark': 8 * MIB, 'send_buffer_low_watermark': MIB, 'send_buffer_watermark_factor': 150,
    'aio_threads': 4, 'hashing_threads': 2, 'max_queued_disk_bytes': 64 * MIB,
    'active_limit': 5000, 'active_seeds': 5000, 'active_downloads': 500, 'active_checking': 2,
    'active_tracker_limit': 5000,
})
# Peers on this machine have limits like others; then those of torrents hold, and the session's do not.
session.set_peer_class_filter(lt.ip_filter())

many = len(job['torrents']) > 1
for path in job['torrents']:
    params = lt.add_torrent_params()
    params.ti = lt.torrent_info(path)
    params.save_path = job['folder']
    params.flags &= ~lt.torrent_flags.paused
    if job['trust']:
        params.flags |= lt.torrent_flags.seed_mode
    if not many:
        # Many are left to the session, which checks a few at a time.
        params.flags &= ~lt.torrent_flags.auto_managed
    handle = session.add_torrent(params)
    if job['uploadBytesPerSecond'] > 0:
        handle.set_upload_limit(job['uploadBytesPerSecond'])
    if job['downloadBytesPerSecond'] > 0:
        handle.set_download_limit(job['downloadBytesPerSecond'])

left = len(job['torrents'])
while True:
    session.wait_for_alert(1000)
    for alert in session.pop_alerts():
        if isinstance(alert, lt.torrent_finished_alert):
            left -= 1
            if left == 0:
                open(job['done'], 'w').close()
        elif alert.category() & lt.alert.category_t.error_notification:
            print(alert.message(), flush=True)
