/** The table of instruments: state and best prices of each; one is chosen, by mouse or keys. Page. */
import { BookState, bookStateName, stateReasonName } from '../client/browser.js';
import { create, element, inputElement, setText, showState, stateNode } from './dom.js';
import type { InstrumentRow, RowUpdate } from './protocol.js';

interface Line {
  readonly row: HTMLTableRowElement;
  readonly button: HTMLButtonElement;
  readonly state: HTMLElement;
  readonly bid: HTMLElement;
  readonly ask: HTMLElement;
  readonly spread: HTMLElement;
  readonly name: string;
  stateNow: number;
}

export class InstrumentsView {
  private readonly body = element('instruments').querySelector('tbody')!;
  private readonly filter = inputElement('filter');
  private readonly liveCount = element('live-count');
  private readonly empty = element('no-instruments');
  private readonly lines = new Map<string, Line>();
  private readonly onChoose: (instrument: string) => void;
  private chosen = '';
  private connected = false;

  constructor(onChoose: (instrument: string) => void) {
    this.onChoose = onChoose;
    this.filter.addEventListener('input', () => this.applyFilter());
    this.filter.addEventListener('keydown', (event) => {
      if (event.key === 'Escape') {
        this.filter.value = '';
        this.applyFilter();
        this.lines.get(this.chosen)?.button.focus();
      }
      if (event.key === 'Enter') this.choose(this.shown()[0]?.name ?? this.chosen);
    });
    document.addEventListener('keydown', (event) => this.onKey(event));
  }

  get chosenInstrument(): string {
    return this.chosen;
  }

  setInstruments(rows: readonly InstrumentRow[]): void {
    for (const row of rows) if (!this.lines.has(row.instrument)) this.addLine(row);
    this.empty.hidden = this.lines.size > 0;
    this.applyFilter();
    this.countLive();
  }

  update(updates: readonly RowUpdate[]): void {
    if (updates.length === 0) return;
    for (const update of updates) {
      const line = this.lines.get(update.instrument);
      if (line === undefined) continue;
      line.stateNow = update.state;
      this.showLineState(line, update.reason);
      setText(line.bid, update.bid);
      setText(line.ask, update.ask);
      setText(line.spread, update.spread);
    }
    this.countLive();
  }

  /** Without a connection nothing on the page is live, whatever was said last. */
  setConnected(connected: boolean): void {
    if (this.connected === connected) return;
    this.connected = connected;
    for (const line of this.lines.values()) this.showLineState(line, 0);
    this.countLive();
  }

  choose(instrument: string): void {
    const line = this.lines.get(instrument);
    if (line === undefined || instrument === this.chosen) return;
    const before = this.lines.get(this.chosen);
    before?.row.classList.remove('chosen');
    before?.button.setAttribute('aria-pressed', 'false');
    line.row.classList.add('chosen');
    line.button.setAttribute('aria-pressed', 'true');
    this.chosen = instrument;
    this.onChoose(instrument);
  }

  has(instrument: string): boolean {
    return this.lines.has(instrument);
  }

  private showLineState(line: Line, reason: number): void {
    if (this.connected) {
      showState(line.state, line.stateNow, bookStateName(line.stateNow), stateReasonName(reason));
    } else {
      showState(line.state, -1, 'No feed', 'not connected to the node');
    }
  }

  private addLine({ instrument, symbol, venue }: InstrumentRow): void {
    const row = this.body.insertRow();
    const button = create('button', 'name') as HTMLButtonElement;
    button.type = 'button';
    button.textContent = symbol;
    button.title = `${venue}:${symbol}`;
    button.setAttribute('aria-pressed', 'false');
    const head = document.createElement('th');
    head.scope = 'row';
    head.append(button);
    row.append(head);
    const state = stateNode('span');
    row.insertCell().append(state);
    const cell = (className: string): HTMLElement => {
      const made = row.insertCell();
      made.className = className;
      made.textContent = '–';
      return made;
    };
    const line: Line = {
      row,
      button,
      state,
      bid: cell('number bid'),
      ask: cell('number ask'),
      spread: cell('number wide'),
      name: instrument,
      stateNow: BookState.Syncing,
    };
    row.addEventListener('click', () => this.choose(instrument));
    this.lines.set(instrument, line);
    this.showLineState(line, 0);
  }

  private shown(): Line[] {
    return [...this.lines.values()].filter((line) => !line.row.hidden);
  }

  private applyFilter(): void {
    const wanted = this.filter.value.trim().toLowerCase();
    for (const line of this.lines.values()) {
      line.row.hidden = wanted !== '' && !line.name.toLowerCase().includes(wanted);
    }
  }

  private countLive(): void {
    const total = this.lines.size;
    let live = 0;
    for (const { stateNow } of this.lines.values()) if (stateNow === BookState.Live) live += 1;
    setText(this.liveCount, `${this.connected ? live : 0} of ${total} Live`);
  }

  private onKey(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === '/' && document.activeElement !== this.filter) {
      event.preventDefault();
      this.filter.focus();
      this.filter.select();
      return;
    }
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
    if (step === 0) return;
    const shown = this.shown();
    if (shown.length === 0) return;
    event.preventDefault();
    const index = shown.findIndex((line) => line.name === this.chosen);
    const next = shown[Math.max(0, Math.min(shown.length - 1, index + step))]!;
    this.choose(next.name);
    if (document.activeElement !== this.filter) next.button.focus();
    next.row.scrollIntoView({ block: 'nearest' });
  }
}
