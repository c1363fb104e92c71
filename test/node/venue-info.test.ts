/** A whole node beside an info server: its documents reach `POST /info`, also those that come late. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { LiveNode } from '../support/live-node.js';
import { SOURCES } from '../support/node-api-rig.js';
import { syntheticBlock, writeSyntheticSnapshot } from '../support/synthetic-node.js';
import { pause } from '../support/until.js';

const DOCUMENTS: Readonly<Record<string, string>> = {
  meta: '{"universe":[{"name":"ETH","szDecimals":4,"maxLeverage":25},{"name":"OLD","szDecimals":1,"isDelisted":true},{"name":"BTC","szDecimals":5,"maxLeverage":40}]}',
  spotMeta:
    '{"tokens":[{"name":"USDC","index":0,"szDecimals":8,"tokenId":"0x6d1e"}],"universe":[]}',
  perpDexs: '[null]',
};

test('Node: the info server is asked for its documents until all are there, and they are served', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'ringside-info-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const block = syntheticBlock(1, 'BTC');
  for (const source of SOURCES) {
    const hours = join(directory, `node_${source}_by_block`, 'hourly', '20260505');
    mkdirSync(hours, { recursive: true });
    writeFileSync(join(hours, '17'), `${block[source]}\n`);
  }
  let refusals = 1;
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { type } = JSON.parse(Buffer.concat(chunks).toString()) as { type: string };
      const isRefused = DOCUMENTS[type] === undefined || (type === 'spotMeta' && refusals-- > 0);
      response.writeHead(isRefused ? 422 : 200).end(isRefused ? 'no' : DOCUMENTS[type]);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  const live = new LiveNode({
    venue: { id: 'hyperliquid-node' },
    node: {
      dataDir: directory,
      layout: 'by-block',
      infoUrl: `http://127.0.0.1:${port}`,
      snapshotFile: writeSyntheticSnapshot(['BTC', 'ETH']),
      validateEverySeconds: 0,
    },
  });
  t.after(() => live.stop());
  await live.node.start();
  const ask = async (body: object): Promise<string> => {
    const answer = await fetch(`http://127.0.0.1:${live.node.endpoints.port}/info`, {
      method: 'POST',
      body: JSON.stringify(body),
    });
    return answer.text();
  };
  for (const type of ['meta', 'perpDexs', 'spotMeta']) {
    while ((await ask({ type })) !== DOCUMENTS[type]) await pause(20);
  }
  assert.equal(refusals, -1, 'what was refused was asked for again');
  assert.ok(live.lines.some(({ event, msg }) => event === 'venue.info' && /spotMeta/.test(msg)));
  const [meta, contexts] = JSON.parse(await ask({ type: 'metaAndAssetCtxs' })) as [
    unknown,
    unknown[],
  ];
  assert.deepEqual(meta, JSON.parse(DOCUMENTS['meta']!));
  assert.equal(contexts.length, 3);
});
