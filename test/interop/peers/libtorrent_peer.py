"""A libtorrent peer: seeds what it finds complete, fetches the rest, until it is ended.

Its argument is a JSON object: source (torrent file or magnet link), parent (folder), ip, listen ("ip:port"), and optionally
uploadBytesPerSecond and peers (["ip:port"]). Says {"event": "complete"} once everything is on disk.
"""
import json
import sys

import libtorrent as lt

job = json.loads(sys.argv[1])
plain = lt.enc_policy.disabled
session = lt.session({
    'listen_interfaces': job['listen'], 'outgoing_interfaces': job['ip'], 'max_retry_port_bind': 0,
    'enable_dht': False, 'enable_lsd': False, 'enable_upnp': False, 'enable_natpmp': False,
    'enable_incoming_utp': False, 'enable_outgoing_utp': False, 'in_enc_policy': int(plain), 'out_enc_policy': int(plain),
    'ssrf_mitigation': False, 'validate_https_trackers': False, 'allow_multiple_connections_per_ip': True, 'rate_limit_ip_overhead': False,
    'announce_to_all_trackers': True, 'alert_mask': lt.alert.category_t.status_notification
    | lt.alert.category_t.error_notification | lt.alert.category_t.storage_notification
    | lt.alert.category_t.tracker_notification | lt.alert.category_t.connect_notification,
})
# Peers on this machine count against the limits too.
session.set_peer_class_filter(lt.ip_filter())

if job['source'].startswith('magnet:'):
    params = lt.parse_magnet_uri(job['source'])
else:
    params = lt.add_torrent_params()
    params.ti = lt.torrent_info(job['source'])
params.save_path = job['parent']
params.flags &= ~(lt.torrent_flags.auto_managed | lt.torrent_flags.paused)
handle = session.add_torrent(params)
if job.get('uploadBytesPerSecond'):
    handle.set_upload_limit(job['uploadBytesPerSecond'])
for peer in job.get('peers', []):
    ip, port = peer.rsplit(':', 1)
    handle.connect_peer((ip, int(port)))

while True:
    session.wait_for_alert(1000)
    for alert in session.pop_alerts():
        if isinstance(alert, lt.torrent_finished_alert):
            handle.flush_cache()
        elif isinstance(alert, lt.cache_flushed_alert) and handle.status().is_finished:
            print(json.dumps({'event': 'complete'}), flush=True)
        else:
            print(type(alert).__name__, alert.message(), file=sys.stderr, flush=True)
