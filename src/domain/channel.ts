/** Channels a client can subscribe to. A stream is one instrument on one channel (and depth). */
export const Channel = { Book: 0, Bbo: 1, Trades: 2, Status: 3, Orders: 4, Context: 5 } as const;
export type Channel = (typeof Channel)[keyof typeof Channel];

export const CHANNEL_NAMES = ['book', 'bbo', 'trades', 'status', 'orders', 'context'] as const;
export type ChannelName = (typeof CHANNEL_NAMES)[number];

const CHANNELS_PER_INSTRUMENT = 8;
/** Stream ids below this are the instruments' own streams; depth views are numbered from here. */
export const FIRST_VIEW_STREAM_ID = 1 << 24;

/** The stream of an instrument's channel at full depth. */
export function streamIdOf(instrumentId: number, channel: Channel): number {
  return instrumentId * CHANNELS_PER_INSTRUMENT + channel;
}

/** The channels of these names, in the same order. */
export function channelsOf(names: readonly ChannelName[]): Channel[] {
  return names.map((name) => CHANNEL_NAMES.indexOf(name) as Channel);
}
