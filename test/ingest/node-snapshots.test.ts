/** Where snapshots come from: an info server on loopback, a file, a program; and who is not asked. */
import assert from 'node:assert/strict';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { newestState, snapshotsOf } from '../../src/ingest/node-snapshots.js';
import { UndiciTransport } from '../../src/ingest/undici-transport.js';
import { checkUrl } from '../../src/ingest/url-guard.js';

function scratch(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'ringside-snapshots-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

interface Asked {
  readonly type: string;
  readonly request: Record<string, unknown>;
  readonly outPath: string;
  readonly includeHeightInOutput: boolean;
}

/** An info server that answers `status` and, if it is 200, writes the file first. */
async function infoServer(t: TestContext, status: number, asked: Asked[]): Promise<string> {
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (piece: Buffer) => (body += piece.toString()));
    request.on('end', () => {
      const question = JSON.parse(body) as Asked;
      asked.push(question);
      if (status === 200) writeFileSync(question.outPath, '[5,[]]');
      response.writeHead(status).end('null');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

function transport(t: TestContext): UndiciTransport {
  const http = new UndiciTransport({ allowPrivate: true, onlyPrivate: true, connectionsMax: 1 });
  t.after(() => http.close());
  return http;
}

test('Node snapshots: the info server is asked for a file in our folder, which is gone when read', async (t) => {
  const directory = scratch(t);
  const asked: Asked[] = [];
  const infoUrl = await infoServer(t, 200, asked);
  const places = { infoUrl, snapshotDir: join(directory, 'out'), chain: 'Mainnet', statesDir: '' };
  const bytes = await snapshotsOf(places, transport(t)).request();
  assert.equal(asked[0]!.type, 'fileSnapshot');
  assert.equal(asked[0]!.includeHeightInOutput, true);
  assert.deepEqual(asked[0]!.request, {
    type: 'l4Snapshots',
    includeUsers: true,
    includeTriggerOrders: false,
  });
  assert.equal(dirname(asked[0]!.outPath), join(directory, 'out'));
  assert.deepEqual(readdirSync(join(directory, 'out')), [], 'nothing is left behind');
  assert.equal(bytes.read(99)!.toString(), '[5,[]]');
  assert.equal(bytes.read(99), null);
  bytes.close();
});

test('Node snapshots: 422 of the info server leads to the next provider, all refusals are told', async (t) => {
  const directory = scratch(t);
  const infoUrl = await infoServer(t, 422, []);
  const snapshotFile = join(directory, 'snapshot.json');
  const places = {
    infoUrl,
    snapshotDir: directory,
    snapshotFile,
    chain: 'Mainnet',
    statesDir: directory,
  };
  await assert.rejects(snapshotsOf(places, transport(t)).request(), /422.*; .*snapshot\.json/s);
  writeFileSync(snapshotFile, '[7,[]]');
  const bytes = await snapshotsOf(places, transport(t)).request();
  assert.equal(bytes.read(99)!.toString(), '[7,[]]');
  bytes.close();
});

test('Node snapshots: the program is run on the newest state, and its height is the name of it', async (t) => {
  const directory = scratch(t);
  const statesDir = join(directory, 'states');
  for (const [day, height] of [
    ['20260504', 99_000],
    ['20260505', 9_000_000],
    ['20260505', 10_000_000],
  ] as const) {
    mkdirSync(join(statesDir, day), { recursive: true });
    writeFileSync(join(statesDir, day, `${height}.rmp`), '');
  }
  assert.equal(newestState(statesDir)!.height, 10_000_000);
  const binary = join(directory, 'hl-node');
  writeFileSync(binary, `#!/bin/sh\necho "$@" > "${directory}/asked"\nprintf '[]' > "$6"\n`);
  chmodSync(binary, 0o755);
  const places = { snapshotDir: join(directory, 'o u;t'), binary, chain: 'Testnet', statesDir };
  const bytes = await snapshotsOf(places, transport(t)).request();
  assert.equal(bytes.height, 10_000_000);
  assert.equal(bytes.read(99)!.toString(), '[]');
  bytes.close();
  const asked = readFileSync(join(directory, 'asked'), 'utf8');
  assert.match(
    asked,
    /^--chain Testnet compute-l4-snapshots --include-users .*10000000\.rmp .*o u;t/,
  );
  writeFileSync(binary, '#!/bin/sh\necho "no such state" >&2\nexit 3\n');
  await assert.rejects(snapshotsOf(places, transport(t)).request(), /no such state/);
});

test('Node snapshots: an info server on a public address is refused unless allowed', () => {
  const policy = { allowPrivate: true, onlyPrivate: true };
  assert.throws(() => checkUrl('http://8.8.8.8:3001/info', policy), /public address/);
  assert.doesNotThrow(() => checkUrl('http://127.0.0.1:3001/info', policy));
  assert.doesNotThrow(() => checkUrl('http://10.1.2.3:3001/info', policy));
  assert.doesNotThrow(() => checkUrl('http://8.8.8.8:3001/info', { allowPrivate: true }));
});
