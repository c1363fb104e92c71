/**
 * Keeps threads alive. A thread that ends without being asked, or whose heartbeat stands still, is
 * replaced; the others go on. One that keeps failing makes the node give up with a clear fault.
 * The machine here has no threads and no timers of its own: it is driven by `look` and by reports.
 * Main thread, cold.
 */
import type { Clock } from '../time/clock.js';

export type EndReason = 'threw' | 'out-of-memory' | 'hung' | 'ended' | 'slow-start';

/** One running incarnation of a thread. */
export interface ThreadHandle {
  /** Counts turns of the thread's loop. */
  heartbeat(): number;
  /** Time that the thread has waited for a core so far, ns; 0 where it is not known. */
  waitedNs(): number;
  /** Ends it at once, whatever it does; resolves when it is gone. */
  kill(): Promise<void>;
}

export interface ThreadFactory {
  readonly name: string;
  /** May be ended by force. One that may not is given up when it hangs. */
  readonly expendable: boolean;
  /** Starts one more incarnation. `generation` is 0 for the first. */
  start(generation: number): ThreadHandle;
}

export interface SupervisorEvents {
  /** A replacement is about to be started; the old one is gone. */
  onReplaced(name: string, reason: EndReason, detail: string, restarts: number): void;
  /** The replacement works: `tookNs` from the failure (of a hang: the last heartbeat) to then. */
  onRecovered(name: string, tookNs: number): void;
  /** The restart budget is spent. */
  onGivenUp(name: string, reason: EndReason, detail: string): void;
}

export interface SupervisorOptions {
  readonly clock: Clock;
  readonly factories: readonly ThreadFactory[];
  readonly events: SupervisorEvents;
  readonly hangNs: number;
  /** The same for a thread that may not be ended: with it ends the whole. */
  readonly giveUpHangNs: number;
  /** While a thread warms up (code is compiled, books are loaded) it may be silent for longer. */
  readonly warmUpNs: number;
  readonly warmUpHangNs: number;
  readonly startNsMax: number;
  /** A look later than this after the last one is no evidence. */
  readonly lookLateNsMax: number;
  readonly restartsMax: number;
  readonly restartWindowNs: number;
}

interface Watched {
  readonly factory: ThreadFactory;
  handle: ThreadHandle | null;
  generation: number;
  state: 'starting' | 'running' | 'replacing' | 'down';
  startedNs: number;
  lastBeat: number;
  readyNs: number;
  /** Time without a heartbeat, counted only over looks that came in time. */
  silentNs: number;
  /** What the thread had waited for a core when it was first seen silent. */
  waitedBeforeNs: number;
  failedNs: number;
  /** Times of past replacements within the window. */
  restartsNs: number[];
  restartsTotal: number;
}

export class Supervisor {
  private readonly options: SupervisorOptions;
  private readonly threads = new Map<string, Watched>();
  private lastLookNs: number;
  private stopping = false;

  constructor(options: SupervisorOptions) {
    this.options = options;
    this.lastLookNs = options.clock.nowNs();
    for (const factory of options.factories) {
      this.threads.set(factory.name, {
        factory,
        handle: null,
        generation: -1,
        state: 'down',
        startedNs: 0,
        lastBeat: 0,
        readyNs: 0,
        silentNs: 0,
        waitedBeforeNs: 0,
        failedNs: 0,
        restartsNs: [],
        restartsTotal: 0,
      });
    }
  }

  startAll(): void {
    for (const watched of this.threads.values()) this.startOne(watched);
  }

  start(name: string): void {
    const watched = this.threads.get(name);
    if (watched !== undefined && watched.state === 'down') this.startOne(watched);
  }

  /** From now on an end is an end. */
  beginStop(): void {
    this.stopping = true;
  }

  /** A thread's agents stand and its loop begins. */
  onReady(name: string, generation: number): void {
    const watched = this.threads.get(name);
    if (watched === undefined || watched.generation !== generation) return;
    watched.state = 'running';
    watched.readyNs = this.options.clock.nowNs();
    watched.silentNs = 0;
    watched.lastBeat = watched.handle?.heartbeat() ?? 0;
    if (watched.restartsTotal > 0 && watched.failedNs > 0) {
      this.options.events.onRecovered(name, this.options.clock.nowNs() - watched.failedNs);
      watched.failedNs = 0;
    }
  }

  /** A thread ended or its task failed. Reports of earlier incarnations are ignored. */
  onEnded(name: string, generation: number, reason: EndReason, detail: string): void {
    const watched = this.threads.get(name);
    if (watched === undefined || watched.generation !== generation) return;
    if (this.stopping) {
      watched.state = 'down';
      watched.handle = null;
      return;
    }
    if (watched.state === 'replacing') return;
    void this.replace(watched, reason, detail);
  }

