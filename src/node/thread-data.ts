/** Everything a thread is given at its start: plain values and shared memory, copied by workerData. */
import type { ChannelName } from '../domain/channel.js';
import type { Instrument } from '../domain/instrument.js';
import type { NodeConfig } from '../ops/config-schema.js';
import type { TimelineOrigin } from '../time/system-clock.js';
import type { VenueOptions } from '../venues/venue.js';
import type { NodeFilesPlan } from './node-files.js';
import type { NodeMemory } from './memory.js';
import type { NodePlan } from './topology.js';

export interface ThreadData {
  readonly plan: NodePlan;
  /** Which thread of the plan this is. */
  readonly row: number;
  /** 0 for the first incarnation: a later one takes over rings whose continuity is lost. */
  readonly generation: number;
  readonly memory: NodeMemory;
  /** Words shared with the supervisor; each incarnation has its own. */
  readonly control: SharedArrayBuffer;
  readonly origin: TimelineOrigin;
  readonly instruments: readonly Instrument[];
  readonly venueId: string;
  readonly venueOptions: VenueOptions;
  readonly budgetFile?: string | undefined;
  /** How often the venue is asked for its instruments, and what that weighs; absent: never. */
  readonly definitions?: { readonly everyMs: number; readonly weight: number } | undefined;
  readonly webSocketClient: 'lean' | 'ws';
  /** Where the files are, if the venue's data are files. */
  readonly files?: NodeFilesPlan | undefined;
  readonly channels: readonly ChannelName[];
  readonly server: NodeConfig['server'];
  /** Seed of what chance a thread needs (jitter); never of anything secret. */
  readonly seed: number;
  readonly version: string;
  /** For other thread entries than ours: whatever a test wants to share with them. */
  readonly extra?: SharedArrayBuffer | undefined;
}
