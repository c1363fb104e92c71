/** Draws the model of `ringside top` as lines of a given screen. Pure; ten times a second. */
import type { Colors } from 'picocolors/types.js';
import { BookState, bookStateName, stateReasonName } from '../domain/book-state.js';
import type { BookSide } from '../client/book-side.js';
import { countText, durationText, spreadText } from '../client/display-text.js';
import { HOPS, HOP_LABELS } from '../client/hop-latency.js';
import type { LocalBook } from '../client/index.js';
import type { TopInstrument, TopModel } from './top-model.js';

export interface Screen {
  readonly columns: number;
  readonly rows: number;
  readonly colors: Colors;
}

/** Below these the screen only says that it is too small. */
const COLUMNS_MIN = 44;
const ROWS_MIN = 12;
/** Two lines of head and three of foot, each with a blank one. */
const ROWS_AROUND = 7;
const LADDER_COLUMNS_MAX = 72;
const PRICE_COLUMNS = 13;
const SIZE_COLUMNS = 13;
const LIST_COLUMNS = 46;
const BLOCKS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉', '█'];

/** States by shape too, for those who see no colour. */
const MARKS: Record<number, string> = {
  [BookState.Syncing]: '○',
  [BookState.Live]: '●',
  [BookState.Stale]: '◐',
  [BookState.Suspect]: '▲',
};

interface Piece {
  readonly text: string;
  readonly paint: (text: string) => string;
}

export function drawTop(model: TopModel, screen: Screen): string[] {
  const { columns, rows } = screen;
  if (columns < COLUMNS_MIN || rows < ROWS_MIN) {
    return [`make the window at least ${COLUMNS_MIN} × ${ROWS_MIN}`.slice(0, columns)];
  }
  const hasList = columns >= COLUMNS_MIN + LIST_COLUMNS + 3;
  const width = Math.min(LADDER_COLUMNS_MAX, hasList ? columns - LIST_COLUMNS - 3 : columns);
  const height = rows - ROWS_AROUND;
  const ladder = ladderLines(model, screen, width, height);
  const list = hasList ? listLines(model, screen, height) : [];
  const middle = Array.from({ length: height }, (_, i) => {
    const line = ladder[i] ?? ' '.repeat(hasList ? width : 0);
    return hasList ? `${line} ${screen.colors.dim('│')} ${list[i] ?? ''}` : line;
  });
  const head = [headLine(model, screen), bookLine(model, screen), ''];
  const foot = ['', ...latencyLines(model, screen), keysLine(screen)];
  return [...head, ...middle, ...foot];
}

export function stateMark(state: number): string {
  return MARKS[state] ?? '?';
}

function paintState(state: number, { colors }: Screen): (text: string) => string {
  if (state === BookState.Live) return colors.green;
  return state === BookState.Suspect ? colors.red : colors.yellow;
}

function headLine(model: TopModel, screen: Screen): string {
  const { colors, columns } = screen;
  const plain = (text: string): string => text;
  const lost = model.reason === '' ? 'connection lost' : `connection lost: ${model.reason}`;
  const live = model.connection === 'live';
  const words = {
    idle: 'not connected',
    connecting: 'connecting',
    live: 'connected',
    waiting: `${lost}; trying again`,
    closed: 'closed',
  }[model.connection];
  const pieces: Piece[] = [
    { text: ' Ringside ', paint: (text) => colors.bold(colors.inverse(text)) },
    { text: ` ${model.url}  `, paint: plain },
    { text: `${live ? '●' : '✕'} ${words}`, paint: live ? colors.green : colors.red },
    { text: `   ${countText(model.messagesPerSecond)} messages/s`, paint: colors.dim },
  ];
  return join(pieces, columns);
}

function bookLine(model: TopModel, screen: Screen): string {
  const { colors, columns } = screen;
  const chosen = model.instruments[model.chosen];
  if (chosen === undefined || model.book === null) {
    return join([{ text: ' waiting for the instruments', paint: colors.dim }], columns);
  }
  const { book } = model;
  const connected = model.connection === 'live';
  const state = connected ? book.state : BookState.Suspect;
  const name = connected ? bookStateName(state) : 'No feed';
  const why = connected && state !== BookState.Live ? ` (${stateReasonName(book.reason)})` : '';
  const proof =
    model.hashFailed === 0
      ? `${countText(model.hashChecked)} hashes equal`
      : `${countText(model.hashFailed)} hashes DIFFER`;
  return join(
    [
      { text: ` ${chosen.name}  `, paint: colors.bold },
      {
        text: `${connected ? stateMark(state) : '✕'} ${name}${why}`,
        paint: paintState(state, screen),
      },
      { text: `  sequence ${countText(book.sequence)}`, paint: (text) => text },
      { text: `  age ${durationText(model.bookAgeMs * 1e6)}`, paint: (text) => text },
      { text: `  ${proof}`, paint: model.hashFailed === 0 ? colors.dim : colors.red },
      { text: model.gaps === 0 ? '' : `  ${countText(model.gaps)} gaps`, paint: colors.yellow },
    ],
    columns,
  );
}

