/**
 * Files → NodeFilesIngest → ring → BooksAgent → ring → a reader that compares every Live book with the
 * truth at its height. One thread, virtual clock, real files.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BBO_ROW_DOUBLES } from '../../src/books/bbo-row.js';
import { BooksAgent } from '../../src/books/books-agent.js';
import {
  BOOKS_COLUMNS,
  BOOKS_WORKER_COLUMNS,
  BooksColumn,
  createBooksCounters,
} from '../../src/books/books-counters.js';
import { ORDER_BOOKS_LIMITS } from '../../src/books/limits.js';
import { BookState, bookStateName, stateReasonName } from '../../src/domain/book-state.js';
import { EventFlag } from '../../src/domain/event-flags.js';
import { OWNER_WORDS } from '../../src/domain/order-identities.js';
import { NO_LEVELS, NO_SLOT } from '../../src/domain/order-ledger.js';
import { Side } from '../../src/domain/side.js';
import { NodeFilesIngest } from '../../src/ingest/node-files-ingest.js';
import type { NodeReport, SnapshotBytes } from '../../src/ingest/node-files-options.js';
import { CounterTable, createCounterTable } from '../../src/rings/counters.js';
import { DoorbellRinger, createDoorbell } from '../../src/rings/doorbell.js';
import { HistogramWriter, createHistogramTable } from '../../src/rings/latency-histogram.js';
import {
  OUT_ENVELOPE_DOUBLES,
  OUT_INSTRUMENT,
  OUT_MESSAGE_BYTES,
  RecordType,
} from '../../src/rings/record-types.js';
import { RingConsumer } from '../../src/rings/ring-consumer.js';
import { createRing } from '../../src/rings/ring-layout.js';
import { RingProducer } from '../../src/rings/ring-producer.js';
import { createSeqlockTable } from '../../src/rings/seqlock.js';
import { Timeline } from '../../src/time/timeline.js';
import { VirtualClock } from '../../src/time/virtual-clock.js';
import { nodeInstrument } from '../../src/venues/hyperliquid-node/coins.js';
import { NodeInstruments } from '../../src/venues/hyperliquid-node/node-instruments.js';
import { findNodeData } from '../../src/ingest/node-data.js';
import { MessageDecoder } from '../../src/wire/decode.js';
import { HeadField } from '../../src/wire/head-fields.js';
import { OrdersMirror } from '../../src/wire/orders-mirror.js';
import { MadeNode, bytesOf, lineOf } from './made-node.js';
import { timeCell } from '../../src/time/clock.js';

const PRICE_UNIT = 1e6;

export interface RigOptions {
  readonly layout: 'by-block' | 'streaming';
  readonly coins?: readonly string[];
  readonly validateEveryNs?: number;
  readonly fromBeginning?: boolean;
  readonly ringWords?: number;
  /** A second output of the books, for a broadcast room behind them. */
  readonly broadcast?: SharedArrayBuffer;
}

export class MadeNodeRig {
  readonly made: MadeNode;
  readonly reports: NodeReport[] = [];
  /** `coin state reason`, each once in a row. */
  readonly states: string[] = [];
  /** Live books that were compared with the truth. */
  compared = 0;
  /** What the next snapshots are; the present market if it is null. */
  giveSnapshot: () => Promise<SnapshotBytes> = async () => bytesOf(this.made.snapshotText());
  snapshotsAsked = 0;
  readonly directory: string;
  readonly counters: CounterTable;
  private readonly ingest: NodeFilesIngest;
  private readonly books: BooksAgent;
  private readonly output: RingConsumer;
  readonly clock = new VirtualClock();
  /** Runs after the books in every turn. */
  afterTurn: () => void = () => {};
  private readonly decoder = new MessageDecoder();
  private readonly mirrors: OrdersMirror[];
  private readonly coins: readonly string[];
  private readonly sequences: number[];

