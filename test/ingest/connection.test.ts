import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Channel, streamIdOf } from '../../src/domain/channel.js';
import { StateReason } from '../../src/domain/book-state.js';
import { Prng } from '../../src/domain/prng.js';
import { ConnectionMachine } from '../../src/ingest/connection.js';
import type { ConnectionAction, ConnectionInput } from '../../src/ingest/connection-words.js';
import { INGEST_LIMITS } from '../../src/ingest/limits.js';
import { RateLimit } from '../../src/ingest/rate-limit.js';
import { slotCount } from '../../src/ingest/stream-watch.js';
import { ABSENT, SourceState } from '../../src/rings/record-types.js';
import type { VenueLimits } from '../../src/venues/venue.js';
import { toyInstruments, toyVenue } from '../support/toy-venue.js';
import type { ToyOptions } from '../support/toy-venue.js';

const MS = 1e6;
const HOUR_MS = 3_600_000;
const STATE_NAMES = new Map<number, string>(
  Object.entries(SourceState).map(([name, value]) => [value, name]),
);

/** A machine and a clock; actions are written as words. */
class Bench {
  readonly machine: ConnectionMachine;
  readonly attempts: RateLimit;
  atNs = 0;

  constructor(options: ToyOptions & { instruments?: number; limits?: Partial<VenueLimits> } = {}) {
    const venue = toyVenue({ groups: [[Channel.Book, Channel.Trades]], ...options });
    const instruments = toyInstruments(options.instruments ?? 1);
    const { budgetShare, burstShare } = INGEST_LIMITS;
    this.attempts = new RateLimit(venue.limits.connectAttempts, budgetShare, burstShare);
    this.machine = new ConnectionMachine({
      plan: venue.planConnections(instruments, [])[0]!,
      venue: venue.limits,
      limits: INGEST_LIMITS,
      prng: new Prng(7),
      attempts: this.attempts,
      sink: { accept: () => true },
      slots: slotCount(instruments.length - 1),
    });
  }

  get atMs(): number {
    return this.atNs / MS;
  }

  set atMs(ms: number) {
    this.atNs = ms * MS;
  }

  on(input: ConnectionInput): string[] {
    const actions = this.machine.on(input, this.atNs);
    for (const action of actions) this.perform(action);
    return actions.flatMap((action) => wordsOf(action, this.atMs));
  }

  private perform(action: ConnectionAction): void {
    const { legs, arbiter } = this.machine;
    if (action.kind === 'overlap-begin') {
      arbiter.begin(legs[action.old].watch, legs[action.old === 0 ? 1 : 0].watch);
    }
    if (action.kind === 'overlap-end') arbiter.end(action.left);
    if (action.kind === 'release') arbiter.release(action.slot);
  }

  /** Fires timers until `ms` from now; returns all actions with their times. */
  run(ms: number): string[] {
    const endNs = this.atNs + ms * MS;
    const words: string[] = [];
    for (let turn = 0; this.machine.nextDueNs <= endNs; turn++) {
      assert.ok(turn < 100_000, 'the machine does not spin');
      this.atNs = Math.max(this.atNs, this.machine.nextDueNs);
      const said = this.on({ kind: 'timer' });
      words.push(...said.map((word) => `${Math.round(this.atMs)} ${word}`));
    }
    this.atNs = endNs;
    return words;
  }

  /** The socket read an event of a stream, as the frame path would write it down. */
  frame(leg: 0 | 1, channel: Channel, instrumentId = 0): string[] {
    const slot = streamIdOf(instrumentId, channel);
    const { watch } = this.machine.legs[leg];
    watch.lastNs[slot] = this.atNs;
    watch.readNs = this.atNs;
    watch.sequence[slot] = ABSENT;
    return (watch.flags[slot]! & 3) === 0 ? [] : this.on({ kind: 'stream', leg, slot });
  }

  /** Opened, subscribed and acknowledged. */
  bringUp(leg: 0 | 1): void {
    this.on({ kind: 'opened', leg });
    this.on({ kind: 'control', leg, message: { kind: 'ack', id: '0-0' } });
  }
}

