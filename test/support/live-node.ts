/** A whole node on real threads with the simulator inside, for tests: started, watched, stopped. */
import { BookState } from '../../src/domain/book-state.js';
import type { FaultError } from '../../src/faults/fault.js';
import { FeedNode } from '../../src/node/feed-node.js';
import type { FeedNodeOptions } from '../../src/node/feed-node.js';
import { completeConfig } from '../../src/ops/config.js';
import type { NodeConfigInput } from '../../src/ops/config-schema.js';
import { Log } from '../../src/ops/log.js';
import { readTimelineOrigin } from '../../src/time/system-clock.js';
import { SystemScheduler } from '../../src/time/system-scheduler.js';
import { until } from './until.js';

export interface LogLine {
  readonly event: string;
  readonly msg: string;
  readonly thread?: string;
  readonly tookMs?: number;
}

export class LiveNode {
  readonly node: FeedNode;
  readonly lines: LogLine[] = [];
  fatal: FaultError | null = null;

  constructor(config: NodeConfigInput, rig: FeedNodeOptions['rig'] = {}, reader = false) {
    const origin = readTimelineOrigin();
    const log = new Log({
      level: 'info',
      format: 'json',
      clock: new SystemScheduler(origin.monotonicNs),
      secrets: [],
      write: (line) => this.lines.push(JSON.parse(line) as LogLine),
    });
    this.node = new FeedNode({
      config: completeConfig({ ...config, server: { port: 0, ...config.server } }),
      log,
      origin,
      reader,
      rig,
      seed: 1,
      version: 'test',
      onFatal: (fault) => {
        this.fatal = fault;
      },
    });
  }

  /** Starts it and waits until every book is Live. */
  async start(): Promise<void> {
    await this.node.start();
    await this.until('every book is Live', () => this.allLive());
  }

  stop(): Promise<void> {
    return this.node.stop();
  }

  allLive(): boolean {
    return this.node.health.books().every((book) => book.state === BookState.Live);
  }

  stateOf(instrument: string): number {
    return this.node.health.books().find((book) => book.instrument === instrument)!.state;
  }

  events(event: string): LogLine[] {
    return this.lines.filter((line) => line.event === event);
  }

  /** Polls; throws with what was waited for, and the last log lines. */
  async until(what: string, condition: () => boolean): Promise<void> {
    const lastLines = (): string =>
      this.lines
        .slice(-8)
        .map((line) => line.msg)
        .join('\n');
    await until(condition, () => `${what}\n${lastLines()}`);
  }
}
