// shoal/metainfo: torrent files, magnet links and .mtorrent files, read, checked and written.

export { buildInfo, buildMetainfo, type InfoSpec, layOut, type MetainfoSpec, type MetaKind } from './build.ts';
export { Geometry } from './geometry.ts';
export { formatMagnet, magnetOf, parseMagnet } from './magnet.ts';
export { formatMtorrent, type Mtorrent, metainfoToMtorrent, mtorrentToMetainfo, parseMtorrent } from './mtorrent.ts';
export { type MetainfoOptions, metainfoFromInfo, parseMetainfo } from './parse.ts';
export type { Magnet, Metainfo, TorrentFile, TorrentInfo } from './types.ts';