function wordsOf(action: ConnectionAction, atMs: number): string[] {
  switch (action.kind) {
    case 'open':
      return [`open ${action.leg}`];
    case 'send':
      return [`send ${action.leg} ${action.text}`];
    case 'ping':
      return [`ping ${action.leg}`];
    case 'close':
      return [`close ${action.leg}`];
    case 'terminate':
      return [`terminate ${action.leg}: ${action.reason}`];
    case 'source':
      return [`${STATE_NAMES.get(action.state)} ${action.stream} ${action.reason}`];
    case 'release':
      return [`release ${action.slot}`];
    case 'overlap-begin':
    case 'overlap-end':
      return [action.kind];
    case 'report':
      return [];
    default:
      throw new Error(`unknown action at ${atMs}`);
  }
}

/** [what goes in, what comes out, the state after it], at the given time. */
type Row = readonly [number, ConnectionInput, readonly string[], string];

const ack = (id: string): ConnectionInput => ({
  kind: 'control',
  leg: 0,
  message: { kind: 'ack', id },
});

const tables: Record<string, { options?: ToyOptions; rows: readonly Row[] }> = {
  'start opens, and a second start changes nothing': {
    rows: [
      [0, { kind: 'start' }, ['open 0'], 'connecting'],
      [1, { kind: 'start' }, [], 'connecting'],
    ],
  },
  'subscribe frames go out at the spacing of the venue, and all acks are needed': {
    options: { subscribeFrames: 3 },
    rows: [
      [0, { kind: 'start' }, ['open 0'], 'connecting'],
      [5, { kind: 'opened', leg: 0 }, ['send 0 subscribe 0-0'], 'subscribing'],
      [204, { kind: 'timer' }, [], 'subscribing'],
      [205, { kind: 'timer' }, ['send 0 subscribe 0-1'], 'subscribing'],
      [206, ack('0-0'), [], 'subscribing'],
      [405, { kind: 'timer' }, ['send 0 subscribe 0-2'], 'subscribing'],
      [410, ack('0-1'), [], 'subscribing'],
      [411, ack('0-1'), [], 'subscribing'],
      [412, ack('0-2'), [], 'up'],
    ],
  },
  'a missing ack fails the connection at its deadline': {
    rows: [
      [0, { kind: 'start' }, ['open 0'], 'connecting'],
      [0, { kind: 'opened', leg: 0 }, ['send 0 subscribe 0-0'], 'subscribing'],
      [4_999, { kind: 'timer' }, [], 'subscribing'],
      [5_000, { kind: 'timer' }, ['terminate 0: 1 of 1 subscriptions not acknowledged'], 'waiting'],
    ],
  },
  'a refused subscription fails the connection': {
    rows: [
      [0, { kind: 'start' }, ['open 0'], 'connecting'],
      [0, { kind: 'opened', leg: 0 }, ['send 0 subscribe 0-0'], 'subscribing'],
      [
        9,
        { kind: 'control', leg: 0, message: { kind: 'refused', id: '1', message: 'bad stream' } },
        ['terminate 0: subscription refused'],
        'waiting',
      ],
    ],
  },
  'a refusal after the acks changes nothing': {
    rows: [
      [0, { kind: 'start' }, ['open 0'], 'connecting'],
      [0, { kind: 'opened', leg: 0 }, ['send 0 subscribe 0-0'], 'subscribing'],
      [1, ack('0-0'), [], 'up'],
      [
        9,
        { kind: 'control', leg: 0, message: { kind: 'refused', id: null, message: 'what' } },
        [],
        'up',
      ],
    ],
  },
  'a handshake that never ends is cut': {
    rows: [
      [0, { kind: 'start' }, ['open 0'], 'connecting'],
      [10_000, { kind: 'timer' }, ['terminate 0: handshake took too long'], 'waiting'],
    ],
  },
  'a venue without subscribe frames is up when it opens': {
    options: { subscribeFrames: 0 },
    rows: [
      [0, { kind: 'start' }, ['open 0'], 'connecting'],
      [3, { kind: 'opened', leg: 0 }, [], 'up'],
    ],
  },
  'a venue that does not acknowledge is up when all frames are out': {
    options: { subscribeFrames: 2, limits: { subscribeAckMsMax: 0 } },
    rows: [
      [0, { kind: 'start' }, ['open 0'], 'connecting'],
      [3, { kind: 'opened', leg: 0 }, ['send 0 subscribe 0-0'], 'subscribing'],
      [203, { kind: 'timer' }, ['send 0 subscribe 0-1'], 'up'],
    ],
  },
  'stop while connecting cuts, stop while up says goodbye and waits, then cuts': {
    rows: [
      [0, { kind: 'start' }, ['open 0'], 'connecting'],
      [1, { kind: 'stop' }, ['terminate 0: stopping'], 'idle'],
      [2, { kind: 'start' }, ['open 0'], 'connecting'],
      [3, { kind: 'opened', leg: 0 }, ['send 0 subscribe 0-0'], 'subscribing'],
      [4, { kind: 'stop' }, ['close 0'], 'closing'],
      [5, { kind: 'stop' }, [], 'closing'],
      [1_004, { kind: 'timer' }, ['terminate 0: peer did not answer the close frame'], 'idle'],
    ],
  },
  'what a stopped machine hears late changes nothing': {
    rows: [
      [0, { kind: 'start' }, ['open 0'], 'connecting'],
      [3, { kind: 'opened', leg: 0 }, ['send 0 subscribe 0-0'], 'subscribing'],
      [4, { kind: 'stop' }, ['close 0'], 'closing'],
      [5, ack('0-0'), [], 'closing'],
      [6, { kind: 'closed', leg: 0, reason: 'bye' }, [], 'idle'],
      [7, { kind: 'closed', leg: 0, reason: 'bye' }, [], 'idle'],
      [9_999_999, { kind: 'timer' }, [], 'idle'],
    ],
  },
};

