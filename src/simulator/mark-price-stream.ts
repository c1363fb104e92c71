/**
 * Binance USDⓈ-M's `<symbol>@markPrice` streams, one frame a second or every three. Simulator's thread;
 * cold. The index follows the middle of the book, the mark price lies a thousandth of the spread beside
 * it, and the funding rate moves with the hour. Numbers have eight decimals as the venue's.
 */
import { Channel } from '../domain/channel.js';
import { Stream } from './binance-futures-streams.js';
import { asciiBytes } from './frame-writer.js';
import type { FrameWriter } from './frame-writer.js';
import type { Market } from './market.js';

const BEGIN = asciiBytes('{"e":"markPriceUpdate","E":');
const MARK = asciiBytes(',"p":"');
const INDEX = asciiBytes('","i":"');
const SETTLEMENT = asciiBytes('","P":"');
const FUNDING = asciiBytes('","r":"');
const NEXT_FUNDING = asciiBytes('","T":');
const END = asciiBytes('}}');
const FRAME_BYTES_MAX = 512;
const DECIMALS = 8;
const FUNDING_PERIOD_MS = 8 * 3_600_000;
/** 0.0001, the rate at rest, and how far an hour moves it. */
const FUNDING_BASE = 10_000;
const FUNDING_SWING = 9_000;

export class MarkPriceStream extends Stream {
  constructor(market: Market, suffix: string) {
    super(market, suffix, Channel.Context);
  }

  send(writer: FrameWriter, eventMs: number): void {
    const { market } = this;
    if (market.bidSize === 0 || market.askSize === 0) return;
    const scale = 10 ** (DECIMALS - market.spec.priceDecimals);
    const index = Math.round(((market.bidPrice + market.askPrice) * scale) / 2);
    const mark = index + Math.round(((market.askPrice - market.bidPrice) * scale) / 1000);
    const nextFundingMs = (Math.floor(eventMs / FUNDING_PERIOD_MS) + 1) * FUNDING_PERIOD_MS;
    writer.begin(FRAME_BYTES_MAX);
    writer.ascii(this.wrapping);
    writer.ascii(BEGIN);
    writer.integer(eventMs);
    writer.ascii(this.symbolField);
    writer.ascii(MARK);
    writer.decimal(mark, DECIMALS);
    writer.ascii(INDEX);
    writer.decimal(index, DECIMALS);
    writer.ascii(SETTLEMENT);
    writer.decimal(index, DECIMALS);
    writer.ascii(FUNDING);
    writer.decimal(fundingAt(eventMs), DECIMALS);
    writer.ascii(NEXT_FUNDING);
    writer.integer(nextFundingMs);
    writer.ascii(END);
    this.publish(writer);
  }
}

/** In hundred-millionths; below nothing for a part of each hour. */
function fundingAt(eventMs: number): number {
  const minute = Math.floor(eventMs / 60_000) % 60;
  return FUNDING_BASE - Math.floor((minute * FUNDING_SWING) / 30);
}
