// The npm package bittorrent-tracker as a program: bittorrent_tracker.mjs MODULE IP PORT [no-stats]
const [, , module, ip, port, stats] = process.argv;
const { default: Server } = await import(String(module));
// Its /stats page costs a walk over all torrents at every HTTP request.
const server = new Server({ http: true, udp: true, ws: true, stats: stats !== 'no-stats' });
server.on('error', (/** @type {unknown} */ error) => {
  throw error;
});
server.listen(Number(port), { http: ip, udp: ip, udp6: '::1' });
