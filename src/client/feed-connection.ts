/**
 * The connection to a node: opens the socket, waits for the greeting, pairs answers with requests,
 * watches for silence, and opens it again under back-off until told to stop. It knows nothing of
 * streams. Cold but for passing binary frames on.
 */
import type { Prng } from '../domain/prng.js';
import type { Scheduler } from '../time/clock.js';
import { BackOff } from './back-off.js';
import { parseControl, type Answer, type Welcome } from './control-messages.js';
import { FeedError } from './feed-error.js';
import type { ConnectionEvent, ConnectionState } from './feed-events.js';
import type { OpenWebSocket, WebSocketLike } from './web-socket.js';

const NS_PER_MS = 1e6;
const GREETING_MS_MAX = 5_000;
/** An answer to subscribe stands behind what the node has buffered for a slow line. */
const ANSWER_MS_MAX = 30_000;
/** A node that has been silent for this many heartbeats, and a little, is taken for dead. */
const HEARTBEATS_MISSED_MAX = 3;
const SILENCE_GRACE_MS = 500;
/** A connection that lasted this long has earned a quick first retry. */
const HEALTHY_MS = 5_000;
/** A node takes a burst of 300 requests and then 50 a second from one client; we keep below. */
const REQUESTS_BURST_MAX = 200;
const REQUEST_INTERVAL_MS = 25;

export interface ConnectionHandlers {
  /** Greeted: subscriptions may be sent. */
  onLive(): void;
  onData(bytes: Uint8Array): void;
  /** The socket is gone; it will be tried again unless the state is `closed`. */
  onDown(): void;
  onState(event: ConnectionEvent): void;
  onError(error: Error): void;
}

/**
 * Called within the same turn in which the answer is read: the stream's first message may follow
 * in the very same turn, so a promise would be too late.
 */
export interface AnswerHandlers {
  readonly onAnswer: (answer: Answer) => void;
  readonly onRefused: (error: FeedError) => void;
}

interface Pending extends AnswerHandlers {
  readonly timer: number;
}

export class FeedConnection {
  private readonly url: string;
  private readonly token: string | undefined;
  private readonly open: OpenWebSocket;
  private readonly scheduler: Scheduler;
  private readonly handlers: ConnectionHandlers;
  private readonly backOff: BackOff;
  private socket: WebSocketLike | null = null;
  /** Grows with each socket: what a former one still says is not heard. */
  private generation = 0;
  private stateNow: ConnectionState = 'idle';
  private timer = 0;
  private heartbeatMs = 0;
  private liveSinceNs = 0;
  private lastHeardNs = 0;
  private nextRequestId = 1;
  private readonly pending = new Map<number, Pending>();
  private readonly outbox: string[] = [];
  private outboxTimer = 0;
  private requestCredit = REQUESTS_BURST_MAX;
  private creditAtNs = 0;

  constructor(options: {
    readonly url: string;
    readonly token: string | undefined;
    readonly open: OpenWebSocket;
    readonly scheduler: Scheduler;
    readonly prng: Prng;
    readonly backOffMsMax: number;
    readonly handlers: ConnectionHandlers;
  }) {
    this.url = options.url;
    this.token = options.token;
    this.open = options.open;
    this.scheduler = options.scheduler;
    this.handlers = options.handlers;
    const ceilings = { floorMs: 50, firstMs: 250, capMs: options.backOffMsMax };
    this.backOff = new BackOff(ceilings, options.prng);
  }

  get state(): ConnectionState {
    return this.stateNow;
  }

  /** Milliseconds since anything was heard from the node; Infinity while not connected. */
  get silentMs(): number {
    if (this.stateNow !== 'live') return Infinity;
    return (this.scheduler.nowNs() - this.lastHeardNs) / NS_PER_MS;
  }

  start(): void {
    if (this.stateNow === 'idle') this.attempt();
  }

  stop(): void {
    if (this.stateNow === 'closed') return;
    const socket = this.dropSocket('the client was closed');
    this.enter('closed', { closeCode: 1000, reason: 'closed by this client', retryInMs: 0 });
    closeQuietly(socket, 1000);
  }

  /** Closes the present socket and opens another: used where the peer broke the protocol. */
  restart(reason: string): void {
    if (this.socket === null) return;
    const socket = this.dropSocket(reason);
    closeQuietly(socket, 4000);
    this.scheduleRetry(4000, reason);
  }

  /** Sends a request; its answer, refusal or loss is told exactly once. */
  request(fields: Record<string, unknown>, handlers: AnswerHandlers): void {
    if (this.stateNow !== 'live') {
      handlers.onRefused(new FeedError('UNREACHABLE', 'not connected'));
      return;
    }
    this.send(fields, handlers);
  }

  private send(fields: Record<string, unknown>, handlers: AnswerHandlers): void {
    const id = this.nextRequestId++;
    const timer = this.scheduler.schedule(ANSWER_MS_MAX * NS_PER_MS, () => {
      this.pending.delete(id);
      const what = `no answer to ${String(fields['op'])} within ${ANSWER_MS_MAX} ms`;
      handlers.onRefused(new FeedError('ANSWER_TIMEOUT', what));
    });
    this.pending.set(id, { ...handlers, timer });
    this.outbox.push(JSON.stringify({ ...fields, id }));
    this.drainOutbox();
  }

