/** The matching engine against one of objects, Maps and arrays. */
import { invariant } from '../src/faults/invariant.js';
import { Prng } from '../src/domain/prng.js';
import { Side } from '../src/domain/side.js';
import { MatchEventKind, TimeInForce } from '../src/matching/match-event.js';
import type { MatchEvent, MatchHandler } from '../src/matching/match-event.js';
import { MatchingEngine } from '../src/matching/matching-engine.js';
import { defineBench, measure } from './harness.js';
import type { BenchRow } from './harness.js';
import { PlainMatching } from './plain-matching.js';

const COMMANDS = 200_000;
const MIDDLE = 6_000_000;

/** Commands as columns: kind (0 limit that rests, 1 immediate, 2 cancel), side, price, size, id. */
interface Commands {
  readonly kind: Uint8Array;
  readonly side: Uint8Array;
  readonly price: Int32Array;
  readonly size: Int32Array;
  readonly id: Float64Array;
}

/** About `live` orders at rest, a third of all near the touch; cancels of any of the last ones. */
function commandsFor(live: number): Commands {
  const prng = new Prng(7);
  const commands: Commands = {
    kind: new Uint8Array(COMMANDS),
    side: new Uint8Array(COMMANDS),
    price: new Int32Array(COMMANDS),
    size: new Int32Array(COMMANDS),
    id: new Float64Array(COMMANDS),
  };
  for (let n = 0; n < COMMANDS; n++) {
    const side = prng.chance(0.5) ? Side.Bid : Side.Ask;
    const building = n < live;
    const cancels = !building && prng.chance(0.5);
    const takes = !cancels && !building && prng.chance(0.04);
    const distance = -Math.log(1 - prng.nextFloat()) * (prng.chance(0.33) ? 8 : live / 8);
    const away = 1 + Math.floor(distance);
    commands.kind[n] = cancels ? 2 : takes ? 1 : 0;
    commands.side[n] = side;
    commands.price[n] = MIDDLE + (side === Side.Bid ? -away : away) * (takes ? -1 : 1);
    commands.size[n] = 1 + prng.nextInt(1000);
    commands.id[n] = 8e9 + (cancels ? n - 1 - prng.nextInt(live * 2) : n);
  }
  return commands;
}

class TradedSum implements MatchHandler {
  traded = 0;
  onMatchEvent(event: MatchEvent): void {
    if (event.kind === MatchEventKind.Traded) this.traded += event.size;
  }
  onLevelChanged(): void {}
}

function runOurs(commands: Commands): number {
  const sum = new TradedSum();
  const engine = new MatchingEngine({ handler: sum });
  for (let n = 0; n < COMMANDS; n++) {
    const kind = commands.kind[n]!;
    if (kind === 2) {
      engine.cancel(commands.id[n]!);
      continue;
    }
    engine.submitLimit(
      commands.id[n]!,
      0,
      commands.side[n]! as Side,
      commands.price[n]!,
      commands.size[n]!,
      kind === 0 ? TimeInForce.GoodTilCancelled : TimeInForce.ImmediateOrCancel,
    );
  }
  return sum.traded * 1e6 + engine.book.ordersCount;
}

function runPlain(commands: Commands): number {
  const engine = new PlainMatching();
  for (let n = 0; n < COMMANDS; n++) {
    const kind = commands.kind[n]!;
    const side = commands.side[n]! as Side;
    if (kind === 2) engine.cancel(commands.id[n]!);
    else engine.limit(commands.id[n]!, side, commands.price[n]!, commands.size[n]!, kind === 0);
  }
  return engine.traded * 1e6 + engine.count;
}

async function compareAt(live: number): Promise<BenchRow[]> {
  const commands = commandsFor(live);
  invariant(runOurs(commands) > 1e6, 'the commands trade');
  return measure({
    part: 'Matching',
    case: `${live.toLocaleString('en')} live orders`,
    unit: 'ns/command',
    operations: COMMANDS,
    rounds: 5,
    ours: () => runOurs(commands),
    rivals: [{ name: 'Map, objects, arrays', run: () => runPlain(commands) }],
    note: 'events told and order-by-order queues kept; the rival tells nothing',
  });
}

export default defineBench({
  part: 'Matching',
  mix: '200,000 seeded commands: half cancels, 2 % takers, the rest orders that rest',
  async run() {
    return [...(await compareAt(2_000)), ...(await compareAt(50_000))];
  },
});