  /** Looks at every heartbeat. Call it every few milliseconds. */
  look(): void {
    const nowNs = this.options.clock.nowNs();
    const sinceNs = nowNs - this.lastLookNs;
    this.lastLookNs = nowNs;
    if (this.stopping) return;
    const inTime = sinceNs <= this.options.lookLateNsMax;
    for (const watched of this.threads.values()) {
      if (watched.state === 'starting') {
        if (nowNs - watched.startedNs > this.options.startNsMax) {
          void this.replace(watched, 'slow-start', 'not ready in time');
        }
        continue;
      }
      if (watched.state !== 'running' || watched.handle === null) continue;
      const beat = watched.handle.heartbeat();
      if (beat !== watched.lastBeat) {
        watched.lastBeat = beat;
        watched.silentNs = 0;
      } else if (inTime) {
        if (watched.silentNs === 0) watched.waitedBeforeNs = watched.handle.waitedNs();
        watched.silentNs += sinceNs;
        this.judgeSilence(watched, watched.handle, nowNs);
      }
    }
  }

  /** Silence counts without the time in which the thread had no core to speak from. */
  private judgeSilence(watched: Watched, handle: ThreadHandle, nowNs: number): void {
    const limitNs = this.patienceNs(watched, nowNs);
    if (watched.silentNs < limitNs) return;
    const starvedNs = handle.waitedNs() - watched.waitedBeforeNs;
    if (watched.silentNs - starvedNs < limitNs) return;
    const silentMs = Math.round(watched.silentNs / 1e6);
    const starved =
      starvedNs >= 1e6 ? `, ${Math.round(starvedNs / 1e6)} of them without a core` : '';
    void this.replace(watched, 'hung', `no heartbeat for ${silentMs} ms${starved}`);
  }

  private patienceNs(watched: Watched, nowNs: number): number {
    const { hangNs, giveUpHangNs, warmUpNs, warmUpHangNs } = this.options;
    if (!watched.factory.expendable) return giveUpHangNs;
    return nowNs - watched.readyNs < warmUpNs ? warmUpHangNs : hangNs;
  }

  running(name: string): boolean {
    return this.threads.get(name)?.state === 'running';
  }

  /** Runs or is about to. */
  alive(name: string): boolean {
    const state = this.threads.get(name)?.state;
    return state === 'running' || state === 'starting' || state === 'replacing';
  }

  generation(name: string): number {
    return this.threads.get(name)?.generation ?? -1;
  }

  restarts(name: string): number {
    return this.threads.get(name)?.restartsTotal ?? 0;
  }

  get names(): string[] {
    return [...this.threads.keys()];
  }

  /** Ends by force everything that still runs and may be ended so. */
  async killAll(): Promise<void> {
    this.stopping = true;
    await Promise.all(
      Array.from(this.threads.values(), async (watched) => {
        if (watched.factory.expendable) await watched.handle?.kill();
      }),
    );
  }

  private startOne(watched: Watched): void {
    watched.generation++;
    watched.state = 'starting';
    watched.startedNs = this.options.clock.nowNs();
    watched.silentNs = 0;
    watched.handle = watched.factory.start(watched.generation);
    watched.lastBeat = watched.handle.heartbeat();
  }

  /** The old incarnation is gone before the new one starts: a ring has one writer at a time. */
  private async replace(watched: Watched, reason: EndReason, detail: string): Promise<void> {
    const nowNs = this.options.clock.nowNs();
    const { restartWindowNs, restartsMax, events } = this.options;
    watched.state = 'replacing';
    // Since it last showed a sign of life, as far as we know.
    watched.failedNs = reason === 'hung' ? nowNs - watched.silentNs : nowNs;
    const byItself = reason === 'threw' || reason === 'ended';
    if (!watched.factory.expendable && !byItself) {
      events.onGivenUp(watched.factory.name, reason, detail);
      return;
    }
    const old = watched.handle;
    watched.handle = null;
    if (watched.factory.expendable) await old?.kill();
    if (this.stopping) {
      watched.state = 'down';
      return;
    }
    watched.restartsNs = watched.restartsNs.filter((atNs) => nowNs - atNs < restartWindowNs);
    if (watched.restartsNs.length >= restartsMax) {
      watched.state = 'down';
      events.onGivenUp(watched.factory.name, reason, detail);
      return;
    }
    watched.restartsNs.push(nowNs);
    watched.restartsTotal++;
    events.onReplaced(watched.factory.name, reason, detail, watched.restartsTotal);
    this.startOne(watched);
  }
}
