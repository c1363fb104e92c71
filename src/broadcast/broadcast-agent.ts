/**
 * The broadcast room's door: takes the books' finished messages from its rings, keeps a mirror of
 * every book, and serves all clients through one server. Runs on the broadcast thread (or fused with
 * others); hot: one turn polls every ring, stamps the time of publication, and hands everything to the
 * server, which sends it at the end of the loop turn with one write a socket.
 */
import { StateReason } from '../domain/book-state.js';
import type { Instrument } from '../domain/instrument.js';
import { invariant } from '../faults/invariant.js';
import { CounterTable } from '../rings/counters.js';
import type { HistogramWriter } from '../rings/latency-histogram.js';
import {
  OUT_APPLIED_NS,
  OUT_ENVELOPE_DOUBLES,
  OUT_EPOCH,
  OUT_INSTRUMENT,
  OUT_MESSAGE_BYTES,
  OUT_RECEIVED_NS,
  OUT_SEQUENCE,
  RecordType,
} from '../rings/record-types.js';
import type { RecordHandler, RingConsumer } from '../rings/ring-consumer.js';
import type { Agent } from '../runtime/agent.js';
import type { Scheduler, TimeCell } from '../time/clock.js';
import type { Timeline } from '../time/timeline.js';
import { Admission } from './admission.js';
import type { SecurityOptions } from './admission.js';
import { BROADCAST_COLUMNS, BroadcastColumn } from './broadcast-counters.js';
import type { BroadcastServer } from './broadcast-server.js';
import { CloseCode } from './close-code.js';
import { Control } from './control.js';
import { Delivery } from './delivery.js';
import { Heartbeats } from './heartbeats.js';
import { HttpRoutes } from './http-routes.js';
import type { Pages } from './http-routes.js';
import { type ApiOptions, HyperliquidApi } from './hyperliquid-api/hyperliquid-api.js';
import { InstrumentFeed } from './instrument-feed.js';
import { resolveLimits } from './limits.js';
import type { BroadcastLimits } from './limits.js';
import { Reception } from './reception.js';
import { RoomContext } from './room-context.js';
import { readStaticFiles } from './static-files.js';

export interface BroadcastOptions {
  /** By id: `instruments[i].id === i`. */
  readonly instruments: readonly Instrument[];
  /** The books' output rings, one a worker. An instrument's messages come through one of them. */
  readonly inputs: readonly RingConsumer[];
  /** The venue tells every order: there is an `orders` channel. */
  readonly orders?: boolean | undefined;
  /** There is a context stream of every instrument. */
  readonly contexts?: boolean | undefined;
  readonly server: BroadcastServer;
  readonly clock: Scheduler;
  readonly timeline: Timeline;
  /** Table of one row with BROADCAST_COLUMNS columns. */
  readonly counters: SharedArrayBuffer;
  readonly appliedToPublished?: HistogramWriter | undefined;
  readonly receivedToPublished?: HistogramWriter | undefined;
  readonly limits?: Partial<BroadcastLimits> | undefined;
  readonly security?: SecurityOptions | undefined;
  /** The built dashboard; null or a folder that is not there serves none. */
  readonly dashboardDirectory?: string | null | undefined;
  /** /metrics, /health and /ready, made by the main thread. */
  readonly pages?: Pages | undefined;
  readonly version: string;
  /** The JSON API on `/ws` and `/info`; needs `orders`. */
  readonly api?: ApiOptions | undefined;
}

/** How often deadlines and heartbeats are looked at. */
const HOUSEKEEPING_NS = 20e6;
const VIEW_SWEEP_NS = 5e9;

export class BroadcastAgent implements Agent, RecordHandler {
  readonly name = 'broadcast';
  private readonly options: BroadcastOptions;
  private readonly room: RoomContext;
  private readonly inputs: readonly RingConsumer[];
  private readonly feeds: InstrumentFeed[];
  /** Feeds whose messages came through each input, so that a lost writer is told to its readers. */
  private readonly feedsOfInput: Set<InstrumentFeed>[];
  private readonly inputOfFeed: Int32Array;
  private readonly delivery: Delivery;
  private readonly control: Control;
  private readonly reception: Reception;
  private readonly heartbeats: Heartbeats;
  private readonly routes: HttpRoutes;
  private readonly counters: CounterTable;
  private readonly api: HyperliquidApi | null;
  private polling = 0;
  /** Whose turn it is to be polled first: what one turn may publish is bounded. */
  private firstInput = 0;
  private publishNs = 0;
  private readonly retellingNs: number[];
  private housekeepingNs = -Infinity;
  private viewSweepNs = -Infinity;
  private closing = false;

