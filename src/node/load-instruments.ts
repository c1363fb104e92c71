/**
 * Asks the venue for its instruments before any thread starts: again and again under back-off, since
 * a node may be started before the network is. Main thread, cold.
 */
import { FaultError } from '../faults/fault.js';
import type { Instrument } from '../domain/instrument.js';
import type { Prng } from '../domain/prng.js';
import type { Scheduler } from '../time/clock.js';
import type { HttpRequest, Venue } from '../venues/venue.js';
import { suggestion } from '../ops/suggest.js';
import { LIMITS } from './limits.js';

export interface InstrumentsAnswer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface LoadInstrumentsOptions {
  readonly venue: Venue;
  readonly symbols: readonly string[] | 'all';
  /** 0: for ever. */
  readonly startTimeoutMs: number;
  readonly request: (request: HttpRequest) => Promise<InstrumentsAnswer>;
  readonly scheduler: Scheduler;
  readonly prng: Prng;
  /** Told of every attempt that failed. */
  readonly onRetry: (attempt: number, why: string, againMs: number) => void;
  /** Ends the waiting. */
  readonly signal: AbortSignal;
}

/** Throws FaultError UNKNOWN_SYMBOL at once, VENUE_UNREACHABLE after the start time-out. */
export function loadInstruments(options: LoadInstrumentsOptions): Promise<Instrument[]> {
  const { venue } = options;
  return tryUntilThere(options, `${venue.id} (${venue.instrumentsRequest().url})`, async () => {
    const answer = await askAll(options);
    if (answer.status === 200) return readAnswer(options, answer.body);
    throw new Error(`status ${answer.status}: ${answer.body.slice(0, 200)}`);
  });
}

export type Patience = Pick<
  LoadInstrumentsOptions,
  'startTimeoutMs' | 'scheduler' | 'prng' | 'onRetry' | 'signal'
>;

/**
 * Tries again and again under back-off. Faults that waiting does not mend are thrown at once
 * (UNKNOWN_SYMBOL, BAD_CONFIG), VENUE_UNREACHABLE after the start time-out.
 */
export async function tryUntilThere<Value>(
  options: Patience,
  who: string,
  attemptOnce: () => Promise<Value>,
): Promise<Value> {
  const { scheduler } = options;
  const beganNs = scheduler.nowNs();
  for (let attempt = 1; ; attempt++) {
    let why: string;
    try {
      return await attemptOnce();
    } catch (error) {
      if (
        error instanceof FaultError &&
        (error.code === 'UNKNOWN_SYMBOL' || error.code === 'BAD_CONFIG')
      )
        throw error;
      why = describe(error);
    }
    if (options.signal.aborted) throw new FaultError('VENUE_UNREACHABLE', 'stopped while starting');
    const passedMs = (scheduler.nowNs() - beganNs) / 1e6;
    if (options.startTimeoutMs > 0 && passedMs >= options.startTimeoutMs) {
      throw new FaultError('VENUE_UNREACHABLE', `${who} did not give its instruments: ${why}`);
    }
    const ceilingMs = Math.min(
      LIMITS.instrumentsBackoffMsMax,
      LIMITS.instrumentsBackoffMsMin * 2 ** Math.min(attempt - 1, 10),
    );
    const againMs = Math.ceil(ceilingMs / 2 + (options.prng.nextFloat() * ceilingMs) / 2);
    options.onRetry(attempt, why, againMs);
    await pause(scheduler, againMs, options.signal);
  }
}

/** The answer to the venue's one request, or to all of them as one JSON array; or the first refusal. */
export async function askAll(
  options: Pick<LoadInstrumentsOptions, 'venue' | 'symbols' | 'request'>,
): Promise<InstrumentsAnswer> {
  const { venue, symbols } = options;
  const requests = venue.instrumentsRequests?.(symbols);
  if (requests === undefined) return options.request(venue.instrumentsRequest());
  const bodies: string[] = [];
  let headers: InstrumentsAnswer['headers'] = {};
  for (const request of requests) {
    const answer = await options.request(request);
    if (answer.status !== 200) return answer;
    bodies.push(answer.body);
    headers = answer.headers;
  }
  return { status: 200, headers, body: `[${bodies.join(',')}]` };
}

/** Of all requests of one asking together, against the venue's budget. */
export function askingWeight(venue: Venue, symbols: readonly string[] | 'all'): number {
  const requests = venue.instrumentsRequests?.(symbols) ?? [venue.instrumentsRequest()];
  return requests.reduce((total, { weight }) => total + weight, 0);
}

function pause(scheduler: Scheduler, delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const handle = scheduler.schedule(delayMs * 1e6, resolve);
    signal.addEventListener('abort', () => {
      scheduler.cancel(handle);
      resolve();
    });
  });
}

/** The venue's answer as instruments; a symbol that it does not have is named with its nearest. */
function readAnswer(options: LoadInstrumentsOptions, body: string): Instrument[] {
  const { venue, symbols } = options;
  try {
    return venue.readInstruments(body, symbols, 0);
  } catch (error) {
    if (!(error instanceof FaultError && error.code === 'UNKNOWN_SYMBOL') || symbols === 'all')
      throw error;
    const known = venue.readInstruments(body, 'all', 0).map((instrument) => instrument.symbol);
    const unknown = symbols.filter((symbol) => !known.includes(symbol));
    if (unknown.length === 0) throw error;
    const lines = unknown.map(
      (symbol) => `${venue.id} has no symbol "${symbol}"${suggestion(symbol, known)}`,
    );
    throw new FaultError('UNKNOWN_SYMBOL', lines.join('\n'));
  }
}

/** A socket's failure stands in the cause, the outer message says little. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause instanceof Error ? ` (${error.cause.message})` : '';
  const code = (error as NodeJS.ErrnoException).code;
  return `${error.message || code || error.name}${cause}`;
}
