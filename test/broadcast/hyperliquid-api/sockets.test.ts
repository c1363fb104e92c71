/** `/ws` on real sockets: the same contents with and without permessage-deflate, whatever the size. */
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { WebSocket } from 'ws';
import { apiExtras } from '../../../src/broadcast/hyperliquid-api/hyperliquid-api.js';
import { resolveLimits } from '../../../src/broadcast/limits.js';
import { UwsServer } from '../../../src/broadcast/uws-server.js';
import { SystemScheduler } from '../../../src/time/system-scheduler.js';
import { readTimelineOrigin } from '../../../src/time/system-clock.js';
import { nodeInstrument } from '../../../src/venues/hyperliquid-node/coins.js';
import { NodeApiRig } from '../../support/node-api-rig.js';
import { syntheticBlock, writeLargeSnapshot } from '../../support/synthetic-node.js';
import { until } from '../../support/until.js';
import { subscribe } from './api-room.js';

const ORDERS = 12_000;
const BLOCKS = 200;
const L4 = subscribe({ type: 'l4Book', coin: 'BTC' });
const snapshotPath = writeLargeSnapshot('BTC', ORDERS);

/** A room that turns by itself. */
class LiveApi {
  readonly rig: NodeApiRig;
  port = 0;
  private readonly turns: NodeJS.Timeout;

  constructor(compression: boolean) {
    this.rig = new NodeApiRig({
      snapshotPath,
      instruments: [nodeInstrument('BTC', 0, 5)],
      server: new UwsServer({ limits: resolveLimits(), extras: apiExtras(compression) }),
      clock: new SystemScheduler(readTimelineOrigin().monotonicNs),
    });
    this.turns = setInterval(() => {
      for (let i = 0; i < 8; i++) this.rig.turn();
    }, 1);
  }

  async listen(): Promise<this> {
    this.port = await this.rig.agent.listen('127.0.0.1', 0);
    return this;
  }

  close(): void {
    clearInterval(this.turns);
    this.rig.close();
  }
}

class Client {
  readonly socket: WebSocket;
  readonly texts: string[] = [];

  constructor(port: number, perMessageDeflate: boolean) {
    this.socket = new WebSocket(`ws://127.0.0.1:${port}/ws`, { perMessageDeflate });
    this.socket.on('message', (data: Buffer) => this.texts.push(data.toString('utf8')));
  }

  async opened(): Promise<this> {
    await new Promise((resolve, reject) => {
      this.socket.once('open', resolve);
      this.socket.once('error', reject);
    });
    return this;
  }

  send(value: unknown): void {
    this.socket.send(JSON.stringify(value));
  }
}

let compressing: LiveApi;
let plain: LiveApi;
before(async () => {
  compressing = await new LiveApi(true).listen();
  plain = await new LiveApi(false).listen();
});
after(() => {
  compressing.close();
  plain.close();
  rmSync(snapshotPath, { force: true });
});

test('Compression: Snapshots and updates are the same texts with and without it', async () => {
  const { port, rig } = compressing;
  const clients = await Promise.all([
    new Client(port, true).opened(),
    new Client(port, false).opened(),
    new Client(port, true).opened(),
  ]);
  const [deflated, bare, late] = clients as [Client, Client, Client];
  assert.match(deflated.socket.extensions, /permessage-deflate/);
  assert.equal(bare.socket.extensions, '');
  const l2 = subscribe({ type: 'l2Book', coin: 'BTC', nLevels: 100 });
  for (const client of [deflated, bare]) {
    client.send(L4);
    client.send(l2);
  }
  const has = (client: Client, part: string): boolean =>
    client.texts.some((text) => text.includes(part));
  await until(() => clients.slice(0, 2).every((c) => has(c, '"Snapshot"')), 'the Snapshots', 2);
  for (let n = 1; n <= BLOCKS; n++) {
    rig.append(syntheticBlock(n, 'BTC'));
    if (n === BLOCKS / 2) late.send(L4);
    if (n % 10 === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  }
  const last = `"height":${1000 + BLOCKS},`;
  await until(() => clients.every((client) => has(client, last)), 'the last block', 2);
  const of = (client: Client, part: string): string[] =>
    client.texts.filter((text) => text.includes(part));
  assert.deepEqual(of(deflated, '"l4Book","data":{"U'), of(bare, '"l4Book","data":{"U'));
  assert.equal(of(deflated, '"Updates"').length, BLOCKS);
  assert.deepEqual(of(deflated, '"Snapshot"'), of(bare, '"Snapshot"'));
  assert.ok(of(deflated, '"Snapshot"')[0]!.length > ORDERS * 250);
  const books = (client: Client): string[] => of(client, '"channel":"l2Book"');
  await until(() => books(deflated).length === books(bare).length, 'the last book', 2);
  assert.deepEqual(books(deflated), books(bare));
  // Whoever comes amid all that gets the rest of the same blocks.
  const since = of(late, '"Updates"');
  assert.deepEqual(since, of(bare, '"Updates"').slice(-since.length));
  for (const client of clients) client.socket.terminate();
});

test('Compression: not spoken unless it was asked for at the start', async () => {
  const client = await new Client(plain.port, true).opened();
  assert.equal(client.socket.extensions, '');
  client.send(L4);
  await until(() => client.texts.length === 2, 'the Snapshot', 2);
  assert.equal(client.texts[1]!.length > ORDERS * 250, true);
  client.socket.terminate();
});
