/**
 * Recorded Binance traffic read the slow and simple way, apart from the code under test: whole file in
 * memory, one regular expression a format, JSON.parse.
 */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';

export interface DepthMessage {
  readonly U: number;
  readonly u: number;
  readonly pu: number;
}
export interface TickerMessage {
  readonly u: number;
  readonly b: string;
  readonly B: string;
  readonly a: string;
  readonly A: string;
}
export interface RecordedSymbol {
  readonly depth: DepthMessage[];
  readonly tickers: TickerMessage[];
  readonly trades: {
    readonly p: string;
    readonly q: string;
    readonly m: boolean;
    readonly id: number;
  }[];
  /** lastUpdateId of its first snapshot. */
  lastUpdateId: number | null;
}

const LINE =
  /^(?:\d{10,19} (\{.*)|\d{9,11}\.\d+: (\{.*)|\S+\/depth\?symbol=(\w+)\S* -> [\d.]+: (\{.*))$/;

type Message = {
  e: string;
  s: string;
  a: never;
  p: string;
  q: string;
  m: boolean;
  t?: number;
  X?: string;
} & DepthMessage;

export function readCapture(paths: readonly string[]): Map<string, RecordedSymbol> {
  const symbols = new Map<string, RecordedSymbol>();
  const of = (symbol: string): RecordedSymbol => {
    let found = symbols.get(symbol);
    if (found === undefined) {
      found = { depth: [], tickers: [], trades: [], lastUpdateId: null };
      symbols.set(symbol, found);
    }
    return found;
  };
  let orphan: number | null = null;
  for (const path of paths) {
    const bytes = readFileSync(path);
    const text = (bytes[0] === 0x1f ? gunzipSync(bytes) : bytes).toString('latin1');
    for (const line of text.split('\n')) {
      const match = LINE.exec(line);
      if (match === null) continue;
      const json = match[1] ?? match[2] ?? match[4]!;
      if (json.startsWith('{"lastUpdateId"')) {
        const { lastUpdateId } = JSON.parse(json) as { lastUpdateId: number };
        if (match[3] === undefined) orphan ??= lastUpdateId;
        else of(match[3]).lastUpdateId ??= lastUpdateId;
        continue;
      }
      const frame = JSON.parse(json) as { data?: Message };
      const data = frame.data ?? (frame as Message);
      if (data.e === 'depthUpdate') of(data.s).depth.push(data);
      else if (data.e === 'bookTicker') of(data.s).tickers.push(data as unknown as TickerMessage);
      else if (data.e === 'trade' || data.e === 'aggTrade') {
        of(data.s).trades.push({
          p: data.p,
          q: data.q,
          m: data.m,
          id: data.t ?? (data.a as number),
        });
      }
    }
  }
  const [only] = symbols.values();
  if (orphan !== null && symbols.size === 1) only!.lastUpdateId ??= orphan;
  return symbols;
}
