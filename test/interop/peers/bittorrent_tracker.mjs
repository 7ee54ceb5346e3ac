// The npm package bittorrent-tracker as a program: bittorrent_tracker.mjs MODULE IP PORT
const [, , module, ip, port] = process.argv;
const { default: Server } = await import(String(module));
const server = new Server({ http: true, udp: true, ws: false, stats: false, interval: 60_000 });
server.on('error', (/** @type {unknown} */ error) => {
  console.error(error);
  process.exit(1);
});
server.on('warning', (/** @type {unknown} */ warning) => console.error(warning));
server.listen(Number(port), { http: ip, udp: ip, udp6: '::1' });
