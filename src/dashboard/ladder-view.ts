/** The ladder of the chosen book: asks above, bids below, the touch in the middle. Page, each frame. */
import { bookStateName, stateReasonName } from '../client/browser.js';
import { countText, durationText } from '../client/display-text.js';
import { LADDER_ROWS_MAX } from './book-frame.js';
import { create, element, setText, showState } from './dom.js';
import type { BookFrame, LadderSide } from './protocol.js';

/** As in style.css. */
const ROW_HEIGHT_MIN = 20;

interface LadderRow {
  readonly row: HTMLElement;
  readonly bar: HTMLElement;
  readonly price: HTMLElement;
  readonly size: HTMLElement;
  readonly sum: HTMLElement;
}

export class LadderView {
  private readonly ladder = element('ladder');
  private rowsFitting = LADDER_ROWS_MAX;
  private readonly asks: LadderRow[];
  private readonly bids: LadderRow[];
  private readonly title = element('book-title');
  private readonly state = element('book-state');
  private readonly spread = element('spread');
  private readonly sequence = element('book-sequence');
  private readonly age = element('book-age');
  private readonly mark = element('book-mark');
  private readonly funding = element('book-funding');
  private readonly levels = element('book-levels');
  private readonly hash = element('book-hash');

  constructor() {
    this.asks = this.makeRows('.asks');
    this.bids = this.makeRows('.bids');
    const sides = new ResizeObserver((entries) => {
      for (const { target, contentRect } of entries) {
        this.rowsFitting = Math.max(1, Math.floor(contentRect.height / ROW_HEIGHT_MIN));
        fitRows(target, this.rowsFitting);
      }
    });
    for (const side of this.ladder.querySelectorAll('.ladder-side')) sides.observe(side);
  }

  setInstrument(instrument: string): void {
    setText(this.title, instrument.slice(instrument.indexOf(':') + 1));
    this.title.title = instrument;
    for (const row of [...this.asks, ...this.bids]) this.clearRow(row);
    const { spread, sequence, age, mark, funding, levels, hash } = this;
    for (const fact of [spread, sequence, age, mark, funding, levels, hash]) setText(fact, '–');
  }

  update(book: BookFrame, connected: boolean): void {
    // Bars are relative to the deepest row that is shown.
    const shown = Math.min(this.rowsFitting, LADDER_ROWS_MAX);
    const share = (side: LadderSide): number =>
      side.shares[Math.min(shown, side.shares.length) - 1] ?? 0;
    const shareMax = Math.max(share(book.asks), share(book.bids), Number.MIN_VALUE);
    this.fill(this.asks, book.asks, shareMax);
    this.fill(this.bids, book.bids, shareMax);
    this.ladder.classList.toggle('not-live', !book.live || !connected);
    if (connected) {
      const { state, reason } = book;
      showState(this.state, state, bookStateName(state), stateReasonName(reason));
    } else {
      showState(this.state, -1, 'No feed', 'not connected to the node: last known levels');
    }
    setText(this.spread, `Spread  ${book.spread}`);
    setText(this.sequence, countText(book.sequence));
    setText(this.age, durationText(book.ageMs * 1e6));
    setText(this.mark, book.mark);
    setText(this.funding, book.funding);
    setText(this.levels, `${book.levelsCount[0]} bids · ${book.levelsCount[1]} asks`);
    setText(this.hash, book.hash);
  }

  private fill(rows: readonly LadderRow[], side: LadderSide, shareMax: number): void {
    for (let rank = 0; rank < rows.length; rank++) {
      const row = rows[rank]!;
      const price = side.prices[rank];
      if (price === undefined) {
        this.clearRow(row);
        continue;
      }
      setText(row.price, price);
      setText(row.size, side.sizes[rank]!);
      setText(row.sum, side.sums[rank]!);
      const share = Math.min(1, side.shares[rank]! / shareMax);
      row.bar.style.transform = `scaleX(${share.toFixed(3)})`;
    }
  }

  private clearRow(row: LadderRow): void {
    setText(row.price, '');
    setText(row.size, '');
    setText(row.sum, '');
    row.bar.style.transform = 'scaleX(0)';
  }

  /** Best first, whatever the order on screen: the asks' container lays them out upward. */
  private makeRows(selector: string): LadderRow[] {
    const container = this.ladder.querySelector(selector)!;
    return Array.from({ length: LADDER_ROWS_MAX }, () => {
      const row = create('div', 'ladder-row', 'row');
      const bar = create('span', 'ladder-bar');
      bar.setAttribute('aria-hidden', 'true');
      const price = create('span', 'price', 'cell');
      const size = create('span', 'size', 'cell');
      const sum = create('span', 'sum', 'cell');
      row.append(bar, price, size, sum);
      container.append(row);
      return { row, bar, price, size, sum };
    });
  }
}

/** Shows whole rows only. */
function fitRows(side: Element, fitting: number): void {
  const rows = [...side.children] as HTMLElement[];
  rows.forEach((row, rank) => (row.hidden = rank >= fitting));
}
