/** Configuration: precedence, and mistakes named by where they were made. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { FaultError } from '../../src/faults/fault.js';
import { loadConfig } from '../../src/ops/config.js';
import { configJsonSchema } from '../../src/ops/config-schema.js';
import { SETTINGS, variableOf } from '../../src/ops/settings.js';
import { editDistance, suggest } from '../../src/ops/suggest.js';

const folder = mkdtempSync(join(tmpdir(), 'ringside-config-'));
after(() => rmSync(folder, { recursive: true }));

function write(name: string, text: string): string {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
}

/** The lines of the complaint, with the folder taken off. */
function problemsOf(run: () => unknown): string[] {
  let problems: string[] = [];
  assert.throws(run, (error) => {
    assert.ok(error instanceof FaultError);
    assert.equal(error.code, 'BAD_CONFIG');
    problems = error.message.replaceAll(`${folder}/`, '').split('\n');
    return true;
  });
  return problems;
}

test('Config: without any source the defaults hold', () => {
  const { config, origins, warnings } = loadConfig({});
  assert.equal(config.server.port, 9001);
  assert.equal(config.server.host, '127.0.0.1');
  assert.equal(config.venue.id, undefined);
  assert.ok(config.simulator.instruments >= 20);
  assert.equal(origins.size, 0);
  assert.deepEqual(warnings, []);
});

test('Config: a flag wins over a variable, a variable over the file, the file over the default', () => {
  const file = write(
    'precedence.yaml',
    'server:\n  port: 1\n  host: 10.0.0.1\nthreads:\n  layout: split\n',
  );
  const environment = { RINGSIDE_PORT: '2', RINGSIDE_HOST: '10.0.0.2' };
  const { config, origins } = loadConfig({
    file,
    environment,
    flags: new Map([['server.port', '3']]),
  });
  assert.equal(config.server.port, 3);
  assert.equal(config.server.host, '10.0.0.2');
  assert.equal(config.threads.layout, 'split');
  assert.equal(config.threads.workers, 0);
  assert.equal(origins.get('server.port'), '--port');
  assert.equal(origins.get('server.host'), 'RINGSIDE_HOST');
});

test('Config: YAML, TOML and JSON say the same thing', () => {
  const wanted = loadConfig({
    file: write('a.yaml', 'venue:\n  id: binance-futures\n  symbols: [BTCUSDT]\n'),
  });
  const toml = loadConfig({
    file: write('a.toml', '[venue]\nid = "binance-futures"\nsymbols = ["BTCUSDT"]\n'),
  });
  const json = loadConfig({
    file: write('a.json', '{"venue":{"id":"binance-futures","symbols":["BTCUSDT"]}}'),
  });
  assert.deepEqual(toml.config, wanted.config);
  assert.deepEqual(json.config, wanted.config);
});

test('Config: every mistake of a YAML file is told at once, each with line and column', () => {
  const file = write(
    'bad.yaml',
    'server:\n  prot: 9001\n  host: 5\nthreads:\n  layout: ful\n  workers: many\nsevrer: {}\nsimulator:\n  faults:\n    dorp: 0.1\n    drop: 2\n',
  );
  const problems = problemsOf(() => loadConfig({ file }));
  assert.deepEqual(
    problems.sort(),
    [
      'bad.yaml:10:5 simulator.faults.dorp: unknown setting (did you mean "drop"?)',
      'bad.yaml:11:11 simulator.faults.drop: expected at most 1, found 2',
      'bad.yaml:2:3 server.prot: unknown setting (did you mean "port"?)',
      'bad.yaml:3:9 server.host: expected string, found 5',
      'bad.yaml:5:11 threads.layout: expected one of auto, full, split, fused, found "ful" (did you mean "full"?)',
      'bad.yaml:6:12 threads.workers: expected number, found "many"',
      'bad.yaml:7:1 sevrer: unknown setting (did you mean "server"?)',
    ].sort(),
  );
});

