/**
 * One client's connection to the simulated Binance USDⓈ-M: what it subscribed to and how its
 * messages are answered. Simulator's thread; cold (data frames do not pass through here).
 */
import { invariant, unreachable } from '../faults/invariant.js';
import { readClientRequest, resultText } from './binance-futures-control.js';
import type { ClientRequest } from './binance-futures-control.js';
import type { BinanceFuturesDialect, Endpoint } from './binance-futures-dialect.js';
import type { DialectSession, SessionOutput } from './dialect.js';

/** "A single connection can listen to a maximum of 1024 streams." */
const STREAMS_COUNT_MAX = 1024;

export class BinanceFuturesSession implements DialectSession {
  private readonly dialect: BinanceFuturesDialect;
  private readonly endpoint: Endpoint;
  private readonly output: SessionOutput;
  private combined: boolean;
  /** Names as the client gave them, silent ones too. */
  private readonly names = new Set<string>();
  /** Times of the last messages, a ring as long as the limit. */
  private readonly messageTimesNs: Float64Array;
  private messagesCount = 0;

  constructor(
    dialect: BinanceFuturesDialect,
    endpoint: Endpoint,
    output: SessionOutput,
    combined: boolean,
  ) {
    invariant(dialect.messagesPerSecondMax > 0, 'a message limit of at least 1');
    this.dialect = dialect;
    this.endpoint = endpoint;
    this.output = output;
    this.combined = combined;
    this.messageTimesNs = new Float64Array(dialect.messagesPerSecondMax).fill(-Infinity);
  }

  onText(text: string, nowNs: number): void {
    if (!this.countMessage(nowNs)) return;
    const request = readClientRequest(text);
    const answer = this.answerTo(request);
    if (answer !== null) this.output.control(answer);
  }

  /** PING and PONG count as messages too. */
  onControlFrame(nowNs: number): void {
    this.countMessage(nowNs);
  }

  onClose(): void {
    this.unsubscribe([...this.names]);
  }

  /** Returns false if there would be too many. */
  subscribe(names: readonly string[]): boolean {
    const wanted = new Set([...this.names, ...names]);
    if (wanted.size > STREAMS_COUNT_MAX) return false;
    for (const name of names) {
      if (this.names.has(name)) continue;
      this.names.add(name);
      const stream = this.dialect.streamOf(name, this.endpoint);
      if (stream !== null) this.dialect.listen(stream, this.output, this.combined);
    }
    return true;
  }

  private unsubscribe(names: readonly string[]): void {
    for (const name of names) {
      if (!this.names.delete(name)) continue;
      this.dialect.streamOf(name, this.endpoint)?.remove(this.output);
    }
  }

  private answerTo(request: ClientRequest): string | null {
    switch (request.method) {
      case 'SUBSCRIBE':
        if (!this.subscribe(request.params)) {
          this.output.close(1008, 'Too many streams');
          return null;
        }
        return resultText(null, request.id);
      case 'UNSUBSCRIBE':
        this.unsubscribe(request.params);
        return resultText(null, request.id);
      case 'LIST_SUBSCRIPTIONS':
        return resultText([...this.names], request.id);
      case 'GET_PROPERTY':
        return resultText(this.combined, request.id);
      case 'SET_PROPERTY':
        this.setCombined(request.value);
        return resultText(null, request.id);
      case 'invalid':
        return request.answer;
      default:
        return unreachable(request);
    }
  }

  private setCombined(combined: boolean): void {
    this.combined = combined;
    for (const name of this.names) {
      const stream = this.dialect.streamOf(name, this.endpoint);
      stream?.remove(this.output);
      stream?.add(this.output, combined);
    }
  }

  /** "WebSocket connections have a limit of 10 incoming messages per second." */
  private countMessage(nowNs: number): boolean {
    const at = this.messagesCount++ % this.messageTimesNs.length;
    const oldestNs = this.messageTimesNs[at]!;
    this.messageTimesNs[at] = nowNs;
    if (nowNs - oldestNs >= 1e9) return true;
    this.output.close(1008, 'Too many requests');
    return false;
  }
}
