/** FileTail on real files: half lines, the ends of hours and days, truncation, replacement. */
import assert from 'node:assert/strict';
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { LineMemory } from '../../src/venues/scan/line-memory.js';
import { FileTail, LINE_BYTES_MAX, TailEvent } from '../../src/ingest/file-tail.js';

class Rig {
  readonly root = mkdtempSync(join(tmpdir(), 'ringside-tail-'));
  readonly lines: string[] = [];
  readonly tail: FileTail;
  private nowNs = 0;

  constructor(t: TestContext, memory: LineMemory | null = null) {
    const onLine = (bytes: Buffer, start: number, end: number): void =>
      void this.lines.push(bytes.toString('utf8', start, end));
    this.tail = new FileTail(this.root, { onLine }, memory);
    t.after(() => {
      this.tail.close();
      rmSync(this.root, { recursive: true, force: true });
    });
  }

  file(day: string, hour: string): string {
    return join(this.root, 'hourly', day, hour);
  }

  add(day: string, hour: string, text: string): void {
    mkdirSync(dirname(this.file(day, hour)), { recursive: true });
    appendFileSync(this.file(day, hour), text);
  }

  /** Polls over so much time that a newer file is looked for. */
  poll(): string[] {
    this.lines.length = 0;
    for (let i = 0; i < 4; i++) {
      this.nowNs += 60e6;
      this.tail.poll(this.nowNs, 4);
    }
    return [...this.lines];
  }
}

const DAY = '20260505';

/** A test of lines that are read to a buffer, and of the same in the memory of a scanner. */
function testBoth(name: string, body: (t: TestContext, memory: LineMemory | null) => void): void {
  test(`${name} (buffer)`, (t) => body(t, null));
  test(`${name} (memory)`, (t) => {
    const memory = LineMemory.create();
    assert.ok(memory !== null);
    body(t, memory);
  });
}

testBoth(
  'FileTail: a line cut at every byte is given once, whole, when its newline is there',
  (t, memory) => {
    const rig = new Rig(t, memory);
    const text = '{"a":1}\n{"b":"zwölf"}\n\n{"c":3}\n';
    rig.add(DAY, '7', '');
    rig.tail.startAtEnd();
    const bytes = Buffer.from(text);
    for (let cut = 0; cut <= bytes.length; cut++) {
      appendFileSync(rig.file(DAY, '7'), bytes.subarray(0, cut));
      const first = rig.poll();
      appendFileSync(rig.file(DAY, '7'), bytes.subarray(cut));
      assert.deepEqual(
        [...first, ...rig.poll()],
        ['{"a":1}', '{"b":"zwölf"}', '{"c":3}'],
        `${cut}`,
      );
    }
    assert.equal(rig.tail.takeEvent(), TailEvent.None);
  },
);

test('FileTail: a start in the middle of a line gives that line whole', (t) => {
  const rig = new Rig(t);
  rig.add(DAY, '7', 'old\nhalf');
  assert.equal(rig.tail.startAtEnd(), true);
  rig.add(DAY, '7', ' and half\n');
  assert.deepEqual(rig.poll(), ['half and half']);
});

for (const [name, before, after] of [
  ['unpadded', '9', '10'],
  ['padded', '09', '10'],
] as const) {
  test(`FileTail: hours go on in order, ${name}, and what was written late is read first`, (t) => {
    const rig = new Rig(t);
    rig.add(DAY, before, 'a\n');
    rig.tail.startAtEnd();
    rig.add(DAY, before, 'b\n');
    rig.add(DAY, after, 'c\n');
    assert.deepEqual(rig.poll(), ['b', 'c']);
    assert.equal(rig.tail.takeEvent(), TailEvent.None);
  });
}

test('FileTail: a day ends in the next one, also over a month and over missing hours', (t) => {
  const rig = new Rig(t);
  rig.add('20260430', '22', 'a\n');
  rig.tail.startAtEnd();
  rig.add('20260430', '23', 'b\n');
  rig.add('20260501', '0', 'c\n');
  rig.add('20260502', '5', 'd\n');
  assert.deepEqual(rig.poll(), ['b', 'c', 'd']);
});

test('FileTail: a line that the writer never finished in the last hour is told as a break', (t) => {
  const rig = new Rig(t);
  rig.add(DAY, '7', '');
  rig.tail.startAtEnd();
  rig.add(DAY, '7', 'never finish');
  rig.add(DAY, '8', 'next\n');
  assert.deepEqual(rig.poll(), ['next']);
  assert.equal(rig.tail.takeEvent(), TailEvent.Replaced);
});

