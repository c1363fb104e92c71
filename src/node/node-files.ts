/**
 * What a node on files needs before any thread starts: where the files are, where snapshots come
 * from, and which instruments there are. Main thread, cold.
 */
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Instrument } from '../domain/instrument.js';
import { FaultError } from '../faults/fault.js';
import { findNodeData } from '../ingest/node-data.js';
import type { NodeData } from '../ingest/node-data.js';
import { snapshotsOf } from '../ingest/node-snapshots.js';
import type { SnapshotPlaces } from '../ingest/node-snapshots.js';
import type { HttpTransport } from '../ingest/transport.js';
import { UndiciTransport } from '../ingest/undici-transport.js';
import type { UrlPolicy } from '../ingest/url-guard.js';
import type { NodeConfig } from '../ops/config-schema.js';
import type { FileSelection, FileVenue, HttpRequest } from '../venues/venue.js';
import { LIMITS } from './limits.js';
import { tryUntilThere } from './load-instruments.js';
import type { Patience } from './load-instruments.js';
import { readCoins } from './snapshot-coins.js';

/** Plain values for the ingest thread. */
export interface NodeFilesPlan {
  readonly data: NodeData;
  readonly places: SnapshotPlaces;
  readonly policy: UrlPolicy;
  readonly selection: FileSelection;
  readonly validateEveryNs: number;
  readonly fromBeginning: boolean;
}

export interface ArrangeOptions extends Patience {
  readonly venue: FileVenue;
  readonly settings: NodeConfig['node'];
  readonly symbols: readonly string[] | 'all';
}

/** Throws FaultError BAD_CONFIG, FILE_UNREADABLE, UNKNOWN_SYMBOL, VENUE_UNREACHABLE. */
export async function arrangeNodeFiles(
  options: ArrangeOptions,
): Promise<{ instruments: Instrument[]; files: NodeFilesPlan }> {
  const files = planNodeFiles(options);
  const { venue } = options;
  const http = new UndiciTransport({ ...files.policy, connectionsMax: 1 });
  try {
    const who = files.places.infoUrl ?? files.places.snapshotFile ?? files.places.statesDir;
    const { instruments, isPresent } = await tryUntilThere(options, `${venue.id} (${who})`, () =>
      instrumentsOf(options, files, http),
    );
    checkSymbols(options, instruments);
    return { instruments, files: { ...files, fromBeginning: !isPresent } };
  } finally {
    await http.close();
  }
}

function planNodeFiles({ venue, settings, symbols }: ArrangeOptions): NodeFilesPlan {
  const { dataDir, infoUrl, snapshotFile, binary } = settings;
  if (dataDir === undefined)
    throw new FaultError('BAD_CONFIG', `${venue.id} needs --data, the folder of the node's files`);
  if (infoUrl === undefined && snapshotFile === undefined && binary === undefined) {
    throw new FaultError(
      'BAD_CONFIG',
      `${venue.id} needs a snapshot: --info-url, --snapshot or --hl-node`,
    );
  }
  const data = findNodeData(dataDir, settings.layout);
  const { publicInfoUrl } = settings;
  return {
    data,
    places: {
      infoUrl,
      snapshotFile,
      binary,
      chain: settings.chain,
      snapshotDir: settings.snapshotDir ?? join(tmpdir(), 'ringside-snapshots'),
      statesDir: join(dirname(data.roots.diffs), 'periodic_abci_states'),
    },
    policy: { allowPrivate: true, onlyPrivate: !publicInfoUrl },
    selection: { symbols, markets: settings.markets },
    validateEveryNs: settings.validateEverySeconds * 1e9,
    fromBeginning: true,
  };
}

/**
 * From the info server, which also answers with snapshots of the present; else the names that a
 * snapshot holds, whose file or state has to be caught up with.
 */
async function instrumentsOf(
  { venue }: ArrangeOptions,
  { places, selection }: NodeFilesPlan,
  http: UndiciTransport,
): Promise<{ instruments: Instrument[]; isPresent: boolean }> {
  if (places.infoUrl !== undefined) {
    try {
      const instruments = await venue.listInstruments(askWith(http), places.infoUrl, selection);
      return { instruments, isPresent: true };
    } catch (error) {
      if (error instanceof FaultError && error.code === 'BAD_CONFIG') throw error;
      if (places.snapshotFile === undefined && places.binary === undefined) throw error;
    }
  }
  const bytes = await snapshotsOf(places, http).request();
  const instruments = venue.instrumentsOf(readCoins(bytes, 'the snapshot'), selection);
  return { instruments, isPresent: false };
}

/** Bounded questions; whatever is not answered by 200 is a fault. */
export function askWith(http: HttpTransport): (request: HttpRequest) => Promise<string> {
  const bounds = {
    msMax: LIMITS.instrumentsAnswerMsMax,
    bodyBytesMax: LIMITS.instrumentsBytesMax,
  };
  return async (request) => {
    const { status, body } = await http.request(request, bounds);
    const text = Buffer.from(body).toString('utf8');
    if (status === 200) return text;
    throw new FaultError(
      'VENUE_UNREACHABLE',
      `${request.url}: status ${status} ${text.slice(0, 200)}`,
    );
  };
}

function checkSymbols({ venue, symbols }: ArrangeOptions, found: readonly Instrument[]): void {
  const missing =
    symbols === 'all' ? [] : symbols.filter((s) => !found.some((i) => i.symbol === s));
  if (missing.length > 0)
    throw new FaultError('UNKNOWN_SYMBOL', `${venue.id} does not have ${missing.join(', ')}`);
}
