/** The model of `ringside top` as plain text and as JSON, for pipes and scripts. Pure. */
import { durationText } from '../client/display-text.js';
import { Side } from '../domain/side.js';
import type { TopModel } from './top-model.js';

function chosenName(model: TopModel): string {
  return model.instruments[model.chosen]?.name ?? '–';
}

/** State as shown to a reader: without a connection nothing is Live. */
function stateText(model: TopModel): string {
  return model.connection === 'live' ? (model.book?.stateName ?? '–') : 'No feed';
}

export function plainLine(model: TopModel): string {
  const { book } = model;
  const bid = book?.bestBid ?? null;
  const ask = book?.bestAsk ?? null;
  const level = (at: typeof bid): string =>
    at === null ? '–' : `${at.priceText} × ${at.sizeText}`;
  const age = durationText(model.bookAgeMs * 1e6);
  return (
    `${chosenName(model)}  ${stateText(model)}  bid ${level(bid)}  ask ${level(ask)}  ` +
    `sequence ${book?.sequence ?? 0}  age ${age}\n`
  );
}

/** The ladder as text of fixed columns, without colour. */
export function plainLadder(model: TopModel): string {
  const { book } = model;
  if (book === null) return '';
  const row = (name: string, price: string, size: string): string =>
    `${name.padEnd(4)}${price.padStart(16)}${size.padStart(16)}\n`;
  const side = (name: string, of: Side): string[] =>
    book.levels(of, model.depth).map((level) => row(name, level.priceText, level.sizeText));
  const head = `${chosenName(model)}  ${book.stateName}  sequence ${book.sequence}  hash ${book.hash}\n`;
  return [
    head,
    row('', 'price', 'size'),
    ...side('ask', Side.Ask).reverse(),
    ...side('bid', Side.Bid),
  ].join('');
}

export function jsonLine(model: TopModel): string {
  const { book } = model;
  return `${JSON.stringify({
    instrument: chosenName(model),
    state: stateText(model),
    epoch: String(book?.epoch ?? 0),
    sequence: book?.sequence ?? 0,
    hash: book?.hash ?? '',
    ageMs: Number.isFinite(model.bookAgeMs) ? Math.round(model.bookAgeMs * 1000) / 1000 : null,
    bids: book?.levels(Side.Bid, model.depth) ?? [],
    asks: book?.levels(Side.Ask, model.depth) ?? [],
  })}\n`;
}
