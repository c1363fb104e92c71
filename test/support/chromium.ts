/** Debian's chromium for browser tests, or the reason why they are skipped. */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { chromium, type Browser } from 'playwright-core';

export const dashboardFolder = resolve(import.meta.dirname, '../../dashboard');

const EXECUTABLE = process.env['RINGSIDE_CHROMIUM'] ?? '/usr/bin/chromium';

const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** Null where the browser is there. */
export function chromiumMissing(): string | null {
  return existsSync(EXECUTABLE)
    ? null
    : `no chromium at ${EXECUTABLE}: install Debian's package chromium, or set RINGSIDE_CHROMIUM`;
}

/** Null where the page is built. */
export function dashboardMissing(): string | null {
  return existsSync(join(dashboardFolder, 'index.html'))
    ? null
    : 'the dashboard is not built: npm run build';
}

export function launchChromium(): Promise<Browser> {
  return chromium.launch({ executablePath: EXECUTABLE, args: FLAGS });
}
