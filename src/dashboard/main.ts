/**
 * The page: starts the feed worker, asks it once per animation frame what is new, and draws that.
 * The feed, its parsing and its books are all in the worker; here is only drawing.
 */
import 'uplot/dist/uPlot.min.css';
import { ConnectionView } from './connection-view.js';
import { DepthChart } from './depth-chart.js';
import { InstrumentsView } from './instruments-view.js';
import { LadderView } from './ladder-view.js';
import { LatencyView } from './latency-view.js';
import type { PageMessage, WorkerMessage } from './protocol.js';
import { TokenForm } from './token-form.js';

function start(): void {
  const worker = new Worker(new URL('./feed-worker.ts', import.meta.url), { type: 'module' });
  const post = (message: PageMessage): void => worker.postMessage(message);
  const connection = new ConnectionView();
  const ladder = new LadderView();
  const depth = new DepthChart();
  const latency = new LatencyView();
  const scheme = location.protocol === 'https:' ? 'wss:' : 'ws:';
  const url = `${scheme}//${location.host}/v1/feed`;
  let connected = false;
  const instruments = new InstrumentsView((instrument) => {
    ladder.setInstrument(instrument);
    depth.clear();
    history.replaceState(null, '', `#${encodeURIComponent(instrument)}`);
    post({ type: 'choose', instrument });
  });

  const draw = (frame: Extract<WorkerMessage, { type: 'frame' }>): void => {
    instruments.update(frame.rows);
    if (frame.book?.instrument === instruments.chosenInstrument) {
      ladder.update(frame.book, connected);
      if (frame.curve !== null) depth.update(frame.curve);
    }
    if (frame.latency !== null) latency.update(frame.latency);
    if (frame.totals !== null) connection.setTotals(frame.totals);
    requestAnimationFrame(() => post({ type: 'frame' }));
  };

  worker.addEventListener('message', ({ data }: MessageEvent<WorkerMessage>) => {
    if (data.type === 'frame') {
      draw(data);
    } else if (data.type === 'unauthorized') {
      connection.setUnauthorized();
      token.ask();
    } else if (data.type === 'connection') {
      connected = data.state === 'live';
      connection.setState(data.state, data.reason);
      instruments.setConnected(connected);
    } else {
      instruments.setInstruments(data.rows);
      const wanted = wantedInstrument();
      const first = data.rows[0]?.instrument;
      if (instruments.chosenInstrument !== '') return;
      if (instruments.has(wanted)) instruments.choose(wanted);
      else if (first !== undefined) instruments.choose(first);
    }
  });
  worker.addEventListener('error', () => connection.setState('closed', 'the feed worker failed'));

  const startFeed = (secret: string): void => post({ type: 'start', url, token: secret });
  const token = new TokenForm((secret) => {
    startFeed(secret);
    if (instruments.chosenInstrument !== '') {
      post({ type: 'choose', instrument: instruments.chosenInstrument });
    }
  });

  startFeed(token.stored);
  requestAnimationFrame(() => post({ type: 'frame' }));
}

/** The instrument that the address names, if it is one that can be read. */
function wantedInstrument(): string {
  try {
    return decodeURIComponent(location.hash.slice(1));
  } catch {
    return '';
  }
}

start();
