/** How far a command has come with its capture files, as a bar on stderr. Cold. */
import cliProgress from 'cli-progress';
import { statSync } from 'node:fs';

/** Over both passes, survey and run; nothing where it is not wanted or nobody would see it. */
export class CaptureProgress {
  readonly totalBytes: number;
  private readonly bar: cliProgress.SingleBar | null;
  private isShown = false;

  constructor(what: string, paths: readonly string[], isWanted: boolean) {
    this.totalBytes = 2 * paths.reduce((sum, path) => sum + sizeOf(path), 0);
    this.bar =
      isWanted && process.stderr.isTTY
        ? new cliProgress.SingleBar({
            format: `${what} {bar} {percentage}% · {eta_formatted} left`,
            stream: process.stderr,
            clearOnComplete: true,
          })
        : null;
  }

  show(bytes: number): void {
    if (this.bar === null) return;
    if (!this.isShown) this.bar.start(this.totalBytes, 0);
    this.isShown = true;
    this.bar.update(Math.min(bytes, this.totalBytes));
  }

  stop(): void {
    if (this.isShown) this.bar?.stop();
    this.isShown = false;
  }
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}
