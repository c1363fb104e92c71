/** Latency of each hop: a line of medians over the last minute, and the last second's quantiles. Page. */
import uPlot from 'uplot';
import { durationText } from '../client/display-text.js';
import { HOPS, HOP_LABELS, type HopSummary } from '../client/hop-latency.js';
import { AXIS_FONT, COLORS, followSize, sizeOf } from './chart-size.js';
import { create, element, setText } from './dom.js';

const POINTS = 60;
/** Distinguished by dash as well as by colour. */
const LINES: readonly { readonly stroke: string; readonly dash: number[] }[] = [
  { stroke: '#9a8cf0', dash: [] },
  { stroke: '#5aa9e6', dash: [8, 4] },
  { stroke: '#f0a84a', dash: [2, 3] },
  { stroke: '#7fc8a9', dash: [8, 3, 2, 3] },
];

export class LatencyView {
  private readonly chart: uPlot;
  private readonly seconds = Array.from({ length: POINTS }, (_, i) => i - POINTS + 1);
  private readonly medians: (number | null)[][] = HOPS.map(() =>
    Array.from({ length: POINTS }, () => null),
  );
  private readonly cells: HTMLElement[][];

  constructor() {
    const container = element('latency-chart');
    const axis = { stroke: COLORS.axis, font: AXIS_FONT, ticks: { show: false } };
    this.chart = new uPlot(
      {
        ...sizeOf(container),
        padding: [8, 12, 0, 0],
        legend: { show: false },
        cursor: { show: false },
        scales: {
          x: { time: false, range: [1 - POINTS, 0] },
          y: { distr: 3, range: (_, min, max) => decades(min, max) },
        },
        axes: [
          {
            ...axis,
            grid: { show: false },
            space: 60,
            size: 26,
            values: (_, splits) => splits.map((second) => `${second} s`),
          },
          {
            ...axis,
            grid: {
              stroke: COLORS.grid,
              width: 1,
              filter: (_, splits) => splits.map((ns) => (isDecade(ns) ? ns : null)),
            },
            size: 62,
            space: 22,
            values: (_, splits) => splits.map((ns) => (isDecade(ns) ? durationText(ns) : '')),
          },
        ],
        series: [
          {},
          ...HOPS.map((hop, i) => ({
            label: HOP_LABELS[hop],
            width: 1.75,
            points: { show: false },
            ...LINES[i]!,
          })),
        ],
      },
      [this.seconds, ...this.medians] as uPlot.AlignedData,
      container,
    );
    followSize(this.chart, container);
    this.cells = this.makeTable();
  }

  update(hops: readonly (HopSummary | null)[]): void {
    hops.forEach((summary, i) => {
      const line = this.medians[i]!;
      line.shift();
      // A logarithmic axis has no place for a clock that runs behind.
      line.push(summary !== null && summary.p50Ns > 0 ? summary.p50Ns : null);
      const [p50, p99, max] = this.cells[i]!;
      setText(p50!, summary === null ? '–' : durationText(summary.p50Ns));
      setText(p99!, summary === null ? '–' : durationText(summary.p99Ns));
      setText(max!, summary === null ? '–' : durationText(summary.maxNs));
    });
    this.chart.setData([this.seconds, ...this.medians] as uPlot.AlignedData);
  }

  private makeTable(): HTMLElement[][] {
    const body = element('hops');
    return HOPS.map((hop, i) => {
      const row = document.createElement('tr');
      const name = document.createElement('th');
      name.scope = 'row';
      name.append(sample(LINES[i]!), HOP_LABELS[hop].replace('here', 'page'));
      row.append(name);
      const cells = [0, 1, 2].map((column) => {
        const cell = create('td', column === 2 ? 'number wide' : 'number');
        cell.textContent = '–';
        row.append(cell);
        return cell;
      });
      body.append(row);
      return cells;
    });
  }
}

/** A short piece of the line as it is drawn. */
function sample({ stroke, dash }: { stroke: string; dash: number[] }): SVGElement {
  const space = 'http://www.w3.org/2000/svg';
  const svg = document.createElementNS(space, 'svg');
  svg.setAttribute('width', '26');
  svg.setAttribute('height', '8');
  svg.setAttribute('aria-hidden', 'true');
  const line = document.createElementNS(space, 'line');
  const attributes = { x1: '0', x2: '26', y1: '4', y2: '4', stroke, 'stroke-width': '2' };
  for (const [name, value] of Object.entries(attributes)) line.setAttribute(name, value);
  if (dash.length > 0) line.setAttribute('stroke-dasharray', dash.join(' '));
  svg.append(line);
  return svg;
}

function isDecade(ns: number): boolean {
  return Math.abs(Math.log10(ns) - Math.round(Math.log10(ns))) < 1e-9;
}

/** Whole decades around the values: 1 µs … 10 ms where there are none. */
function decades(min: number | null, max: number | null): [number, number] {
  const low = min !== null && min > 0 ? min : 1e3;
  const high = max !== null && max > 0 ? max : 1e7;
  const from = Math.floor(Math.log10(low));
  return [10 ** from, 10 ** Math.max(from + 1, Math.ceil(Math.log10(high)))];
}
