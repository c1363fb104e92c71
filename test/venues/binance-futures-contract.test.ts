/** The shared venue spec over Binance futures, with frames from captures where they are present. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { venueById } from '../../src/venues/registry.js';
import { capturesDirectory } from '../support/captures.js';
import { FuturesCaptureScout } from '../../src/venues/binance-futures/capture.js';
import { testVenueContract } from './venue-contract.js';
import type { VenueSamples } from './venue-contract.js';

const FRAMES_MAX = 1500;

/** The frames of a cryptofeed capture: lines `1626992741.06: {…}`. */
function framesOf(file: string): VenueSamples | null {
  const directory = capturesDirectory();
  if (directory === null) return null;
  const text = readFileSync(join(directory, 'binance', 'cryptofeed', file), 'latin1');
  const frames = [...text.matchAll(/^\d+\.\d+: (\{.*\})$/gm)]
    .slice(0, FRAMES_MAX)
    .map(([, json]) => json!);
  const scout = new FuturesCaptureScout();
  for (const frame of frames) scout.onFrame(0, new TextEncoder().encode(frame));
  return { frames, instruments: scout.finish().instruments };
}

const create = (options: object) => venueById('binance-futures', options);
testVenueContract({
  name: 'Binance USD-M',
  create,
  samples: () => framesOf('BINANCE_FUTURES-1125a2.0.6397a047'),
});
testVenueContract({
  name: 'Binance COIN-M',
  create,
  samples: () => framesOf('BINANCE_DELIVERY.ws.1.0'),
});