/** Asks above, bids below, best prices in the middle. */
function ladderLines(model: TopModel, screen: Screen, width: number, rowsMax: number): string[] {
  const { colors } = screen;
  const { book } = model;
  const perSide = Math.max(1, Math.min(model.depth, Math.floor((rowsMax - 2) / 2)));
  const head =
    'price'.padStart(PRICE_COLUMNS) + 'size'.padStart(SIZE_COLUMNS) + 'sum'.padStart(SIZE_COLUMNS);
  const lines = [colors.dim(head.padEnd(width))];
  if (book === null) return lines;
  const sumMax = Math.max(1, sumOf(book.asks, perSide), sumOf(book.bids, perSide));
  const side = (of: BookSide, paint: (text: string) => string): string[] => {
    const drawn: string[] = [];
    let sum = 0;
    for (let rank = 0; rank < perSide; rank++) {
      if (rank < of.count) sum += of.sizeAt(rank);
      drawn.push(levelLine(book, of, rank, sum, sum / sumMax, width, paint, screen));
    }
    return drawn;
  };
  const { spread } = book;
  const relative = spreadText(book.bids.priceAt(0), book.asks.priceAt(0));
  const text = spread === null ? 'spread –' : `spread ${book.priceText(spread)} · ${relative}`;
  return [
    ...lines,
    ...side(book.asks, colors.yellow).reverse(),
    colors.dim(`   ${text}`.padEnd(width).slice(0, width)),
    ...side(book.bids, colors.cyan),
  ];
}

function levelLine(
  book: LocalBook,
  side: BookSide,
  rank: number,
  sum: number,
  share: number,
  width: number,
  paint: (text: string) => string,
  { colors }: Screen,
): string {
  if (rank >= side.count) return ' '.repeat(width);
  const price = book.priceText(side.priceAt(rank)).padStart(PRICE_COLUMNS);
  const size = book.sizeText(side.sizeAt(rank)).padStart(SIZE_COLUMNS);
  const sumText = book.sizeText(sum).padStart(SIZE_COLUMNS);
  const rest = width - price.length - size.length - sumText.length;
  const bar = rest > 1 ? ` ${barText(share, rest - 1)}` : '';
  return `${paint(price)}${size}${colors.dim(sumText)}${paint(bar)}`;
}

function barText(share: number, width: number): string {
  const eighths = Math.round(Math.min(1, Math.max(0, share)) * width * 8);
  const full = '█'.repeat(Math.floor(eighths / 8));
  return `${full}${BLOCKS[eighths % 8]!}`.padEnd(width).slice(0, width);
}

function sumOf(side: BookSide, ranks: number): number {
  let sum = 0;
  for (let rank = 0; rank < ranks && rank < side.count; rank++) sum += side.sizeAt(rank);
  return sum;
}

/** A window of the instruments around the chosen one. */
function listLines(model: TopModel, screen: Screen, rows: number): string[] {
  const { colors } = screen;
  const { instruments, chosen } = model;
  const shown = rows - 1;
  const first = Math.max(0, Math.min(chosen - Math.floor(shown / 2), instruments.length - shown));
  const head = colors.dim(
    `${'  instrument'.padEnd(16)}${'bid'.padStart(14)}${'ask'.padStart(14)}`.padEnd(LIST_COLUMNS),
  );
  return [
    head,
    ...instruments
      .slice(first, first + shown)
      .map((entry, i) => instrumentLine(entry, first + i === chosen, model, screen)),
  ];
}

function instrumentLine(
  entry: TopInstrument,
  isChosen: boolean,
  model: TopModel,
  screen: Screen,
): string {
  const { colors } = screen;
  const connected = model.connection === 'live';
  const state = connected ? entry.state : BookState.Suspect;
  const mark = paintState(state, screen)(connected ? stateMark(state) : '✕');
  const symbol = entry.symbol.slice(0, 14).padEnd(14);
  const name = isChosen ? colors.inverse(symbol) : symbol;
  const bid = entry.bid.slice(0, 14).padStart(14);
  const ask = entry.ask.slice(0, 14).padStart(14);
  return `${mark} ${name}${colors.cyan(bid)}${colors.yellow(ask)}`;
}

function latencyLines(model: TopModel, { colors, columns }: Screen): string[] {
  const texts = HOPS.map((hop, i) => {
    const summary = model.latency[i] ?? null;
    const figures =
      summary === null ? '–' : `${durationText(summary.p50Ns)} / ${durationText(summary.p99Ns)}`;
    return `${HOP_LABELS[hop]}  ${figures}`;
  });
  const half = Math.floor((columns - 1) / 2);
  const line = (left: string, right: string): string =>
    colors.dim(` ${left.padEnd(half).slice(0, half)}${right}`.slice(0, columns));
  return [line(texts[0]!, texts[1]!), line(texts[2]!, texts[3]!)];
}

function keysLine({ colors, columns }: Screen): string {
  const keys = ' q quit   ↑ ↓ tab instrument   d depth   (latency: p50 / p99 of the last second)';
  return colors.dim(keys.slice(0, columns));
}

/** Pieces in a row, cut at the width without cutting a colour open. */
function join(pieces: readonly Piece[], columns: number): string {
  let left = columns;
  let line = '';
  for (const { text, paint } of pieces) {
    const part = text.slice(0, left);
    left -= part.length;
    if (part !== '') line += paint(part);
  }
  return line;
}
