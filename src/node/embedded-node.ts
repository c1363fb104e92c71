/**
 * A feed node inside another program: the books in its own process, as events by callback or
 * `for await`, as whole books, and as best prices read from shared memory without a copy between
 * threads. Serving clients is optional. Main thread.
 */
import { BBO_ROW_DOUBLES, BboRow } from '../books/bbo-row.js';
import type { EventQueue, QueueOptions } from '../client/event-queue.js';
import type { ChannelEvents, FeedChannel } from '../client/feed-events.js';
import type { LocalBook } from '../client/local-book.js';
import type { HashTally } from '../client/stream-state.js';
import type { Instrument } from '../domain/instrument.js';
import { FaultError } from '../faults/fault.js';
import { invariant } from '../faults/invariant.js';
import { completeConfig } from '../ops/config.js';
import type { NodeConfigInput } from '../ops/config-schema.js';
import { isReady } from '../ops/health.js';
import { Log } from '../ops/log.js';
import { suggestion } from '../ops/suggest.js';
import { RingConsumer } from '../rings/ring-consumer.js';
import { SeqlockReader } from '../rings/seqlock.js';
import { EventLoopRunner } from '../runtime/event-loop-runner.js';
import { createThreadControl } from '../runtime/thread-control.js';
import { readTimelineOrigin } from '../time/system-clock.js';
import { SystemScheduler } from '../time/system-scheduler.js';
import { EventBoard } from './event-board.js';
import type { BoardCounters } from './event-board.js';
import { FeedNode } from './feed-node.js';
import type { FeedNodeOptions, NodeEndpoints } from './feed-node.js';
import { LIMITS } from './limits.js';
import { bellOf, ringOf } from './memory.js';

export interface EmbeddedOptions {
  /** Takes the node's log, a JSON line at a time; without it the node is silent. */
  readonly onLog?: (line: string) => void;
  /** The node cannot go on (FaultError with code); it has begun to stop. Without it: thrown. */
  readonly onFatal?: (fault: FaultError) => void;
}

/** A best bid and offer to read into: make one, reuse it. Fields are those of BboRow. */
export class BboCell {
  readonly values = new Float64Array(BBO_ROW_DOUBLES);
  /** Mantissas: price × 10^priceDecimals, size × 10^sizeDecimals. */
  get bidPrice(): number {
    return this.values[BboRow.BidPrice]!;
  }
  get bidSize(): number {
    return this.values[BboRow.BidSize]!;
  }
  get askPrice(): number {
    return this.values[BboRow.AskPrice]!;
  }
  get askSize(): number {
    return this.values[BboRow.AskSize]!;
  }
  /** Scale of the prices and sizes above: the venue may change it while the node runs. */
  get priceDecimals(): number {
    return this.values[BboRow.PriceDecimals]!;
  }
  get sizeDecimals(): number {
    return this.values[BboRow.SizeDecimals]!;
  }
  /** BookState. */
  get state(): number {
    return this.values[BboRow.State]!;
  }
  get sequence(): number {
    return this.values[BboRow.Sequence]!;
  }
}

export class EmbeddedNode {
  private readonly node: FeedNode;
  private readonly options: EmbeddedOptions;
  private readonly seed: number;
  private board: EventBoard | null = null;
  private runner: EventLoopRunner | null = null;
  private running: Promise<void> = Promise.resolve();
  private rows: SeqlockReader | null = null;
  private readonly idByName = new Map<string, number>();
  private readonly waiting: ((board: EventBoard) => void)[] = [];

  constructor(
    config: NodeConfigInput = {},
    options: EmbeddedOptions = {},
    rig?: FeedNodeOptions['rig'],
  ) {
    const complete = completeConfig({ ...config, server: { enabled: false, ...config.server } });
    const origin = readTimelineOrigin();
    this.options = options;
    this.seed = Number(origin.unixNs & 0x7fff_ffffn);
    const { onLog } = options;
    this.node = new FeedNode({
      config: complete,
      origin,
      log: new Log({
        level: onLog === undefined ? 'silent' : complete.log.level,
        format: 'json',
        clock: new SystemScheduler(origin.monotonicNs),
        secrets: complete.server.token === undefined ? [] : [complete.server.token],
        write: onLog ?? (() => {}),
      }),
      seed: this.seed,
      version: 'embedded',
      reader: true,
      onFatal: (fault) => this.onFatal(fault),
      ...(rig === undefined ? {} : { rig }),
    });
  }

