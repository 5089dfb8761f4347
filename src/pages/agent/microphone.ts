import { Refused } from './api.js';

/** What may wait in the browser to be sent, seconds: a network that is slower loses audio, and says so, in place of falling behind. */
const mostWaitingSeconds = 2;

/** How long a browser may take to let audio run, ms. */
const mostStartingMs = 5000;

/** A microphone on its way to the service. */
export interface Microphone {
  /** Nothing more comes: what was heard is judged. */
  end(): void;
  /** Lets microphone and connection go. */
  close(): void;
}

/** @throws Refused `micInsecure`, `micMissing`: there is no point in asking for the microphone */
export function checkMicrophone(): void {
  if (!window.isSecureContext) throw new Refused('micInsecure', 'no secure context');
  if (!('mediaDevices' in navigator)) throw new Refused('micMissing', 'no media devices');
}

/**
 * Opens the microphone and sends it to a registered stream by our own protocol, at the rate it has: the service resamples.
 * @param url where the stream connects, without the token: addresses get into logs
 * @param onReady the service listens
 * @throws Refused `micDenied`, `micMissing`, `micFailed`
 */
export async function sendMicrophone(url: string, token: string, onReady: () => void): Promise<Microphone> {
  const media = await openMicrophone();
  const context = new AudioContext();
  const socket = new WebSocket(url, 'voicegate.v1');
  socket.binaryType = 'arraybuffer';
  const close = (): void => {
    for (const track of media.getTracks()) track.stop();
    if (context.state !== 'closed') void context.close();
    socket.close();
  };
  socket.addEventListener('close', close);
  try {
    await context.audioWorklet.addModule('/agent/capture-worklet.js');
    await running(context);
  } catch {
    close();
    throw new Refused('micFailed', 'no audio');
  }
  const bytesPerSecond = 2 * context.sampleRate;
  let lostSeconds = 0;
  const send = ({ data }: MessageEvent<ArrayBuffer>): void => {
    if (socket.readyState !== WebSocket.OPEN) return;
    if (socket.bufferedAmount > mostWaitingSeconds * bytesPerSecond) {
      lostSeconds += data.byteLength / bytesPerSecond;
      return;
    }
    if (lostSeconds > 0) socket.send(JSON.stringify({ type: 'gap', seconds: Math.min(60, lostSeconds) }));
    lostSeconds = 0;
    socket.send(data);
  };
  const hello = { type: 'hello', token, encoding: 'l16-le', sampleRateHz: context.sampleRate, channels: ['customer'] };
  const greet = (): void => socket.send(JSON.stringify(hello));
  if (socket.readyState === WebSocket.OPEN) greet();
  else socket.addEventListener('open', greet);
  socket.addEventListener('message', ({ data }) => {
    const { type } = JSON.parse(String(data)) as { type: string };
    if (type !== 'hello') return;
    const capture = new AudioWorkletNode(context, 'capture', {
      channelCount: 1,
      channelCountMode: 'explicit',
    });
    capture.port.onmessage = send;
    // It puts out silence, and is not run by every browser unless somebody would hear that.
    context.createMediaStreamSource(media).connect(capture).connect(context.destination);
    onReady();
  });
  return {
    end: () => {
      if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify({ type: 'end' }));
    },
    close,
  };
}

/** Lets audio run, as far as the browser can: where no sound comes out, some wait for ever. */
async function running(context: AudioContext): Promise<void> {
  await Promise.race([
    context.resume(),
    new Promise((_resolve, reject) => setTimeout(() => reject(new Error('no sound')), mostStartingMs)),
  ]);
}

async function openMicrophone(): Promise<MediaStream> {
  try {
    // As a telephone hears it: what a browser takes for noise may be the voice.
    return await navigator.mediaDevices.getUserMedia({
      audio: { channelCount: 1, echoCancellation: false, noiseSuppression: false, autoGainControl: true },
    });
  } catch (fault) {
    const { name } = fault as DOMException;
    if (name === 'NotAllowedError') throw new Refused('micDenied', name);
    throw new Refused(name === 'NotFoundError' ? 'micMissing' : 'micFailed', name);
  }
}
