/**
 * Exchange, dialect, faults and clients in one, without sockets: the simulator as everything but a
 * server. Runs on one scheduler (the virtual clock in tests), one thread.
 */
import { Prng } from '../domain/prng.js';
import { FaultError } from '../faults/fault.js';
import { invariant } from '../faults/invariant.js';
import type { Scheduler } from '../time/clock.js';
import type {
  AnswerWishes,
  Dialect,
  DialectSession,
  SimulatedAnswer,
  SimulatedRequest,
} from './dialect.js';
import type { Exchange } from './exchange.js';
import type { Market } from './market.js';
import { FaultCounters, NO_FAULTS, checkFaults } from './fault-settings.js';
import type { FaultSettings } from './fault-settings.js';
import { FaultyLink } from './faulty-link.js';
import type { ClientEnd, FaultSource, OrderedFault } from './faulty-link.js';
import { COMMANDS_PER_TURN_MAX, HALF_OPEN_NS_MAX } from './simulator-limits.js';

/** A client's connection as the transport keeps it. */
export interface ClientSession {
  onText(text: string): void;
  /** A PING of the client's. */
  onPing(): void;
  onPong(): void;
  onClose(): void;
  readonly link: FaultyLink;
}

export interface TimedAnswer {
  readonly answer: SimulatedAnswer;
  /** Held back for so long by a fault; 0: at once. */
  readonly delayNs: number;
}

export interface SimulatedVenueOptions {
  readonly exchange: Exchange;
  readonly dialect: Dialect;
  readonly scheduler: Scheduler;
  readonly seed: number;
  readonly faults?: Partial<FaultSettings>;
}

/** Called around each turn in which frames may go out, so that a transport can batch them. */
export interface TurnBracket {
  begin(): void;
  end(): void;
}

const SECOND_NS = 1e9;
/** A real timer's grain: asking for less only makes it late. */
const TURN_NS_MIN = 1e6;
const FAULT_SEED = 0x0fa0175;

interface Session extends ClientSession {
  readonly openedNs: number;
  pongNs: number;
}

export class SimulatedVenue {
  readonly exchange: Exchange;
  readonly dialect: Dialect;
  readonly counters: FaultCounters;
  bracket: TurnBracket | null = null;
  /** Sessions ever opened. */
  sessionsOpened = 0;

  private readonly scheduler: Scheduler;
  private readonly source: FaultSource;
  private readonly ordered: OrderedFault[] = [];
  private readonly orderedAnswers: AnswerWishes[] = [];
  private readonly sessions = new Set<Session>();
  /** Markets whose tick the fault has made finer. */
  private readonly fine = new Set<Market>();
  private readonly timers = new Set<number>();
  private turnTimer = -1;
  private running = false;

  constructor(options: SimulatedVenueOptions) {
    this.exchange = options.exchange;
    this.dialect = options.dialect;
    this.scheduler = options.scheduler;
    this.exchange.listener = options.dialect;
    this.counters = new FaultCounters(options.exchange.markets.length);
    this.source = {
      settings: NO_FAULTS,
      perFrame: false,
      prng: new Prng(options.seed ^ FAULT_SEED),
      counters: this.counters,
    };
    this.setFaults(options.faults ?? {});
  }

  get sessionsCount(): number {
    return this.sessions.size;
  }

  get faults(): FaultSettings {
    return this.source.settings;
  }

  /** Replaces the named settings; the others stay. Throws FaultError BAD_CONFIG. */
  setFaults(changes: Partial<FaultSettings>): void {
    checkFaults(changes);
    if ((changes.retick ?? 0) > 0) this.checkRetick();
    const settings = { ...this.source.settings, ...changes };
    this.source.settings = settings;
    this.source.perFrame =
      settings.drop + settings.duplicate + settings.reorder + settings.corrupt > 0;
  }

  /** The next `count` frames of a market and channel (-1: any) meet with this fault. */
  orderFault(kind: OrderedFault['kind'], count = 1, market = -1, channel = -1): void {
    this.ordered.push({ kind, market, channel, left: count });
  }

  /** The next REST answer is refused, or an old book. */
  orderAnswer(wishes: Partial<AnswerWishes>): void {
    this.orderedAnswers.push({ stale: false, refuseStatus: 0, ...wishes });
  }

  /** The tick of a market becomes a tenth, or what it was before. Throws FaultError BAD_CONFIG. */
  retick(symbol: string, finer: boolean): void {
    this.checkRetick();
    this.retickMarket(this.marketOf(symbol), finer);
  }

  /** @param status in the venue's word, undefined: it trades again */
  halt(symbol: string, status: string | undefined): void {
    this.exchange.halt(this.marketOf(symbol), status);
  }

  private retickMarket(market: Market, finer: boolean): void {
    this.counters.reticks++;
    this.bracket?.begin();
    this.exchange.retick(market, finer);
    this.bracket?.end();
  }

  private marketOf(symbol: string): Market {
    const market = this.exchange.markets.find(({ spec }) => spec.symbol === symbol);
    if (market === undefined) throw new FaultError('UNKNOWN_SYMBOL', `no market ${symbol}`);
    return market;
  }

  private checkRetick(): void {
    if (this.dialect.canRetick === true) return;
    throw new FaultError('BAD_CONFIG', `retick is no fault of the dialect ${this.dialect.venue}`);
  }

  /** @param stallMs 0: for ever */
  stallAll(stallMs: number): void {
    for (const session of this.sessions) this.stall(session, stallMs);
  }

