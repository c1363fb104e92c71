/**
 * A simulated Hyperliquid node: it writes its files and answers its info server; it has no WebSocket.
 * Simulator's thread; cold.
 */
import { Prng } from '../domain/prng.js';
import type { Timeline } from '../time/timeline.js';
import type {
  AnswerWishes,
  Dialect,
  DialectLimits,
  DialectSession,
  SimulatedAnswer,
  SimulatedRequest,
} from './dialect.js';
import type { Exchange } from './exchange.js';
import { jsonAnswer, metaOf, questionOf, spotMetaOf, textAnswer } from './hyperliquid-info.js';
import { NodeChain } from './node-chain.js';
import { NodeFilesWriter } from './node-files-writer.js';
import type { NodeFileFault, NodeFileLayout } from './node-files-writer.js';

export interface HyperliquidNodeOptions {
  readonly exchange: Exchange;
  readonly timeline: Timeline;
  /** `hl/data` is made in it. */
  readonly directory: string;
  readonly seed?: number;
  readonly layouts?: readonly NodeFileLayout[];
  readonly rejectsPerBlock?: number;
  readonly fileFaults?: Partial<Record<NodeFileFault, number>>;
  /** As of NodeChainOptions. */
  readonly keepTruths?: boolean;
}

const NEVER_MS = 1e12;
const STALE_BLOCKS = 64;

export class HyperliquidNodeDialect implements Dialect {
  readonly venue = 'hyperliquid-node';
  readonly limits: DialectLimits = {
    pingEveryMs: NEVER_MS,
    pongDeadlineMs: NEVER_MS,
    lifetimeMs: NEVER_MS,
  };
  readonly refusalsCount = 0;
  readonly chain: NodeChain;
  readonly writer: NodeFilesWriter;
  private readonly options: HyperliquidNodeOptions;
  /** For stale answers. */
  private old: { readonly height: number; readonly text: string } | null = null;

  constructor(options: HyperliquidNodeOptions) {
    this.options = options;
    const { exchange, timeline, directory, seed = 1, layouts = ['by_block'] } = options;
    this.writer = new NodeFilesWriter({
      directory,
      layouts,
      timeline,
      prng: new Prng(seed ^ 0xf11e),
      ...(options.fileFaults === undefined ? {} : { faults: options.fileFaults }),
    });
    this.chain = new NodeChain({
      exchange,
      timeline,
      seed,
      ...(options.rejectsPerBlock === undefined
        ? {}
        : { rejectsPerBlock: options.rejectsPerBlock }),
      keepTruths: options.keepTruths === true,
      onBlock: (block) => this.writer.onBlock(block),
    });
  }

  onCommand(): void {}

  openSession(): DialectSession | null {
    return null;
  }

  isSnapshotRequest(request: SimulatedRequest): boolean {
    return request.body?.includes('"fileSnapshot"') === true;
  }

  answer(request: SimulatedRequest, wishes: AnswerWishes, nowNs: number): SimulatedAnswer {
    if (wishes.refuseStatus !== 0) return jsonAnswer(wishes.refuseStatus, null);
    const isInfo = new URL(request.target, 'http://simulator').pathname === '/info';
    if (request.method !== 'POST' || !isInfo) return textAnswer(404, '');
    const question = questionOf(request.body ?? '');
    const specs = this.options.exchange.markets.map(({ spec }) => spec);
    switch (question?.['type']) {
      case 'fileSnapshot':
        return this.writeSnapshot(question['outPath'], wishes.stale, nowNs);
      case 'meta':
        return jsonAnswer(200, metaOf(specs, ''));
      case 'spotMeta':
        return jsonAnswer(200, spotMetaOf(specs));
      case 'exchangeStatus':
        return jsonAnswer(200, { time: this.chain.timeMs, specialStatuses: null });
      default:
        return textAnswer(422, 'Failed to deserialize the JSON body into the target type');
    }
  }

  private writeSnapshot(outPath: unknown, stale: boolean, nowNs: number): SimulatedAnswer {
    if (typeof outPath !== 'string' || outPath === '') return textAnswer(422, 'no outPath');
    const text = this.chain.snapshotText(nowNs);
    const { height } = this.chain;
    this.writer.writeSnapshot(outPath, stale && this.old !== null ? this.old.text : text);
    if (this.old === null || height - this.old.height >= STALE_BLOCKS) this.old = { height, text };
    return jsonAnswer(200, null);
  }
}
