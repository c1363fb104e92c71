/** Dead code: what no other file names, and files that nothing reaches. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

/** From dist/test/house to the repository. */
const ROOT = join(import.meta.dirname, '..', '..', '..');

function filesBelow(folder: string): Map<string, string> {
  const names = readdirSync(join(ROOT, folder), { recursive: true })
    .map(String)
    .filter((name) => /\.(ts|mjs|html)$/.test(name) && !name.includes('generated'));
  return new Map(
    names.map((name) => [`${folder}/${name}`, readFileSync(join(ROOT, folder, name), 'utf8')]),
  );
}

const SOURCES = filesBelow('src');
const ALL = new Map([...SOURCES, ...filesBelow('test'), ...filesBelow('bench')]);
const EXPORTED = /^export (?:async )?(?:const|let|function|class|interface|type) (\w+)/gm;
/** What programs outside import: package.json's exports. */
const ENTRIES = /^src\/(index|main|client\/(index|browser))\.ts$/;

const words = new Map([...ALL].map(([path, text]) => [path, new Set(text.match(/\w+/g))]));
const timesIn = (text: string, name: string): number =>
  text.match(new RegExp(`\\b${name}\\b`, 'g'))!.length;

test('Every export is used: by another file, or at least by its own', () => {
  const dead: string[] = [];
  for (const [path, text] of SOURCES) {
    if (ENTRIES.test(path)) continue;
    for (const [, name] of text.matchAll(EXPORTED)) {
      const isNamed = [...words].some(([other, names]) => other !== path && names.has(name!));
      if (!isNamed && timesIn(text, name!) === 1) dead.push(`${path}: ${name}`);
    }
  }
  assert.deepEqual(dead, []);
});

/** Reached by tests and by programs of others only, and meant so. */
const STANDING_ALONE = [
  'src/broadcast/memory-server.ts',
  'src/dashboard/css.d.ts',
  'src/wire/verifier.ts',
];

test('Every source file is imported or loaded by some other source', () => {
  const stems = [...SOURCES].map(([path]) => path.replace(/^.*\//, '').replace(/\.ts$/, ''));
  assert.ok(stems.length > 100);
  const orphans = [...SOURCES.keys()].filter((path) => {
    if (
      ENTRIES.test(path) ||
      STANDING_ALONE.includes(path) ||
      path.endsWith('.html') ||
      path.endsWith('.mjs')
    )
      return false;
    const stem = path.replace(/^.*\//, '').replace(/(\.as)?\.ts$/, '');
    return ![...SOURCES].some(([other, text]) => other !== path && text.includes(`/${stem}.`));
  });
  assert.deepEqual(orphans, []);
});