  constructor(options: RigOptions) {
    const coins = options.coins ?? ['BTC', 'ETH'];
    this.coins = coins;
    this.directory = mkdtempSync(join(tmpdir(), 'ringside-node-'));
    this.made = new MadeNode(this.directory, options.layout, coins);
    if (options.fromBeginning !== true) this.made.writeBlock();
    const instruments = coins.map((coin, id) => nodeInstrument(coin, id, null));
    this.mirrors = coins.map(() => new OrdersMirror(NO_LEVELS));
    this.sequences = coins.map(() => 0);
    const words = options.ringWords ?? 2 ** 18;
    const [input, output, wishes] = [createRing(words), createRing(words), createRing(4096)];
    const bell = new DoorbellRinger(createDoorbell());
    const timeline = new Timeline(0n);
    const counters = createBooksCounters(coins.length);
    const histograms = createHistogramTable(2);
    this.counters = new CounterTable(counters, BOOKS_COLUMNS);
    this.output = new RingConsumer(output);
    const roots = { diffs: '', statuses: '', fills: '' };
    for (const source of ['diffs', 'statuses', 'fills'] as const) {
      roots[source] = join(this.made.fileOf(source), '..', '..', '..');
    }
    if (options.fromBeginning !== true) findNodeData(this.directory, options.layout);
    this.ingest = new NodeFilesIngest({
      roots,
      isStreaming: options.layout === 'streaming',
      instruments: new NodeInstruments(instruments),
      rings: [{ ring: new RingProducer(input), bell }],
      shardOf: new Int32Array(coins.length),
      wanted: [new RingConsumer(wishes)],
      timeline,
      snapshots: {
        request: () => {
          this.snapshotsAsked++;
          return this.giveSnapshot();
        },
      },
      report: (report) => this.reports.push(report),
      validateEveryNs: options.validateEveryNs ?? 0,
      fromBeginning: options.fromBeginning ?? false,
      isWanted: () => true,
    });
    this.books = new BooksAgent({
      name: 'books-0',
      instruments,
      createSequencer: () => assert.fail('books of orders have none'),
      snapshotInStream: false,
      orderByOrder: true,
      input: new RingConsumer(input),
      outputs: [output, ...(options.broadcast === undefined ? [] : [options.broadcast])].map(
        (ring) => ({ ring: new RingProducer(ring), bell }),
      ),
      wanted: { ring: new RingProducer(wishes), bell },
      bboTable: createSeqlockTable(coins.length, BBO_ROW_DOUBLES),
      counters,
      workerCounters: createCounterTable(1, BOOKS_WORKER_COLUMNS),
      workerRow: 0,
      histograms: {
        venueToReceived: new HistogramWriter(histograms, 0),
        receivedToApplied: new HistogramWriter(histograms, 1),
      },
      timeline,
      clock: this.clock,
      limits: ORDER_BOOKS_LIMITS,
      takeover: false,
    });
    this.ingest.start(this.clock.nowNs());
  }

  dispose(): void {
    this.ingest.onClose();
    rmSync(this.directory, { recursive: true, force: true });
  }

  /** Lets virtual time pass in steps of a millisecond. */
  async run(ms: number): Promise<void> {
    for (let i = 0; i < ms; i++) {
      this.clock.advanceBy(1e6);
      const nowNs = this.clock.nowNs();
      this.ingest.doWork(timeCell(nowNs));
      // Promises of snapshots settle between turns.
      if (i % 4 === 0) await Promise.resolve();
      this.books.doWork(timeCell(nowNs));
      this.output.poll(this.reader, 10_000);
      this.afterTurn();
    }
  }

  /** So many blocks, 70 ms each. */
  async blocks(count: number): Promise<void> {
    for (let i = 0; i < count; i++) {
      this.made.writeBlock();
      await this.run(70);
    }
  }

  state(coin: string): string {
    const book = this.books.book(this.coins.indexOf(coin))!;
    return `${bookStateName(book.state)} ${stateReasonName(book.reason)}`;
  }

