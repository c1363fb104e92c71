/**
 * The simulated exchange on a thread of its own, for a node that runs without a network. A shell.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { invariant } from '../faults/invariant.js';
import { nameOwnThread } from '../runtime/thread-name.js';
import { readTimelineOrigin } from '../time/system-clock.js';
import { SystemScheduler } from '../time/system-scheduler.js';
import { Timeline } from '../time/timeline.js';
import type { FaultSettings } from './fault-settings.js';
import { createSimulator } from './simulator.js';

interface SimulatorThreadData {
  readonly instruments: number;
  readonly rate: number;
  readonly seed: number;
  readonly faults: Partial<FaultSettings>;
}

const port = parentPort;
invariant(port !== null, 'this file is the entry of a worker');
const { instruments, rate, seed, faults } = workerData as SimulatorThreadData;
nameOwnThread('simulator');
const origin = readTimelineOrigin();
const simulator = createSimulator({
  scheduler: new SystemScheduler(origin.monotonicNs),
  timeline: new Timeline(origin.unixNs),
  markets: instruments,
  ratePerSecond: rate,
  seed,
  faults,
});

port.once('message', () => {
  void simulator.stop().finally(() => port.close());
});
const urls = await simulator.start();
port.postMessage({ kind: 'listening', venueId: simulator.venue.dialect.venue, ...urls });
