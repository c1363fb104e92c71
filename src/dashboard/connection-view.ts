/** The page's own connection: state in words, and the counters that prove the feed. Page. */
import type { ConnectionState } from '../client/browser.js';
import { bytesText, countText } from '../client/display-text.js';
import { element, setText } from './dom.js';
import type { Totals } from './protocol.js';

export class ConnectionView {
  private readonly line = element('connection');
  private readonly text = this.line.querySelector('.text')!;
  private readonly rate = element('total-rate');
  private readonly bytes = element('total-bytes');
  private readonly checked = element('total-checked');
  private readonly failed = element('total-failed');
  private readonly gaps = element('total-gaps');
  private readonly resumes = element('total-resumes');

  setState(state: ConnectionState, reason: string): void {
    this.line.dataset['state'] = state;
    const why = reason === '' ? '' : ` (${reason})`;
    const words: Record<ConnectionState, string> = {
      idle: 'Not connected',
      connecting: 'Connecting to the node',
      live: 'Connected',
      waiting: `Connection lost${why}. Trying again.`,
      closed: 'Closed',
    };
    setText(this.text, words[state]);
    document.body.classList.toggle('offline', state !== 'live');
  }

  setUnauthorized(): void {
    this.setState('closed', '');
    setText(this.text, 'The node asks for a token');
  }

  setTotals(totals: Totals): void {
    setText(this.rate, countText(totals.messagesPerSecond));
    setText(this.bytes, `${bytesText(totals.bytesPerSecond)}/s`);
    setText(this.checked, countText(totals.hashChecked));
    setText(this.failed, countText(totals.hashFailed));
    setText(this.gaps, countText(totals.gaps));
    setText(this.resumes, countText(totals.resumes));
    this.failed.classList.toggle('alarm', totals.hashFailed > 0);
    this.gaps.classList.toggle('alarm', totals.gaps > 0);
  }
}
