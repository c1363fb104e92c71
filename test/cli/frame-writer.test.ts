import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from '../support/reproducible.js';
import { FrameWriter } from '../../src/cli/frame-writer.js';

/** As much of a terminal as the writer uses: cursor addressing, erase, the alternate screen. */
class Terminal {
  readonly rows: string[] = [];
  alternate = false;
  cursorShown = true;
  written = 0;
  private row = 0;

  write(text: string): void {
    this.written += text.length;
    for (const part of text.split('\u001b[').slice(1)) {
      const end = /[A-Za-z]/.exec(part)!.index;
      this.control(part.slice(0, end), part[end]!);
      const plain = part.slice(end + 1);
      if (plain !== '') this.rows[this.row] = plain;
    }
  }

  private control(parameters: string, final: string): void {
    if (final === 'H') {
      this.row = Number(parameters.split(';')[0]) - 1;
      this.rows[this.row] = '';
    } else if (final === 'J') this.rows.length = 0;
    else if (parameters === '?1049') this.alternate = final === 'h';
    else if (parameters === '?25') this.cursorShown = final === 'h';
  }
}

function drawn(terminal: Terminal, count: number): string[] {
  return Array.from({ length: count }, (_, i) => terminal.rows[i] ?? '');
}

test('FrameWriter: after any frames the screen shows the last one', () => {
  const frame = fc.array(fc.constantFrom('', 'a', 'bb', 'ccc', 'ddd dd'), { maxLength: 6 });
  fc.assert(
    fc.property(fc.array(frame, { minLength: 1, maxLength: 8 }), fc.nat(7), (frames, resizeAt) => {
      const terminal = new Terminal();
      const writer = new FrameWriter((text) => terminal.write(text));
      writer.enter();
      frames.forEach((lines, i) => {
        if (i === resizeAt) writer.forget();
        writer.draw(lines);
        assert.deepEqual(drawn(terminal, 6), [...lines, ...Array(6 - lines.length).fill('')]);
      });
    }),
  );
});

test('FrameWriter: an unchanged frame writes nothing, a changed line only itself', () => {
  const terminal = new Terminal();
  const writer = new FrameWriter((text) => terminal.write(text));
  writer.enter();
  writer.draw(['one', 'two', 'three']);
  const before = terminal.written;
  writer.draw(['one', 'two', 'three']);
  assert.equal(terminal.written, before);
  writer.draw(['one', 'TWO', 'three']);
  assert.ok(terminal.written - before < 40, 'one short line was written');
  assert.deepEqual(drawn(terminal, 3), ['one', 'TWO', 'three']);
});

test('FrameWriter: leaves the terminal as it was, once', () => {
  const terminal = new Terminal();
  const writer = new FrameWriter((text) => terminal.write(text));
  writer.enter();
  assert.equal(terminal.alternate, true);
  assert.equal(terminal.cursorShown, false);
  writer.leave();
  assert.equal(terminal.alternate, false);
  assert.equal(terminal.cursorShown, true);
  const { written } = terminal;
  writer.leave();
  writer.draw(['too late']);
  assert.equal(terminal.written, written);
});