  /** Resolves when all threads stand; books become Live one by one. Throws FaultError. */
  async start(): Promise<void> {
    try {
      await this.node.start();
    } catch (error) {
      await this.node.stop();
      throw error;
    }
    const { memory, plan, instruments } = this.node;
    for (const { id, name } of instruments) this.idByName.set(name, id);
    this.rows = new SeqlockReader(memory.bbo, BBO_ROW_DOUBLES);
    const inputs = plan.rings
      .filter((ring) => ring.to === 'reader')
      .map((ring) => new RingConsumer(ringOf(memory, ring.name)));
    const board = new EventBoard(instruments, inputs);
    this.board = board;
    for (const attach of this.waiting.splice(0)) attach(board);
    this.runner = new EventLoopRunner({
      agent: board,
      clock: this.node.scheduler,
      doorbell: bellOf(memory, 'reader'),
      control: createThreadControl(),
      idleMsMax: LIMITS.readerIdleMs,
    });
    this.running = this.runner.run();
    this.running.catch((error: unknown) => this.onFatal(asFault(error)));
  }

  /** Stops all threads within 10 s; loops over events end. */
  async stop(): Promise<void> {
    this.runner?.stop();
    await this.running.catch(() => {});
    await this.node.stop();
  }

  /** As they are now; known after `start`. */
  get instruments(): readonly Instrument[] {
    return this.node.instruments;
  }

  get endpoints(): NodeEndpoints {
    return this.node.endpoints;
  }

  /** True when every book is Live, but those of instruments that the venue has halted or delisted. */
  get ready(): boolean {
    return isReady(this.node.health);
  }

  /** What the reader of events met with: a program that is too slow sees holes here. */
  get counters(): BoardCounters {
    return this.boardNow().counters;
  }

  /** How often a book was compared with the hash in its messages, and how that went. */
  get hashes(): Readonly<HashTally> {
    return this.boardNow().hashes;
  }

  /**
   * Calls back with every event of a channel, of all instruments, in the turn in which it arrives.
   * May be called before `start`. Returns the way to stop it.
   */
  on<C extends FeedChannel>(channel: C, listener: (event: ChannelEvents[C]) => void): () => void {
    if (this.board !== null) return this.board.on(channel, listener);
    let off = (): void => {};
    let wanted = true;
    this.waiting.push((board) => {
      if (wanted) off = board.on(channel, listener);
    });
    return () => {
      wanted = false;
      off();
    };
  }

  /**
   * Events of one instrument for a `for await` loop, through a bounded queue: where the loop is too
   * slow, state (book, bbo, status) drops the oldest and says so in `skipped`; trades end the loop
   * with QUEUE_OVERFLOW.
   */
  events<C extends FeedChannel>(
    channel: C,
    instrument: string,
    options: QueueOptions = {},
  ): EventQueue<ChannelEvents[C]> {
    return this.boardNow().queue(channel, this.idOf(instrument), options);
  }

  /** The whole book as of the last event read on this thread; the same object always. */
  book(instrument: string): LocalBook {
    return this.boardNow().book(this.idOf(instrument));
  }

  /** Number of an instrument, for `readBbo`. Throws FaultError UNKNOWN_INSTRUMENT. */
  idOf(instrument: string): number {
    const id = this.idByName.get(instrument);
    if (id === undefined) {
      const hint = suggestion(instrument, this.idByName.keys());
      throw new FaultError('UNKNOWN_INSTRUMENT', `no instrument ${instrument}${hint}`);
    }
    return id;
  }

  /**
   * The best bid and offer as of now, straight from the book worker's memory: no message, no queue,
   * no allocation. False if it was being written at that moment, or never was: try again.
   */
  readBbo(instrumentId: number, into: BboCell): boolean {
    invariant(this.rows !== null, 'the node has been started');
    return this.rows.tryRead(instrumentId, into.values);
  }

  private boardNow(): EventBoard {
    invariant(this.board !== null, 'the node has been started');
    return this.board;
  }

  private onFatal(fault: FaultError): void {
    void this.stop();
    if (this.options.onFatal !== undefined) this.options.onFatal(fault);
    else void Promise.reject(fault);
  }
}

function asFault(error: unknown): FaultError {
  return error instanceof FaultError
    ? error
    : new FaultError('THREAD_FAILING', `the reader of events failed: ${String(error)}`, {
        cause: error,
      });
}
