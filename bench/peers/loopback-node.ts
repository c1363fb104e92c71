/**
 * What loopback.c does, in Node, for machines without a C compiler: a venue and a client of a feed for
 * the pipeline benches. Slower: it takes more of the processor from those who are measured, waits by
 * timers of a millisecond and prepares no schedule finer than that, so its figures are compared only
 * with each other. The commands on stdin and the answers are those of loopback.c:
 *
 *     loopback-node feed [SYMBOLS] · loopback-node readers PORT PATH CLIENTS [SYMBOLS] ·
 *     loopback-node relay PORT
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { createInterface } from 'node:readline';
import { performance } from 'node:perf_hooks';
import { WebSocket, WebSocketServer } from 'ws';
import * as wire from '../../src/wire/generated/ringside/wire.js';
import * as flatbuffers from 'flatbuffers';

const TEMPLATES = 64;
const LEVELS_A_SIDE = 10;
const BOOK_TICKS = 100;
const FIRST_ID = 1_000_001_000;
const IDLE_RATE = 200;
const SAMPLES_MAX = 1 << 22;
const DUE_SLOTS = 1 << 20;
/** Of what one turn of the loop sends at most, so that the client on the same loop is served. */
const FRAMES_PER_TURN = 256;

interface Template {
  readonly bytes: Buffer;
  readonly eventMs: number;
  readonly engineMs: number;
  readonly first: number;
  readonly last: number;
  readonly previous: number;
}

const nowUs = (): number => performance.now() * 1e3;

function symbolName(symbol: number): string {
  return symbol === 0 ? 'BTCUSDT' : `SYM${String(symbol).padStart(2, '0')}USDT`;
}

/** Small and seeded: every run sends the same frames. */
class Dice {
  private state = 20_240_718;

  below(bound: number): number {
    this.state = (Math.imul(this.state, 1_103_515_245) + 12_345) & 0x7fff_ffff;
    return (this.state >>> 8) % bound;
  }
}

function levelsText(isAsk: boolean, dice: Dice): string {
  const levels = Array.from({ length: LEVELS_A_SIDE }, () => {
    const ticks = dice.below(BOOK_TICKS);
    const price = isAsk ? 600_000 + ticks : 599_999 - ticks;
    const size = dice.below(3) === 0 ? 0 : 1 + dice.below(99_999);
    return `["${(price / 10).toFixed(1)}0","${(size / 1000).toFixed(3)}"]`;
  });
  return levels.join(',');
}

function templateOf(name: string, dice: Dice): Template {
  let text = '';
  const put = (more: string): number => {
    text += more;
    return text.length;
  };
  put(`{"stream":"${name.toLowerCase()}@depth@0ms","data":{"e":"depthUpdate","E":`);
  const eventMs = text.length;
  put('0000000000000,"T":');
  const engineMs = text.length;
  put(`0000000000000,"s":"${name}","U":`);
  const first = text.length;
  put('0000000000,"u":');
  const last = text.length;
  put('0000000000,"pu":');
  const previous = text.length;
  put(`0000000000,"b":[${levelsText(false, dice)}],"a":[${levelsText(true, dice)}]}}`);
  return { bytes: Buffer.from(text, 'latin1'), eventMs, engineMs, first, last, previous };
}

function putDigits(bytes: Buffer, at: number, value: number, digits: number): void {
  let rest = value;
  for (let i = at + digits - 1; i >= at; i--) {
    bytes[i] = 48 + (rest % 10);
    rest = Math.floor(rest / 10);
  }
}

const Mode = { Idle: 0, Run: 1, Flood: 2 } as const;

class Venue {
  port = 0;
  sentId = FIRST_ID;
  mode: number = Mode.Idle;
  rate = IDLE_RATE;
  endId = 0;
  floodFrom = 0;
  floodUntilUs = 0;
  windowFrames = 0;
  receivedSinceFlood: () => number = () => 0;
  readonly dueUs = new Float64Array(DUE_SLOTS);
  private readonly symbols: number;
  private readonly templates: readonly Template[];
  private stream: WebSocket | null = null;
  private firstDueUs = 0;
  private firstId = 0;

