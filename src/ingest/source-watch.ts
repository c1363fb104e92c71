/**
 * What is said of a node's sources while they are read: silence, lag behind the chain, catching up with
 * an older snapshot. To the reporter, and of diffs to the books, since books are made of them. Ingest
 * thread; warm: looked at every duty cycle.
 */
import { StateReason } from '../domain/book-state.js';
import { Channel } from '../domain/channel.js';
import { SourceState } from '../rings/record-types.js';
import { NODE_SOURCES, type NodeSource } from './node-files-counters.js';
import type { NodeReport } from './node-files-options.js';
import type { OrderOutlet } from './order-outlet.js';

/** Blocks come every 70 ms: a second of silence of a source is an outage. */
const SOURCE_SILENT_NS = 1e9;
/** A node writes a block 0.4 s (by block) to 3 s (streaming, measured) after its time. */
const LAG_NS_MAX = 10e9;
/** It has caught up when it is this near. */
const LAG_OVER_NS = 5e9;

export class SourceWatch {
  readonly silent: Record<NodeSource, boolean> = { diffs: true, statuses: true, fills: true };
  lagNs = 0;
  private readonly heardNs: Record<NodeSource, number> = { diffs: -1, statuses: -1, fills: -1 };
  private readonly report: (report: NodeReport) => void;
  private readonly outlet: OrderOutlet;
  private readonly pathOf: (source: NodeSource) => string;
  private lags = false;
  private isCatchingUp = false;

  constructor(
    report: (report: NodeReport) => void,
    outlet: OrderOutlet,
    pathOf: (source: NodeSource) => string,
  ) {
    this.report = report;
    this.outlet = outlet;
    this.pathOf = pathOf;
  }

  /** Lines of the source were read. */
  onLines(source: NodeSource, nowNs: number): void {
    this.heardNs[source] = nowNs;
    if (!this.silent[source]) return;
    this.silent[source] = false;
    this.report({ kind: 'source', source, path: this.pathOf(source), state: 'up' });
    if (source === 'diffs') this.tellUp(nowNs);
  }

  /** Whether a source has fallen silent. */
  check(nowNs: number): void {
    for (let i = 0; i < NODE_SOURCES.length; i++) {
      const source = NODE_SOURCES[i]!;
      if (this.silent[source] || nowNs - this.heardNs[source] < SOURCE_SILENT_NS) continue;
      this.silent[source] = true;
      this.report({ kind: 'source', source, path: this.pathOf(source), state: 'silent' });
      if (source === 'diffs') this.tellSilent(StateReason.StreamSilent, nowNs);
    }
  }

  /** By the node's own two clocks, so that ours need not agree with it. */
  noteLag(lagNs: number, nowNs: number): void {
    this.lagNs = lagNs;
    if (this.lags ? lagNs > LAG_OVER_NS : lagNs <= LAG_NS_MAX) return;
    this.lags = !this.lags;
    this.report({ kind: 'lag', lagNs, isOver: !this.lags });
    if (this.lags) this.tellSilent(StateReason.SourceLagging, nowNs);
    else this.tellUp(nowNs);
  }

  /** The files are read again from behind an older snapshot: no book is of now until that is over. */
  setCatchingUp(isCatchingUp: boolean, nowNs: number): void {
    this.isCatchingUp = isCatchingUp;
    if (isCatchingUp) this.tellSilent(StateReason.SourceLagging, nowNs);
    else this.tellUp(nowNs);
  }

  private tellSilent(reason: StateReason, nowNs: number): void {
    this.outlet.sourceState(SourceState.Silent, Channel.Orders, reason, nowNs);
  }

  private tellUp(nowNs: number): void {
    if (this.lags || this.isCatchingUp) return;
    this.outlet.sourceState(SourceState.Up, Channel.Orders, StateReason.StreamResumed, nowNs);
  }
}