for (const [name, { options, rows }] of Object.entries(tables)) {
  test(`Connection: ${name}`, () => {
    const bench = new Bench(options);
    for (const [atMs, input, actions, state] of rows) {
      bench.atMs = atMs;
      assert.deepEqual(bench.on(input), actions, `at ${atMs} ms`);
      assert.equal(bench.machine.state, state, `state at ${atMs} ms`);
    }
  });
}

function upBench(options: ToyOptions & { instruments?: number } = {}): Bench {
  const bench = new Bench(options);
  bench.on({ kind: 'start' });
  bench.bringUp(0);
  return bench;
}

test('Connection: acknowledged and silent is dead at the first-frame deadline', () => {
  const bench = upBench({ firstFrameMsMax: 3_000 });
  const words = bench.run(3_000);
  assert.deepEqual(words, [
    `3000 Silent 0 ${StateReason.StreamSilent}`,
    '3000 terminate 0: all streams silent',
    `3000 Lost 0 ${StateReason.Disconnected}`,
  ]);
  assert.equal(bench.machine.state, 'waiting');
});

test('Connection: one silent stream beside living ones is named, then a successor is tried', () => {
  const bench = upBench({ instruments: 2, firstFrameMsMax: 3_000, silenceMsMax: 2_000 });
  const words: string[] = [];
  for (let ms = 0; ms < 34_000; ms += 500) {
    words.push(...bench.frame(0, Channel.Book, 0).map((word) => `${bench.atMs} ${word}`));
    words.push(...bench.run(500));
  }
  assert.deepEqual(words, [
    `0 Up 0 ${StateReason.None}`,
    `3000 Silent 2 ${StateReason.StreamSilent}`,
    '33000 open 1',
    '33000 overlap-begin',
  ]);
});

test('Connection: a successor that brings the dead stream gets it at once', () => {
  const bench = upBench({ instruments: 2, firstFrameMsMax: 3_000 });
  for (let ms = 0; ms < 33_500; ms += 500) {
    bench.frame(0, Channel.Book, 0);
    bench.run(500);
  }
  assert.equal(bench.machine.state, 'overlapping');
  bench.bringUp(1);
  assert.deepEqual(bench.frame(1, Channel.Book, 1), [
    `Up 2 ${StateReason.StreamResumed}`,
    `release ${streamIdOf(1, Channel.Book)}`,
  ]);
});

test('Connection: a stream that resumes is Up again with the reason StreamResumed', () => {
  const bench = upBench({ silenceMsMax: 2_000 });
  assert.deepEqual(bench.frame(0, Channel.Book), [`Up 0 ${StateReason.None}`]);
  assert.deepEqual(bench.run(2_500), [`2000 Silent 0 ${StateReason.StreamSilent}`]);
  assert.deepEqual(bench.frame(0, Channel.Book), [`Up 0 ${StateReason.StreamResumed}`]);
  assert.deepEqual(bench.run(1_999), []);
  assert.deepEqual(bench.run(2), [`4500 Silent 0 ${StateReason.StreamSilent}`]);
});