  constructor(symbols: number) {
    const dice = new Dice();
    this.symbols = symbols;
    this.templates = Array.from({ length: TEMPLATES }, (_, i) =>
      templateOf(symbolName(i % symbols), dice),
    );
    this.restart();
  }

  async listen(): Promise<void> {
    const server = createServer((request, response) => this.onRequest(request, response));
    const sockets = new WebSocketServer({ server, perMessageDeflate: false });
    sockets.on('connection', (socket) => this.onConnection(socket));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    this.port = (server.address() as AddressInfo).port;
    const turn = (): void => {
      // Under load at once again; while idle a timer leaves the processor to others.
      if (this.feed()) setImmediate(turn);
      else setTimeout(turn, 1);
    };
    turn();
  }

  /** The schedule begins now. */
  restart(): void {
    this.firstDueUs = nowUs();
    this.firstId = this.sentId + 1;
  }

  /** Writes what is due. True if more is due at once. */
  private feed(): boolean {
    const { stream } = this;
    if (stream === null) return false;
    const begunUs = nowUs();
    const nowMs = Date.now();
    for (let sent = 0; sent < FRAMES_PER_TURN; sent++) {
      const id = this.sentId + 1;
      let dueUs = begunUs;
      if (this.mode === Mode.Flood) {
        const underWay = id - this.floodFrom - this.receivedSinceFlood();
        if (begunUs >= this.floodUntilUs || underWay > this.windowFrames) return false;
      } else {
        if (this.mode === Mode.Run && id >= this.endId) return false;
        dueUs = this.firstDueUs + ((id - this.firstId) * 1e6) / this.rate;
        if (dueUs > begunUs) return false;
      }
      this.dueUs[id % DUE_SLOTS] = dueUs;
      stream.send(this.frame(id, nowMs), { binary: false });
      this.sentId = id;
    }
    return true;
  }

  private frame(id: number, nowMs: number): Buffer {
    const template = this.templates[id % TEMPLATES]!;
    const bytes = Buffer.from(template.bytes);
    putDigits(bytes, template.eventMs, nowMs, 13);
    putDigits(bytes, template.engineMs, nowMs, 13);
    putDigits(bytes, template.first, id, 10);
    putDigits(bytes, template.last, id, 10);
    putDigits(bytes, template.previous, id - this.symbols, 10);
    return bytes;
  }

  private onConnection(socket: WebSocket): void {
    socket.on('message', (data: Buffer) => {
      const { method, id } = JSON.parse(data.toString()) as { method?: string; id?: number };
      if (method !== 'SUBSCRIBE') return;
      socket.send(JSON.stringify({ result: null, id: id ?? 1 }));
      if (this.stream !== socket) this.restart();
      this.stream = socket;
    });
    socket.on('close', () => {
      if (this.stream === socket) this.stream = null;
    });
    socket.on('error', () => socket.terminate());
  }

  private onRequest(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url ?? '/', 'http://localhost');
    const body = url.pathname.endsWith('exchangeInfo')
      ? this.exchangeInfo()
      : this.depth(url.searchParams.get('symbol') ?? 'BTCUSDT');
    response.setHeader('Content-Type', 'application/json');
    response.end(JSON.stringify(body));
  }

  private exchangeInfo(): unknown {
    const symbols = Array.from({ length: this.symbols }, (_, i) => ({
      symbol: symbolName(i),
      pair: symbolName(i),
      contractType: 'PERPETUAL',
      status: 'TRADING',
      baseAsset: `B${i}`,
      quoteAsset: 'USDT',
      filters: [
        { filterType: 'PRICE_FILTER', tickSize: '0.10', minPrice: '0.10', maxPrice: '9999999' },
        { filterType: 'LOT_SIZE', stepSize: '0.001', minQty: '0.001', maxQty: '1000' },
      ],
    }));
    return { symbols };
  }

  private depth(name: string): unknown {
    const symbol = name === 'BTCUSDT' ? 0 : Number(name.slice(3, 5));
    let last = this.sentId;
    while (last % this.symbols !== symbol) last--;
    const side = (price: (i: number) => number): [string, string][] =>
      Array.from({ length: BOOK_TICKS }, (_, i) => [`${(price(i) / 10).toFixed(1)}0`, '1.000']);
    const now = Date.now();
    return {
      lastUpdateId: last,
      E: now,
      T: now,
      bids: side((i) => 599_999 - i),
      asks: side((i) => 600_000 + i),
    };
  }
}

