/**
 * The ingest room on real sockets: a `ws` server and an HTTP server on loopback speak Binance USDⓈ-M,
 * well and badly; what comes out of the ring is looked at.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, test } from 'node:test';
import type { WebSocket } from 'ws';
import { WebSocketServer } from 'ws';
import { Channel } from '../../src/domain/channel.js';
import { Prng } from '../../src/domain/prng.js';
import type { ConnectionReport } from '../../src/ingest/connection-driver.js';
import { Ingest } from '../../src/ingest/ingest.js';
import {
  CONNECTION_COLUMNS,
  ConnectionColumn,
  VENUE_COLUMNS,
  VenueColumn,
  createIngestCounters,
} from '../../src/ingest/ingest-counters.js';
import type { IngestLimits } from '../../src/ingest/limits.js';
import type { SnapshotReport } from '../../src/ingest/snapshot-source.js';
import { UndiciTransport } from '../../src/ingest/undici-transport.js';
import { LeanTransport } from '../../src/ingest/lean-transport.js';
import { CounterTable } from '../../src/rings/counters.js';
import { DoorbellRinger, createDoorbell } from '../../src/rings/doorbell.js';
import {
  RecordType,
  SEQUENCE_LAST,
  SNAPSHOT_WANTED_DOUBLES,
  SOURCE_CHANNEL,
  SOURCE_STATE,
  SourceState,
} from '../../src/rings/record-types.js';
import { RingConsumer } from '../../src/rings/ring-consumer.js';
import { createRing } from '../../src/rings/ring-layout.js';
import { RingProducer } from '../../src/rings/ring-producer.js';
import { readTimelineOrigin } from '../../src/time/system-clock.js';
import { SystemScheduler } from '../../src/time/system-scheduler.js';
import { Timeline } from '../../src/time/timeline.js';
import { venueById } from '../../src/venues/registry.js';
import { toyInstruments } from '../support/toy-venue.js';
import { until } from '../support/until.js';
import { timeCell } from '../../src/time/clock.js';

const FAST: Partial<IngestLimits> = {
  backoffMsMin: 20,
  backoffMsMax: 60,
  overlapMsMin: 20,
  closeMsMax: 100,
  snapshotMsMax: 1_500,
  snapshotBytesMax: 100_000,
  snapshotBackoffMsMin: 10,
  snapshotBackoffMsMax: 20,
};

const cleanups: (() => Promise<void> | void)[] = [];
after(async () => {
  for (const cleanup of cleanups.reverse()) await cleanup();
});

type Rest = (request: IncomingMessage, response: ServerResponse) => void;

/** A venue on loopback: acknowledges subscriptions and hands its sockets to the test. */
class LoopbackVenue {
  readonly sockets: WebSocket[] = [];
  rest: Rest = (_request, response) => response.end();
  onSocket: (socket: WebSocket) => void = () => {};
  private readonly http: Server;
  private readonly ws: WebSocketServer;

  constructor() {
    this.http = createServer((request, response) => this.rest(request, response));
    this.ws = new WebSocketServer({ server: this.http });
    this.ws.on('connection', (socket) => {
      this.sockets.push(socket);
      socket.on('error', () => {});
      socket.on('message', (data) => {
        const { id } = JSON.parse((data as Buffer).toString()) as { id: number };
        socket.send(JSON.stringify({ result: null, id }));
        this.onSocket(socket);
      });
    });
  }

  async listen(): Promise<number> {
    this.http.listen(0, '127.0.0.1');
    await once(this.http, 'listening');
    cleanups.push(() => {
      for (const socket of this.sockets) socket.terminate();
      this.http.closeAllConnections();
      this.http.close();
    });
    return (this.http.address() as AddressInfo).port;
  }

  get last(): WebSocket {
    return this.sockets.at(-1)!;
  }
}

function depth(id: number, size = '1.5'): string {
  return (
    `{"stream":"btcusdt@depth@100ms","data":{"e":"depthUpdate","E":1726900000000,"T":1726900000000,` +
    `"s":"BTCUSDT","U":${id},"u":${id},"pu":${id - 1},"b":[["61659.70","${size}"]],"a":[]}}`
  );
}

function snapshotBody(id: number): string {
  return (
    `{"lastUpdateId":${id},"E":1726900000000,"T":1726900000000,` +
    `"bids":[["61659.70","1.000"]],"asks":[["61659.80","2.000"]]}`
  );
}