testBoth(
  'FileTail: a truncated and a replaced file are read from their beginning, and told',
  (t, memory) => {
    const rig = new Rig(t, memory);
    rig.add(DAY, '7', 'a\nb\nc\n');
    rig.tail.startAtEnd();
    truncateSync(rig.file(DAY, '7'), 2);
    assert.deepEqual(rig.poll(), ['a']);
    assert.equal(rig.tail.takeEvent(), TailEvent.Replaced);
    writeFileSync(`${rig.file(DAY, '7')}.new`, 'x\ny\nz\n');
    renameSync(`${rig.file(DAY, '7')}.new`, rig.file(DAY, '7'));
    assert.deepEqual(rig.poll(), ['x', 'y', 'z']);
    assert.equal(rig.tail.takeEvent(), TailEvent.Replaced);
  },
);

test('FileTail: a file that was removed is read to its end, then the next one', (t) => {
  const rig = new Rig(t);
  rig.add(DAY, '7', 'a\n');
  rig.tail.startAtEnd();
  rig.add(DAY, '7', 'b\n');
  unlinkSync(rig.file(DAY, '7'));
  assert.deepEqual(rig.poll(), ['b']);
  rig.add(DAY, '8', 'c\n');
  assert.deepEqual(rig.poll(), ['c']);
});

test('FileTail: a folder that comes late is read from its first line', (t) => {
  const rig = new Rig(t);
  assert.equal(rig.tail.startAtEnd(), false);
  assert.deepEqual(rig.poll(), []);
  rig.add(DAY, '7', 'a\nb\n');
  assert.deepEqual(rig.poll(), ['a', 'b']);
});

test('FileTail: a folder in the place of a file ends nothing; the next hour is read', (t) => {
  const rig = new Rig(t);
  rig.add(DAY, '7', 'a\n');
  rig.tail.startAtEnd();
  mkdirSync(rig.file(DAY, '8'));
  assert.deepEqual(rig.poll(), []);
  rig.add(DAY, '9', 'b\n');
  assert.deepEqual(rig.poll(), ['b']);
});

testBoth(
  'FileTail: lines longer than there was room for come whole, and short ones after them',
  (t, memory) => {
    const rig = new Rig(t, memory);
    rig.add(DAY, '7', '');
    rig.tail.startAtEnd();
    const MIB = 1 << 20;
    const lengths = [5, MIB - 1, MIB, MIB + 1, 1, 2 * MIB + 3, 63, 64, 65, 9 * MIB, 200];
    const written = lengths.map((length, i) => String.fromCharCode(97 + i).repeat(length));
    const lines: string[] = [];
    for (const line of written) {
      rig.add(DAY, '7', line.slice(0, line.length / 2));
      lines.push(...rig.poll());
      rig.add(DAY, '7', `${line.slice(line.length / 2)}\n`);
      lines.push(...rig.poll(), ...rig.poll());
    }
    assert.equal(lines.length, written.length);
    lines.forEach((line, i) => assert.ok(line === written[i], `line ${i} of ${lengths[i]}`));
  },
);

testBoth(
  'FileTail: a line longer than the limit is passed over to its end, and told',
  (t, memory) => {
    const rig = new Rig(t, memory);
    rig.add(DAY, '7', '');
    rig.tail.startAtEnd();
    const piece = Buffer.alloc(LINE_BYTES_MAX / 4, 'x');
    for (let i = 0; i < 5; i++) appendFileSync(rig.file(DAY, '7'), piece);
    rig.add(DAY, '7', '\nshort\n');
    const lines: string[] = [];
    for (let i = 0; i < 12; i++) lines.push(...rig.poll());
    assert.deepEqual(lines, ['short']);
    assert.equal(rig.tail.takeEvent(), TailEvent.LineTooLong);
  },
);

test('FileTail: the file of a height is the newest that begins at or before it', (t) => {
  const rig = new Rig(t);
  const line = (height: number): string => `{"block_number":${height},"events":[]}\n`;
  rig.add(DAY, '7', line(10) + line(19));
  rig.add(DAY, '8', line(20) + line(29));
  rig.add(DAY, '9', line(30));
  assert.equal(rig.tail.startAtHeight(25), true);
  assert.deepEqual(
    rig.poll(),
    [line(20), line(29), line(30)].map((text) => text.trim()),
  );
  assert.equal(rig.tail.startAtHeight(3), true);
  assert.equal(rig.poll().length, 5);
});
