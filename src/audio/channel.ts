import { VoicegateError } from '../errors.js';

/** `'mono'`: the recording must have one channel. An index: take that channel, whatever the number of channels. */
export type ChannelChoice = 'mono' | 0 | 1;

/** No telephone recorder writes more; a header that says so is taken for a broken one. */
const MAX_CHANNELS = 8;

/**
 * The index of the channel to decode. Two parties of a call are never mixed: which one is the caller only the sender knows.
 *
 * @throws VoicegateError audio_channel_invalid when nothing was chosen from several channels, the chosen one does not exist,
 *   or the number of channels is absurd
 */
export function chooseChannel(channels: number, choice: ChannelChoice): number {
  if (channels < 1 || channels > MAX_CHANNELS) {
    throw new VoicegateError('audio_channel_invalid', `The audio says it has ${channels} channels.`, {
      hint: `Send audio of 1 to ${MAX_CHANNELS} channels, best one: the caller alone.`,
      details: { channels },
    });
  }
  if (choice === 'mono') {
    if (channels === 1) return 0;
    throw new VoicegateError('audio_channel_invalid', `The audio has ${channels} channels and none was chosen.`, {
      hint: 'Send the caller alone as mono, or say which channel the caller is on: channel 0 (left) or 1 (right).',
      details: { channels },
    });
  }
  if (choice >= channels) {
    throw new VoicegateError(
      'audio_channel_invalid',
      `Channel ${choice} was asked for, but the audio has ${channels}.`,
      {
        hint: `Channels count from 0; the last one here is ${channels - 1}.`,
        details: { channels, channel: choice },
      },
    );
  }
  return choice;
}
