/**
 * Draws full-screen text on a terminal: keeps what is on the screen, and writes only the lines that
 * differ, as one synchronised update, so that nothing flickers. Knows nothing of what it shows. Cold.
 */
const ESC = '\u001b[';
const ENTER = `${ESC}?1049h${ESC}?25l${ESC}2J`;
const LEAVE = `${ESC}?25h${ESC}?1049l`;
/** Terminals that know it draw the update at once; others ignore it. */
const BEGIN_UPDATE = `${ESC}?2026h`;
const END_UPDATE = `${ESC}?2026l`;
const RESET_AND_CLEAR_LINE = `${ESC}0m${ESC}K`;

export class FrameWriter {
  private readonly write: (text: string) => void;
  private shown: string[] = [];
  private entered = false;

  constructor(write: (text: string) => void) {
    this.write = write;
  }

  /** Takes over the screen; what was on it comes back with `leave`. */
  enter(): void {
    if (this.entered) return;
    this.entered = true;
    this.shown = [];
    this.write(ENTER);
  }

  leave(): void {
    if (!this.entered) return;
    this.entered = false;
    this.write(LEAVE);
  }

  /** The screen was resized or scribbled on: the next frame is drawn in full. */
  forget(): void {
    this.shown = [];
    if (this.entered) this.write(`${ESC}2J`);
  }

  /** One string a line; each must fit the width. Lines that went missing are cleared. */
  draw(lines: readonly string[]): void {
    if (!this.entered) return;
    let update = '';
    for (let i = 0; i < Math.max(lines.length, this.shown.length); i++) {
      const line = lines[i] ?? '';
      if (line === this.shown[i]) continue;
      update += `${ESC}${i + 1};1H${line}${RESET_AND_CLEAR_LINE}`;
    }
    this.shown = [...lines];
    if (update !== '') this.write(BEGIN_UPDATE + update + END_UPDATE);
  }
}
