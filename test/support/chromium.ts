/** Debian's chromium for browser tests, or the reason why they are skipped. */
import { existsSync } from 'node:fs';
import { chromium, type Browser } from 'playwright-core';

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

export function launchChromium(): Promise<Browser> {
  return chromium.launch({ executablePath: EXECUTABLE, args: FLAGS });
}