  disconnectAll(): void {
    for (const session of this.sessions) session.link.disconnect();
  }

  start(): void {
    invariant(!this.running, 'the venue runs already');
    this.running = true;
    this.exchange.resumeAt(this.scheduler.nowNs());
    this.after(SECOND_NS, () => this.everySecond());
    this.planTurn();
  }

  stop(): void {
    this.running = false;
    this.scheduler.cancel(this.turnTimer);
    for (const timer of this.timers) this.scheduler.cancel(timer);
    this.timers.clear();
    for (const session of this.sessions) {
      session.link.close(1001, 'Simulator is shutting down');
      session.onClose();
    }
  }

  /** @param target path with query; null: there is no such endpoint */
  open(target: string, client: ClientEnd): ClientSession | null {
    const link = new FaultyLink(client, this.source, this.ordered);
    const dialectSession = this.dialect.openSession(target, link);
    if (dialectSession === null) return null;
    const session = this.makeSession(link, dialectSession);
    this.sessions.add(session);
    this.sessionsOpened++;
    return session;
  }

  private makeSession(link: FaultyLink, dialectSession: DialectSession): Session {
    const nowNs = this.scheduler.nowNs();
    const session: Session = {
      link,
      openedNs: nowNs,
      pongNs: nowNs,
      onText: (text) => dialectSession.onText(text, this.scheduler.nowNs()),
      onPing: () => dialectSession.onControlFrame(this.scheduler.nowNs()),
      onPong: () => {
        session.pongNs = this.scheduler.nowNs();
      },
      onClose: () => {
        link.closed = true;
        if (this.sessions.delete(session)) dialectSession.onClose();
      },
    };
    return session;
  }

  answer(request: SimulatedRequest): TimedAnswer {
    const { settings, prng } = this.source;
    const { counters } = this;
    const isSnapshot = this.dialect.isSnapshotRequest(request);
    const ordered = this.orderedAnswers.shift();
    let { stale, refuseStatus } = ordered ?? { stale: false, refuseStatus: 0 };
    if (refuseStatus === 0 && prng.chance(settings.refuse429)) refuseStatus = 429;
    if (refuseStatus === 0 && prng.chance(settings.refuse418)) refuseStatus = 418;
    if (isSnapshot && prng.chance(settings.staleSnapshot)) stale = true;
    const late = isSnapshot && refuseStatus === 0 && prng.chance(settings.lateSnapshot);
    if (refuseStatus === 429) counters.refused429++;
    if (refuseStatus === 418) counters.refused418++;
    if (stale && refuseStatus === 0) counters.staleSnapshots++;
    if (late) counters.lateSnapshots++;
    const wishes = { stale, refuseStatus };
    const answer = this.dialect.answer(request, wishes, this.scheduler.nowNs());
    return { answer, delayNs: late ? settings.lateSnapshotMs * 1e6 : 0 };
  }

  private planTurn(): void {
    const nowNs = this.scheduler.nowNs();
    const dueNs = Math.max(this.exchange.nextDueNs, nowNs + TURN_NS_MIN);
    this.turnTimer = this.scheduler.schedule(Math.min(dueNs - nowNs, SECOND_NS), () => this.turn());
  }

  /** What is due by now; if that is much, in pieces between which sockets get their turn. */
  private turn(): void {
    if (!this.running) return;
    this.bracket?.begin();
    const finished = this.exchange.runUntil(this.scheduler.nowNs(), COMMANDS_PER_TURN_MAX);
    this.bracket?.end();
    if (finished) this.planTurn();
    else this.turnTimer = this.scheduler.schedule(0, () => this.turn());
  }

  /** Pings, lifetimes, and the faults that come by the second. */
  private everySecond(): void {
    const nowNs = this.scheduler.nowNs();
    const { settings, prng } = this.source;
    const { limits } = this.dialect;
    for (const session of this.sessions) {
      const ageMs = (nowNs - session.openedNs) / 1e6;
      const every = Math.max(1, Math.round(limits.pingEveryMs / 1000));
      if (ageMs >= limits.lifetimeMs) session.link.close(1001, 'Connection lifetime');
      else if ((nowNs - session.pongNs) / 1e6 > limits.pingEveryMs + limits.pongDeadlineMs) {
        session.link.close(1008, 'Pong timeout');
      } else if (Math.round(ageMs / 1000) % every === 0) session.link.ping();
      if (prng.chance(settings.disconnect)) session.link.disconnect();
      else if (!session.link.isStalled && prng.chance(settings.stall)) {
        this.stall(session, settings.stallMs);
      }
    }
    if (settings.retick > 0) this.retickSome(settings.retick);
    this.after(SECOND_NS, () => this.everySecond());
  }

  /** Finer, and back again the next time. */
  private retickSome(chance: number): void {
    for (const market of this.exchange.markets) {
      if (!this.source.prng.chance(chance)) continue;
      const isFine = this.fine.has(market);
      if (isFine) this.fine.delete(market);
      else this.fine.add(market);
      this.retickMarket(market, !isFine);
    }
  }

  private stall(session: ClientSession, stallMs: number): void {
    session.link.stall(stallMs > 0);
    if (stallMs > 0) this.after(stallMs * 1e6, () => session.link.resume());
    else this.after(HALF_OPEN_NS_MAX, () => session.link.abandon());
  }

  private after(delayNs: number, callback: () => void): void {
    const timer = this.scheduler.schedule(delayNs, () => {
      this.timers.delete(timer);
      callback();
    });
    this.timers.add(timer);
  }
}
