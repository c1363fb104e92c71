/**
 * The simulated chain writes a node's files, the ingest room follows them, an order book is kept, and
 * every published message of a Live book is held against the true book at its height. One thread, one
 * seed, a virtual clock; only the files are real.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BBO_ROW_DOUBLES } from '../../src/books/bbo-row.js';
import { BookLevels } from '../../src/books/book-levels.js';
import { BooksAgent } from '../../src/books/books-agent.js';
import {
  BOOKS_COLUMNS,
  BOOKS_WORKER_COLUMNS,
  createBooksCounters,
} from '../../src/books/books-counters.js';
import type { BooksColumn } from '../../src/books/books-counters.js';
import { DEFAULT_BOOKS_LIMITS } from '../../src/books/limits.js';
import { BookState } from '../../src/domain/book-state.js';
import { EventFlag } from '../../src/domain/event-flags.js';
import { hashText } from '../../src/domain/level-hash.js';
import { OWNER_WORDS } from '../../src/domain/order-identities.js';
import { NO_SLOT } from '../../src/domain/order-ledger.js';
import { Prng } from '../../src/domain/prng.js';
import { Side } from '../../src/domain/side.js';
import { InvariantError } from '../../src/faults/invariant.js';
import { findNodeData } from '../../src/ingest/node-data.js';
import type { NodeLayout } from '../../src/ingest/node-data.js';
import { NodeFilesIngest } from '../../src/ingest/node-files-ingest.js';
import type { NodeReport, SnapshotBytes } from '../../src/ingest/node-files-options.js';
import { openSnapshotFile } from '../../src/ingest/snapshot-file.js';
import { CounterTable, createCounterTable } from '../../src/rings/counters.js';
import { createDoorbell, DoorbellRinger } from '../../src/rings/doorbell.js';
import * as R from '../../src/rings/record-types.js';
import { RingConsumer } from '../../src/rings/ring-consumer.js';
import { createRing } from '../../src/rings/ring-layout.js';
import { RingProducer } from '../../src/rings/ring-producer.js';
import { createSeqlockTable } from '../../src/rings/seqlock.js';
import { Exchange } from '../../src/simulator/exchange.js';
import { hyperliquidSpecs } from '../../src/simulator/hyperliquid-specs.js';
import { NodeChain } from '../../src/simulator/node-chain.js';
import type { TrueOrder } from '../../src/simulator/node-chain.js';
import { NodeFilesWriter } from '../../src/simulator/node-files-writer.js';
import { Timeline } from '../../src/time/timeline.js';
import { VirtualClock } from '../../src/time/virtual-clock.js';
import { nodeInstrument } from '../../src/venues/hyperliquid-node/coins.js';
import { NodeInstruments } from '../../src/venues/hyperliquid-node/node-instruments.js';
import { MessageDecoder } from '../../src/wire/decode.js';
import { HeadField } from '../../src/wire/head-fields.js';
import { OrdersMirror } from '../../src/wire/orders-mirror.js';
import { timeCell } from '../../src/time/clock.js';

export interface NodeFilesRigOptions {
  readonly layout: NodeLayout;
  readonly seed: number;
  readonly originUnixNs?: bigint;
  readonly rejectsPerBlock?: number;
  readonly validateEveryNs?: number;
  readonly ratePerSecond?: number;
}

const MARKETS = 3;
const RING_WORDS = 1 << 20;
const STEP_NS = 5e6;

export class NodeFilesRig {
  readonly clock = new VirtualClock();
  readonly chain: NodeChain;
  readonly writer: NodeFilesWriter;
  readonly reports: NodeReport[] = [];
  readonly verdicts = { same: 0, different: 0, unknown: 0, left: 0 };
  readonly examples: string[] = [];
  /** What the next snapshots are; the right one if nothing is said. */
  readonly snapshotFaults: ('stale' | 'wrong' | 'cut' | 'refused')[] = [];
  snapshotsGiven = 0;
  readonly counters: CounterTable;
  private readonly directory = mkdtempSync(join(tmpdir(), 'ringside-node-'));
  private readonly exchange: Exchange;
  private readonly ingest: NodeFilesIngest;
  private readonly books: BooksAgent;
  private readonly output: RingConsumer;
  private readonly decoder = new MessageDecoder();
  private readonly states = new Int8Array(MARKETS).fill(-1);
  private oldSnapshot: string | null = null;
  /** What a client of the orders stream has. */
  private readonly mirrors = Array.from({ length: MARKETS }, () => {
    const levels = new BookLevels(0);
    return { levels, mirror: new OrdersMirror(levels) };
  });

  constructor(options: NodeFilesRigOptions) {
    const { clock, counters } = { clock: this.clock, counters: createBooksCounters(MARKETS) };
    const timeline = new Timeline(options.originUnixNs ?? 1_790_000_000_000_000_000n);
    const specs = hyperliquidSpecs(MARKETS).map((spec) => ({ ...spec, levelsTarget: 60 }));
    this.exchange = new Exchange({
      specs,
      seed: options.seed,
      ratePerSecond: options.ratePerSecond ?? 600,
      startNs: 0,
      truthWindow: 64,
    });
    const layouts = [options.layout === 'streaming' ? 'streaming' : 'by_block'] as const;
    const prng = new Prng(options.seed + 1);
    this.writer = new NodeFilesWriter({ directory: this.directory, layouts, timeline, prng });
    this.chain = new NodeChain({
      exchange: this.exchange,
      timeline,
      seed: options.seed,
      rejectsPerBlock: options.rejectsPerBlock ?? 20,
      keepTruths: true,
      onBlock: (block) => this.writer.onBlock(block),
    });
    const instruments = specs.map(({ symbol, sizeDecimals }, id) =>
      nodeInstrument(symbol, id, sizeDecimals),
    );
    const [input, output, wishes] = [RING_WORDS, RING_WORDS, 1 << 12].map((w) => createRing(w));
    this.output = new RingConsumer(output!);
    this.counters = new CounterTable(counters, BOOKS_COLUMNS);
    const bell = new DoorbellRinger(createDoorbell());
    this.ingest = new NodeFilesIngest({
      roots: findNodeData(this.directory, options.layout).roots,
      isStreaming: options.layout === 'streaming',
      instruments: new NodeInstruments(instruments),
      rings: [{ ring: new RingProducer(input!), bell }],
      shardOf: new Int32Array(MARKETS),
      wanted: [new RingConsumer(wishes!)],
      timeline,
      snapshots: { request: () => this.giveSnapshot() },
      report: (report) => this.reports.push(report),
      validateEveryNs: options.validateEveryNs ?? 0,
    });
    this.books = new BooksAgent({
      name: 'books-0',
      instruments,
      createSequencer: () => {
        throw new InvariantError('order-by-order books continue by height');
      },
      snapshotInStream: false,
      orderByOrder: true,
      input: new RingConsumer(input!),
      outputs: [{ ring: new RingProducer(output!), bell }],
      wanted: { ring: new RingProducer(wishes!), bell },
      bboTable: createSeqlockTable(MARKETS, BBO_ROW_DOUBLES),
      counters,
      workerCounters: createCounterTable(1, BOOKS_WORKER_COLUMNS),
      workerRow: 0,
      histograms: { venueToReceived: { record() {} }, receivedToApplied: { record() {} } },
      timeline,
      clock,
      limits: DEFAULT_BOOKS_LIMITS,
      takeover: false,
    });
    this.ingest.start(0);
  }

  /** Lets time pass: the market goes on, files are written, read and judged. */
  async run(milliseconds: number): Promise<void> {
    const untilNs = this.clock.nowNs() + milliseconds * 1e6;
    while (this.clock.nowNs() < untilNs) {
      this.clock.advanceBy(STEP_NS);
      this.exchange.runUntil(this.clock.nowNs(), 1e6);
      await this.settle();
    }
  }

  /** The market stands still while everything that was written is read. */
  async catchUp(): Promise<void> {
    this.writer.flush();
    for (let i = 0; i < 20; i++) {
      this.clock.advanceBy(STEP_NS);
      await this.settle();
    }
  }

  state(market: number): number {
    return this.states[market]!;
  }

  get allLive(): boolean {
    return this.states.every((state) => state === BookState.Live);
  }

  count(column: BooksColumn): number {
    let sum = 0;
    for (let row = 0; row < MARKETS; row++) sum += this.counters.get(row, column);
    return sum;
  }

  /** Orders of a market as a client of the feed holds them, in the form of NodeChain.ordersNow. */
  ordersNow(market: number): TrueOrder[] {
    const { mirror, levels } = this.mirrors[market]!;
    const { ledger } = mirror.orders;
    const { identities } = ledger;
    const orders: TrueOrder[] = [];
    for (const side of [Side.Bid, Side.Ask] as const) {
      const count = levels.ladder.count(side);
      const pairs = new Float64Array(2 * count);
      levels.ladder.copyLevels(side, count, pairs, 0);
      for (let rank = 0; rank < count; rank++) {
        const price = pairs[2 * rank]!;
        let slot = ledger.headAt(side, price);
        for (; slot !== NO_SLOT; slot = ledger.nextOf(slot)) {
          const at = identities.ownerAt(slot);
          const words = [...identities.words.subarray(at, at + OWNER_WORDS)];
          const owner = words.map((word) => (word >>> 0).toString(16).padStart(8, '0')).join('');
          orders.push({
            oid: ledger.idOf(slot),
            side,
            price,
            size: ledger.sizeOf(slot),
            owner: `0x${owner}`,
          });
        }
      }
    }
    return orders;
  }

  close(): void {
    this.ingest.onClose();
    this.books.onClose();
    rmSync(this.directory, { recursive: true, force: true });
  }

  private async settle(): Promise<void> {
    for (let round = 0; round < 8; round++) {
      const nowNs = this.clock.nowNs();
      let work = this.ingest.doWork(timeCell(nowNs)) + this.books.doWork(timeCell(nowNs));
      work += this.output.poll(this, 10_000);
      // The snapshot's promise settles between turns.
      await Promise.resolve();
      if (work === 0) break;
    }
  }

  onRecord(typeId: number, slot: number): void {
    const { doubles, words } = this.output;
    const market = doubles[slot + R.OUT_INSTRUMENT]!;
    const at = (slot + R.OUT_ENVELOPE_DOUBLES) * 2;
    const type = this.decoder.decodeWords(words, at, doubles[slot + R.OUT_MESSAGE_BYTES]!);
    if (type < 0) throw new InvariantError('the books write messages that can be read');
    const { head } = this.decoder;
    const state = head[HeadField.State]!;
    if (this.states[market] === BookState.Live && state !== BookState.Live) this.verdicts.left++;
    this.states[market] = state;
    const isOrders =
      typeId === R.RecordType.OrdersDeltaOut || typeId === R.RecordType.OrdersSnapshotOut;
    if (isOrders) this.follow(typeId, market);
    if (!isOrders || state !== BookState.Live) return;
    if ((head[HeadField.Flags]! & EventFlag.Last) === 0) return;
    const height = head[HeadField.VenueSequence]!;
    const truth = this.chain.truthAt(height, market);
    const hash = hashText(head[HeadField.HashHigh]!, head[HeadField.HashLow]!);
    if (truth === null) this.verdicts.unknown++;
    else if (truth === hash) this.verdicts.same++;
    else this.differ(`market ${market} at ${height}: ${hash}, true is ${truth}`);
  }

  private follow(typeId: number, market: number): void {
    const { mirror } = this.mirrors[market]!;
    if (typeId === R.RecordType.OrdersSnapshotOut) mirror.applySnapshot(this.decoder);
    else mirror.applyDelta(this.decoder);
    if (mirror.isBroken) this.differ(`market ${market}: a message contradicts the book`);
  }

  private differ(what: string): void {
    this.verdicts.different++;
    if (this.examples.length < 5) this.examples.push(what);
  }

  private giveSnapshot(): Promise<SnapshotBytes> {
    this.snapshotsGiven++;
    const fault = this.snapshotFaults.shift();
    if (fault === 'refused') return Promise.reject(new Error('the info server does not answer'));
    let text = this.chain.snapshotText(this.clock.nowNs());
    const fresh = text;
    if (fault === 'stale' && this.oldSnapshot !== null) text = this.oldSnapshot;
    if (fault === 'cut') text = text.slice(0, text.length >> 1);
    // the first order's size: every coin's books but one stay right
    if (fault === 'wrong') text = text.replace(/"sz":"([0-9.]+)"/, '"sz":"1234.5"');
    this.oldSnapshot = fresh;
    const path = join(this.directory, 'out.json');
    this.writer.writeSnapshot(path, text);
    return Promise.resolve(openSnapshotFile(path, null));
  }
}
