/** The room on the real server: what a client on a socket meets. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { sorted } from './support/replica.js';
import { LiveRoom, pause, until } from './support/live-room.js';
import type { LiveClient } from './support/live-room.js';
import { subscribe } from './support/room.js';

/** A masked client frame (mask of zeros). */
function frame(fin: boolean, opcode: number, payload: Uint8Array): Buffer {
  const length = payload.length;
  const head = [(fin ? 0x80 : 0) | opcode];
  if (length < 126) head.push(0x80 | length);
  else head.push(0x80 | 126, length >> 8, length & 255);
  return Buffer.concat([Buffer.from(head), Buffer.alloc(4), payload]);
}
const text = (value: string): Buffer => Buffer.from(value);

describe('uWebSockets server', () => {
  let room: LiveRoom;
  let witness: LiveClient;

  before(async () => {
    room = await LiveRoom.start();
    witness = await room.connect().opened();
    witness.send(subscribe('book', 0));
    await witness.answer('subscribed', 1);
  });
  after(async () => {
    assert.equal(witness.problem, null, 'the witness saw nothing wrong');
    assert.equal(witness.closeCode, null, 'the witness stayed');
    await room.stop();
    assert.equal(await witness.closed(), 1001, 'clients are told that the node goes away');
  });

  test('Server: binary deltas reach a client in order, with hash, and the book is the truth', async () => {
    for (let i = 0; i < 300; i++) room.books.event(0, 10);
    const copy = witness.replica.stream(0);
    await until(() => copy.sequence === room.books.books[0]!.sequence, 'the last delta');
    assert.deepEqual(sorted(copy, 'bids'), room.books.levels(0, 'bids'));
    assert.deepEqual(sorted(copy, 'asks'), room.books.levels(0, 'asks'));
    assert.equal(copy.snapshots, 1);
  });

  const closings: { what: string; code: number; send: (client: LiveClient) => void }[] = [
    {
      what: 'a binary frame',
      code: 1003,
      send: (client) => client.socket.send(Buffer.from([1, 2, 3])),
    },
    { what: 'a request of 5 KiB', code: 1009, send: (client) => client.send('x'.repeat(5000)) },
    {
      what: 'a request of 200 KiB',
      code: 1009,
      send: (client) => client.send('x'.repeat(200_000)),
    },
    {
      what: 'a flood of requests',
      code: 1008,
      send: (client) => {
        for (let i = 0; i < 1000; i++) client.send({ op: 'ping', id: i });
      },
    },
    {
      what: 'a flood of pings',
      code: 1008,
      send: (client) => {
        for (let i = 0; i < 100; i++) client.socket.ping();
      },
    },
  ];
  for (const { what, code, send } of closings) {
    test(`Server: ${what} closes with ${code}, and nobody else notices`, async () => {
      const client = await room.connect().opened();
      send(client);
      assert.equal(await client.closed(), code);
      assert.equal(witness.closeCode, null);
    });
  }

  const broken: { what: string; bytes: Buffer }[] = [
    { what: 'text that is not UTF-8', bytes: frame(true, 1, Buffer.from([0xff, 0xfe, 0x80])) },
    { what: 'an unknown opcode', bytes: frame(true, 3, text('x')) },
    { what: 'a continuation of nothing', bytes: frame(true, 0, text('x')) },
    { what: 'a reserved bit', bytes: Buffer.from([0xf1, 0x80, 0, 0, 0, 0]) },
    { what: 'a fragmented ping', bytes: frame(false, 9, text('x')) },
    {
      what: 'a length of 2^62',
      bytes: Buffer.from([0x81, 0xff, 0x40, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
    },
    {
      what: 'fragments beyond the bound',
      bytes: Buffer.concat(
        Array.from({ length: 80 }, (_, i) =>
          frame(false, i === 0 ? 1 : 0, Buffer.alloc(16_000, 65)),
        ),
      ),
    },
  ];
  for (const { what, bytes } of broken) {
    test(`Server: ${what} ends the connection, and nobody else notices`, async () => {
      const { socket, ended } = await room.raw();
      socket.resume();
      socket.write(bytes);
      await ended;
      assert.equal(witness.closeCode, null);
    });
  }

  test('Server: requests that are wrong get their code and the connection stays', async () => {
    const client = await room.connect().opened();
    const table: [unknown, string][] = [
      ['{', 'MALFORMED_REQUEST'],
      ['[]', 'MALFORMED_REQUEST'],
      ['null', 'MALFORMED_REQUEST'],
      ['"subscribe"', 'MALFORMED_REQUEST'],
      ['['.repeat(4000), 'MALFORMED_REQUEST'],
      [{}, 'MALFORMED_REQUEST'],
      [{ op: 'nonsense' }, 'UNKNOWN_OP'],
      [{ op: '__proto__' }, 'UNKNOWN_OP'],
      [{ op: 'constructor' }, 'UNKNOWN_OP'],
      ['{"__proto__":{"op":"ping"}}', 'MALFORMED_REQUEST'],
      ['{"op":"ping","__proto__":{"id":1}}', 'MALFORMED_REQUEST'],
      [{ op: 'ping', id: {} }, 'MALFORMED_REQUEST'],
      [{ op: 'ping', id: 'x'.repeat(65) }, 'MALFORMED_REQUEST'],
      [subscribe('book', 0, { dept: 5 }), 'MALFORMED_REQUEST'],
      [subscribe('nothing', 0), 'UNKNOWN_CHANNEL'],
      [subscribe('toString', 0), 'UNKNOWN_CHANNEL'],
      [subscribe('book', 77), 'UNKNOWN_INSTRUMENT'],
      [{ op: 'subscribe', channel: 'book', instrument: '__proto__' }, 'UNKNOWN_INSTRUMENT'],
      [{ op: 'subscribe', channel: 'book', instrument: 7 }, 'MALFORMED_REQUEST'],
      [subscribe('book', 0, { depth: -1 }), 'BAD_DEPTH'],
      [subscribe('book', 0, { depth: 1.5 }), 'BAD_DEPTH'],
      [subscribe('book', 0, { depth: 5001 }), 'BAD_DEPTH'],
      [subscribe('book', 0, { depth: '20' }), 'BAD_DEPTH'],
      [subscribe('bbo', 0, { depth: 5 }), 'BAD_DEPTH'],
      [subscribe('book', 0, { mode: 'fast' }), 'BAD_MODE'],
      [subscribe('book', 0, { resume: 5 }), 'BAD_RESUME'],
      [subscribe('book', 0, { resume: { epoch: '1' } }), 'BAD_RESUME'],
      [subscribe('book', 0, { resume: { epoch: '1e3', sequence: '1' } }), 'BAD_RESUME'],
      [
        subscribe('book', 0, { resume: { epoch: '99999999999999999', sequence: '1' } }),
        'BAD_RESUME',
      ],
      [{ op: 'unsubscribe', channel: 'book', instrument: 'test:SYM0' }, 'NOT_SUBSCRIBED'],
      [{ op: 'unsubscribe', streamId: 4 }, 'NOT_SUBSCRIBED'],
    ];
    for (const [request, code] of table) {
      client.send(request);
      const answer = await client.answer('error');
      assert.equal(answer['code'], code, JSON.stringify(request).slice(0, 80));
    }
    client.send(subscribe('book', 0, { id: 'a' }));
    await client.answer('subscribed', 'a');
    client.send(subscribe('book', 0, { id: 'b' }));
    assert.equal((await client.answer('error', 'b'))['code'], 'ALREADY_SUBSCRIBED');
    client.send({ op: 'unsubscribe', id: 'c', channel: 'book', instrument: 'test:SYM0' });
    assert.equal((await client.answer('unsubscribed', 'c'))['streamId'], 0);
    client.send({ op: 'ping', id: 5 });
    assert.match(String((await client.answer('pong', 5))['publishedNs']), /^\d{19}$/);
    client.send({ op: 'instruments', id: 6 });
    const list = (await client.answer('instruments', 6))['instruments'] as Record<
      string,
      unknown
    >[];
    assert.equal(list.length, 2);
    assert.deepEqual(
      [list[1]!['instrument'], list[1]!['tickSize'], list[1]!['lotSize'], list[1]!['state']],
      ['test:SYM1', '0.1', '0.001', 'Live'],
    );
    assert.equal(client.closeCode, null);
    client.socket.terminate();
  });

  test('Server: a request that arrives in fragments is understood', async () => {
    const { socket } = await room.raw();
    const answered = new Promise<string>((resolve) => {
      let all = '';
      socket.on('data', (data: Buffer) => {
        all += data.toString('latin1');
        if (all.includes('pong')) resolve(all);
      });
    });
    socket.write(frame(false, 1, text('{"op":"pi')));
    await pause(5);
    socket.write(frame(false, 0, Buffer.alloc(0)));
    socket.write(frame(true, 0, text('ng","id":9}')));
    assert.match(await answered, /"op":"pong","id":9/);
    socket.destroy();
  });

  test('Server: ?format=json gives the same messages as text', async () => {
    const client = await room.connect('?format=json').opened();
    client.replica.onText = (line) =>
      void client.replica.answers.push(JSON.parse(line) as Record<string, unknown>);
    client.send(subscribe('book', 1, { depth: 2 }));
    client.send(subscribe('trades', 1, { id: 2 }));
    await until(
      () => client.replica.answers.some((each) => each['op'] === 'subscribed' && each['id'] === 2),
      'both',
    );
    room.books.event(1, 12);
    room.books.event(1, 12);
    room.books.trade(1, 2);
    const of = (type: string): Record<string, unknown> | undefined =>
      client.replica.answers.find((each) => each['type'] === type);
    await until(
      () => of('trades') !== undefined && of('bookDelta') !== undefined,
      'a delta and trades',
    );
    const snapshot = of('bookSnapshot')!;
    assert.equal(snapshot['instrument'], 'test:SYM1');
    assert.equal((snapshot['bids'] as unknown[]).length, 2);
    assert.deepEqual((snapshot['bids'] as string[][])[0]![0], '1000.0');
    const head = of('bookDelta')!['head'] as Record<string, unknown>;
    assert.equal(head['state'], 'Live');
    assert.equal((of('trades')!['trades'] as unknown[]).length, 2);
    client.socket.terminate();
  });

  test('Server: a client that comes back resumes from history, or is told that it cannot', async () => {
    const first = await room.connect().opened();
    first.send(subscribe('book', 1, { mode: 'lossless' }));
    await first.answer('subscribed', 1);
    room.books.event(1, 5);
    const copy = first.replica.stream(8);
    await until(() => copy.sequence === room.books.books[1]!.sequence, 'caught up');
    first.socket.terminate();
    const { epoch, sequence } = copy;
    for (let i = 0; i < 20; i++) room.books.event(1, 5);
    const second = await room.connect().opened();
    second.replica.streams.set(8, copy);
    second.send(
      subscribe('book', 1, { resume: { epoch: String(epoch), sequence: String(sequence) } }),
    );
    const answer = await second.answer('subscribed', 1);
    assert.deepEqual([answer['resumed'], answer['sequence']], [true, String(sequence)]);
    await until(() => copy.sequence === room.books.books[1]!.sequence, 'resumed');
    assert.equal(copy.resumedFlags, 1);
    assert.equal(copy.snapshots, 1, 'no snapshot was needed');
    const third = await room.connect().opened();
    third.send(
      subscribe('book', 1, { resume: { epoch: String(epoch - 1), sequence: String(sequence) } }),
    );
    assert.equal((await third.answer('subscribed', 1))['resumed'], false);
    await until(() => third.replica.stream(8).snapshots === 1, 'a snapshot instead');
    assert.equal(second.problem, null);
    for (const client of [second, third]) client.socket.terminate();
  });

  test('Server: heartbeats come every second with the next sequence', async () => {
    await until(() => witness.replica.heartbeats >= 1, 'a heartbeat');
  });
});
