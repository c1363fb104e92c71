/** Asks for the node's token where it wants one. Kept for this tab only. Page. */
import { element, inputElement, setText } from './dom.js';

const STORED_AS = 'ringside-token';

export class TokenForm {
  private readonly form = element('token-form');
  private readonly input = inputElement('token');
  private readonly label = element('token-label');

  constructor(onToken: (token: string) => void) {
    this.form.addEventListener('submit', (event) => {
      event.preventDefault();
      sessionStorage.setItem(STORED_AS, this.input.value);
      this.form.hidden = true;
      onToken(this.input.value);
    });
  }

  /** The token of before, or nothing. */
  get stored(): string {
    return sessionStorage.getItem(STORED_AS) ?? '';
  }

  ask(): void {
    const refused = this.stored !== '';
    sessionStorage.removeItem(STORED_AS);
    setText(
      this.label,
      refused ? 'That token is not the right one. Token:' : 'This node asks for a token:',
    );
    this.input.value = '';
    this.form.hidden = false;
    this.input.focus();
  }
}
