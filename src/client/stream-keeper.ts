/**
 * Keeps streams subscribed: asks for them when the connection is there, resumes them when it comes
 * back, begins them anew when their continuity or their book is lost, under back-off where that
 * does not help. Cold: runs on answers and faults only, but for `find`.
 */
import { StateReason } from '../domain/book-state.js';
import type { Prng } from '../domain/prng.js';
import type { Scheduler } from '../time/clock.js';
import { BackOff } from './back-off.js';
import type { Subscribed } from './control-messages.js';
import type { ReportError } from './emitter.js';
import type { FeedConnection } from './feed-connection.js';
import { FeedError } from './feed-error.js';
import type { RecoveredEvent } from './feed-events.js';
import type { StreamState } from './stream-state.js';

const NS_PER_MS = 1e6;
/** How soon to look again whether a stream that was given up in mid-request has been left. */
const LEAVING_RETRY_MS = 10;
/** A stream that held for this long after it was begun anew starts over with no delay. */
const STEADY_NS = 10_000 * NS_PER_MS;

/** Refusals that no repetition will change. */
const FINAL_REFUSALS = new Set<string>([
  'MALFORMED_REQUEST',
  'UNKNOWN_OP',
  'UNKNOWN_CHANNEL',
  'UNKNOWN_INSTRUMENT',
  'BAD_DEPTH',
  'BAD_MODE',
  'ALREADY_SUBSCRIBED',
  'TOO_MANY_SUBSCRIPTIONS',
  'TOO_MANY_VIEWS',
  'UNAUTHORIZED',
]);

/** One wanted stream. Fields but `stream` belong to the keeper. */
export interface KeptStream {
  readonly stream: StreamState;
  readonly backOff: BackOff;
  readonly accept: () => void;
  readonly refuse: (error: Error) => void;
  /** The node's number for it; -1 while it is not subscribed. */
  streamId: number;
  everAccepted: boolean;
  /** The next subscribe may build on the position reached. */
  resumable: boolean;
  /** Grows with each subscribe: an answer to an older one is void. */
  round: number;
  /** A subscribe is under way. */
  asking: boolean;
  timer: number;
  steadySinceNs: number;
}

export interface KeeperHandlers {
  onResumed(): void;
  onRecovered(event: RecoveredEvent): void;
  onError: ReportError;
}

export class StreamKeeper {
  private readonly connection: FeedConnection;
  private readonly scheduler: Scheduler;
  private readonly prng: Prng;
  private readonly handlers: KeeperHandlers;
  private readonly kept = new Set<KeptStream>();
  private readonly byStreamId = new Map<number, KeptStream>();
  /**
   * Streams given up before the node had answered: until it has, and we have left them, the node
   * would refuse the same stream to a successor.
   */
  private readonly leaving = new Set<string>();

  constructor(
    connection: FeedConnection,
    scheduler: Scheduler,
    prng: Prng,
    handlers: KeeperHandlers,
  ) {
    this.connection = connection;
    this.scheduler = scheduler;
    this.prng = prng;
    this.handlers = handlers;
  }

  /** The stream that a message names, if it is subscribed at present. Hot. */
  find(streamId: number): KeptStream | undefined {
    return this.byStreamId.get(streamId);
  }

  /** `accept` is called at the first acceptance, `refuse` if it ends before or by refusal. */
  add(stream: StreamState, accept: () => void, refuse: (error: Error) => void): KeptStream {
    const kept: KeptStream = {
      stream,
      backOff: new BackOff({ floorMs: 50, firstMs: 200, capMs: 5_000 }, this.prng),
      accept,
      refuse,
      streamId: -1,
      everAccepted: false,
      resumable: true,
      round: 0,
      asking: false,
      timer: 0,
      steadySinceNs: 0,
    };
    this.kept.add(kept);
    if (this.connection.state === 'live') this.ask(kept);
    return kept;
  }

  /** The connection is there. */
  onLive(): void {
    for (const kept of this.kept) this.ask(kept);
  }

  /** The connection is gone. */
  onDown(): void {
    this.byStreamId.clear();
    this.leaving.clear();
    for (const kept of this.kept) {
      this.scheduler.cancel(kept.timer);
      kept.round += 1;
      kept.asking = false;
      if (kept.streamId < 0) continue;
      kept.streamId = -1;
      kept.stream.interrupt(StateReason.Disconnected);
    }
  }

