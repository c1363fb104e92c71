/**
 * Where whole snapshots of a node's books come from: its info server (`fileSnapshot`), a file, its
 * command line on the newest state. Ingest thread, and the main thread at start; cold.
 *
 * A chain asks one after another until one answers: a node that does not serve snapshots (422, no
 * server at all) is asked again each time, since it may do so after a restart.
 */
import { execFile } from 'node:child_process';
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { FaultError } from '../faults/fault.js';
import type { NodeSnapshots, SnapshotBytes } from './node-files-options.js';
import { openSnapshotFile } from './snapshot-file.js';
import type { HttpTransport } from './transport.js';

/** All markets are some hundred MB of JSON, which the node writes within seconds. */
export const SNAPSHOT_MS_MAX = 60_000;
const ANSWER_BYTES_MAX = 64 * 1024;
/** Owner only: a snapshot is no secret, but nobody else may put one in its place. */
const DIRECTORY_MODE = 0o700;

export interface SnapshotPlaces {
  /** Base URL of the node's info server. */
  readonly infoUrl?: string | undefined;
  /** Where the node writes what it is asked for; it must see the same path. */
  readonly snapshotDir: string;
  readonly snapshotFile?: string | undefined;
  /** `hl-node`, if it may be run. */
  readonly binary?: string | undefined;
  readonly chain: string;
  /** Holds `{date}/{height}.rmp`. */
  readonly statesDir: string;
}

/** The providers that are configured, in the order in which they are asked. */
export function snapshotsOf(places: SnapshotPlaces, http: HttpTransport): NodeSnapshots {
  const chain: NodeSnapshots[] = [];
  if (places.infoUrl !== undefined)
    chain.push(new InfoSnapshots(places.infoUrl, places.snapshotDir, http));
  const { snapshotFile } = places;
  if (snapshotFile !== undefined)
    chain.push({ request: async () => ofThePast(openSnapshotFile(snapshotFile, null)) });
  if (places.binary !== undefined) chain.push(new CommandSnapshots(places.binary, places));
  return new SnapshotChain(chain);
}

/** Asked again it is the same, however long the books wait. */
function ofThePast(bytes: SnapshotBytes): SnapshotBytes {
  return { ...bytes, isPast: true };
}

export class SnapshotChain implements NodeSnapshots {
  private readonly chain: readonly NodeSnapshots[];

  constructor(chain: readonly NodeSnapshots[]) {
    this.chain = chain;
  }

  async request(): Promise<SnapshotBytes> {
    const refusals: string[] = [];
    for (const provider of this.chain) {
      try {
        return await provider.request();
      } catch (error) {
        refusals.push(error instanceof Error ? error.message : String(error));
      }
    }
    const why = refusals.length === 0 ? 'no snapshot is configured' : refusals.join('; ');
    throw new FaultError('SNAPSHOT_REFUSED', why);
  }
}

let filesAsked = 0;

/** A path of our own in the configured folder: nothing of it comes from anybody else. */
function nextPath(directory: string): string {
  mkdirSync(directory, { recursive: true, mode: DIRECTORY_MODE });
  filesAsked++;
  return resolve(directory, `ringside-l4-${process.pid}-${filesAsked % 8}.json`);
}

/** Opens what was written and takes its name away: it is gone when it has been read. */
function openAndForget(path: string, height: number | null): SnapshotBytes {
  const bytes = openSnapshotFile(path, height);
  rmSync(path, { force: true });
  return bytes;
}

export class InfoSnapshots implements NodeSnapshots {
  private readonly url: string;
  private readonly directory: string;
  private readonly http: HttpTransport;

  constructor(infoUrl: string, directory: string, http: HttpTransport) {
    this.url = `${infoUrl.replace(/\/+$/, '')}/info`;
    this.directory = directory;
    this.http = http;
  }

  async request(): Promise<SnapshotBytes> {
    const outPath = nextPath(this.directory);
    const answer = await this.http.request(
      {
        method: 'POST',
        url: this.url,
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({
          type: 'fileSnapshot',
          request: { type: 'l4Snapshots', includeUsers: true, includeTriggerOrders: false },
          outPath,
          includeHeightInOutput: true,
        }),
        weight: 0,
      },
      { msMax: SNAPSHOT_MS_MAX, bodyBytesMax: ANSWER_BYTES_MAX },
    );
    if (answer.status !== 200) {
      const text = Buffer.from(answer.body).toString('utf8', 0, 200);
      throw new FaultError('SNAPSHOT_REFUSED', `${this.url}: status ${answer.status} ${text}`);
    }
    return openAndForget(outPath, null);
  }
}

/** `hl-node --chain … compute-l4-snapshots --include-users <rmp> <out>` on the newest state. */
export class CommandSnapshots implements NodeSnapshots {
  private readonly binary: string;
  private readonly places: SnapshotPlaces;

  constructor(binary: string, places: SnapshotPlaces) {
    this.binary = binary;
    this.places = places;
  }

  async request(): Promise<SnapshotBytes> {
    const { chain, statesDir, snapshotDir } = this.places;
    const state = newestState(statesDir);
    if (state === null)
      throw new FaultError('SNAPSHOT_REFUSED', `${statesDir}: no {date}/{height}.rmp in it`);
    const out = nextPath(snapshotDir);
    const command = ['--chain', chain, 'compute-l4-snapshots', '--include-users', state.path, out];
    await run(this.binary, command);
    return ofThePast(openAndForget(out, state.height));
  }
}

export interface NodeState {
  readonly path: string;
  readonly height: number;
}

/** The state of the greatest height, whose name it is; null if there is none. */
export function newestState(statesDir: string): NodeState | null {
  const days = namesIn(statesDir, /^\d{8}$/).sort((a, b) => Number(b) - Number(a));
  for (const day of days) {
    const heights = namesIn(join(statesDir, day), /^\d+\.rmp$/).map((name) => parseInt(name, 10));
    if (heights.length === 0) continue;
    const height = Math.max(...heights);
    return { path: join(statesDir, day, `${height}.rmp`), height };
  }
  return null;
}

function namesIn(directory: string, pattern: RegExp): string[] {
  try {
    return readdirSync(directory).filter((name) => pattern.test(name));
  } catch {
    return [];
  }
}

function run(binary: string, command: readonly string[]): Promise<void> {
  return new Promise((settle, refuse) => {
    const options = { timeout: 2 * SNAPSHOT_MS_MAX, maxBuffer: 1 << 20, shell: false };
    execFile(binary, [...command], options, (error, _out, text) => {
      if (error === null) settle();
      else {
        const why = text.trim().split('\n').at(-1) ?? '';
        refuse(new FaultError('SNAPSHOT_REFUSED', `${binary}: ${why || error.message}`));
      }
    });
  });
}
