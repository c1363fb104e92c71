/** Encoding a book delta: ours against the FlatBuffers Builder and JSON.stringify. */
import * as flatbuffers from 'flatbuffers';
import { invariant } from '../src/faults/invariant.js';
import { MessageDecoder } from '../src/wire/decode.js';
import { MessageEncoder } from '../src/wire/encode.js';
import { HeadField } from '../src/wire/head-fields.js';
import { defineBench, measure } from './harness.js';
import type { BenchRow } from './harness.js';
import { buildDelta, plainDelta, sampleHead, sampleLevels, timeline } from './wire-samples.js';

const MESSAGES = 200;
const PART = 'Encode a delta';

/** What both layouts must hold; wherever the bytes stand. */
function contentOf(bytes: Uint8Array): string {
  const decoder = new MessageDecoder();
  const type = decoder.decode(bytes, 0, bytes.length);
  const levels = decoder.levels.slice(0, 2 * (decoder.bidsCount + decoder.asksCount));
  return JSON.stringify([type, [...decoder.head], decoder.bidsCount, Array.from(levels)]);
}

async function compareAt(levelsCount: number): Promise<BenchRow[]> {
  const bids = levelsCount >> 1;
  const asks = levelsCount - bids;
  const levels = sampleLevels(bids, asks);
  const head = sampleHead(1);
  const encoder = new MessageEncoder(timeline);
  const builder = new flatbuffers.Builder(4096);
  const room = encoder.bookDeltaBytes(bids, asks);
  // As in production: into shared memory, one message behind the other.
  const words = new Int32Array(new SharedArrayBuffer(room * MESSAGES));
  encoder.writeBookDelta(words, 0, head, levels, 0, bids, asks);
  const ours = new Uint8Array(words.buffer).slice(0, room);
  invariant(
    contentOf(ours) === contentOf(buildDelta(builder, head, levels, bids, asks)),
    'ours and the Builder say the same',
  );
  let sequence = 0;
  return measure({
    part: PART,
    case: `${levelsCount} levels`,
    unit: 'ns/level',
    operations: MESSAGES * levelsCount,
    ours: () => {
      let at = 0;
      for (let i = 0; i < MESSAGES; i++) {
        head[HeadField.Sequence] = ++sequence;
        at += encoder.writeBookDelta(words, at, head, levels, 0, bids, asks) >>> 2;
      }
      return at;
    },
    rivals: [
      {
        name: 'FlatBuffers Builder, BigInt',
        ownAnswer: true,
        run: () => {
          let bytes = 0;
          for (let i = 0; i < MESSAGES; i++) {
            head[HeadField.Sequence] = ++sequence;
            bytes += buildDelta(builder, head, levels, bids, asks).length;
          }
          return bytes;
        },
      },
      {
        name: 'JSON.stringify',
        ownAnswer: true,
        run: () => {
          let characters = 0;
          for (let i = 0; i < MESSAGES; i++) {
            head[HeadField.Sequence] = ++sequence;
            characters += JSON.stringify(plainDelta(head, levels, bids, asks)).length;
          }
          return characters;
        },
      },
    ],
  });
}

export default defineBench({
  part: PART,
  mix: `batches of ${MESSAGES} deltas with whole heads, BTCUSDT-like prices, a third removals; ours writes into shared memory`,
  async run() {
    const rows: BenchRow[] = [];
    for (const levels of [10, 20, 100]) rows.push(...(await compareAt(levels)));
    return rows;
  },
});
