"""Checks complete content with libtorrent and ends: libtorrent_verify.py TORRENT FOLDER. Fails where a piece is bad."""
import sys

import libtorrent as lt

session = lt.session({
    'listen_interfaces': '', 'enable_dht': False, 'enable_lsd': False, 'enable_upnp': False, 'enable_natpmp': False,
    'alert_mask': lt.alert.category_t.status_notification, 'hashing_threads': 2, 'aio_threads': 4,
})
params = lt.add_torrent_params()
params.ti = lt.torrent_info(sys.argv[1])
params.save_path = sys.argv[2]
params.flags &= ~(lt.torrent_flags.paused | lt.torrent_flags.auto_managed)
handle = session.add_torrent(params)
while True:
    session.wait_for_alert(1000)
    if any(isinstance(alert, lt.torrent_checked_alert) for alert in session.pop_alerts()):
        sys.exit(not handle.status().is_finished)
