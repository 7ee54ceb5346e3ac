// shoal/tracker: a tracker to run, and how to ask one.

export { TrackerClient, type TrackerClientOptions } from './client/client.ts';
export type { AnnounceReply, AnnounceRequest, ScrapeEntry } from './protocol/announce.ts';
export { TrackerServer, type TrackerServerOptions } from './server/server.ts';
