/**
 * The instruments that the configuration asks for, from whoever knows them: the venue, or the node beside
 * us and its files. Before any thread starts. Main thread, cold.
 */
import { Prng } from '../domain/prng.js';
import type { Instrument } from '../domain/instrument.js';
import type { NodeConfig } from '../ops/config-schema.js';
import type { Log } from '../ops/log.js';
import type { Scheduler } from '../time/clock.js';
import type { AnyVenue } from '../venues/venue.js';
import { loadInstruments } from './load-instruments.js';
import { arrangeNodeFiles } from './node-files.js';
import type { NodeFilesPlan } from './node-files.js';
import { requestInstruments } from './request.js';

interface Surroundings {
  readonly config: NodeConfig;
  readonly seed: number;
  readonly scheduler: Scheduler;
  readonly log: Log;
  /** Ends the waiting. */
  readonly signal: AbortSignal;
}

/** As the configuration says it: names, or all that the venue lists. */
export function wantedSymbols(config: NodeConfig): readonly string[] | 'all' {
  return config.venue.symbols ?? 'all';
}

/** Throws FaultError, as loadInstruments and arrangeNodeFiles do. */
export async function chooseInstruments(
  venue: AnyVenue,
  { config, seed, scheduler, log, signal }: Surroundings,
): Promise<{ instruments: Instrument[]; files?: NodeFilesPlan }> {
  const shared = {
    symbols: wantedSymbols(config),
    startTimeoutMs: config.venue.startTimeoutMs,
    scheduler,
    prng: new Prng(seed),
    signal,
    onRetry: (attempt: number, why: string, againMs: number) =>
      log.warn(
        'venue.unreachable',
        `${venue.id} does not give its instruments: ${why}; again in ${againMs} ms`,
        { attempt },
      ),
  };
  if (venue.source === 'files')
    return arrangeNodeFiles({ ...shared, venue, settings: config.node });
  const instruments = await loadInstruments({ ...shared, venue, request: requestInstruments });
  return { instruments };
}