test('Config: mistakes of a TOML file have their line too', () => {
  const file = write(
    'bad.toml',
    '# comment\n[server]\nport = 70000\n\n[threads]\nlayuot = "full"\n',
  );
  assert.deepEqual(problemsOf(() => loadConfig({ file })).sort(), [
    'bad.toml:3:1 server.port: expected at most 65535, found 70000',
    'bad.toml:6:1 threads.layuot: unknown setting (did you mean "layout"?)',
  ]);
});

test('Config: text that is no YAML, TOML or JSON is refused at its place', () => {
  assert.match(
    problemsOf(() => loadConfig({ file: write('x.yaml', 'server:\n  port: [1\n') }))[0]!,
    /^x\.yaml:\d+:\d+ /,
  );
  assert.match(
    problemsOf(() => loadConfig({ file: write('x.toml', 'a = \n') }))[0]!,
    /^x\.toml:1:\d+ /,
  );
  assert.match(
    problemsOf(() => loadConfig({ file: write('y.yaml', '- 1\n') }))[0]!,
    /expected a table/,
  );
});

test('Config: a mistake in a flag or a variable is named by it', () => {
  const problems = problemsOf(() =>
    loadConfig({
      flags: new Map([['server.port', 'http']]),
      environment: { RINGSIDE_IDLE: 'prak' },
    }),
  );
  assert.deepEqual(problems, [
    '--port server.port: expected number, found "http"',
    'RINGSIDE_IDLE threads.idle: expected one of auto, spin, park, hybrid, found "prak" (did you mean "park"?)',
  ]);
});

test('Config: a secret that is refused is not shown', () => {
  const problems = problemsOf(() => loadConfig({ flags: new Map([['server.token', 'short']]) }));
  assert.equal(problems.length, 1);
  assert.doesNotMatch(problems[0]!, /"short"/);
});

test('Config: a variable with our prefix that nobody reads is warned about', () => {
  const { warnings } = loadConfig({
    environment: { RINGSIDE_PROT: '1', RINGSIDE_CAPTURES: 'x', HOME: '/' },
  });
  assert.deepEqual(warnings, ['RINGSIDE_PROT: unknown variable (did you mean "RINGSIDE_PORT"?)']);
});

test('Config: a file that is not there is FILE_UNREADABLE', () => {
  assert.throws(
    () => loadConfig({ file: join(folder, 'absent.yaml') }),
    (error) => error instanceof FaultError && error.code === 'FILE_UNREADABLE',
  );
});

test('Config: simulator faults are read from a flag', () => {
  const flags = new Map([['simulator.faults', 'drop=0.01,late-snapshot=0.5']]);
  assert.deepEqual(loadConfig({ flags }).config.simulator.faults, {
    drop: 0.01,
    lateSnapshot: 0.5,
  });
});

test("Config: the venue's own choices are read from a flag, as text", () => {
  const flags = new Map([['venue.settings', 'depth-interval=0ms,x=1']]);
  assert.deepEqual(loadConfig({ flags }).config.venue.settings, { depthInterval: '0ms', x: '1' });
});

test('Config: keys of the prototype are no settings', () => {
  const file = write('proto.json', '{"__proto__":{"polluted":1},"server":{"constructor":1}}');
  problemsOf(() => loadConfig({ file }));
  assert.equal(({} as Record<string, unknown>)['polluted'], undefined);
});

test('Settings: each stands in the schema, and no two share a flag or a variable', () => {
  interface Shape {
    properties?: Record<string, Shape>;
  }
  for (const setting of SETTINGS) {
    let at: Shape | undefined = configJsonSchema() as Shape;
    for (const key of setting.path.split('.')) at = at?.properties?.[key];
    assert.ok(at !== undefined, `${setting.path} is in the schema`);
  }
  assert.equal(new Set(SETTINGS.map(variableOf)).size, SETTINGS.length);
});

test('Suggest: a swap of neighbours counts once, and far words are not suggested', () => {
  assert.equal(editDistance('prot', 'port'), 1);
  assert.equal(editDistance('', 'abc'), 3);
  assert.equal(suggest('BTCUSTD', ['ETHUSDT', 'BTCUSDT']), 'BTCUSDT');
  assert.equal(suggest('zzzzzz', ['port', 'host']), null);
});
