/**
 * Keeps what a venue's own server says of its markets, for clients that ask us: asked at the start,
 * again under back-off until it answers, then rarely, since markets are listed every few days. Told
 * to the thread that serves it, and again to one that replaces it. Main thread, cold.
 */
import { UndiciTransport } from '../ingest/undici-transport.js';
import type { Instrument } from '../domain/instrument.js';
import type { Log } from '../ops/log.js';
import type { Scheduler } from '../time/clock.js';
import type { AnyVenue, FileVenue, VenueInfo } from '../venues/venue.js';
import { LIMITS } from './limits.js';
import type { NodeThread } from './threads.js';
import type { NodePlan } from './topology.js';
import { askWith, type NodeFilesPlan } from './node-files.js';

interface VenueInfoOptions {
  readonly venue: FileVenue;
  readonly files: NodeFilesPlan;
  readonly infoUrl: string;
  readonly instruments: readonly Instrument[];
  readonly scheduler: Scheduler;
  readonly log: Log;
  readonly plan: NodePlan;
  readonly threads: readonly NodeThread[];
}

/** For a venue whose own server is to be asked; else null. */
export function keeperOf(
  venue: AnyVenue,
  options: Omit<VenueInfoOptions, 'venue' | 'files' | 'infoUrl'> & {
    readonly files: NodeFilesPlan | undefined;
  },
): VenueInfoKeeper | null {
  const { files } = options;
  const infoUrl = files?.places.infoUrl;
  if (venue.source !== 'files' || files === undefined || infoUrl === undefined) return null;
  return new VenueInfoKeeper({ ...options, venue, files, infoUrl });
}

export class VenueInfoKeeper {
  /** The last answer of each name. */
  private readonly known = new Map<string, string>();
  private readonly options: VenueInfoOptions;
  private readonly http: UndiciTransport;
  private timer: number | null = null;
  private failures = 0;
  private isStopped = false;

  constructor(options: VenueInfoOptions) {
    this.options = options;
    this.http = new UndiciTransport({ ...options.files.policy, connectionsMax: 1 });
  }

  /** Asks now, and from then on by itself. Does not reject. */
  async ask(): Promise<void> {
    const { venue, infoUrl, instruments, scheduler } = this.options;
    const info = await venue.askAboutMarkets(askWith(this.http), infoUrl, instruments);
    if (this.isStopped) return;
    this.take(info);
    const againMs =
      info.refusals.length === 0 ? LIMITS.venueInfoEveryMs : this.backoffMs(this.failures++);
    if (info.refusals.length === 0) this.failures = 0;
    this.timer = scheduler.schedule(againMs * 1e6, () => void this.ask());
  }

  /** Tells the thread that answers clients what is known, whatever it was told before. */
  tell(): void {
    const { plan, threads } = this.options;
    if (this.known.size === 0) return;
    const row = plan.threads.findIndex(({ agents }) => agents.includes('broadcast'));
    threads[row]?.send({ kind: 'venue-info', answers: this.known });
  }

  async stop(): Promise<void> {
    this.isStopped = true;
    if (this.timer !== null) this.options.scheduler.cancel(this.timer);
    await this.http.close();
  }

  private take({ answers, refusals }: VenueInfo): void {
    const { log } = this.options;
    for (const refusal of refusals)
      log.warn('venue.info', `the info server's answer is not served: ${refusal.slice(0, 300)}`);
    const isNew = [...answers].some(([key, text]) => this.known.get(key) !== text);
    for (const [key, text] of answers) this.known.set(key, text);
    if (isNew) this.tell();
  }

  private backoffMs(failures: number): number {
    const { venueInfoBackoffMsMin, venueInfoEveryMs } = LIMITS;
    return Math.min(venueInfoEveryMs, venueInfoBackoffMsMin * 2 ** Math.min(failures, 10));
  }
}