/** Update id that a message carries, 0 if it is no delta. */
function idOf(data: Buffer, isBinary: boolean): number {
  if (!isBinary) {
    const at = data.indexOf(',"u":');
    return at < 0 ? 0 : Number(data.toString('latin1', at + 5, at + 15));
  }
  const message = wire.Message.getRootAsMessage(new flatbuffers.ByteBuffer(data));
  if (message.bodyType() !== wire.Body.BookDelta) return 0;
  const delta = message.body(new wire.BookDelta()) as wire.BookDelta;
  return Number(delta.head()!.venueSequence());
}

class Client {
  receivedId = FIRST_ID;
  received = 0;
  lost = 0;
  recordFrom = 0;
  recordTo = 0;
  samplesCount = 0;
  readonly samplesUs = new Float64Array(SAMPLES_MAX);
  private readonly venue: Venue;
  private readonly symbols: number;

  constructor(venue: Venue, symbols: number) {
    this.venue = venue;
    this.symbols = symbols;
  }

  connect(port: number, path: string): void {
    const socket = openClient(port, path, this.symbols);
    socket.on('message', (data: Buffer, isBinary: boolean) => {
      if (data.length <= 32) return;
      const id = idOf(data, isBinary);
      if (id !== 0) this.onMessage(id);
    });
    socket.on('close', () => console.error('loopback: the feed closed the connection'));
  }

  begin(from: number, to: number): void {
    this.samplesCount = 0;
    this.received = 0;
    this.lost = 0;
    this.recordFrom = from;
    this.recordTo = to;
  }

  /** As loopback.c reports. */
  report(sent: number, seconds: number): string {
    const sorted = this.samplesUs.subarray(0, this.samplesCount).sort();
    const at = (share: number): number =>
      Math.round((sorted[Math.ceil(share * sorted.length) - 1] ?? 0) * 10) / 10;
    const { received, lost } = this;
    return JSON.stringify({
      sent,
      received,
      lost,
      perSecond: received / seconds,
      p50: at(0.5),
      p99: at(0.99),
      p999: at(0.999),
      max: at(1),
    });
  }

  private onMessage(id: number): void {
    const before = this.receivedId;
    // Symbols of different workers may overtake each other: then the count says if any is missing.
    if (this.symbols === 1 && before !== FIRST_ID && id !== before + 1) {
      this.lost += Math.max(1, id - before - 1);
    }
    if (id > before) this.receivedId = id;
    if (id < this.recordFrom || id >= this.recordTo) return;
    this.received++;
    if (this.samplesCount === SAMPLES_MAX) return;
    this.samplesUs[this.samplesCount++] = nowUs() - this.venue.dueUs[id % DUE_SLOTS]!;
  }
}

