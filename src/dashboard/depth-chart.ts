/** The depth chart of the chosen book: sizes summed from the best price outward. Page, 5 a second. */
import uPlot from 'uplot';
import { AXIS_FONT, COLORS, followSize, sizeOf } from './chart-size.js';
import { element } from './dom.js';
import type { CurveFrame } from './protocol.js';

type Column = (number | null)[];

/** One x axis of all prices, ascending; each side is null where the other stands. */
export function depthColumns(curve: CurveFrame): [number[], Column, Column] {
  const prices = [...curve.bidPrices].reverse().concat([...curve.askPrices]);
  const none = (count: number): Column => Array.from({ length: count }, () => null);
  const bids: Column = [...curve.bidSums].reverse();
  const asks: Column = [...curve.askSums];
  return [prices, [...bids, ...none(asks.length)], [...none(bids.length), ...asks]];
}

/** The same distance to both sides of the middle, as far as both sides reach. */
export function priceRange(curve: CurveFrame): [number, number] | null {
  const { bidPrices, askPrices } = curve;
  if (bidPrices.length === 0 || askPrices.length === 0) return null;
  const middle = (bidPrices[0]! + askPrices[0]!) / 2;
  const reach = Math.min(middle - bidPrices.at(-1)!, askPrices.at(-1)! - middle);
  return [middle - reach, middle + reach];
}

export class DepthChart {
  private readonly chart: uPlot;
  private range: [number, number] = [0, 1];
  private decimals = 2;

  constructor() {
    const container = element('depth-chart');
    const stepped = uPlot.paths.stepped!;
    const axis = { stroke: COLORS.axis, font: AXIS_FONT, ticks: { show: false } };
    this.chart = new uPlot(
      {
        ...sizeOf(container),
        padding: [8, 28, 0, 0],
        legend: { show: false },
        cursor: { y: false, points: { size: 6 } },
        scales: {
          x: { time: false, range: () => this.range },
          y: { range: (_, __, max) => [0, Math.max(max, 1e-9) * 1.05] },
        },
        axes: [
          {
            ...axis,
            grid: { show: false },
            space: 80,
            size: 26,
            values: (_, splits) => splits.map((price) => price.toFixed(this.decimals)),
          },
          { ...axis, grid: { stroke: COLORS.grid, width: 1 }, size: 54, space: 32 },
        ],
        series: [
          {},
          {
            label: 'bids',
            stroke: COLORS.bid,
            fill: COLORS.bidFill,
            width: 1.5,
            points: { show: false },
            paths: stepped({ align: -1 }),
          },
          {
            label: 'asks',
            stroke: COLORS.ask,
            fill: COLORS.askFill,
            width: 1.5,
            dash: [6, 3],
            points: { show: false },
            paths: stepped({ align: 1 }),
          },
        ],
      },
      [[], [], []],
      container,
    );
    followSize(this.chart, container);
  }

  clear(): void {
    this.chart.setData([[], [], []]);
  }

  update(curve: CurveFrame): void {
    const range = priceRange(curve);
    if (range === null) {
      this.clear();
      return;
    }
    this.range = range;
    this.decimals = curve.priceDecimals;
    this.chart.setData(depthColumns(curve));
  }
}