  private attempt(): void {
    const generation = ++this.generation;
    this.enter('connecting', { closeCode: 0, reason: '', retryInMs: 0 });
    let socket: WebSocketLike;
    try {
      socket = this.open(this.url);
    } catch (error) {
      this.handlers.onError(new FeedError('UNREACHABLE', String(error)));
      this.scheduleRetry(0, 'the socket could not be opened');
      return;
    }
    this.socket = socket;
    socket.binaryType = 'arraybuffer';
    const current = (): boolean => generation === this.generation;
    socket.addEventListener('message', (event) => {
      if (current()) this.onMessage(event.data);
    });
    socket.addEventListener('error', () => undefined); // a close event follows and says more
    socket.addEventListener('close', (event) => {
      if (!current()) return;
      this.dropSocket('the connection was closed');
      this.scheduleRetry(event.code, event.reason);
    });
    this.timer = this.scheduler.schedule(GREETING_MS_MAX * NS_PER_MS, () => {
      if (current()) this.restart('the node did not greet in time');
    });
  }

  private onMessage(data: unknown): void {
    this.lastHeardNs = this.scheduler.nowNs();
    if (data instanceof ArrayBuffer) {
      if (this.stateNow === 'live') this.handlers.onData(new Uint8Array(data));
      return;
    }
    try {
      const message = parseControl(String(data));
      if (message.op === 'welcome') this.onWelcome(message);
      else this.onAnswer(message);
    } catch (error) {
      this.handlers.onError(error as Error);
      this.restart('the node broke the protocol');
    }
  }

  private onWelcome(welcome: Welcome): void {
    if (welcome.protocol !== 1) {
      throw new FeedError('PROTOCOL', `the node speaks protocol ${welcome.protocol}, not 1`);
    }
    this.scheduler.cancel(this.timer);
    this.heartbeatMs = welcome.heartbeatMs;
    this.liveSinceNs = this.scheduler.nowNs();
    this.requestCredit = REQUESTS_BURST_MAX;
    this.creditAtNs = this.liveSinceNs;
    if (welcome.authRequired) this.authenticate();
    else this.goLive();
  }

  private goLive(): void {
    this.enter('live', { closeCode: 0, reason: '', retryInMs: 0 });
    this.watchSilence();
    this.handlers.onLive();
  }

  /** In a request rather than in the handshake: so a refusal has a code, and a browser can do it too. */
  private authenticate(): void {
    const refused = (error: FeedError): void => {
      this.handlers.onError(error);
      this.restart(error.message);
    };
    if (this.token === undefined) {
      refused(new FeedError('UNAUTHORIZED', 'the node asks for a token'));
      return;
    }
    this.send(
      { op: 'auth', token: this.token },
      {
        onAnswer: () => this.goLive(),
        onRefused: (error) => this.socket !== null && refused(error),
      },
    );
  }

  private onAnswer(answer: Answer): void {
    const pending = this.pending.get(answer.id);
    if (pending === undefined) {
      if (answer.op === 'error') {
        this.handlers.onError(new FeedError(answer.code, answer.message));
      }
      return;
    }
    this.pending.delete(answer.id);
    this.scheduler.cancel(pending.timer);
    if (answer.op === 'error') pending.onRefused(new FeedError(answer.code, answer.message));
    else pending.onAnswer(answer);
  }

  private watchSilence(): void {
    if (this.heartbeatMs <= 0) return;
    const limitMs = this.heartbeatMs * HEARTBEATS_MISSED_MAX + SILENCE_GRACE_MS;
    this.timer = this.scheduler.schedule(this.heartbeatMs * NS_PER_MS, () => {
      if (this.silentMs > limitMs) this.restart(`nothing heard for ${Math.round(limitMs)} ms`);
      else this.watchSilence();
    });
  }

  private drainOutbox(): void {
    const nowNs = this.scheduler.nowNs();
    const earned = (nowNs - this.creditAtNs) / (REQUEST_INTERVAL_MS * NS_PER_MS);
    this.requestCredit = Math.min(REQUESTS_BURST_MAX, this.requestCredit + earned);
    this.creditAtNs = nowNs;
    while (this.outbox.length > 0 && this.requestCredit >= 1) {
      this.requestCredit -= 1;
      this.socket?.send(this.outbox.shift()!);
    }
    if (this.outbox.length === 0 || this.outboxTimer !== 0) return;
    this.outboxTimer = this.scheduler.schedule(REQUEST_INTERVAL_MS * NS_PER_MS, () => {
      this.outboxTimer = 0;
      this.drainOutbox();
    });
  }

  private dropSocket(reason: string): WebSocketLike | null {
    const socket = this.socket;
    this.socket = null;
    this.generation += 1;
    this.scheduler.cancel(this.timer);
    this.scheduler.cancel(this.outboxTimer);
    this.outboxTimer = 0;
    this.outbox.length = 0;
    if (this.stateNow === 'live') {
      const lastedMs = (this.scheduler.nowNs() - this.liveSinceNs) / NS_PER_MS;
      if (lastedMs >= HEALTHY_MS) this.backOff.reset();
    }
    this.stateNow = 'waiting';
    for (const [id, pending] of this.pending) {
      this.pending.delete(id);
      this.scheduler.cancel(pending.timer);
      pending.onRefused(new FeedError('UNREACHABLE', reason));
    }
    this.handlers.onDown();
    return socket;
  }

  private scheduleRetry(closeCode: number, reason: string): void {
    const retryInMs = this.backOff.nextMs();
    this.enter('waiting', { closeCode, reason, retryInMs });
    this.timer = this.scheduler.schedule(retryInMs * NS_PER_MS, () => this.attempt());
  }

  private enter(state: ConnectionState, more: Omit<ConnectionEvent, 'state'>): void {
    this.stateNow = state;
    this.handlers.onState({ state, ...more });
  }
}

function closeQuietly(socket: WebSocketLike | null, code: number): void {
  try {
    socket?.close(code);
  } catch {
    // It never opened: there is nothing to close.
  }
}