  constructor(options: BroadcastOptions) {
    this.options = options;
    const { instruments, server, clock, timeline } = options;
    const limits = resolveLimits(options.limits, options.orders);
    this.counters = new CounterTable(options.counters, BROADCAST_COLUMNS);
    this.room = new RoomContext({ server, clock, timeline, counters: this.counters, limits });
    this.inputs = options.inputs;
    this.feeds = instruments.map(
      (instrument) => new InstrumentFeed(instrument, this.room, options.orders, options.contexts),
    );
    this.feedsOfInput = this.inputs.map(() => new Set());
    this.retellingNs = this.inputs.map(() => -Infinity);
    this.inputOfFeed = new Int32Array(instruments.length).fill(-1);
    const byName = new Map(this.feeds.map((feed) => [feed.instrument.name, feed]));
    const admission = new Admission(options.security ?? {});
    this.delivery = new Delivery(this.room);
    this.heartbeats = new Heartbeats(this.room);
    this.control = new Control(this.room, this.delivery, admission, byName, options.version);
    const files = readStaticFiles(options.dashboardDirectory ?? null);
    const pages = options.pages ?? null;
    this.routes = new HttpRoutes(this.room, admission, byName, files, pages, clock);
    const { api } = options;
    invariant(api === undefined || options.orders === true, 'the API is made of orders');
    this.api = api === undefined ? null : new HyperliquidApi(this.room, this.feeds, api);
    this.reception = new Reception(
      this.room,
      admission,
      this.control,
      this.delivery,
      this.routes,
      this.api,
    );
    server.setEvents(this.reception);
  }

  /** Begins to take clients; resolves with the port. Rejects with FaultError PORT_IN_USE. */
  async listen(host: string, port: number): Promise<number> {
    return (await this.options.server.listen(host, port)).port;
  }

  doWork(now: TimeCell): number {
    const nowNs = now[0]!;
    let work = this.delivery.watch(nowNs);
    work += this.api?.pollRaw() ?? 0;
    work += this.pollInputs();
    if (work > 0) {
      this.room.snapshots.forget();
      this.routes.answerWaiting();
    }
    work += this.api?.endTurn(nowNs) ?? 0;
    work += this.delivery.pumpAll();
    if (nowNs - this.housekeepingNs >= HOUSEKEEPING_NS) this.keepHouse(nowNs);
    return work;
  }

  /** What the venue's own server says of its markets, for clients of its API. */
  onVenueInfo(answers: ReadonlyMap<string, string>): void {
    this.api?.onVenueInfo(answers);
  }

  /** One record of the ring that is being polled. Hot. */
  onRecord(typeId: number, slot: number, payloadBytes: number): void {
    const input = this.inputs[this.polling]!;
    const { doubles, words } = input;
    const bytes = doubles[slot + OUT_MESSAGE_BYTES]!;
    const instrumentId = doubles[slot + OUT_INSTRUMENT]!;
    const feed = this.feeds[instrumentId];
    this.counters.add(0, BroadcastColumn.Received, 1);
    if (feed === undefined || !(bytes >= 16) || bytes > payloadBytes - OUT_ENVELOPE_DOUBLES * 8) {
      this.counters.add(0, BroadcastColumn.Malformed, 1);
      return;
    }
    if (this.inputOfFeed[instrumentId] !== this.polling) this.noteInput(feed, instrumentId);
    const at = (slot + OUT_ENVELOPE_DOUBLES) * 2;
    const publishNs = this.publishNs;
    this.room.encoder.patchPublishedNs(words, at, publishNs);
    const epoch = doubles[slot + OUT_EPOCH]!;
    const sequence = doubles[slot + OUT_SEQUENCE]!;
    const isTrades = typeId === RecordType.TradesOut;
    const isTold = isTrades && !feed.trades.isBefore(epoch, sequence);
    feed.onMessage(typeId, words, at, bytes, epoch, sequence, publishNs);
    if (isTrades && !isTold) this.api?.onTrades(instrumentId, words, at, bytes);
    if (typeId === RecordType.BookDeltaOut || typeId === RecordType.TradesOut) {
      // What moves the market: a state told again says nothing of how long an event took.
      this.options.appliedToPublished?.record(publishNs - doubles[slot + OUT_APPLIED_NS]!);
      this.options.receivedToPublished?.record(publishNs - doubles[slot + OUT_RECEIVED_NS]!);
    }
  }

