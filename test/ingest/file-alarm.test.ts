/** Who is woken when a node's files grow, over folders that come, go and change. */
import assert from 'node:assert/strict';
import { appendFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { FileAlarm } from '../../src/ingest/file-alarm.js';
import { pause, until } from '../support/until.js';

function alarmOn(t: TestContext, bytesRead: () => number = () => 0) {
  const root = mkdtempSync(join(tmpdir(), 'ringside-alarm-'));
  const heard = { grown: 0, files: 0 };
  const alarm = new FileAlarm({
    roots: [root],
    onGrown: () => heard.grown++,
    onFiles: () => heard.files++,
    bytesRead,
  });
  t.after(() => {
    alarm.close();
    rmSync(root, { recursive: true, force: true });
  });
  return { root, heard, alarm };
}

function write(root: string, day: string, hour: string): void {
  mkdirSync(join(root, 'hourly', day), { recursive: true });
  appendFileSync(join(root, 'hourly', day, hour), 'a line\n');
}

test('FileAlarm: until the folders are there it looks; then the system tells, over the day too', async (t) => {
  const { root, heard, alarm } = alarmOn(t);
  alarm.start();
  assert.equal(alarm.isPolling, true, 'nothing can be watched yet');
  await until(() => heard.grown > 3, 'it looks by itself');
  write(root, '20260505', '23');
  await until(() => !alarm.isPolling, 'the folders are watched');
  const before = heard.grown;
  await pause(60);
  assert.equal(heard.grown, before, 'nobody is woken while nothing is written');
  write(root, '20260505', '23');
  await until(() => heard.grown > before, 'a write is told');
  const files = heard.files;
  write(root, '20260506', '0');
  await until(() => heard.files > files, 'a new day is told');
  await until(() => {
    const told = heard.grown;
    write(root, '20260506', '0');
    return heard.grown > told || told > before + 3;
  }, 'and what is written in it');
});

test('FileAlarm: where data comes and nobody tells, it looks', async (t) => {
  let bytes = 0;
  const { root, heard, alarm } = alarmOn(t, () => (bytes += 1));
  write(root, '20260505', '17');
  alarm.start();
  await until(() => alarm.isPolling, 'the file system is deaf');
  const before = heard.grown;
  await until(() => heard.grown > before + 3, 'it looks by itself');
});