class Node {
  readonly words: string[] = [];
  readonly reports: ConnectionReport[] = [];
  readonly snapshots: SnapshotReport[] = [];
  readonly connections: CounterTable;
  readonly venueRow: CounterTable;
  readonly ingest: Ingest;
  private readonly feed: RingConsumer;
  private readonly wanted: RingProducer;
  private readonly scheduler: SystemScheduler;

  constructor(port: number, limits: Partial<IngestLimits> = {}) {
    const origin = readTimelineOrigin();
    this.scheduler = new SystemScheduler(origin.monotonicNs);
    const ring = createRing(2 ** 16);
    const wanted = createRing(2 ** 10);
    this.feed = new RingConsumer(ring);
    this.wanted = new RingProducer(wanted);
    const counters = createIngestCounters(2);
    this.connections = new CounterTable(counters.connections, CONNECTION_COLUMNS);
    this.venueRow = new CounterTable(counters.venue, VENUE_COLUMNS);
    const venue = venueById('binance-futures', {
      restUrl: `http://127.0.0.1:${port}`,
      webSocketUrl: `ws://127.0.0.1:${port}`,
    });
    const [instrument] = toyInstruments(1);
    const http = new UndiciTransport({ allowPrivate: false, connectionsMax: 4 });
    this.ingest = new Ingest({
      venue: { ...venue, limits: { ...venue.limits, frameBytesMax: 100_000 } },
      instruments: [{ ...instrument!, symbol: 'BTCUSDT', name: 'binance-futures:BTCUSDT' }],
      channels: [Channel.Book],
      rings: [{ ring: new RingProducer(ring), bell: new DoorbellRinger(createDoorbell()) }],
      shardOf: new Int32Array(1),
      wanted: [new RingConsumer(wanted)],
      clock: this.scheduler,
      prng: new Prng(3),
      timeline: new Timeline(origin.unixNs),
      transports: {
        http,
        webSocket: new LeanTransport({
          clock: this.scheduler,
          allowPrivate: false,
          frameBytesMax: 100_000,
          handshakeMsMax: 30_000,
        }),
      },
      counters,
      reporter: {
        onConnection: (report) => this.reports.push(report),
        onSnapshot: (report) => this.snapshots.push(report),
      },
      limits: { ...FAST, ...limits },
    });
    cleanups.push(async () => {
      this.ingest.onClose();
      await until(() => this.ingest.isClosed, 'every socket is closed');
      await http.close();
    });
  }

  wantSnapshot(): void {
    const slot = this.wanted.tryClaim(RecordType.SnapshotWanted, SNAPSHOT_WANTED_DOUBLES * 8);
    this.wanted.doubles.fill(0, slot, slot + SNAPSHOT_WANTED_DOUBLES);
    this.wanted.commit();
    this.turn();
  }

  turn(): void {
    this.ingest.doWork(timeCell(this.scheduler.nowNs()));
    const { doubles } = this.feed;
    const onRecord = (type: number, slot: number): void => {
      const last = doubles[slot + SEQUENCE_LAST]!;
      if (type === RecordType.DepthUpdate) this.words.push(`d${last}`);
      else if (type === RecordType.DepthSnapshot) this.words.push(`snapshot${last}`);
      else if (type === RecordType.SnapshotRefused) this.words.push('refused');
      else if (type === RecordType.SourceState) {
        const state = doubles[slot + SOURCE_STATE]!;
        const name = Object.entries(SourceState).find(([, value]) => value === state)![0];
        if (doubles[slot + SOURCE_CHANNEL] === Channel.Book) this.words.push(name);
      }
    };
    this.feed.poll({ onRecord }, 1_000);
  }

  async hears(word: string): Promise<void> {
    await until(
      () => {
        this.turn();
        return this.words.includes(word);
      },
      () => `the ring says ${word}; it said ${this.words.join(' ')}`,
    );
  }
}

async function loopback(limits: Partial<IngestLimits> = {}): Promise<[LoopbackVenue, Node]> {
  const venue = new LoopbackVenue();
  const node = new Node(await venue.listen(), limits);
  return [venue, node];
}

test('Ingest on sockets: frames reach the ring; a reset is Lost, then Up again by itself', async () => {
  const [venue, node] = await loopback();
  let id = 1;
  venue.onSocket = (socket) => socket.send(depth(id++));
  node.ingest.start();
  await node.hears('d1');
  venue.last.terminate();
  await node.hears('d2');
  assert.deepEqual(node.words, ['Up', 'd1', 'Lost', 'Up', 'd2']);
});

