/** Reading captures: formats by content, gzip, cut files, several files as one run. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import fc from '../support/reproducible.js';
import { CaptureFile } from '../../src/replay/capture-file.js';
import { CaptureRun } from '../../src/replay/capture-run.js';
import type { CaptureEntry } from '../../src/replay/capture-entry.js';
import { faultWith } from '../venues/venue-contract.js';

const directory = mkdtempSync(join(tmpdir(), 'ringside-replay-'));
after(() => {
  rmSync(directory, { recursive: true });
});
let files = 0;

function fileOf(content: string | Uint8Array): string {
  const path = join(directory, `capture-${files++}`);
  writeFileSync(path, content);
  return path;
}

async function readFile(
  content: string | Uint8Array,
): Promise<{ entries: CaptureEntry[]; file: CaptureFile }> {
  const file = new CaptureFile(fileOf(content), 0);
  const entries: CaptureEntry[] = [];
  for await (const batch of file.batches()) entries.push(...batch);
  return { entries, file };
}

const textOf = (entry: CaptureEntry): string => Buffer.from(entry.bytes).toString();
const short = (entry: CaptureEntry): unknown[] => [
  entry.kind,
  entry.second,
  entry.nano,
  entry.url,
  textOf(entry),
];

const CRYPTOFEED = `https://x/fapi/v1/exchangeInfo -> 1626992740.175661: {"symbols":[]} header: {"a":1}
configuration: {"trades":[]}
wss://x/stream?streams=a@depth/b@trade <-> 1626992740.5
wss://x/stream <- 1626992740.6: {"method":"SUBSCRIBE"}
1626992741.06217: {"a":1}

https://x/depth?symbol=A -> 1626992741.3: {"lastUpdateId":1}
1626992742: {"a":2}
`;

test('Capture file: cryptofeed text is read line by line, and what was not received is passed over', async () => {
  const { entries, file } = await readFile(CRYPTOFEED);
  assert.deepEqual(entries.map(short), [
    ['answer', 1626992740, 175661000, 'https://x/fapi/v1/exchangeInfo', '{"symbols":[]}'],
    ['frame', 1626992741, 62170000, null, '{"a":1}'],
    ['answer', 1626992741, 300000000, 'https://x/depth?symbol=A', '{"lastUpdateId":1}'],
    ['frame', 1626992742, 0, null, '{"a":2}'],
  ]);
  assert.equal(file.truncation, null);
  assert.equal(file.linesMalformed, 0);
});

test('Capture file: hftbacktest lines carry local times of any precision, exactly', async () => {
  const { entries } = await readFile(
    '1723161255088156767 {"a":1}\r\n1723161255088156 {"a":2}\n1723161255088 {"a":3}\n1723161255 [4]\n',
  );
  assert.deepEqual(entries.map(short), [
    ['frame', 1723161255, 88156767, null, '{"a":1}'],
    ['frame', 1723161255, 88156000, null, '{"a":2}'],
    ['frame', 1723161255, 88000000, null, '{"a":3}'],
    ['frame', 1723161255, 0, null, '[4]'],
  ]);
});

function manyLines(count: number): string {
  return Array.from(
    { length: count },
    (_, i) =>
      `${1723161255000000000n + BigInt(i) * 1000n} {"n":${i},"text":"${'x'.repeat((i * 37) % 500)}${i * 7919}"}\n`,
  ).join('');
}

test('Capture file: gzip is recognised by its content and gives the same, also in several members', async () => {
  const text = manyLines(5000);
  const cut = text.indexOf('\n', text.length / 2) + 1;
  const members = Buffer.concat([gzipSync(text.slice(0, cut)), gzipSync(text.slice(cut))]);
  const plain = await readFile(text);
  for (const packed of [gzipSync(text), members]) {
    const { entries, file } = await readFile(packed);
    assert.equal(file.truncation, null);
    assert.equal(file.bytesRead, packed.length);
    assert.deepEqual(entries.map(short), plain.entries.map(short));
  }
  assert.equal(plain.entries.length, 5000);
});

test('Capture file: cut gzip gives every line before the cut, and says that it is cut', async () => {
  const text = manyLines(5000);
  const packed = gzipSync(text);
  const whole = (await readFile(packed)).entries.map(short);
  for (const kept of [0.999, 0.9, 0.5, 0.1]) {
    const { entries, file } = await readFile(packed.subarray(0, Math.floor(packed.length * kept)));
    assert.match(file.truncation ?? '', /breaks off/);
    assert.deepEqual(entries.map(short), whole.slice(0, entries.length));
    // what was compressed and is there must come out, up to the decompressor's last block
    assert.ok(entries.length >= 5000 * kept * 0.9 - 300, `${entries.length} of ${5000 * kept}`);
  }
});

test('Capture file: damaged gzip is told and what stands before it is kept', async () => {
  const packed = gzipSync(manyLines(20_000));
  const damaged = Buffer.from(packed);
  damaged.fill(0xff, Math.floor(packed.length * 0.8), Math.floor(packed.length * 0.8) + 50);
  const { entries, file } = await readFile(damaged);
  assert.notEqual(file.truncation, null);
  assert.ok(entries.length < 20_000);
});

test('Capture file: a last line that is cut is left out and told, one that only lacks its end is taken', async () => {
  const cut = await readFile('1723161255 {"a":1}\n1723161256 {"a":"tw');
  assert.equal(cut.entries.length, 1);
  assert.match(cut.file.truncation ?? '', /line 2/);
  const cutInTime = await readFile('1723161255 {"a":1}\n17231612');
  assert.equal(cutInTime.entries.length, 1);
  assert.notEqual(cutInTime.file.truncation, null);
  const unended = await readFile('1723161255 {"a":1}\n1723161256 {"a":2}');
  assert.equal(unended.entries.length, 2);
  assert.equal(unended.file.truncation, null);
});

test('Capture file: one of which nothing whole is left is cut, not of an unknown format', async () => {
  const packed = gzipSync(manyLines(100)).subarray(0, 30);
  await assert.rejects(readFile(packed), faultWith('CAPTURE_TRUNCATED'));
  await assert.rejects(
    readFile('1723161255088156767 {"stream":"ethusdt@de'),
    faultWith('CAPTURE_TRUNCATED'),
  );
});

test('Capture file: lines of no format are counted and the first is named', async () => {
  const { entries, file } = await readFile(
    '1723161255 {"a":1}\nrubbish\n1 {"a":1}\n1723161256 {"a":2}\n',
  );
  assert.equal(entries.length, 2);
  assert.equal(file.linesMalformed, 2);
  assert.equal(file.firstMalformedLine, 2);
});

test('Capture file: what is no capture, or cannot be read, has its own code', async () => {
  await assert.rejects(readFile('hello\nworld\n'), faultWith('CAPTURE_MALFORMED'));
  await assert.rejects(readFile(''), faultWith('CAPTURE_MALFORMED'));
  await assert.rejects(readFile(new Uint8Array(5000)), faultWith('CAPTURE_MALFORMED'));
  await assert.rejects(readFile('{"json":"lines"}\n'), faultWith('CAPTURE_MALFORMED'));
  const zstd = Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 1, 2);
  await assert.rejects(readFile(zstd), /zstd/);
  for (const path of [join(directory, 'absent'), directory]) {
    const file = new CaptureFile(path, 0);
    await assert.rejects(file.batches().next(), faultWith('FILE_UNREADABLE'));
  }
});

test('Capture run: files are merged by time, ties in the order named, each in its own order', async () => {
  const time = fc.integer({ min: 0, max: 40 });
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(time, { minLength: 1, maxLength: 20 }), { minLength: 1, maxLength: 4 }),
      async (runs) => {
        const paths = runs.map((times, file) =>
          fileOf(
            times.map((at, i) => `${1_700_000_000 + at} {"file":${file},"i":${i}}\n`).join(''),
          ),
        );
        const run = new CaptureRun(paths);
        const merged: CaptureEntry[] = [];
        for await (const batch of run.batches()) merged.push(...batch);
        // model: a stable sort by the latest time so far of each file
        const expected = runs
          .flatMap((times, file) => {
            let latest = 0;
            return times.map((at, i) => ({
              at: (latest = Math.max(latest, at)),
              file,
              text: `{"file":${file},"i":${i}}`,
            }));
          })
          .sort((a, b) => a.at - b.at || a.file - b.file);
        assert.deepEqual(
          merged.map(textOf),
          expected.map(({ text }) => text),
        );
        assert.deepEqual(
          merged.map(({ file }) => file),
          expected.map(({ file }) => file),
        );
      },
    ),
    { numRuns: 60 },
  );
});