  count(coin: string, column: number): number {
    return this.counters.get(this.coins.indexOf(coin), column);
  }

  /** All books Live and, at their heights, what the node had. */
  assertWhole(): void {
    for (const [id, coin] of this.coins.entries()) {
      assert.match(this.state(coin), /^Live /, coin);
      assert.equal(this.textOf(id), this.made.truth.get(this.made.height)!.get(coin), coin);
    }
  }

  static readonly Column = BooksColumn;

  private readonly reader = {
    onRecord: (typeId: number, slot: number): void => {
      const { doubles, words } = this.output;
      const id = doubles[slot + OUT_INSTRUMENT]!;
      const bytes = doubles[slot + OUT_MESSAGE_BYTES]!;
      const type = this.decoder.decodeWords(words, (slot + OUT_ENVELOPE_DOUBLES) * 2, bytes);
      assert.ok(type > 0, 'the message can be decoded');
      const { head } = this.decoder;
      const state = head[HeadField.State]!;
      if (typeId === RecordType.StatusOut) {
        const line = `${this.coins[id]} ${bookStateName(state)} ${stateReasonName(head[HeadField.Reason]!)}`;
        if (this.states.at(-1) !== line) this.states.push(line);
      }
      const mirror = this.mirrors[id]!;
      if (
        typeId === RecordType.OrdersSnapshotOut ||
        typeId === RecordType.OrdersDeltaOut ||
        typeId === RecordType.OrdersStatusOut
      ) {
        const sequence = head[HeadField.Sequence]!;
        assert.equal(sequence, this.sequences[id]! + 1, 'orders are told without a hole');
        this.sequences[id] = sequence;
      }
      if (typeId === RecordType.OrdersSnapshotOut) mirror.applySnapshot(this.decoder);
      else if (typeId === RecordType.OrdersDeltaOut) mirror.applyDelta(this.decoder);
      else return;
      if ((head[HeadField.Flags]! & EventFlag.Last) === 0) return;
      assert.equal(mirror.isBroken, false, 'the hash of every block is that of the orders');
      if (state !== BookState.Live) return;
      this.compare(id, head[HeadField.VenueSequence]!);
    },
  };

  /** A Live book is the market's at its height, order by order and in queue order. */
  private compare(id: number, height: number): void {
    const truth = this.made.truth.get(height)?.get(this.coins[id]!);
    if (truth === undefined) return;
    this.compared++;
    if (this.mayDiffer.has(this.coins[id]!)) return;
    assert.equal(this.textOf(id), truth, `${this.coins[id]} at ${height}`);
  }

  /** Coins into whose snapshot a test has put a fault. */
  readonly mayDiffer = new Set<string>();

  private textOf(id: number): string {
    const { ledger } = this.mirrors[id]!.orders;
    const { words } = ledger.identities;
    const lines: string[] = [];
    for (const side of [Side.Bid, Side.Ask]) {
      const heads: number[] = [];
      for (let slot = 0; slot < ledger.usedSlots; slot++) {
        const isHead = ledger.isUsed(slot) && ledger.previousOf(slot) === NO_SLOT;
        if (isHead && ledger.sideOf(slot) === side) heads.push(ledger.priceOf(slot));
      }
      heads.sort((a, b) => (side === Side.Bid ? b - a : a - b));
      for (const price of heads) {
        for (let slot = ledger.headAt(side, price); slot !== NO_SLOT; slot = ledger.nextOf(slot)) {
          const owner = ledger.identities.ownerAt(slot);
          let user = '0x';
          for (let i = 0; i < OWNER_WORDS; i++)
            user += (words[owner + i]! >>> 0).toString(16).padStart(8, '0');
          const letter = side === Side.Bid ? 'B' : 'A';
          lines.push(
            lineOf(letter, price / PRICE_UNIT, ledger.sizeOf(slot), ledger.idOf(slot), user),
          );
        }
      }
    }
    return lines.join('\n');
  }
}
