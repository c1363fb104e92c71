/** The simulator on a virtual clock with clients in memory: what it sends is kept as text. */
import assert from 'node:assert/strict';
import type { ClientEnd } from '../../src/simulator/faulty-link.js';
import type { ClientSession } from '../../src/simulator/simulated-venue.js';
import { createSimulatedVenue } from '../../src/simulator/simulator.js';
import type { SimulatorOptions } from '../../src/simulator/simulator.js';
import { Timeline } from '../../src/time/timeline.js';
import { VirtualClock } from '../../src/time/virtual-clock.js';

export const ORIGIN_UNIX_NS = 1_721_347_020_000_000_000n;

export class MemoryClient implements ClientEnd {
  frames: string[] = [];
  answers: string[] = [];
  pings = 0;
  frozen = false;
  closed: { code: number; reason: string } | null = null;
  onFrame: ((bytes: Uint8Array) => void) | null = null;
  session: ClientSession | null = null;

  send(frame: Uint8Array): void {
    assert.equal(this.closed, null, 'nothing is sent to a closed client');
    if (this.onFrame !== null) this.onFrame(frame);
    else this.frames.push(Buffer.from(frame).toString('latin1'));
  }
  sendText(text: string): void {
    this.answers.push(text);
  }
  ping(): void {
    this.pings++;
  }
  close(code: number, reason: string): void {
    this.closed ??= { code, reason };
    this.session?.onClose();
  }
  terminate(): void {
    this.close(1006, '');
  }
  freeze(frozen: boolean): void {
    this.frozen = frozen;
  }

  /** Frames so far, parsed; combined ones unwrapped. */
  take(): Record<string, unknown>[] {
    return this.frames.splice(0).map((text) => {
      const value = JSON.parse(text) as Record<string, unknown>;
      return (value['data'] ?? value) as Record<string, unknown>;
    });
  }
}

export type RigOptions = Omit<SimulatorOptions, 'scheduler' | 'timeline'>;

export function simulatedVenueRig(options: RigOptions = {}) {
  const clock = new VirtualClock();
  const { venue, truth } = createSimulatedVenue({
    markets: 6,
    ratePerSecond: 1000,
    truthWindow: 1 << 14,
    ...options,
    scheduler: clock,
    timeline: new Timeline(ORIGIN_UNIX_NS),
  });
  venue.start();
  return {
    clock,
    venue,
    truth,
    connect(target: string): MemoryClient {
      const client = new MemoryClient();
      const session = venue.open(target, client);
      assert.ok(session !== null, `${target} is an endpoint`);
      client.session = session;
      return client;
    },
    get(target: string, remoteAddress = '127.0.0.1') {
      const { answer, delayNs } = venue.answer({ method: 'GET', target, remoteAddress });
      return { ...answer, delayNs, body: String(answer.body) };
    },
    advance(milliseconds: number): void {
      clock.advanceBy(milliseconds * 1e6);
    },
  };
}
