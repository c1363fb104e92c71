import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Channel } from '../../src/domain/channel.js';
import { StateReason } from '../../src/domain/book-state.js';
import { ConnectionColumn, VenueColumn } from '../../src/ingest/ingest-counters.js';
import { IngestHarness } from '../support/ingest-harness.js';
import type { MemorySocket } from '../support/memory-web-socket.js';
import { settle } from '../support/memory-http.js';
import { toyVenue } from '../support/toy-venue.js';

const HOUR_MS = 3_600_000;

/** A server that acknowledges every subscription. */
function acking(socket: MemorySocket): void {
  socket.onText = (text) => {
    if (text.startsWith('subscribe ')) socket.deliver(`ack ${text.slice('subscribe '.length)}`);
  };
  socket.accept();
}

function harness(
  options: Partial<ConstructorParameters<typeof IngestHarness>[0]> = {},
): IngestHarness {
  const made = new IngestHarness({ venue: toyVenue(), ...options });
  made.sockets.onSocket = acking;
  return made;
}

test('Ingest: the first frame of a stream is preceded by Up, and by it only', () => {
  const h = harness().start().advance(1);
  h.sockets.last.deliver('d 0 1 5 0');
  h.sockets.last.deliver('d 0 6 7 5', 't 0 1 1');
  assert.deepEqual(h.take(), [
    `Up 0 ${Channel.Book} ${StateReason.None}`,
    'd 0 0..5',
    'd 0 5..7',
    `Up 0 ${Channel.Trades} ${StateReason.None}`,
    't 0 1',
  ]);
  assert.equal(h.ingest.connectionStates[0], 'up');
  assert.equal(h.connections.get(0, ConnectionColumn.Frames), 4);
  assert.equal(h.connections.get(0, ConnectionColumn.Acks), 1);
});

test('Ingest: a lost connection tells every stream that was up, and comes back', () => {
  const h = harness().start().advance(1);
  h.sockets.last.deliver('d 0 1 5 0');
  h.take();
  h.sockets.last.end(1006, 'reset');
  h.advance(1);
  assert.deepEqual(h.take(), [`Lost 0 ${Channel.Book} ${StateReason.Disconnected}`]);
  h.advance(1_000);
  assert.equal(h.sockets.sockets.length, 2);
  h.sockets.last.deliver('d 0 8 9 7');
  assert.deepEqual(h.take(), [`Up 0 ${Channel.Book} ${StateReason.None}`, 'd 0 7..9']);
});

test('Ingest: rotation at 23 h ± jitter passes every event once and ends with one socket', () => {
  const h = harness({ instruments: 2 }).start().advance(1);
  let sequence = 0;
  const expected: string[] = [];
  const step = (): void => {
    sequence++;
    for (const id of [0, 1]) {
      expected.push(`d ${id} ${sequence - 1}..${sequence}`);
      // The younger socket is first every other time.
      const sockets = sequence % 2 === 0 ? h.sockets.open : [...h.sockets.open].reverse();
      for (const socket of sockets)
        socket.deliver(`d ${id} ${sequence} ${sequence} ${sequence - 1}`);
    }
    h.advance(500);
  };
  for (let ms = 0; ms < 24 * HOUR_MS; ms += 500) step();
  const events = h.take().filter((event) => event.startsWith('d '));
  assert.deepEqual(events, expected);
  assert.equal(h.sockets.open.length, 1);
  assert.equal(h.sockets.sockets.length, 2);
  const openedMs = h.sockets.sockets[1]!.openedAtNs / 1e6;
  assert.ok(openedMs > 22.7 * HOUR_MS && openedMs < 23.3 * HOUR_MS, `opened at ${openedMs} ms`);
  assert.equal(h.connections.get(0, ConnectionColumn.Rotations), 1);
  assert.equal(h.connections.get(0, ConnectionColumn.Losses), 0);
});

test('Ingest: a wished snapshot is fetched once and handed to the books', async () => {
  const h = harness().start().advance(1);
  h.want(0);
  h.want(0);
  assert.equal(h.http.requests.length, 1);
  h.http.requests[0]!.answer(200, 'snapshot 77');
  await settle();
  assert.deepEqual(h.take(), ['snapshot 0 77']);
  assert.equal(h.venueRow.get(0, VenueColumn.WantedDuplicates), 1);
  h.advance(100_000);
  assert.equal(h.http.requests.length, 1);
});

test('Ingest: closing says goodbye on every socket and ends idle', () => {
  const h = harness().start().advance(1);
  h.ingest.onClose();
  h.advance(10);
  assert.equal(h.ingest.isClosed, true);
  assert.equal(h.sockets.open.length, 0);
  h.advance(100_000);
  assert.equal(h.sockets.sockets.length, 1);
});

