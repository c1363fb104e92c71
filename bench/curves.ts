/**
 * Latency against load, layout by layout, beside the plain program and the relay in C: curves.json and
 * curves.png. `--picture` draws the figures that are there; `--cores` says instead how many frames a
 * second each system takes at most with all of it on one core.
 *
 *     npm run build && node dist/bench/curves.js
 *
 * Open loop, as pipeline-latency.bench.ts; medians of three rounds, each of a fresh process a system, one
 * run a load, after a warm-up. A load at which frames were not delivered in time ends a system's curve.
 * Takes three minutes and needs a machine without other work. Without Chromium there are figures and no
 * picture.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { join, resolve } from 'node:path';
import { chromiumMissing, launchChromium } from '../test/support/chromium.js';
import { median } from './harness.js';
import { compileLoopback, Pipeline, SYSTEMS, type SystemName } from './pipeline-systems.js';

const FOLDER = resolve(import.meta.dirname, '../../bench');
const LOADS = [1_000, 3_000, 10_000, 30_000, 50_000, 100_000, 200_000, 300_000];
const ROUNDS = 3;
const WARM_MS = 4_000;
const RUN_MS = 800;
/** Beyond this a system does not keep up: what it shows is the length of the run. */
const LATE_US = 20_000;
const WINDOW_FRAMES = 4_096;

interface Point {
  readonly load: number;
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
}

interface Curve {
  readonly system: SystemName;
  readonly points: readonly Point[];
}

/** One round: the points as far as the system keeps up. */
async function roundOf(system: SystemName): Promise<Point[]> {
  const pipeline = await Pipeline.start(compileLoopback(), system);
  const points: Point[] = [];
  try {
    await pipeline.run(10_000, WARM_MS);
    for (const load of LOADS) {
      const { sent, received, p50, p99, p999 } = await pipeline.run(load, RUN_MS);
      if (received < sent || p50 > LATE_US) break;
      points.push({ load, p50, p99, p999 });
    }
  } finally {
    await pipeline.stop();
  }
  return points;
}

/** Medians, at the loads that most of the rounds kept up with. */
function curveOf(system: SystemName, rounds: readonly Point[][]): Curve {
  const points: Point[] = [];
  for (const load of LOADS) {
    const found = rounds.flatMap((each) => each.filter((point) => point.load === load));
    if (found.length * 2 < rounds.length) break;
    const middle = (field: 'p50' | 'p99' | 'p999'): number =>
      median(found.map((point) => point[field]));
    points.push({ load, p50: middle('p50'), p99: middle('p99'), p999: middle('p999') });
  }
  return { system, points };
}

async function mostOnOneCore(system: SystemName): Promise<number> {
  const launcher = ['taskset', '-c', '0'];
  const pipeline = await Pipeline.start(compileLoopback(), system, { launcher });
  try {
    await pipeline.flood(WINDOW_FRAMES, WARM_MS);
    return (await pipeline.flood(WINDOW_FRAMES, RUN_MS)).perSecond;
  } finally {
    await pipeline.stop();
  }
}

const COLOURS: Record<SystemName, string> = {
  'relay in C': '#8a8f98',
  'plain program': '#b5530b',
  fused: '#1565c0',
  split: '#2e7d32',
  full: '#8e24aa',
};
const WIDTH = 560;
const HEIGHT = 380;
const LEFT = 62;
const RIGHT = 24;
const TOP = 44;
const BOTTOM = 50;
const US_MIN = 10;
const US_MAX = LATE_US;

const across = (load: number): number =>
  LEFT +
  (Math.log(load / LOADS[0]!) / Math.log(LOADS.at(-1)! / LOADS[0]!)) * (WIDTH - LEFT - RIGHT);
const up = (us: number): number => {
  const share =
    Math.log(Math.min(Math.max(us, US_MIN), US_MAX) / US_MIN) / Math.log(US_MAX / US_MIN);
  return HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM);
};

/** One panel: a percentile of all systems, both axes logarithmic. */
function panel(curves: readonly Curve[], field: 'p50' | 'p99', index: number): string {
  const lines = [10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000].map((us) => {
    const text = us < 1_000 ? `${us} µs` : `${us / 1_000} ms`;
    return `<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${up(us)}" y2="${up(us)}" stroke="#e3e6ea"/>
      <text x="${LEFT - 6}" y="${up(us) + 4}" text-anchor="end" fill="#555">${text}</text>`;
  });
  const loads = LOADS.map(
    (load) =>
      `<text x="${across(load)}" y="${HEIGHT - BOTTOM + 18}" text-anchor="middle" fill="#555">${load / 1_000} k</text>`,
  );
  const drawn = curves.map(({ system, points }, i) => {
    const colour = COLOURS[system];
    const dash = system === 'relay in C' ? ' stroke-dasharray="5 4"' : '';
    const path = points.map((p) => `${across(p.load).toFixed(1)},${up(p[field]).toFixed(1)}`);
    const dots = points.map(
      (p) => `<circle cx="${across(p.load)}" cy="${up(p[field])}" r="3" fill="${colour}"/>`,
    );
    return `<polyline points="${path.join(' ')}" fill="none" stroke="${colour}" stroke-width="2"${dash}/>
      ${dots.join('')}<text x="${LEFT + 8 + i * 98}" y="36" fill="${colour}">${system}</text>`;
  });
  return `<g transform="translate(${index * WIDTH},0)">${lines.join('')}${loads.join('')}${drawn.join('')}
    <text x="${WIDTH / 2}" y="18" text-anchor="middle" font-size="14" font-weight="600">${field}</text>
    <text x="${WIDTH / 2}" y="${HEIGHT - 8}" text-anchor="middle" fill="#666">frames/s of 20 levels, one client, open loop</text></g>`;
}

async function writePicture(curves: readonly Curve[]): Promise<void> {
  const missing = chromiumMissing();
  if (missing !== null) {
    console.error(`no picture: ${missing}`);
    return;
  }
  const width = WIDTH * 2;
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${HEIGHT}" font-family="sans-serif" font-size="11">
    <rect width="100%" height="100%" fill="white"/>${panel(curves, 'p50', 0)}${panel(curves, 'p99', 1)}</svg>`;
  const browser = await launchChromium();
  const page = await browser.newPage({ viewport: { width, height: HEIGHT }, deviceScaleFactor: 2 });
  await page.setContent(`<body style="margin:0">${svg}</body>`);
  await page.screenshot({ path: join(FOLDER, 'curves.png') });
  await browser.close();
}

const file = join(FOLDER, 'curves.json');
if (process.argv.includes('--picture')) {
  const { curves } = JSON.parse(readFileSync(file, 'utf8')) as { curves: Curve[] };
  await writePicture(curves);
} else if (process.argv.includes('--cores')) {
  for (const system of SYSTEMS.slice(1)) {
    console.log(system, 'on one core:', Math.round(await mostOnOneCore(system)), 'frames/s');
  }
} else {
  const rounds = new Map<SystemName, Point[][]>(SYSTEMS.map((system) => [system, []]));
  for (let round = 0; round < ROUNDS; round++) {
    for (const system of SYSTEMS) rounds.get(system)!.push(await roundOf(system));
  }
  const curves = SYSTEMS.map((system) => curveOf(system, rounds.get(system)!));
  for (const { system, points } of curves) console.log(system, JSON.stringify(points));
  const loadAverage = Math.round(loadavg()[0]! * 10) / 10;
  writeFileSync(file, `${JSON.stringify({ loadAverage, curves }, null, 2)}\n`);
  await writePicture(curves);
}