test('Connection: when all streams stay silent the socket is half open and is replaced', () => {
  const bench = upBench({ silenceMsMax: 2_000 });
  bench.frame(0, Channel.Book);
  const words = bench.run(4_000);
  assert.deepEqual(words, [
    `2000 Silent 0 ${StateReason.StreamSilent}`,
    '4000 terminate 0: all streams silent',
    `4000 Lost 0 ${StateReason.Disconnected}`,
  ]);
});

test('Connection: a quiet socket is asked with a ping, and is dead without an answer', () => {
  const bench = upBench({ groups: [[Channel.Trades]] });
  assert.deepEqual(bench.run(15_000), ['15000 ping 0']);
  bench.machine.legs[0].watch.readNs = bench.atMs * MS + 1;
  assert.deepEqual(bench.run(16_000), ['30000 ping 0']);
  assert.deepEqual(bench.run(9_001), ['40000 terminate 0: no answer to a ping']);
});

test('Connection: an application ping is sent on the schedule of the venue', () => {
  const bench = upBench({
    groups: [[Channel.Trades]],
    limits: { pingFrame: '{"method":"ping"}', pingEveryMs: 40_000, pongDeadlineMs: 5_000 },
  });
  assert.deepEqual(bench.run(40_000), ['40000 send 0 {"method":"ping"}']);
  bench.machine.legs[0].watch.readNs = bench.atMs * MS + 1;
  assert.deepEqual(bench.run(40_000), ['80000 send 0 {"method":"ping"}']);
  assert.deepEqual(bench.run(5_000), ['85000 terminate 0: no answer to a ping']);
});

test('Connection: back-off grows with failures and is fresh after a stable life', () => {
  const bench = new Bench();
  bench.on({ kind: 'start' });
  const waits: number[] = [];
  for (let i = 0; i < 12; i++) {
    bench.on({ kind: 'closed', leg: 0, reason: 'refused' });
    waits.push(bench.machine.nextDueNs / MS - bench.atMs);
    bench.run(waits[i]! + 0.001);
  }
  waits.forEach((wait, i) =>
    assert.ok(wait <= Math.min(30_000, 250 * 2 ** i) + 1e-6, `${i}: ${wait}`),
  );
  assert.ok(Math.max(...waits.slice(6)) > 2_000, 'later waits are longer than early ones can be');
  bench.bringUp(0);
  for (let ms = 0; ms < 31_000; ms += 1_000) {
    bench.frame(0, Channel.Book);
    bench.run(1_000);
  }
  bench.on({ kind: 'closed', leg: 0, reason: 'reset' });
  assert.ok(bench.machine.nextDueNs / MS - bench.atMs <= 250);
});

test('Connection: a spent budget of attempts makes it wait, whatever the back-off says', () => {
  const bench = new Bench({ limits: { connectAttempts: { count: 5, perMs: 60_000 } } });
  bench.on({ kind: 'start' });
  const opens: number[] = [0];
  for (let i = 0; i < 40; i++) {
    bench.on({ kind: 'closed', leg: 0, reason: 'refused' });
    while (bench.machine.state !== 'connecting') {
      for (const word of bench.run(100)) if (word.endsWith('open 0')) opens.push(bench.atMs);
    }
  }
  for (let i = 4; i < opens.length; i++) assert.ok(opens[i]! - opens[i - 4]! > 59_000);
});

test('Connection: an upgrade refused with Retry-After is obeyed', () => {
  const bench = new Bench();
  bench.on({ kind: 'start' });
  bench.on({ kind: 'refused', leg: 0, retryAfterMs: 90_000 });
  bench.on({ kind: 'closed', leg: 0, reason: 'status 429' });
  assert.deepEqual(bench.run(89_000), []);
  assert.deepEqual(bench.run(1_500), ['90000 open 0']);
});

function rotating(options: ToyOptions = {}): Bench {
  const bench = upBench({ silenceMsMax: 70_000, firstFrameMsMax: 5_000, ...options });
  bench.frame(0, Channel.Book);
  bench.on({ kind: 'control', leg: 0, message: { kind: 'closing', message: 'shutdown' } });
  assert.equal(bench.machine.state, 'overlapping');
  return bench;
}

