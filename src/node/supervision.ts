/** The node's supervisor with its limits, and what it says in the log. Main thread, cold. */
import { FaultError } from '../faults/fault.js';
import type { Log } from '../ops/log.js';
import type { Clock } from '../time/clock.js';
import { LIMITS } from './limits.js';
import { Supervisor } from './supervisor.js';
import type { ThreadFactory } from './supervisor.js';

export interface SupervisionOptions {
  readonly clock: Clock;
  readonly factories: readonly ThreadFactory[];
  readonly hangMs: number;
  readonly log: Log;
  /** The old thread is gone, the new one not yet there. */
  readonly onReplaced: (thread: string) => void;
  readonly onRecovered: (thread: string, tookNs: number) => void;
  readonly onFatal: (fault: FaultError) => void;
}

export function createSupervisor(options: SupervisionOptions): Supervisor {
  const { log, onReplaced, onRecovered, onFatal } = options;
  return new Supervisor({
    clock: options.clock,
    factories: options.factories,
    hangNs: options.hangMs * 1e6,
    giveUpHangNs: Math.max(LIMITS.giveUpHangMs, options.hangMs) * 1e6,
    warmUpNs: LIMITS.warmUpMs * 1e6,
    warmUpHangNs: Math.max(LIMITS.warmUpHangMs, options.hangMs) * 1e6,
    startNsMax: LIMITS.threadStartMsMax * 1e6,
    lookLateNsMax: LIMITS.superviseLateMsMax * 1e6,
    restartsMax: LIMITS.restartsMax,
    restartWindowNs: LIMITS.restartWindowMs * 1e6,
    events: {
      onReplaced(thread, reason, detail, restarts) {
        onReplaced(thread);
        const message = `${thread} ${reason}: ${detail}; it is being replaced`;
        log.error('thread.replaced', message, { thread, reason, restarts });
      },
      onRecovered(thread, tookNs) {
        onRecovered(thread, tookNs);
        const tookMs = Number((tookNs / 1e6).toFixed(1));
        log.info('thread.recovered', `${thread} works again after ${tookMs} ms`, {
          thread,
          tookMs,
        });
      },
      onGivenUp(thread, reason, detail) {
        onFatal(new FaultError('THREAD_FAILING', `${thread} keeps failing (${reason}): ${detail}`));
      },
    },
  });
}