  /** The writer of an input is gone: what it told is not to be believed until a new one speaks. */
  onWriterLost(input: number): void {
    this.counters.add(0, BroadcastColumn.WriterChanges, 1);
    const nowNs = this.room.clock.nowNs();
    for (const feed of this.feedsOfInput[input]!) feed.lose(StateReason.WorkerRestarted, nowNs);
  }

  /**
   * The orderly end: takes no more clients, tells all of them (1001), gives the system a moment to
   * send it, and lets go of the server. `onClose` may follow.
   */
  async windUp(): Promise<void> {
    if (this.closing) return;
    this.sayGoodbye();
    const { clock, limits } = this.room;
    await new Promise<void>((resolve) => clock.schedule(limits.closeGraceNs, resolve));
    this.options.server.close();
  }

  onClose(): void {
    if (!this.closing) this.sayGoodbye();
    this.options.server.close();
  }

  private sayGoodbye(): void {
    this.closing = true;
    this.options.server.stopListening();
    const { sessions } = this.delivery;
    for (let i = sessions.length - 1; i >= 0; i--) {
      sessions[i]?.connection.end(CloseCode.GoingAway, 'the node shuts down');
    }
    this.reception.endApiClients(CloseCode.GoingAway, 'the node shuts down');
  }

  private pollInputs(): number {
    const { limits, outlet, clock } = this.room;
    const before = outlet.bytesTotal;
    let work = 0;
    const count = this.inputs.length;
    this.firstInput = count > 0 ? (this.firstInput + 1) % count : 0;
    for (let k = 0; k < count; k++) {
      const i = (this.firstInput + k) % count;
      const input = this.inputs[i]!;
      if (input.takeWriterChange()) this.onWriterLost(i);
      this.polling = i;
      for (;;) {
        if (input.isEmpty()) break;
        // Read once a batch: what is published together was published at one time.
        this.publishNs = clock.nowNs();
        work += input.poll(this, limits.pollRecordsMax);
        if (outlet.bytesTotal - before > limits.turnBytesMax) return work;
        if (work >= TURN_RECORDS_MAX) break;
      }
    }
    return work;
  }

  /** A mirror that lost its book by no fault of the books has them tell everything again. */
  private askForRetelling(nowNs: number): void {
    for (let i = 0; i < this.inputs.length; i++) {
      if (nowNs - this.retellingNs[i]! < RETELLING_NS) continue;
      for (const feed of this.feedsOfInput[i]!) {
        if (!feed.wantsRetelling) continue;
        this.retellingNs[i] = nowNs;
        this.inputs[i]!.announceNewReader();
        this.counters.add(0, BroadcastColumn.RetellingsAsked, 1);
        break;
      }
    }
  }

  private noteInput(feed: InstrumentFeed, instrumentId: number): void {
    const before = this.inputOfFeed[instrumentId]!;
    if (before >= 0) this.feedsOfInput[before]!.delete(feed);
    this.inputOfFeed[instrumentId] = this.polling;
    this.feedsOfInput[this.polling]!.add(feed);
    this.api?.noteInput(instrumentId, this.polling);
  }

  private keepHouse(nowNs: number): void {
    this.housekeepingNs = nowNs;
    const { sessions } = this.delivery;
    const { limits } = this.room;
    for (let i = sessions.length - 1; i >= 0; i--) {
      const session = sessions[i]!;
      if (!session.authenticated && nowNs - session.openedNs > limits.authNsMax) {
        this.control.closeUnauthenticated(session);
      } else {
        this.heartbeats.beat(session, nowNs);
      }
    }
    this.api?.keepHouse(nowNs);
    this.askForRetelling(nowNs);
    if (nowNs - this.viewSweepNs < VIEW_SWEEP_NS) return;
    this.viewSweepNs = nowNs;
    let views = 0;
    for (const feed of this.feeds) {
      if (feed.views.length > 0) feed.dropViews(nowNs - limits.viewLingerNs);
      views += feed.views.length;
    }
    this.counters.set(0, BroadcastColumn.Views, views);
    this.counters.set(
      0,
      BroadcastColumn.Streams,
      views + this.feeds.length * (this.options.orders === true ? 5 : 4),
    );
    this.counters.set(0, BroadcastColumn.HistoryBytes, this.room.historyBudget.usedBytes);
  }
}

/** Between two such requests to one worker: it tells all its books again, to all their readers. */
const RETELLING_NS = 1e9;

/** Records of all rings in one turn, before sockets get theirs. */
const TURN_RECORDS_MAX = 4096;
