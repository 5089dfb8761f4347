/** Runs in the audio thread: gathers the microphone's samples into frames of 20 ms of 16-bit PCM, little-endian as every browser's machine is. */

declare const sampleRate: number;
declare class AudioWorkletProcessor {
  readonly port: MessagePort;
}
declare function registerProcessor(name: string, processor: new () => AudioWorkletProcessor): void;

const samplesPerFrame = Math.round(sampleRate / 50);

class Capture extends AudioWorkletProcessor {
  private frame = new Int16Array(samplesPerFrame);
  private filled = 0;

  process([channels]: readonly (readonly Float32Array[])[]): boolean {
    for (const sample of channels?.[0] ?? []) {
      this.frame[this.filled++] = Math.max(-32768, Math.min(32767, Math.round(sample * 32768)));
      if (this.filled < samplesPerFrame) continue;
      // Handed over, not copied: the frame is gone.
      this.port.postMessage(this.frame.buffer, [this.frame.buffer]);
      this.frame = new Int16Array(samplesPerFrame);
      this.filled = 0;
    }
    return true;
  }
}

registerProcessor('capture', Capture);
