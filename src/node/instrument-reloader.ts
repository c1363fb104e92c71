/**
 * Asks the venue for its instruments while the node runs, when the ingest thread says so, and finds out
 * which of ours are others now. The answer has some megabytes: it is read here, where nothing waits.
 * Main thread, cold. When to ask is decided in ingest/definition-watch.ts, where the budget is kept.
 */
import { formatDecimal } from '../domain/decimal.js';
import { Trading, isSameScale, redefined, tradingName } from '../domain/definition.js';
import type { Instrument } from '../domain/instrument.js';
import { FaultError } from '../faults/fault.js';
import type { DefinitionSource, DefinitionsAnswer } from '../ingest/definition-watch.js';
import { INGEST_LIMITS } from '../ingest/limits.js';
import { refusalPauseMs } from '../ingest/retry-after.js';
import type { NodeConfig } from '../ops/config-schema.js';
import type { Log } from '../ops/log.js';
import type { DefinitionReader } from '../rings/definition-table.js';
import type { Scheduler } from '../time/clock.js';
import type { TimelineOrigin } from '../time/system-clock.js';
import type { AnyVenue, HttpRequest, Venue } from '../venues/venue.js';
import { wantedSymbols } from './chosen-instruments.js';
import { askAll, askingWeight } from './load-instruments.js';
import type { InstrumentsAnswer } from './load-instruments.js';
import { requestInstruments } from './request.js';

export interface ReloaderOptions {
  readonly venue: Venue;
  /** As the configuration asks for them. */
  readonly symbols: readonly string[] | 'all';
  /** 0: only when a scale is in doubt. */
  readonly everyMs: number;
  /** Ours, as they were at the start. */
  readonly instruments: readonly Instrument[];
  readonly definitions: DefinitionReader;
  readonly request: (request: HttpRequest) => Promise<InstrumentsAnswer>;
  readonly unixMs: () => number;
  readonly log: Pick<Log, 'info' | 'warn'>;
}

/** For a venue that is asked over HTTP; else null. */
export function reloaderOf(
  venue: AnyVenue,
  from: Pick<ReloaderOptions, 'instruments' | 'definitions' | 'log'> & {
    readonly config: NodeConfig;
    readonly origin: TimelineOrigin;
    readonly scheduler: Scheduler;
  },
): InstrumentReloader | null {
  if (venue.source === 'files') return null;
  const { config, origin, scheduler, instruments, definitions, log } = from;
  return new InstrumentReloader({
    venue,
    symbols: wantedSymbols(config),
    everyMs: config.venue.instrumentsEverySeconds * 1_000,
    instruments,
    definitions,
    request: requestInstruments,
    unixMs: () => Number(origin.unixNs / 1_000_000n) + scheduler.nowNs() / 1e6,
    log,
  });
}

/** More names in one line tell nobody more. */
const NAMES_MAX = 20;

export class InstrumentReloader {
  private readonly options: ReloaderOptions;
  private readonly bySymbol: ReadonlyMap<string, Instrument>;
  /** Doubted when we asked last, and nothing explained it. */
  private unexplained: ReadonlySet<number> = new Set();
  private readonly toldUnserved = new Set<string>();

  constructor(options: ReloaderOptions) {
    this.options = options;
    this.bySymbol = new Map(
      options.instruments.map((instrument) => [instrument.symbol, instrument]),
    );
  }

  /** For who decides when to ask. */
  get plan(): Pick<DefinitionSource, 'everyMs' | 'weight'> {
    const { venue, symbols, everyMs } = this.options;
    return { everyMs, weight: askingWeight(venue, symbols) };
  }

