/** The shared venue spec over Hyperliquid, with frames from its wire in 2025 and quoted from it in 2026. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { HyperliquidCaptureScout } from '../../src/venues/hyperliquid/capture.js';
import { venueById } from '../../src/venues/registry.js';
import { capturesDirectory } from '../support/captures.js';
import { testVenueContract } from './venue-contract.js';
import type { VenueSamples } from './venue-contract.js';

function framesOf(): VenueSamples | null {
  const directory = capturesDirectory();
  if (directory === null) return null;
  const home = join(directory, 'hyperliquid');
  const recent = readFileSync(join(home, 'profile', 'frames_2026-09-24.jsonl'), 'utf8');
  const old = gunzipSync(readFileSync(join(home, 'hftbacktest', 'hyperliquid_btcusd_20250126.gz')));
  const frames = `${recent}\n${old.toString('latin1').replaceAll(/^\d+ /gm, '')}`
    .split('\n')
    .filter((line) => /^\{"channel":"(l2Book|bbo|trades|activeAssetCtx)"/.test(line));
  const scout = new HyperliquidCaptureScout();
  for (const frame of frames) scout.onFrame(0, new TextEncoder().encode(frame));
  return { frames, instruments: scout.finish().instruments };
}

testVenueContract({
  name: 'Hyperliquid',
  create: (options) => venueById('hyperliquid', options),
  samples: framesOf,
  instrumentsMax: 266,
  asksFor: (frame, key) => {
    const { subscription } = JSON.parse(frame) as { subscription: { type: string; coin: string } };
    return `${subscription.type} ${subscription.coin}` === key;
  },
});
