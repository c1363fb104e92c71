/** Numbers as short text for people, in a constant width where possible. Pure, cold. */

/** `830 ns`, `12.4 µs`, `3.1 ms`, `2.0 s`. */
export function durationText(ns: number): string {
  const size = Math.abs(ns);
  if (!Number.isFinite(ns)) return '–';
  if (size < 999.5) return `${Math.round(ns)} ns`;
  if (size < 999_950) return `${(ns / 1e3).toFixed(1)} µs`;
  if (size < 999_950_000) return `${(ns / 1e6).toFixed(1)} ms`;
  return `${(ns / 1e9).toFixed(1)} s`;
}

/** Whole numbers with thousands parted by a comma: `1,234,567`. */
export function countText(value: number): string {
  return String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** `512 B`, `1.4 kB`, `3.0 MB`. */
export function bytesText(bytes: number): string {
  if (bytes < 1000) return `${Math.round(bytes)} B`;
  if (bytes < 1e6) return `${(bytes / 1e3).toFixed(1)} kB`;
  if (bytes < 1e9) return `${(bytes / 1e6).toFixed(1)} MB`;
  return `${(bytes / 1e9).toFixed(1)} GB`;
}

/** Spread relative to the middle in basis points, e.g. `0.16 bp`. */
export function spreadText(bid: number, ask: number): string {
  const middle = (bid + ask) / 2;
  return middle > 0 ? `${(((ask - bid) / middle) * 1e4).toFixed(2)} bp` : '–';
}

/** A decimal text as per cent, exactly: `-0.000125` is `-0.0125 %`. */
export function percentText(text: string): string {
  const sign = text.startsWith('-') ? '-' : '';
  const [whole, fraction = ''] = text.slice(sign.length).split('.') as [string, string?];
  const digits = fraction.padEnd(2, '0');
  const above = `${whole}${digits.slice(0, 2)}`.replace(/^0+(?=\d)/, '');
  const below = digits.slice(2).replace(/0+$/, '');
  return `${sign}${above}${below === '' ? '' : `.${below}`} %`;
}
