/**
 * The whole room on the virtual clock against a venue that misbehaves at random, from many seeds:
 * sockets refused, reset, stalled, silent after the ack, announced ends; snapshots that fail; ingest
 * itself crashing in a loop on the same budgets. A failing seed is printed by its assertion.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Channel } from '../../src/domain/channel.js';
import { Prng } from '../../src/domain/prng.js';
import { INGEST_LIMITS } from '../../src/ingest/limits.js';
import { createRateLimitState } from '../../src/ingest/rate-limit.js';
import { VirtualClock } from '../../src/time/virtual-clock.js';
import { IngestHarness, MS } from '../support/ingest-harness.js';
import type { MemorySocket } from '../support/memory-web-socket.js';
import { settle } from '../support/memory-http.js';
import { TOY_LIMITS, toyVenue } from '../support/toy-venue.js';
import { timeCell } from '../../src/time/clock.js';

/** More by environment, e.g. RINGSIDE_SEEDS=10000 for a long run. */
const SEEDS = Number(process.env['RINGSIDE_SEEDS'] ?? 500);

/** The greatest sum of weights in any closed window. */
function worstWindow(taken: readonly { atNs: number; weight: number }[], windowNs: number): number {
  let worst = 0;
  let sum = 0;
  let from = 0;
  for (const { atNs, weight } of taken) {
    sum += weight;
    while (atNs - taken[from]!.atNs > windowNs) sum -= taken[from++]!.weight;
    worst = Math.max(worst, sum);
  }
  return worst;
}

/** A server that does one of many things with each socket, and with each of its turns. */
function misbehave(prng: Prng, calm: number) {
  return (socket: MemorySocket): void => {
    if (prng.chance(0.3 * (1 - calm))) {
      const status = prng.chance(0.2) ? 429 : 503;
      socket.refuse(status, prng.chance(0.5) ? String(prng.nextInt(20)) : undefined);
      return;
    }
    if (prng.chance(0.1 * (1 - calm))) return;
    const acks = !prng.chance(0.1 * (1 - calm));
    socket.onText = (text) => {
      if (!acks || !text.startsWith('subscribe ')) return;
      const word = prng.chance(0.05 * (1 - calm)) ? 'no' : 'ack';
      socket.deliver(`${word} ${text.slice('subscribe '.length)}`);
    };
    if (prng.chance(0.2)) socket.onPing = () => {};
    if (prng.chance(0.2)) socket.onGoodbye = () => {};
    socket.accept();
  };
}

test('Ingest: connection attempts and request weight stay below 80 % in any window, also when crashing', async () => {
  const venueLimits = {
    ...TOY_LIMITS,
    connectAttempts: { count: 20, perMs: 30_000 },
    restWeight: { count: 400, perMs: 10_000 },
    connectionLifetimeMs: 40_000,
  };
  const venue = toyVenue({
    groups: [[Channel.Book], [Channel.Trades, Channel.Bbo]],
    limits: venueLimits,
    firstFrameMsMax: 2_000,
    silenceMsMax: 1_000,
    snapshotWeight: 20,
  });
  for (let seed = 1; seed <= SEEDS / 10; seed++) {
    const prng = new Prng(seed);
    const clock = new VirtualClock();
    const { budgetShare } = INGEST_LIMITS;
    const budgets = {
      connectAttempts: createRateLimitState(venueLimits.connectAttempts, budgetShare),
      restWeight: createRateLimitState(venueLimits.restWeight, budgetShare),
    };
    const connects: { atNs: number; weight: number }[] = [];
    const requests: { atNs: number; weight: number }[] = [];
    for (let life = 0; life < 4; life++) {
      const h = new IngestHarness({
        venue,
        clock,
        budgets,
        seed: seed * 10 + life,
        instruments: 3,
      });
      h.sockets.onSocket = misbehave(prng, prng.nextFloat());
      h.start();
      const lifeMs = prng.chance(0.5) ? 3_000 : 60_000;
      for (let ms = 0; ms < lifeMs; ms += 500) {
        for (const socket of h.sockets.open) if (prng.chance(0.05)) socket.end(1006, 'reset');
        for (const id of [0, 1, 2]) if (prng.chance(0.5)) h.want(id);
        for (const request of h.http.waiting) {
          const dice = prng.nextInt(10);
          if (dice < 5) request.answer(200, `snapshot ${seed}`);
          else if (dice === 5) request.answer(429, '', { 'retry-after': '2' });
          else if (dice === 6) request.fail('reset');
        }
        await settle();
        h.advance(500);
      }
      // The thread dies here: nothing is closed, the budgets live on.
      h.ingest.onClose();
      connects.push(
        ...h.sockets.sockets.map(({ openedAtNs }) => ({ atNs: openedAtNs, weight: 1 })),
      );
      requests.push(...h.http.requests.map(({ atNs }) => ({ atNs, weight: 20 })));
      h.advance(2_000);
    }
    const worstConnects = worstWindow(connects, 30_000 * MS);
    const worstWeight = worstWindow(requests, 10_000 * MS);
    assert.ok(worstConnects <= 16, `seed ${seed}: ${worstConnects} connects in 30 s`);
    assert.ok(worstWeight <= 320, `seed ${seed}: weight ${worstWeight} in 10 s`);
  }
});

