// bittorrent-tracker's client as a program: tracker_client.mjs MODULE OPTIONS, lines of JSON out. It announces every second.
// WebRTC is played: descriptions are made up, and those of others are told.
import { register } from 'node:module';

const [, , module, text] = process.argv;
const { infoHash, peerId, announce, left, port } = JSON.parse(String(text));
/** @param {object} event */
const say = (event) => void process.stdout.write(`${JSON.stringify(event)}\n`);

/** As much of a connection as making an offer or an answer takes. */
class Connection {
  iceGatheringState = 'complete';
  signalingState = 'stable';
  iceConnectionState = 'new';
  connectionState = 'new';
  /** @type {object | null} */
  localDescription = null;
  /** @type {object | null} */
  remoteDescription = null;
  /** @type {((event: { candidate: null }) => void) | null} */
  onicecandidate = null;
  createDataChannel() {
    return { readyState: 'connecting', close: () => undefined };
  }
  async createOffer() {
    return { type: 'offer', sdp: `v=0\r\noffer of ${peerId}` };
  }
  async createAnswer() {
    return { type: 'answer', sdp: `v=0\r\nanswer of ${peerId}` };
  }
  /** @param {object} description */
  async setLocalDescription(description) {
    this.localDescription = description;
    setImmediate(() => this.onicecandidate?.({ candidate: null }));
  }
  /** @param {{ type: string, sdp: string }} description */
  async setRemoteDescription(description) {
    this.remoteDescription = description;
    say({ event: description.type, sdp: description.sdp });
  }
  getStats() {
    return Promise.resolve([]);
  }
  close() {}
}

// The real one is a native module that an install script would fetch.
Object.assign(globalThis, { PlayedConnection: Connection });
const played =
  'export const RTCPeerConnection = globalThis.PlayedConnection;' +
  'export class RTCSessionDescription { constructor(init) { Object.assign(this, init); } }' +
  'export class RTCIceCandidate {}';
const stub = JSON.stringify(`data:text/javascript,${encodeURIComponent(played)}`);
const hook = `export const resolve = async (name, context, next) =>
  name === 'webrtc-polyfill' ? { url: ${stub}, shortCircuit: true } : next(name, context);`;
register(`data:text/javascript,${encodeURIComponent(hook)}`);

const { default: Client } = await import(String(module));
const client = new Client({ infoHash, peerId, announce, port, getAnnounceOpts: () => ({ left }) });
client.on('error', (/** @type {Error} */ error) => say({ event: 'error', message: error.message }));
client.on('warning', (/** @type {Error} */ error) => say({ event: 'warning', message: error.message }));
client.on('update', (/** @type {{ complete: number, incomplete: number }} */ { complete, incomplete }) =>
  say({ event: 'update', complete, incomplete }),
);
client.on('scrape', (/** @type {object} */ data) => say({ ...data, event: 'scrape' }));
client.on('peer', (/** @type {string | { on: Function }} */ peer) => {
  if (typeof peer === 'string') say({ event: 'peer', at: peer });
  else peer.on('error', () => undefined);
});
client.start();
setInterval(() => {
  client.update();
  client.scrape();
}, 1000);
