/**
 * Gives a connection's state machine its sockets, timers and counters. Ingest thread. The frame path
 * (Socket.onFrame) is HOT and does not touch the machine; everything else is cold.
 */
import type { CounterTable } from '../rings/counters.js';
import type { Scheduler, TimeCell } from '../time/clock.js';
import type { ConnectionPlan, Venue } from '../venues/venue.js';
import type { Timeline } from '../time/timeline.js';
import { ConnectionMachine } from './connection.js';
import type {
  ConnectionAction,
  ConnectionEvent,
  ConnectionInput,
  ConnectionOptions,
  LegIndex,
} from './connection-words.js';
import { ConnectionState } from './connection-words.js';
import type { FrameIntake, IntakeSocket } from './frame-intake.js';
import { ConnectionColumn } from './ingest-counters.js';
import type { LineArbiter } from './line-arbiter.js';
import { refusalPauseMs } from './retry-after.js';
import type { ShardRouter } from './shard-router.js';
import type { StreamWatch } from './stream-watch.js';
import type { WebSocketConnection, WebSocketHandlers, WebSocketTransport } from './transport.js';
import { invariant, unreachable } from '../faults/invariant.js';

export interface ConnectionReport {
  readonly connection: string;
  readonly event: ConnectionEvent;
  readonly detail: string;
}

export interface DriverOptions extends Omit<ConnectionOptions, 'venue' | 'sink'> {
  /** Row in the table of connections. */
  readonly row: number;
  readonly venue: Venue;
  readonly timeline: Timeline;
  readonly scheduler: Scheduler;
  readonly webSocket: WebSocketTransport;
  readonly intake: FrameIntake;
  readonly router: ShardRouter;
  readonly counters: CounterTable;
  readonly onReport?: (report: ConnectionReport) => void;
}

const CLOSE_NORMAL = 1000;

export class ConnectionDriver {
  readonly machine: ConnectionMachine;
  readonly options: DriverOptions;
  private readonly plan: ConnectionPlan;
  private readonly sockets: [Socket | null, Socket | null] = [null, null];
  private timer = 0;
  private timerAtNs = Infinity;
  private working = false;

  constructor(options: DriverOptions) {
    this.options = options;
    this.plan = options.plan;
    this.machine = new ConnectionMachine({
      ...options,
      venue: options.venue.limits,
      sink: options.router,
    });
  }

  start(nowNs: number): void {
    this.input({ kind: 'start' }, nowNs);
  }

  stop(nowNs: number): void {
    this.input({ kind: 'stop' }, nowNs);
  }

  /** The instrument is at another scale from the next frame on. */
  redefine(instrumentId: number): void {
    this.machine.arbiter.forgetHeld(instrumentId);
  }

  get isIdle(): boolean {
    return this.machine.state === ConnectionState.Idle;
  }

  /** One turn of the machine. */
  input(input: ConnectionInput, nowNs: number): void {
    invariant(!this.working, 'a transport calls back from its own turn of the loop');
    this.working = true;
    const actions = this.machine.on(input, nowNs);
    for (const action of actions) this.perform(action, nowNs);
    this.working = false;
    this.setTimer(nowNs);
    this.publishState();
  }

  forget(leg: LegIndex, socket: Socket): void {
    if (this.sockets[leg] === socket) this.sockets[leg] = null;
  }

  count(column: number, amount: number): void {
    this.options.counters.add(this.options.row, column, amount);
  }

  private perform(action: ConnectionAction, nowNs: number): void {
    switch (action.kind) {
      case 'open':
        this.count(ConnectionColumn.ConnectAttempts, 1);
        this.sockets[action.leg] = new Socket(this, action.leg, action.url);
        break;
      case 'send':
        this.sockets[action.leg]!.send(action.text, this.plan);
        break;
      case 'ping':
        this.sockets[action.leg]!.ping();
        break;
      case 'close':
        this.sockets[action.leg]?.close(action.reason);
        break;
      case 'terminate':
        this.sockets[action.leg]?.terminate();
        this.sockets[action.leg] = null;
        break;
      case 'source':
        this.tellBooks(action.stream, action.state, action.reason, nowNs);
        break;
      case 'release':
        this.machine.arbiter.release(action.slot);
        break;
      case 'overlap-begin': {
        const { legs, arbiter } = this.machine;
        arbiter.begin(legs[action.old].watch, legs[action.old === 0 ? 1 : 0].watch);
        break;
      }
      case 'overlap-end':
        this.machine.arbiter.end(action.left);
        break;
      case 'report':
        this.report(action.event, action.detail);
        break;
      default:
        unreachable(action);
    }
  }

  private tellBooks(index: number, state: number, reason: number, nowNs: number): void {
    const stream = this.plan.streams[index]!;
    const { instrumentId, channel } = stream;
    this.options.router.writeSourceState(instrumentId, channel, state, reason, nowNs);
  }

  private report(event: ConnectionEvent, detail: string): void {
    const column = COLUMN_OF_EVENT[event];
    if (column !== undefined) this.count(column, 1);
    this.options.onReport?.({ connection: this.plan.name, event, detail });
  }

  private setTimer(nowNs: number): void {
    const { scheduler } = this.options;
    const dueNs = this.machine.nextDueNs;
    if (dueNs === this.timerAtNs) return;
    if (this.timerAtNs !== Infinity) scheduler.cancel(this.timer);
    this.timerAtNs = dueNs;
    if (dueNs === Infinity) return;
    this.timer = scheduler.schedule(Math.max(0, dueNs - nowNs), () => {
      this.timerAtNs = Infinity;
      this.input({ kind: 'timer' }, scheduler.nowNs());
      this.options.router.flush();
    });
  }

