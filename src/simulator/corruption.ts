/**
 * Damages a copy of a frame. Simulator's thread; cold (rare by nature).
 *
 * Only damage that a strict reader can notice is done: a digit that becomes another digit (or, at a
 * number's end, a blank) would make a frame that is right in every way but untrue, which no reader
 * can tell and which a TCP checksum would not have let through.
 */
import type { Prng } from '../domain/prng.js';

const KINDS = 5;
const BLANK = 0x20;
const HTML = '<html><body><h1>502 Bad Gateway</h1></body></html>';

export function corrupted(frame: Uint8Array, prng: Prng): Uint8Array {
  switch (prng.nextInt(KINDS)) {
    case 0:
      return frame.slice(0, prng.nextInt(frame.length));
    case 1:
      return wrongForm(frame, prng);
    default:
      return bitFlipped(frame, prng);
  }
}

function bitFlipped(frame: Uint8Array, prng: Prng): Uint8Array {
  const damaged = frame.slice();
  for (;;) {
    const at = prng.nextInt(frame.length);
    const before = frame[at]!;
    const after = before ^ (1 << prng.nextInt(8));
    if (isDigit(before) && (isDigit(after) || after === BLANK)) continue;
    damaged[at] = after;
    return damaged;
  }
}

/** JSON, or nearly, that is no frame. */
function wrongForm(frame: Uint8Array, prng: Prng): Uint8Array {
  const text = Buffer.from(frame).toString('latin1');
  const forms = [
    HTML,
    '{}',
    '[]',
    'null',
    text.replace(/"data":.*/, '"data":null}'),
    text.replace(/:\[\[/, ':{"0":['),
    text.replace(/"(b|p)":/, '"$1":null,"x":'),
    text.replace(/"(u|t|a)":(\d+)/, '"$1":"x$2"'),
    `${text}${text}`,
    '',
  ];
  const form = forms[prng.nextInt(forms.length)]!;
  return new Uint8Array(Buffer.from(form === text ? HTML : form, 'latin1'));
}

function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39;
}
