// Stands in for the package webrtc-polyfill, whose native module would be fetched by an install script: no WebRTC.
class None {
  constructor() {
    throw new Error('there is no WebRTC here');
  }
}

export {
  None as MediaStream,
  None as MediaStreamTrack,
  None as MediaStreamTrackEvent,
  None as RTCDataChannel,
  None as RTCDataChannelEvent,
  None as RTCIceCandidate,
  None as RTCPeerConnection,
  None as RTCPeerConnectionIceEvent,
  None as RTCSessionDescription,
  None as RTCTrackEvent,
};
export default {};