  /** Begins the stream anew: at once the first time, under back-off if that does not help. */
  resync(kept: KeptStream, reason: StateReason): void {
    const steadyNs = this.scheduler.nowNs() - kept.steadySinceNs;
    if (steadyNs > STEADY_NS) kept.backOff.reset();
    this.unsubscribe(kept);
    kept.stream.interrupt(reason);
    kept.resumable = false;
    const isFirst = kept.backOff.failuresCount === 0;
    const delayMs = kept.backOff.nextMs();
    if (isFirst) this.ask(kept);
    else this.askLater(kept, delayMs);
  }

  release(kept: KeptStream): void {
    if (!this.kept.has(kept)) return;
    if (kept.streamId >= 0) this.unsubscribe(kept);
    this.drop(kept, null);
  }

  releaseAll(): void {
    for (const kept of this.kept) this.drop(kept, null);
  }

  private ask(kept: KeptStream): void {
    const { stream } = kept;
    const key = keyOf(stream);
    if (this.leaving.has(key)) {
      this.askLater(kept, LEAVING_RETRY_MS);
      return;
    }
    const { depth, mode } = stream.options;
    const round = ++kept.round;
    kept.asking = true;
    const point = kept.resumable ? stream.tracker.resumePoint : null;
    const fields: Record<string, unknown> = {
      op: 'subscribe',
      channel: stream.channel,
      instrument: stream.instrument,
      ...(depth === undefined || depth === 0 ? {} : { depth }),
      ...(mode === undefined ? {} : { mode }),
      ...(point === null
        ? {}
        : { resume: { epoch: String(point.epoch), sequence: String(point.sequence) } }),
    };
    this.connection.request(fields, {
      onAnswer: (answer) => {
        if (answer.op !== 'subscribed') return;
        if (round === kept.round) this.onSubscribed(kept, answer);
        else if (this.leaving.has(key)) this.leave(answer.streamId, key);
      },
      onRefused: (error) => {
        if (round === kept.round) this.onRefused(kept, error);
        else this.leaving.delete(key);
      },
    });
  }

  private askLater(kept: KeptStream, delayMs: number): void {
    const round = ++kept.round;
    kept.timer = this.scheduler.schedule(delayMs * NS_PER_MS, () => {
      if (round === kept.round && this.connection.state === 'live') this.ask(kept);
    });
  }

  private onSubscribed(kept: KeptStream, answer: Subscribed): void {
    kept.streamId = answer.streamId;
    kept.asking = false;
    kept.resumable = true;
    kept.steadySinceNs = this.scheduler.nowNs();
    kept.stream.anchor(answer);
    this.byStreamId.set(answer.streamId, kept);
    if (answer.resumed) this.handlers.onResumed();
    if (!kept.everAccepted) {
      kept.everAccepted = true;
      kept.accept();
      return;
    }
    const { instrument, channel } = kept.stream;
    this.handlers.onRecovered({ instrument, channel, resumed: answer.resumed });
  }

  private onRefused(kept: KeptStream, error: FeedError): void {
    kept.asking = false;
    if (error.code === 'UNREACHABLE') return; // asked again once connected
    if (error.code === 'ANSWER_TIMEOUT') {
      this.connection.restart('the node does not answer');
      return;
    }
    if (!kept.everAccepted && FINAL_REFUSALS.has(error.code)) {
      this.drop(kept, error);
      return;
    }
    this.handlers.onError(error);
    kept.resumable = false;
    this.askLater(kept, kept.backOff.nextMs());
  }

  private unsubscribe(kept: KeptStream): void {
    const { streamId } = kept;
    kept.streamId = -1;
    this.byStreamId.delete(streamId);
    this.leave(streamId);
  }

  private leave(streamId: number, key?: string): void {
    const left = (): void => {
      if (key !== undefined) this.leaving.delete(key);
    };
    this.connection.request(
      { op: 'unsubscribe', streamId },
      {
        onAnswer: left,
        onRefused: (error) => {
          left();
          if (error.code !== 'UNREACHABLE') this.handlers.onError(error);
        },
      },
    );
  }

  private drop(kept: KeptStream, error: Error | null): void {
    this.kept.delete(kept);
    if (kept.asking) this.leaving.add(keyOf(kept.stream));
    kept.asking = false;
    this.scheduler.cancel(kept.timer);
    kept.round += 1;
    kept.refuse(error ?? new FeedError('CLOSED', 'the subscription was closed'));
    kept.stream.end(error);
  }
}

/** What the node takes for one and the same stream. */
function keyOf({ channel, instrument, options }: StreamState): string {
  return `${channel} ${instrument} ${options.depth ?? 0}`;
}
