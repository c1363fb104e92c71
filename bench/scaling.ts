/**
 * Throughput and processor time of the whole node against instruments, clients and book workers, as
 * curves: `npm run build:code && node dist/bench/scaling.js` writes bench/scaling.json and, where Debian's
 * chromium is, bench/scaling.png. Not part of `npm run bench`: it takes a minute and makes a picture.
 */
import { writeFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { join, resolve } from 'node:path';
import { chromiumMissing, launchChromium } from '../test/support/chromium.js';
import {
  compileLoopback,
  type Loopback,
  Pipeline,
  type SystemOptions,
} from './pipeline-systems.js';

const FOLDER = resolve(import.meta.dirname, '../../bench');
const WINDOW_FRAMES = 4_096;
const WARM_MS = 4_000;
const RUN_MS = 1_000;
const ROUNDS = 2;

interface Point {
  readonly at: number;
  /** Frames a second through the node. */
  readonly framesPerSecond: number;
  /** Processor time of all its threads. */
  readonly processorUsPerFrame: number;
}

interface Curve {
  readonly axis: string;
  readonly points: readonly Point[];
}

const AXES: readonly {
  readonly axis: string;
  readonly values: readonly number[];
  readonly options: (value: number) => SystemOptions;
}[] = [
  { axis: 'instruments', values: [1, 4, 16, 64], options: (symbols) => ({ symbols }) },
  { axis: 'clients', values: [1, 10, 30, 100], options: (n) => ({ moreClients: n - 1 }) },
  {
    axis: 'book workers (16 instruments)',
    values: [1, 2, 4],
    options: (workers) => ({ workers, symbols: 16 }),
  },
];

/** The best of the rounds: what the others on this machine left us. */
async function pointAt(loopback: Loopback, at: number, options: SystemOptions): Promise<Point> {
  let best: Point = { at, framesPerSecond: 0, processorUsPerFrame: 0 };
  for (let round = 0; round < ROUNDS; round++) {
    const pipeline = await Pipeline.start(loopback, 'full', options);
    try {
      await pipeline.flood(WINDOW_FRAMES, WARM_MS);
      const { perSecond, processorUs, received } = await pipeline.flood(WINDOW_FRAMES, RUN_MS);
      if (perSecond <= best.framesPerSecond) continue;
      const processorUsPerFrame = Math.round((processorUs / received) * 100) / 100;
      best = { at, framesPerSecond: Math.round(perSecond), processorUsPerFrame };
    } finally {
      await pipeline.stop();
    }
  }
  return best;
}

const WIDTH = 420;
const HEIGHT = 300;
const LEFT = 58;
const RIGHT = 46;
const TOP = 40;
const BOTTOM = 46;

/** One panel: frames a second as a line (left scale), processor time as a dashed one (right scale). */
function panel({ axis, points }: Curve, index: number): string {
  const across = (i: number): number =>
    LEFT + (i * (WIDTH - LEFT - RIGHT)) / Math.max(1, points.length - 1);
  const up = (share: number): number => HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM);
  const framesMax = Math.max(...points.map((point) => point.framesPerSecond)) * 1.1;
  const costMax = Math.max(...points.map((point) => point.processorUsPerFrame)) * 1.1;
  const line = (share: (point: Point) => number): string =>
    points.map((point, i) => `${across(i).toFixed(1)},${up(share(point)).toFixed(1)}`).join(' ');
  const scale = [0, 0.25, 0.5, 0.75, 1].map((share) => {
    const y = up(share);
    const frames = ((share * framesMax) / 1e3).toFixed(0);
    const cost = (share * costMax).toFixed(costMax < 10 ? 1 : 0);
    return `<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y}" y2="${y}" stroke="#e3e6ea"/>
      <text x="${LEFT - 6}" y="${y + 4}" text-anchor="end" fill="#1565c0">${frames} k</text>
      <text x="${WIDTH - RIGHT + 6}" y="${y + 4}" fill="#b5530b">${cost}</text>`;
  });
  const marks = points.map(
    ({ at, framesPerSecond, processorUsPerFrame }, i) =>
      `<text x="${across(i)}" y="${HEIGHT - BOTTOM + 18}" text-anchor="middle">${at}</text>
      <circle cx="${across(i)}" cy="${up(framesPerSecond / framesMax)}" r="3.5" fill="#1565c0"/>
      <circle cx="${across(i)}" cy="${up(processorUsPerFrame / costMax)}" r="3" fill="#b5530b"/>`,
  );
  return `<g transform="translate(${index * WIDTH},0)">${scale.join('')}${marks.join('')}
    <polyline points="${line((p) => p.framesPerSecond / framesMax)}" fill="none" stroke="#1565c0" stroke-width="2"/>
    <polyline points="${line((p) => p.processorUsPerFrame / costMax)}" fill="none" stroke="#b5530b" stroke-width="2" stroke-dasharray="5 4"/>
    <text x="${WIDTH / 2}" y="20" text-anchor="middle" font-size="14" font-weight="600">${axis}</text>
    <text x="${WIDTH / 2}" y="${HEIGHT - 8}" text-anchor="middle" fill="#666">frames/s (blue), µs of processor a frame (dashed)</text></g>`;
}

async function writePicture(curves: readonly Curve[]): Promise<void> {
  const missing = chromiumMissing();
  if (missing !== null) {
    console.error(`no picture: ${missing}`);
    return;
  }
  const width = WIDTH * curves.length;
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${HEIGHT}" font-family="sans-serif" font-size="11">
    <rect width="100%" height="100%" fill="white"/>${curves.map(panel).join('')}</svg>`;
  const browser = await launchChromium();
  const page = await browser.newPage({ viewport: { width, height: HEIGHT }, deviceScaleFactor: 2 });
  await page.setContent(`<body style="margin:0">${svg}</body>`);
  await page.screenshot({ path: join(FOLDER, 'scaling.png') });
  await browser.close();
}

const loopback = compileLoopback();
const curves: Curve[] = [];
for (const { axis, values, options } of AXES) {
  const points: Point[] = [];
  for (const value of values) {
    points.push(await pointAt(loopback, value, options(value)));
    console.log(axis, JSON.stringify(points.at(-1)));
  }
  curves.push({ axis, points });
}
const load = Math.round(loadavg()[0]! * 10) / 10;
writeFileSync(
  join(FOLDER, 'scaling.json'),
  `${JSON.stringify({ layout: 'full', loadAverage: load, curves }, null, 2)}\n`,
);
await writePicture(curves);