function openClient(port: number, path: string, symbols: number): WebSocket {
  const options = { perMessageDeflate: false, skipUTF8Validation: true };
  const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`, options);
  socket.on('open', () => {
    for (let i = 0; i < symbols; i++) {
      const instrument = `binance-futures:${symbolName(i)}`;
      socket.send(JSON.stringify({ op: 'subscribe', id: i + 1, channel: 'book', instrument }));
    }
  });
  return socket;
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Looks again and again for at most so long. */
async function until(isSo: () => boolean, msMax: number): Promise<void> {
  const endUs = nowUs() + msMax * 1e3;
  while (!isSo() && nowUs() < endUs) await pause(1);
}

async function measure(
  venue: Venue,
  client: Client,
  mode: number,
  amount: number,
  ms: number,
): Promise<string> {
  venue.mode = Mode.Idle;
  await pause(100);
  const from = venue.sentId + 1;
  const frames = mode === Mode.Run ? Math.floor((amount * ms) / 1e3) : Infinity;
  client.begin(from, from + frames);
  const beginUs = nowUs();
  venue.endId = from + frames;
  venue.floodFrom = from;
  venue.floodUntilUs = beginUs + ms * 1e3;
  venue.windowFrames = amount;
  venue.receivedSinceFlood = () => client.received;
  venue.rate = mode === Mode.Run ? amount : IDLE_RATE;
  venue.restart();
  venue.mode = mode;
  await pause(ms + 1);
  if (mode === Mode.Run) await until(() => venue.sentId >= venue.endId - 1, 3_000);
  const last = mode === Mode.Run ? venue.endId - 1 : venue.sentId;
  await until(() => client.received >= last + 1 - from, 3_000);
  const seconds = (nowUs() - beginUs) / 1e6;
  client.recordTo = 0;
  venue.mode = Mode.Idle;
  venue.rate = IDLE_RATE;
  venue.restart();
  return client.report(last + 1 - from, seconds);
}

async function runFeed(symbols: number): Promise<void> {
  const venue = new Venue(symbols);
  const client = new Client(venue, symbols);
  await venue.listen();
  console.log(`port ${venue.port}`);
  for await (const line of createInterface({ input: process.stdin })) {
    const [verb, first = '', second = ''] = line.split(' ');
    if (verb === 'connect') {
      client.connect(Number(first), second);
      await until(() => client.receivedId !== FIRST_ID, 8_000);
      console.log(JSON.stringify({ connected: client.receivedId !== FIRST_ID }));
    } else if (verb === 'run') {
      console.log(await measure(venue, client, Mode.Run, Number(first), Number(second)));
    } else if (verb === 'flood') {
      console.log(await measure(venue, client, Mode.Flood, Number(first), Number(second)));
    }
  }
}

/** Bytes from the venue to one client, unread, as far as a relay in Node can leave them unread. */
function runRelay(venuePort: number): void {
  const server = createServer();
  server.on('upgrade', (request, client) => {
    const key = String(request.headers['sec-websocket-key']);
    const venue = connect(venuePort, '127.0.0.1');
    venue.write(
      'GET /public/stream HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n' +
        `Connection: Upgrade\r\nSec-WebSocket-Key: ${key}\r\nSec-WebSocket-Version: 13\r\n\r\n`,
    );
    venue.write(maskedText('{"method":"SUBSCRIBE","params":["btcusdt@depth@0ms"],"id":1}'));
    // The venue's answer to the handshake is the client's too: the key is the same.
    venue.pipe(client);
    client.resume();
    for (const end of [venue, client]) end.on('error', () => process.exit(0));
  });
  server.listen(0, '127.0.0.1', () => {
    console.log(`port ${(server.address() as AddressInfo).port}`);
  });
}

/** A client's frame; the mask is zero, as RFC 6455 lets it be. */
function maskedText(text: string): Buffer {
  return Buffer.concat([Buffer.from([0x81, 0x80 | text.length, 0, 0, 0, 0]), Buffer.from(text)]);
}

const [command, ...rest] = process.argv.slice(2);
if (command === 'relay') {
  runRelay(Number(rest[0]));
} else if (command === 'readers') {
  const [port, path = '/', clients, symbols = '1'] = rest;
  for (let i = 0; i < Number(clients); i++) openClient(Number(port), path, Number(symbols));
  console.log('port 0');
} else {
  await runFeed(Number(rest[0] ?? 1));
}