test('Ingest on sockets: a server that stalls half-open is noticed and left', async () => {
  const [venue, node] = await loopback({ probeIdleMs: 300, probeDeadlineMs: 300 });
  let id = 1;
  venue.onSocket = (socket) => {
    socket.send(depth(id++));
    // The first one never reads or answers again, not even pings.
    if (id === 2) (socket as unknown as { _socket: { pause(): void } })._socket.pause();
  };
  node.ingest.start();
  await node.hears('d2');
  assert.deepEqual(node.words, ['Up', 'd1', 'Lost', 'Up', 'd2']);
  const lost = node.reports.find((report) => report.event === 'lost');
  assert.equal(lost?.detail, 'no answer to a ping');
});

test('Ingest on sockets: garbage is counted and harms nothing, a broken depth frame says so', async () => {
  const [venue, node] = await loopback();
  venue.onSocket = (socket) => {
    socket.send(depth(1));
    socket.send('\u0000\u0001 not json at all');
    socket.send(Buffer.from([0xff, 0xfe, 0x80]));
    socket.send('{"stream":"x","data":{}}');
    socket.send(depth(2).replace('"1.5"', '"1.5555555"'));
    socket.send(depth(3));
  };
  node.ingest.start();
  await node.hears('d3');
  assert.deepEqual(node.words, ['Up', 'd1', 'FrameLost', 'd3']);
  const count = (column: number): number => node.connections.get(0, column);
  const unknown = count(ConnectionColumn.UnknownType) + count(ConnectionColumn.UnknownSymbol);
  assert.equal(count(ConnectionColumn.Malformed) + unknown, 3);
  assert.equal(count(ConnectionColumn.Precision), 1);
});

test('Ingest on sockets: an oversized frame ends the connection, which comes back', async () => {
  const [venue, node] = await loopback();
  let id = 1;
  venue.onSocket = (socket) => {
    socket.send(depth(id++));
    if (id === 2) socket.send('x'.repeat(100_001));
  };
  node.ingest.start();
  await node.hears('d2');
  assert.deepEqual(node.words, ['Up', 'd1', 'Lost', 'Up', 'd2']);
});

test('Ingest on sockets: an announced shutdown is survived without a word to the books', async () => {
  const [venue, node] = await loopback();
  let next = 1;
  const live = setInterval(() => {
    const frame = depth(next++);
    for (const socket of venue.sockets) if (socket.readyState === 1) socket.send(frame);
  }, 5);
  cleanups.push(() => clearInterval(live));
  node.ingest.start();
  await node.hears('d30');
  venue.last.send('{"stream":"!serverShutdown","data":{"e":"serverShutdown","E":1726900000000}}');
  await until(() => node.reports.some(({ event }) => event === 'rotated'), 'it rotates');
  await node.hears(`d${next + 30}`);
  const [, ...rest] = node.words;
  const first = Number(rest[0]!.slice(1));
  assert.deepEqual(
    rest,
    rest.map((_, i) => `d${first + i}`),
  );
  await until(
    () => venue.sockets.filter(({ readyState }) => readyState === 1).length === 1,
    'one left',
  );
});

test('Ingest on sockets: snapshots survive 429, redirects, slow and oversized bodies', async () => {
  const [venue, node] = await loopback();
  const answers: Rest[] = [
    (_request, response) => response.writeHead(302, { location: '/elsewhere' }).end(),
    (_request, response) => response.writeHead(503).end('busy'),
    (_request, response) => response.write('{"lastUpdateId":'),
    (_request, response) => response.end('x'.repeat(100_001)),
    (_request, response) => response.end('{"code":-1121,"msg":"Invalid symbol."}'),
    (request) => request.socket.destroy(),
    (_request, response) => response.writeHead(429, { 'retry-after': '0' }).end(),
    (_request, response) => response.end(snapshotBody(77)),
  ];
  const asked: string[] = [];
  venue.rest = (request, response) => {
    asked.push(request.url!);
    answers.shift()!(request, response);
  };
  node.wantSnapshot();
  await node.hears('snapshot77');
  assert.deepEqual(node.words, [...Array<string>(7).fill('refused'), 'snapshot77']);
  assert.equal(asked.includes('/elsewhere'), false);
  const outcomes = node.snapshots.map(({ outcome }) => outcome);
  assert.deepEqual(outcomes.slice(0, 4), ['refused', 'refused', 'unreachable', 'unreachable']);
  assert.deepEqual(outcomes.slice(5), ['unreachable', 'rate-limited']);
  assert.equal(node.venueRow.get(0, VenueColumn.Snapshots), 1);
  assert.equal(node.venueRow.get(0, VenueColumn.WeightUsed), 8 * 20);
});