test('Ingest: a refused frame of a known stream is a FrameLost before the next event', () => {
  const h = harness({ instruments: 2 }).start().advance(1);
  h.sockets.last.deliver('d 0 1 1 0', 'd 1 1 1 0');
  h.take();
  h.sockets.last.deliver('x 1 broken', 'd 1 3 3 2', 'p 0');
  assert.deepEqual(h.take(), [
    `FrameLost 1 ${Channel.Book} ${StateReason.MalformedFrame}`,
    'd 1 2..3',
    `FrameLost 0 ${Channel.Book} ${StateReason.PrecisionLost}`,
  ]);
  assert.equal(h.connections.get(0, ConnectionColumn.Malformed), 1);
  assert.equal(h.connections.get(0, ConnectionColumn.Precision), 1);
});

test('Ingest: frames of unknown streams are counted and sampled, and nothing is guessed', () => {
  const h = harness({ venue: toyVenue({ groups: [[Channel.Trades]] }) })
    .start()
    .advance(1);
  for (let i = 0; i < 100; i++)
    h.sockets.last.deliver(`{"e":"garbage \u00fc\n${i}`, 'd 7 1 1 0', 'u');
  assert.deepEqual(h.take(), []);
  assert.equal(h.connections.get(0, ConnectionColumn.Malformed), 100);
  assert.equal(h.connections.get(0, ConnectionColumn.UnknownSymbol), 100);
  assert.equal(h.connections.get(0, ConnectionColumn.UnknownType), 100);
  assert.equal(h.faults.length, 15, 'five samples a minute of each code');
  assert.equal(h.faults[0]!.text, '{"e":"garbage \\xc3\\xbc\\x0a0');
  h.advance(61_000);
  h.sockets.last.deliver('u');
  assert.equal(h.faults.at(-1)!.suppressed, 95, 'the next sample says what was not told');
});

test('Ingest: a frame that is understood and not used shows that its stream lives', () => {
  const venue = toyVenue({ groups: [[Channel.Book]], silenceMsMax: 2_000 });
  const h = harness({ venue }).start().advance(1);
  h.sockets.last.deliver('d 0 1 1 0');
  for (let i = 0; i < 10; i++) {
    h.advance(1_000);
    h.sockets.last.deliver(`i 0 ${Channel.Book}`);
  }
  assert.deepEqual(h.take(), [`Up 0 ${Channel.Book} ${StateReason.None}`, 'd 0 0..1']);
});

test('Ingest: a full ring loses frames loudly and never blocks the socket', () => {
  const h = harness({ ringWords: 256 }).start().advance(1);
  for (let i = 1; i <= 50; i++) h.sockets.last.deliver(`d 0 ${i} ${i} ${i - 1}`);
  assert.ok(h.connections.get(0, ConnectionColumn.RingFull) > 0);
  h.take();
  h.sockets.last.deliver('d 0 51 51 50');
  assert.deepEqual(h.take(), [`FrameLost 0 ${Channel.Book} ${StateReason.RingFull}`, 'd 0 50..51']);
});

test('Ingest: what a socket brings after it was replaced does not reach the books', () => {
  const h = harness().start().advance(1);
  const old = h.sockets.last;
  old.onGoodbye = () => {};
  old.deliver('d 0 1 1 0');
  old.deliver('bye');
  h.advance(10);
  const successor = h.sockets.last;
  assert.notEqual(successor, old);
  for (let i = 2; i < 30; i++) {
    old.deliver(`d 0 ${i} ${i} ${i - 1}`);
    successor.deliver(`d 0 ${i} ${i} ${i - 1}`);
    h.advance(100);
  }
  const events = h.take();
  assert.deepEqual(
    events.slice(1),
    Array.from({ length: 29 }, (_, i) => `d 0 ${i}..${i + 1}`),
  );
  assert.equal(old.isClosed, true, 'cut after it did not answer the close frame');
});

test('Ingest: an announced end is obeyed although the successor is refused at first', () => {
  const h = harness().start().advance(1);
  let refusals = 3;
  h.sockets.onSocket = (socket) => {
    if (refusals-- > 0) socket.refuse(503);
    else acking(socket);
  };
  h.sockets.last.deliver('d 0 1 1 0', 'bye');
  h.take();
  for (let i = 2; i < 100; i++) {
    for (const socket of h.sockets.open) socket.deliver(`d 0 ${i} ${i} ${i - 1}`);
    h.advance(100);
  }
  assert.equal(h.sockets.sockets.length, 5);
  assert.equal(h.sockets.open.length, 1);
  assert.equal(h.take().length, 98, 'each event once, and no word of a loss');
});
