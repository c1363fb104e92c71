/** The recorder by itself: lines as replay reads them, a bounded queue, and what is said of losses. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { Recorder } from '../../src/record/recorder.js';
import type { RecorderOptions } from '../../src/record/recorder.js';
import { SegmentWriter } from '../../src/record/segment-writer.js';
import { CaptureFile } from '../../src/replay/capture-file.js';
import type { CaptureEntry } from '../../src/replay/capture-entry.js';
import { Timeline } from '../../src/time/timeline.js';
import { VirtualClock } from '../../src/time/virtual-clock.js';

const directory = mkdtempSync(join(tmpdir(), 'ringside-recorder-'));
after(() => rmSync(directory, { recursive: true }));

const ORIGIN_UNIX_NS = 1_700_000_000_987_654_321n;

function recorderOf(stem: string, options: Partial<RecorderOptions> = {}, folder = directory) {
  const scheduler = new VirtualClock();
  const writer = new SegmentWriter({
    directory: folder,
    stem,
    venueId: 'made',
    segmentBytesMax: Infinity,
    segmentNsMax: Infinity,
    bytesMax: Infinity,
  });
  const ends: unknown[] = [];
  const timeline = new Timeline(ORIGIN_UNIX_NS);
  const onEnd = (error: unknown): void => void ends.push(error);
  const recorder = new Recorder({ writer, timeline, scheduler, onEnd, ...options });
  return { recorder, writer, ends, scheduler };
}

function frame(recorder: Recorder, text: string, atNs: number): void {
  const bytes = Buffer.from(`<<${text}>>`);
  recorder.onFrame(bytes, 2, bytes.length - 2, atNs);
}

async function entriesOf(path: string): Promise<{ file: CaptureFile; entries: CaptureEntry[] }> {
  const file = new CaptureFile(path, 0);
  const entries: CaptureEntry[] = [];
  for await (const batch of file.batches()) entries.push(...batch);
  return { file, entries };
}

const textOf = ({ bytes }: CaptureEntry): string => Buffer.from(bytes).toString();

test('Recorder: what is written reads back with its bytes and its nanosecond', async () => {
  const { recorder, writer } = recorderOf('lines');
  const body = '{"a":" header: {x}","b":[1]}';
  recorder.onConnected('wss://x/y', 1);
  recorder.onSent('wss://x/y', '{"method":"SUBSCRIBE"}', 2);
  recorder.onAnswer('https://x/depth?symbol=A', 200, Buffer.from(body), 5);
  recorder.onAnswer('https://x/depth?symbol=A', 429, Buffer.from('slow down'), 6);
  frame(recorder, '{"e":1}', 12_345_680);
  frame(recorder, '{"e":\n2}', 3e9 + 7);
  frame(recorder, '', 4e9);
  await recorder.close();
  const { file, entries } = await entriesOf(writer.segments[0]!);
  assert.deepEqual([file.linesMalformed, file.truncation, file.tellsLosses], [0, null, true]);
  assert.deepEqual(
    entries.map((entry) => [entry.kind, entry.second, entry.nano, textOf(entry)]),
    [
      ['answer', 1_700_000_000, 987_654_326, body],
      ['frame', 1_700_000_001, 1, '{"e":1}'],
      ['frame', 1_700_000_003, 987_654_328, '{"e": 2}'],
      ['frame', 1_700_000_004, 987_654_321, ''],
    ],
  );
  assert.equal(recorder.counts.newlinesReplaced, 1);
  const text = gunzipSync(readFileSync(writer.segments[0]!)).toString();
  assert.match(text, /\n# refused status=429 .*url=https:\/\/x\/depth\?symbol=A\n/);
  assert.match(text, /\nwss:\/\/x\/y <-> 1700000000\.987654322\n/);
});

test('Recorder: a full queue drops, counts, and marks the place in the file', async () => {
  const { recorder, writer } = recorderOf('full', { queueBytesMax: 4096, chunkBytes: 512 });
  const big = 'x'.repeat(200);
  // Nothing is written before this turn of the loop ends: the queue fills up.
  for (let i = 0; i < 100; i++) frame(recorder, `${i} ${big}`, i);
  const lost = recorder.counts.framesLost;
  assert.ok(lost > 50 && lost < 100, `${lost} lost`);
  for (let i = 0; i < 200 && writer.bytesWritten === 0; i++) await new Promise(setImmediate);
  await new Promise((resolve) => setTimeout(resolve, 50));
  frame(recorder, 'after', 1000);
  await recorder.close();
  const { file, entries } = await entriesOf(writer.segments[0]!);
  assert.equal(file.framesLost, lost);
  assert.equal(entries.length, 100 - lost + 1);
  const text = gunzipSync(readFileSync(writer.segments[0]!)).toString();
  const lines = text.trimEnd().split('\n');
  assert.match(lines.at(-2)!, new RegExp(`^# lost frames=${lost} bytes=\\d+ from=1700000000\\.`));
  assert.match(lines.at(-1)!, /: after$/);
});

test('Recorder: losses at the very end are marked too', async () => {
  const { recorder, writer } = recorderOf('end', { queueBytesMax: 2048, chunkBytes: 512 });
  for (let i = 0; i < 40; i++) frame(recorder, 'y'.repeat(300), i);
  await recorder.close();
  const { file, entries } = await entriesOf(writer.segments[0]!);
  assert.ok(file.framesLost > 0);
  assert.equal(file.framesLost + entries.length, 40);
});

test('Recorder: a message larger than a chunk is written whole', async () => {
  const { recorder, writer } = recorderOf('large', { chunkBytes: 512 });
  frame(recorder, 'a', 1);
  frame(recorder, 'z'.repeat(5000), 2);
  frame(recorder, 'b', 3);
  await recorder.close();
  const { entries } = await entriesOf(writer.segments[0]!);
  assert.deepEqual(
    entries.map((entry) => textOf(entry).length),
    [1, 5000, 1],
  );
});

test('Recorder: a disk that fails is told once, and closing does not hang', async () => {
  const { recorder, ends, scheduler } = recorderOf('gone', {}, join(directory, 'missing'));
  frame(recorder, '{}', 1);
  scheduler.advanceBy(2e9);
  for (let i = 0; i < 100 && ends.length === 0; i++) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  assert.equal(ends.length, 1);
  assert.match(String(ends[0]), /cannot write .*gone-0001/);
  frame(recorder, '{}', 2);
  await recorder.close();
  assert.equal(ends.length, 1);
});
