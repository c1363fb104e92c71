/** Plays the whole node from a seed: readers of every kind, a bad line to the exchange on request. */
import type { LocalBook } from '../../src/client/local-book.js';
import { Side } from '../../src/domain/side.js';
import { Prng } from '../../src/domain/prng.js';
import { FeedWatcher, MemoryBroadcast } from './feed-watcher.js';
import { PipelineRig } from './pipeline-rig.js';

export interface WholeNodeOptions {
  readonly seed: number;
  readonly faulty: boolean;
  readonly milliseconds: number;
  /** Chance a second that a market's tick changes; then the node asks for its instruments. */
  readonly retick?: number;
  readonly markets?: number;
  readonly rate?: number;
}

const FAULTS = {
  drop: 0.001,
  duplicate: 0.01,
  reorder: 0.001,
  corrupt: 0.001,
  disconnect: 0.1,
  stall: 0.05,
  stallMs: 300,
  staleSnapshot: 0.1,
  lateSnapshot: 0.1,
  lateSnapshotMs: 400,
  refuse429: 0.05,
} as const;
const VIEW_DEPTH = 5;
/** One turn of the play: then readers pause, go on, or come back. */
const SCENE_MS = 20;

export async function playWholeNode(options: WholeNodeOptions) {
  const { seed, markets = 6, rate = 3_000 } = options;
  let broadcast!: MemoryBroadcast;
  const rig = new PipelineRig({
    seed,
    depthInterval: '0ms',
    shards: 2,
    unlimitedRest: true,
    ...(options.retick === undefined ? {} : { instrumentsEveryMs: 2_000 }),
    simulator: {
      seed,
      markets,
      ratePerSecond: rate,
      truthWindow: 1 << 14,
      dialect: { restWeightMax: 1e9, staleSnapshotAgeMs: 500 },
    },
    readers: [(parts) => (broadcast = new MemoryBroadcast(parts))],
  });
  const { truth } = rig.simulated;
  const watch = (): FeedWatcher =>
    new FeedWatcher(broadcast.server, (id, venueSequence, low, high) =>
      truth.compare(id, venueSequence, low, high),
    );
  const watchers = { lossless: watch(), slow: watch(), views: watch(), returning: watch() };
  for (const { name: instrument } of rig.instruments) {
    for (const channel of ['book', 'bbo', 'trades', 'status'] as const) {
      watchers.lossless.subscribe({ channel, instrument, mode: 'lossless' });
    }
    watchers.slow.subscribe({ channel: 'book', instrument, mode: 'conflated' });
    watchers.views.subscribe({ channel: 'book', instrument, depth: VIEW_DEPTH });
    watchers.returning.subscribe({ channel: 'book', instrument, mode: 'lossless' });
  }
  broadcast.onTurn = () => {
    for (const watcher of Object.values(watchers)) watcher.read();
  };
  await rig.untilLive(5_000);
  if (options.faulty) rig.simulated.venue.setFaults(FAULTS);
  if (options.retick !== undefined) rig.simulated.venue.setFaults({ retick: options.retick });
  const prng = new Prng(seed);
  const views: ViewVerdicts = { same: 0, different: 0 };
  for (let passedMs = 0; passedMs < options.milliseconds; passedMs += SCENE_MS) {
    if (prng.chance(0.05)) watchers.slow.client.pause();
    else if (prng.chance(0.03)) watchers.slow.client.resume();
    if (prng.chance(0.05)) watchers.returning.reconnect();
    await rig.run(SCENE_MS);
    for (const { name } of rig.instruments)
      compareView(watchers.lossless, watchers.views, name, views);
  }
  watchers.slow.client.resume();
  await rig.run(100);
  return { watchers, rig, broadcast, views };
}

export interface ViewVerdicts {
  same: number;
  different: number;
}

/** A view of the best levels is the top of the whole book, whenever both stand at the same update. */
function compareView(
  whole: FeedWatcher,
  view: FeedWatcher,
  instrument: string,
  verdicts: ViewVerdicts,
): void {
  const book = whole.book(instrument, 0);
  const top = view.book(instrument, VIEW_DEPTH);
  if (book === null || top === null || !book.isLive || !top.isLive) return;
  if (top.venueSequence !== book.venueSequence) return;
  const same = ([Side.Bid, Side.Ask] as const).every((side) => {
    const text = (of: LocalBook): string => JSON.stringify(of.levels(side, VIEW_DEPTH));
    return text(book) === text(top) && top.levels(side).length <= VIEW_DEPTH;
  });
  if (same) verdicts.same++;
  else verdicts.different++;
}
