/** Every bound of the node's own wiring, in one place, with its reason. Cold. */
import { CAPACITY_WORDS_MAX, CAPACITY_WORDS_MIN } from '../rings/ring-layout.js';
import { invariant } from '../faults/invariant.js';

export const LIMITS = {
  /**
   * Ingest → books, 8 MiB a worker. A worker may be away for 250 ms while it is replaced; at 50,000
   * updates a second of 20 levels (416 bytes each) 5.2 MB arrive in that time.
   */
  feedRingWords: 2 ** 21,
  /** Books → broadcast, 8 MiB a worker: the same time at a similar size a message. */
  outRingWords: 2 ** 21,
  /** Books → embedding program, 4 MiB a worker: its reader shares a thread with other work. */
  embedRingWords: 2 ** 20,
  /** Ingest → broadcast, 4 MiB: raw statuses, of which BTC alone has 400 KB a block. */
  rawRingWords: 2 ** 20,
  /** Books → ingest: a wish takes 8 words; all of 2,000 instruments may wish at once. */
  wantedRingWords: 2 ** 14,

  /** An idle thread makes a turn at least this often: its heartbeat, and its agents' timers. */
  idleMsMax: 20,

  /** A thread with sockets works off its rings for so long before it reads sockets again. */
  turnNsMax: 1e6,
  /** The supervisor looks at every heartbeat this often. */
  superviseEveryMs: 25,
  /**
   * A look that comes this late says that the whole process was held up (suspended, starved), so it
   * is no evidence against a thread.
   */
  superviseLateMsMax: 75,
  /** So long after its start a thread compiles its code and loads its books, and may be silent longer. */
  warmUpMs: 2_000,
  warmUpHangMs: 1_000,
  /** The main thread's loop is timed this often: each look is a wake-up beside the hot threads. */
  loopDelayEveryMs: 100,
  /** The log is told of books that changed state this often. */
  bookStatesEveryMs: 200,
  /**
   * A thread that may not be ended by force (it holds the server's sockets) can only be given up, and
   * the whole node with it: nothing is won by doing so early, and a starved machine may come back.
   */
  giveUpHangMs: 10_000,
  /** Replacements a thread may need within the window before the node gives up. */
  restartsMax: 8,
  restartWindowMs: 60_000,
  /** A thread that does not report ready within this after its start counts as hung. */
  threadStartMsMax: 30_000,

  /** Shutdown: clients are told and rings drained within this, then threads are ended by force. */
  stopAgentsMsMax: 4_000,
  /** Of which at most this for one thread's rings to run empty. */
  drainMsMax: 1_000,
  stopThreadsMsMax: 3_000,

  /** Loading the instrument list: first retry, greatest wait, time for one answer. */
  instrumentsBackoffMsMin: 250,
  instrumentsBackoffMsMax: 10_000,
  instrumentsAnswerMsMax: 10_000,
  /** `exchangeInfo` of the largest venue is about 4 MB. */
  instrumentsBytesMax: 64 * 1024 * 1024,

  /** What a venue says of its markets, for clients: markets are listed every few days. */
  venueInfoEveryMs: 600_000,
  venueInfoBackoffMsMin: 2_000,

  /** The embedding program's reader looks at least this often. */
  readerIdleMs: 50,
  /** Records read from the embedding rings in one turn of the main thread's loop. */
  embedRecordsPerTurn: 2_048,
} as const;

for (const words of [
  LIMITS.feedRingWords,
  LIMITS.outRingWords,
  LIMITS.embedRingWords,
  LIMITS.rawRingWords,
  LIMITS.wantedRingWords,
]) {
  invariant(
    words >= CAPACITY_WORDS_MIN && words <= CAPACITY_WORDS_MAX,
    'ring sizes are within limits',
  );
  invariant((words & (words - 1)) === 0, 'ring sizes are powers of two');
}
invariant(LIMITS.stopAgentsMsMax + LIMITS.stopThreadsMsMax < 10_000, 'a shutdown ends within 10 s');
invariant(
  LIMITS.superviseEveryMs * 3 < LIMITS.superviseLateMsMax + 1,
  'a look is late after several periods',
);
