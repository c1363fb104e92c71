/** Decoding a book delta in a client: ours against the generated accessors and JSON.parse. */
import * as flatbuffers from 'flatbuffers';
import { MessageDecoder } from '../src/wire/decode.js';
import { MessageEncoder } from '../src/wire/encode.js';
import * as wire from '../src/wire/generated/ringside/wire.js';
import { BodyType } from '../src/wire/message-layout.js';
import { HeadField } from '../src/wire/head-fields.js';
import { defineBench, measure } from './harness.js';
import type { BenchRow } from './harness.js';
import { buildDelta, plainDelta, sampleHead, sampleLevels, timeline } from './wire-samples.js';

const MESSAGES = 200;
const PART = 'Decode in the TypeScript client';

interface PlainDelta {
  readonly sequence: number;
  readonly bids: readonly (readonly number[])[];
  readonly asks: readonly (readonly number[])[];
}

function sumDecoded(decoder: MessageDecoder, messages: readonly Uint8Array[]): number {
  let sum = 0;
  for (let i = 0; i < messages.length; i++) {
    const bytes = messages[i]!;
    if (decoder.decode(bytes, 0, bytes.length) !== BodyType.BookDelta) return -1;
    const { levels, head } = decoder;
    const end = 2 * (decoder.bidsCount + decoder.asksCount);
    for (let k = 0; k < end; k += 2) sum += levels[k]! + levels[k + 1]!;
    sum += head[HeadField.Sequence]!;
  }
  return sum;
}

function sumAccessors(messages: readonly Uint8Array[]): number {
  const body = new wire.BookDelta();
  const level = new wire.Level();
  const head = new wire.Head();
  let sum = 0;
  for (const bytes of messages) {
    wire.Message.getRootAsMessage(new flatbuffers.ByteBuffer(bytes)).body(body);
    const bids = body.bidsLength();
    for (let k = 0; k < bids; k++) {
      body.bids(k, level);
      sum += Number(level.price()) + Number(level.size());
    }
    const asks = body.asksLength();
    for (let k = 0; k < asks; k++) {
      body.asks(k, level);
      sum += Number(level.price()) + Number(level.size());
    }
    body.head(head);
    sum += Number(head.sequence()) + 0 * (head.streamId() + head.flags() + head.state());
    sum += 0 * (Number(head.epoch()) + Number(head.firstSequence()) + Number(head.venueSequence()));
    sum += 0 * (Number(head.exchangeNs()) + Number(head.receivedNs()) + Number(head.hash()));
    sum += 0 * (Number(head.appliedNs()) + Number(head.publishedNs()));
  }
  return sum;
}

function sumParsed(texts: readonly string[]): number {
  let sum = 0;
  for (const text of texts) {
    const delta = JSON.parse(text) as PlainDelta;
    for (const [price, size] of delta.bids) sum += price! + size!;
    for (const [price, size] of delta.asks) sum += price! + size!;
    sum += delta.sequence;
  }
  return sum;
}

async function compareAt(levelsCount: number): Promise<BenchRow[]> {
  const bids = levelsCount >> 1;
  const asks = levelsCount - bids;
  const levels = sampleLevels(bids, asks);
  const encoder = new MessageEncoder(timeline);
  const builder = new flatbuffers.Builder(4096);
  const words = new Int32Array(encoder.bookDeltaBytes(bids, asks) / 4);
  const ours: Uint8Array[] = [];
  const foreign: Uint8Array[] = [];
  const texts: string[] = [];
  for (let i = 1; i <= MESSAGES; i++) {
    const head = sampleHead(i);
    encoder.writeBookDelta(words, 0, head, levels, 0, bids, asks);
    ours.push(new Uint8Array(words.buffer.slice(0)));
    foreign.push(buildDelta(builder, head, levels, bids, asks).slice());
    texts.push(JSON.stringify(plainDelta(head, levels, bids, asks)));
  }
  const decoder = new MessageDecoder();
  const common = { part: PART, unit: 'ns/level', operations: MESSAGES * levelsCount };
  const rows = await measure({
    ...common,
    case: `${levelsCount} levels`,
    ours: () => sumDecoded(decoder, ours),
    rivals: [
      { name: 'generated accessors', run: () => sumAccessors(ours) },
      { name: 'JSON.parse', run: () => sumParsed(texts) },
    ],
  });
  const foreignRows = await measure({
    ...common,
    case: `${levelsCount} levels, laid out by a Builder`,
    ours: () => sumDecoded(decoder, foreign),
    rivals: [{ name: 'generated accessors', run: () => sumAccessors(foreign) }],
  });
  return [...rows, ...foreignRows];
}

export default defineBench({
  part: PART,
  mix: `${MESSAGES} deltas, each in a buffer of its own; everybody reads the whole head and adds up all levels`,
  async run() {
    const rows: BenchRow[] = [];
    for (const levels of [10, 20, 100]) rows.push(...(await compareAt(levels)));
    return rows;
  },
});