/**
 * Frames of a truth are delivered by every socket that is open and subscribed, each with its own lag.
 * Whatever happens to the sockets, what the books read is a gapless line between two words of a loss.
 */
test('Ingest: what the books read is gapless between two losses, for any fate of the sockets', () => {
  const venue = toyVenue({
    groups: [[Channel.Book, Channel.Trades]],
    limits: { connectionLifetimeMs: 30_000 },
    firstFrameMsMax: 2_000,
    silenceMsMax: 1_000,
  });
  let rotations = 0;
  for (let seed = 1; seed <= SEEDS; seed++) {
    const prng = new Prng(seed);
    const h = new IngestHarness({
      venue,
      seed,
      limits: { overlapMsMin: 200, rotateAtShare: 0.8, lifetimeMarginMs: 500 },
    });
    const fateful = seed % 3 !== 0;
    const subscribed = new Map<MemorySocket, number>();
    h.sockets.onSocket = (socket) => {
      if (fateful && prng.chance(0.2)) {
        socket.refuse(503);
        return;
      }
      const lagMs = prng.nextInt(4) * 80;
      socket.onText = (text) => {
        socket.deliver(`ack ${text.slice('subscribe '.length)}`);
        subscribed.set(socket, lagMs);
      };
      socket.accept();
    };
    h.start();
    for (let id = 1; id < 400; id++) {
      for (const [socket, lagMs] of subscribed) {
        if (!socket.isOpen) continue;
        h.clock.schedule(lagMs * MS, () => {
          socket.deliver(`d 0 ${id} ${id} ${id - 1}`, `t 0 ${id} ${id}`);
          if (fateful && prng.chance(0.003)) socket.end(1006, 'reset');
          else if (fateful && prng.chance(0.002)) socket.deliver('bye');
        });
      }
      h.clock.advanceBy((50 + prng.nextInt(100)) * MS);
      h.ingest.doWork(timeCell(h.clock.nowNs()));
    }
    h.advance(200);
    const events = h.take();
    assertGapless(events, 'd', Channel.Book, seed);
    assertGapless(events, 't', Channel.Trades, seed);
    rotations += h.reports.filter((report) => report.event === 'rotated').length;
    if (!fateful) {
      assert.equal(
        events.some((event) => event.startsWith('Lost')),
        false,
        `seed ${seed}`,
      );
    }
    assert.ok(h.sockets.open.length <= 2, `seed ${seed}: ${h.sockets.open.length} sockets`);
  }
  assert.ok(rotations > SEEDS, `only ${rotations} rotations`);
});

function assertGapless(
  events: readonly string[],
  kind: string,
  channel: Channel,
  seed: number,
): void {
  let last = -1;
  let seen = 0;
  for (const event of events) {
    const words = event.split(' ');
    if (words[0] === 'Lost' && Number(words[2]) === channel) last = -1;
    if (words[0] !== kind) continue;
    const sequence = Number(words[2]!.split('..').at(-1));
    assert.ok(last === -1 || sequence === last + 1, `seed ${seed}: ${event} after ${last}`);
    last = sequence;
    seen++;
  }
  assert.ok(seen > 20, `seed ${seed}: nothing arrived on ${kind}`);
}