  private publishState(): void {
    const { counters, row } = this.options;
    const { state, arbiter } = this.machine;
    const up = state === ConnectionState.Up || state === ConnectionState.Overlapping;
    counters.set(row, ConnectionColumn.Up, up ? 1 : 0);
    const open = this.sockets.reduce(
      (count, socket) => count + (socket?.isOpen === true ? 1 : 0),
      0,
    );
    counters.set(row, ConnectionColumn.OpenSockets, open);
    counters.set(row, ConnectionColumn.Duplicates, arbiter.duplicates);
  }
}

const COLUMN_OF_EVENT: Partial<Record<ConnectionEvent, number>> = {
  refused: ConnectionColumn.Refusals,
  lost: ConnectionColumn.Losses,
  rotated: ConnectionColumn.Rotations,
  'successor-lost': ConnectionColumn.SuccessorsLost,
  silent: ConnectionColumn.Silences,
};

/** One socket of a connection, from connect to close. Frames go to the intake, words to the machine. */
class Socket implements WebSocketHandlers, IntakeSocket {
  readonly name: string;
  readonly row: number;
  readonly watch: StreamWatch;
  readonly arbiter: LineArbiter;
  isOpen = false;
  private readonly driver: ConnectionDriver;
  private readonly leg: LegIndex;
  private readonly intake: FrameIntake;
  private readonly connection: WebSocketConnection;
  /** Closed or cut by us: its frames are no longer ours. */
  private muted = false;
  private gone = false;
  private frames = 0;
  private bytes = 0;

  constructor(driver: ConnectionDriver, leg: LegIndex, url: string) {
    this.driver = driver;
    this.leg = leg;
    this.name = driver.options.plan.name;
    this.row = driver.options.row;
    this.intake = driver.options.intake;
    this.watch = driver.machine.legs[leg].watch;
    this.arbiter = driver.machine.arbiter;
    this.connection = driver.options.webSocket.connect(url, this);
  }

  send(text: string, plan: ConnectionPlan): void {
    const subscribe = plan.subscribeFrames.includes(text);
    const column = subscribe ? ConnectionColumn.SubscribesSent : ConnectionColumn.PingsSent;
    this.driver.count(column, 1);
    this.connection.send(text);
  }

  ping(): void {
    this.driver.count(ConnectionColumn.PingsSent, 1);
    this.connection.ping();
  }

  close(reason: string): void {
    this.muted = true;
    this.connection.close(CLOSE_NORMAL, reason);
  }

  terminate(): void {
    this.muted = true;
    this.gone = true;
    this.isOpen = false;
    this.connection.terminate();
  }

  onOpen(): void {
    if (this.muted) return;
    this.isOpen = true;
    this.driver.count(ConnectionColumn.Connects, 1);
    this.tell({ kind: 'opened', leg: this.leg });
  }

  /** Hot. */
  onFrame(bytes: Uint8Array, start: number, end: number, received: TimeCell): void {
    if (this.muted) return;
    this.frames++;
    this.bytes += end - start;
    this.watch.readNs = received[0]!;
    this.intake.onFrame(this, bytes, start, end, received);
  }

  /** Hot. */
  onReadEnd(): void {
    if (this.frames === 0) return;
    this.driver.options.counters.add(this.row, ConnectionColumn.Frames, this.frames);
    this.driver.options.counters.add(this.row, ConnectionColumn.Bytes, this.bytes);
    this.frames = 0;
    this.bytes = 0;
    this.intake.onReadEnd(this);
  }

  onPing(): void {
    this.driver.count(ConnectionColumn.PingsReceived, 1);
    this.watch.readNs = this.nowNs();
  }

  onPong(): void {
    this.driver.count(ConnectionColumn.Pongs, 1);
    this.watch.readNs = this.nowNs();
  }

  onRefused(status: number, retryAfter: string | undefined): void {
    if (this.muted) return;
    const { limits, timeline } = this.driver.options;
    const nowNs = this.nowNs();
    const unixMs = Number(timeline.toUnixNs(nowNs) / 1_000_000n);
    const retryAfterMs = refusalPauseMs(status, retryAfter, limits, unixMs);
    if (retryAfterMs !== null) this.tell({ kind: 'refused', leg: this.leg, retryAfterMs });
  }

  onClose(code: number, reason: string): void {
    this.onReadEnd();
    if (this.gone) return;
    this.gone = true;
    this.muted = true;
    this.isOpen = false;
    this.driver.forget(this.leg, this);
    const why = reason === '' ? `code ${code}` : `code ${code}: ${reason}`;
    this.tell({ kind: 'closed', leg: this.leg, reason: why });
  }

  onFlaggedStream(slot: number, nowNs: number): void {
    this.driver.input({ kind: 'stream', leg: this.leg, slot }, nowNs);
  }

  onControlText(text: string, nowNs: number): void {
    const message = this.driver.options.venue.readControl(text);
    if (message.kind === 'ack') this.driver.count(ConnectionColumn.Acks, 1);
    if (message.kind === 'pong') this.driver.count(ConnectionColumn.Pongs, 1);
    this.driver.input({ kind: 'control', leg: this.leg, message }, nowNs);
  }

  private tell(input: ConnectionInput): void {
    this.driver.input(input, this.nowNs());
    this.driver.options.router.flush();
  }

  private nowNs(): number {
    return this.driver.options.scheduler.nowNs();
  }
}
