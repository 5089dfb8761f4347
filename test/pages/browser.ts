import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { chromium, type Page } from 'playwright-core';
import type { Test } from 'tap';
import { decodeAudio, resample } from '../../src/audio/decode.js';
import { at8kHz, pcm16, wavFile } from '../audio/made-audio.js';
import { temporaryFolder } from '../storage/open-test-store.js';

const chromiumPath = '/usr/bin/chromium';

/** For tests that drive a browser: skipped, and seen to be, where there is none. */
export const needsChromium = existsSync(chromiumPath) ? {} : { skip: `needs ${chromiumPath}` };

/** A page in a browser whose microphone plays what it is told. */
export interface Browser {
  readonly page: Page;
  /** What the microphone plays from when it is opened next, once, then silence. @param recordings of any format, one after another */
  speak(recordings: readonly Uint8Array[], contentType?: string): Promise<void>;
  /** Keeps a picture for somebody to look at, where VOICEGATE_TEST_SCREENSHOTS names a folder. */
  look(name: string): Promise<void>;
  /** Whatever the browser's console complained of. */
  readonly complaints: readonly string[];
}

/**
 * Starts a browser; it closes with the test. The name voice.example leads to this machine, as an address that is neither https nor localhost.
 * @param permission what somebody answers when the page asks for the microphone
 */
export async function openBrowser(t: Test, permission: 'granted' | 'denied' = 'granted'): Promise<Browser> {
  const microphoneFile = join(temporaryFolder(t), 'microphone.wav');
  const browser = await chromium.launch({
    executablePath: chromiumPath,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--use-fake-device-for-media-stream',
      ...(permission === 'granted' ? ['--use-fake-ui-for-media-stream'] : []),
      '--host-resolver-rules=MAP voice.example 127.0.0.1',
      `--use-file-for-fake-audio-capture=${microphoneFile}%noloop`,
    ],
  });
  t.teardown(async () => {
    if (!t.passing()) {
      await result.look('failed');
      t.comment(complaints.join('\n'), await page.locator('main').innerText());
    }
    await browser.close();
  });
  const context = await browser.newContext({ locale: 'en-GB', viewport: { width: 1280, height: 800 } });
  const page = await context.newPage();
  page.setDefaultTimeout(60_000);
  const complaints: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
  });
  page.on('pageerror', (fault) => complaints.push(String(fault)));
  const folder = process.env.VOICEGATE_TEST_SCREENSHOTS;
  const result: Browser = {
    page,
    complaints,
    speak: async (recordings, contentType) => {
      const quiet = new Float32Array(24_000);
      const parts: Float32Array[] = [quiet];
      for (const recording of recordings) {
        const declared = contentType === undefined ? {} : { contentType };
        const { samples } = (await decodeAudio(recording, { ...at8kHz, ...declared })).waveform;
        parts.push(await resample(samples, 8000, 48_000), new Float32Array(57_600));
      }
      const all = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
      let at = 0;
      for (const part of parts) {
        all.set(part, at);
        at += part.length;
      }
      writeFileSync(microphoneFile, wavFile(pcm16(all), { sampleRateHz: 48_000 }));
    },
    look: async (name) => {
      if (folder === undefined) return;
      await page.screenshot({ path: join(folder, `${name}-wide.png`) });
      await page.setViewportSize({ width: 390, height: 844 });
      await page.screenshot({ path: join(folder, `${name}-phone.png`), fullPage: true });
      await page.setViewportSize({ width: 1280, height: 800 });
    },
  };
  return result;
}
