/**
 * `l4Book` of a whole market on the JSON API: five clients subscribe while blocks come every 70 ms;
 * what is timed is the longest turn of the broadcast thread, doWork and its sockets, and how long a
 * client waits for its Snapshot. Ingest and books run on this thread too, outside the time taken.
 */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { apiExtras } from '../src/broadcast/hyperliquid-api/hyperliquid-api.js';
import { resolveLimits } from '../src/broadcast/limits.js';
import { UwsServer } from '../src/broadcast/uws-server.js';
import { invariant } from '../src/faults/invariant.js';
import { readTimelineOrigin } from '../src/time/system-clock.js';
import { SystemScheduler } from '../src/time/system-scheduler.js';
import { nodeInstrument } from '../src/venues/hyperliquid-node/coins.js';
import { timeCell } from '../src/time/clock.js';
import { capturesDirectory } from '../test/support/captures.js';
import { type BlockLines, NodeApiRig, readBlocks } from '../test/support/node-api-rig.js';
import { syntheticBlock, writeLargeSnapshot } from '../test/support/synthetic-node.js';
import type { ApiSnapshotAnswer, ApiSnapshotWork } from './api-snapshot-clients.js';
import { defineBench, median, row } from './harness.js';

const PART = 'Hyperliquid API';
const CLIENTS = 5;
const ROUNDS = 5;
const ORDERS = 51_351;
const BLOCK_NS = 70e6;
const BEFORE_BLOCKS = 6;
/** After the last Snapshot: the same clients while nobody subscribes. */
const AFTER_BLOCKS = 3;

interface Market {
  readonly snapshotPath: string;
  readonly blocks: readonly BlockLines[];
  readonly isMade: boolean;
}

function marketOf(): Market {
  const captures = capturesDirectory();
  if (captures === null) {
    const blocks = Array.from({ length: 60 }, (_, i) => syntheticBlock(i + 1, 'BTC'));
    return { snapshotPath: writeLargeSnapshot('BTC', ORDERS), blocks, isMade: true };
  }
  const home = join(captures, 'hyperliquid');
  const source = join(home, 'packethog', 'hl_dual_validator', 'source');
  return {
    snapshotPath: join(source, 'snapshot_985148181.json.gz'),
    blocks: readBlocks(join(home, 'derived', 'dual_985148182_985148206', 'hl', 'data')),
    isMade: false,
  };
}

interface Round {
  readonly longestMs: number;
  readonly waitMs: number;
  readonly bytes: number;
  readonly turns: number;
  readonly over2Ms: number;
}

/** A room whose turns are driven from here, with blocks coming at their rate. */
class DrivenRoom {
  longestNs = 0;
  turns = 0;
  over2Ms = 0;
  isTimed = false;
  next = 0;
  readonly rig: NodeApiRig;
  private readonly clock = new SystemScheduler(readTimelineOrigin().monotonicNs);
  private readonly blocks: readonly BlockLines[];
  private blockDueNs = -Infinity;

  constructor({ snapshotPath, blocks }: Market) {
    this.blocks = blocks;
    this.rig = new NodeApiRig({
      snapshotPath,
      instruments: [nodeInstrument('BTC', 0, 5)],
      server: new UwsServer({ limits: resolveLimits(), extras: apiExtras(false) }),
      clock: this.clock,
    });
  }

  async turnUntil(isDone: () => boolean): Promise<void> {
    while (!isDone()) await this.turn();
  }

  private async turn(): Promise<void> {
    const { clock, rig } = this;
    const nowNs = clock.nowNs();
    const block = this.blocks[this.next];
    if (nowNs >= this.blockDueNs && block !== undefined) {
      this.blockDueNs = nowNs + BLOCK_NS;
      this.next++;
      rig.append(block);
    }
    rig.fillTurn();
    const beganNs = clock.nowNs();
    rig.agent.doWork(timeCell(beganNs));
    await nextTurn();
    if (this.isTimed) this.note(clock.nowNs() - beganNs);
  }

  private note(ns: number): void {
    this.turns++;
    if (ns > this.longestNs) this.longestNs = ns;
    if (ns > 2e6) this.over2Ms++;
  }
}

async function round(market: Market): Promise<Round> {
  const room = new DrivenRoom(market);
  const port = await room.rig.agent.listen('127.0.0.1', 0);
  // The first blocks show that the book stands, and compile what they need.
  await room.turnUntil(() => room.next === BEFORE_BLOCKS);
  room.isTimed = true;
  const work: ApiSnapshotWork = { port, clients: CLIENTS };
  const readers = new Worker(new URL('./api-snapshot-clients.js', import.meta.url), {
    workerData: work,
  });
  const answers: ApiSnapshotAnswer[] = [];
  readers.on('message', (answer: ApiSnapshotAnswer) => answers.push(answer));
  await room.turnUntil(() => answers.length > 0);
  const end = Math.min(room.next + AFTER_BLOCKS, market.blocks.length);
  await room.turnUntil(() => room.next === end);
  const [answer] = answers;
  invariant(answer?.digests.length === CLIENTS, 'every client got its Snapshot');
  await readers.terminate();
  room.rig.close();
  return {
    longestMs: room.longestNs / 1e6,
    waitMs: median(answer.waitMs),
    bytes: answer.bytes,
    turns: room.turns,
    over2Ms: room.over2Ms,
  };
}

export default defineBench({
  part: PART,
  mix: `${CLIENTS} clients subscribe to l4Book of a market of 51,351 orders while blocks come every 70 ms`,
  async run() {
    const market = marketOf();
    const rounds: Round[] = [];
    for (let i = 0; i < ROUNDS; i++) rounds.push(await round(market));
    if (market.isMade) rmSync(market.snapshotPath, { force: true });
    const of = (pick: (r: Round) => number): number => median(rounds.map(pick));
    const kind = market.isMade ? 'made-up market' : 'captured market';
    const note = `${kind}, ${(of((r) => r.bytes) / 1e6).toFixed(1)} MB each; ${of((r) => r.over2Ms)} of ${of((r) => r.turns)} turns above 2 ms`;
    return [
      row({
        part: PART,
        case: `longest turn while ${CLIENTS} subscribe to l4Book`,
        ours: of((r) => r.longestMs),
        unit: 'ms',
        note,
      }),
      row({
        part: PART,
        case: 'subscribe to whole Snapshot read',
        ours: of((r) => r.waitMs),
        unit: 'ms',
        note: `median of ${CLIENTS} at once`,
      }),
    ];
  },
});
