/** Keeps a uPlot chart as large as its container. Page. */
import type uPlot from 'uplot';

export const COLORS = {
  bid: '#5aa9e6',
  bidFill: 'rgba(90, 169, 230, 0.18)',
  ask: '#f0a84a',
  askFill: 'rgba(240, 168, 74, 0.16)',
  grid: '#1d2631',
  axis: '#7d8b9b',
} as const;

export const AXIS_FONT = '11px system-ui, "DejaVu Sans", sans-serif';

export function sizeOf(container: HTMLElement): { width: number; height: number } {
  return {
    width: Math.max(120, container.clientWidth),
    height: Math.max(90, container.clientHeight),
  };
}

export function followSize(chart: uPlot, container: HTMLElement): void {
  new ResizeObserver(() => chart.setSize(sizeOf(container))).observe(container);
}