test('Connection: an announced end opens the successor at once and keeps the old until it joined', () => {
  const bench = rotating();
  bench.run(20);
  bench.bringUp(1);
  bench.frame(1, Channel.Book);
  assert.deepEqual(bench.run(5_000), []);
  bench.machine.arbiter.release(streamIdOf(0, Channel.Book));
  assert.deepEqual(
    bench.run(100).map((word) => word.replace(/^\d+ /, '')),
    ['overlap-end', 'close 0'],
  );
  assert.equal(bench.machine.state, 'up');
  bench.on({ kind: 'closed', leg: 0, reason: 'bye' });
  assert.equal(bench.machine.state, 'up');
});

test('Connection: a successor that never delivers is given up and the old one goes on', () => {
  const bench = rotating();
  bench.run(20);
  bench.bringUp(1);
  const words: string[] = [];
  for (let ms = 0; ms < 60_000; ms += 1_000) {
    bench.frame(0, Channel.Book);
    words.push(...bench.run(1_000));
  }
  const said = words
    .map((word) => word.replace(/^\d+ /, ''))
    .filter((word) => !word.startsWith('ping '));
  // The successor is asked with a ping after 15 s of silence, and is found dead before the deadline.
  assert.deepEqual(said.slice(0, 2), ['terminate 1: no answer to a ping', 'overlap-end']);
  assert.equal(
    said.some((word) => word.includes('Lost')),
    false,
  );
});

test('Connection: a successor that lives but does not join in time is closed', () => {
  const bench = rotating();
  bench.run(20);
  bench.bringUp(1);
  const words: string[] = [];
  for (let ms = 0; ms < 61_000; ms += 1_000) {
    bench.frame(0, Channel.Book);
    bench.machine.legs[1].watch.readNs = bench.atMs * MS;
    words.push(...bench.run(1_000));
  }
  assert.deepEqual(words.slice(0, 2), ['60020 close 1', '60020 overlap-end']);
  assert.equal(
    words.some((word) => word.includes('Lost')),
    false,
  );
});

test('Connection: the old socket dying in an overlap hands over what has not joined as Lost', () => {
  const bench = rotating();
  bench.run(20);
  bench.bringUp(1);
  bench.frame(1, Channel.Book);
  assert.deepEqual(bench.on({ kind: 'closed', leg: 0, reason: 'reset' }), [
    `Lost 0 ${StateReason.Disconnected}`,
    `Up 0 ${StateReason.None}`,
    `release ${streamIdOf(0, Channel.Book)}`,
    'overlap-end',
  ]);
  assert.equal(bench.machine.state, 'up');
});

test('Connection: the successor dying in an overlap leaves the old one as it was', () => {
  const bench = rotating();
  bench.run(20);
  bench.on({ kind: 'opened', leg: 1 });
  assert.deepEqual(bench.on({ kind: 'closed', leg: 1, reason: 'reset' }), ['overlap-end']);
  assert.equal(bench.machine.state, 'up');
  assert.ok(
    bench.run(60_000).some((word) => word.endsWith('open 1')),
    'and it is tried again',
  );
});

test('Connection: both sockets lost in an overlap is a loss like any other', () => {
  const bench = rotating();
  bench.run(20);
  const words = bench.on({ kind: 'closed', leg: 0, reason: 'reset' });
  assert.deepEqual(words, ['overlap-end', `Lost 0 ${StateReason.Disconnected}`]);
  assert.equal(
    bench.machine.state,
    'connecting',
    'the successor that was opening is the connection',
  );
  bench.on({ kind: 'closed', leg: 1, reason: 'reset' });
  assert.equal(bench.machine.state, 'waiting');
  assert.ok(bench.run(60_000).some((word) => word.endsWith('open 1')));
});

test('Connection: quiet streams do not hold up a rotation', () => {
  const bench = upBench({ groups: [[Channel.Trades]] });
  bench.frame(0, Channel.Trades);
  bench.machine.legs[0].watch.readNs = Infinity;
  bench.run(22 * HOUR_MS);
  bench.run(2 * HOUR_MS - 1);
  assert.equal(bench.machine.state, 'overlapping');
});