  /** Does not reject. */
  async ask(doubted: readonly number[]): Promise<DefinitionsAnswer> {
    const { venue, symbols, request, log } = this.options;
    try {
      const answer = await askAll({ venue, symbols, request });
      if (answer.status === 200) return this.read(answer, doubted);
      log.warn('instruments.refused', `${venue.id} gives no instruments: status ${answer.status}`);
      return { outcome: 'failed', retryAfterMs: this.pauseOf(answer) };
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      log.warn('instruments.unreachable', `${venue.id} gives no instruments: ${why}`);
      return { outcome: 'failed', retryAfterMs: 0 };
    }
  }

  private read(answer: InstrumentsAnswer, doubted: readonly number[]): DefinitionsAnswer {
    const { venue, definitions } = this.options;
    const listed = this.listed(answer.body);
    const changed: Instrument[] = [];
    for (const told of listed) {
      const before = definitions.read(this.bySymbol.get(told.symbol)!);
      const mayNarrow = this.unexplained.has(before.id) && doubted.includes(before.id);
      const after = redefined(before, told, mayNarrow);
      if (after === null) this.tellNonsense(told);
      else if (after !== before) {
        changed.push(after);
        this.tellChange(before, after);
      }
    }
    this.tellUnserved(answer.body);
    this.unexplained = new Set(doubted.filter((id) => !changed.some((other) => other.id === id)));
    const usedWeight = venue.readUsedWeight?.(answer.headers) ?? null;
    return { outcome: 'told', changed, usedWeight };
  }

  /** Ours as the venue lists them now; one that it has dropped is delisted. */
  private listed(body: string): Instrument[] {
    const listed = this.options.venue.readListed(body, (symbol) => this.bySymbol.has(symbol));
    if (listed.length === 0)
      throw new FaultError('FRAME_MALFORMED', 'the venue lists none of our instruments');
    const there = new Set(listed.map(({ symbol }) => symbol));
    for (const [symbol, instrument] of this.bySymbol) {
      if (there.has(symbol)) continue;
      const before = this.options.definitions.read(instrument);
      listed.push({ ...before, trading: Trading.Delisted });
    }
    return listed;
  }

  private pauseOf({ status, headers }: InstrumentsAnswer): number {
    const unixMs = this.options.unixMs();
    return refusalPauseMs(status, headers['retry-after'], INGEST_LIMITS, unixMs) ?? 0;
  }

  private tellChange(before: Instrument, after: Instrument): void {
    const consequence = isSameScale(before, after)
      ? 'prices mean what they meant'
      : 'its book begins anew';
    const message = `${after.name} is ${textOf(after)} now, was ${textOf(before)}: ${consequence}`;
    this.options.log.info('instrument.redefined', message, { instrument: after.name });
  }

  private tellNonsense(told: Instrument): void {
    const message = `${told.name} as the venue defines it now cannot be: ${textOf(told)}`;
    this.options.log.warn('instrument.nonsense', message, { instrument: told.name });
  }

  /** Their tables and streams are laid out at the start. */
  private tellUnserved(body: string): void {
    const { venue, symbols } = this.options;
    if (symbols !== 'all') return;
    const listed = venue.readInstruments(body, 'all', 0).map(({ symbol }) => symbol);
    const unserved = listed.filter((symbol) => !this.bySymbol.has(symbol));
    const news = unserved.filter((symbol) => !this.toldUnserved.has(symbol));
    if (news.length === 0) return;
    for (const symbol of news) this.toldUnserved.add(symbol);
    const more = news.length > NAMES_MAX ? `, and ${news.length - NAMES_MAX} more` : '';
    const names = news.slice(0, NAMES_MAX).join(', ');
    const message = `listed since the start, taken after a restart: ${names}${more}`;
    this.options.log.warn('instruments.unserved', message);
  }
}

function textOf(of: Instrument): string {
  const { tickSize, lotSize, priceDecimals, sizeDecimals } = of;
  const scale = `${priceDecimals} and ${sizeDecimals} decimals`;
  const tick = formatDecimal(tickSize, priceDecimals);
  return `tick ${tick}, lot ${formatDecimal(lotSize, sizeDecimals)}, ${scale}, ${tradingName(of.trading)}`;
}
