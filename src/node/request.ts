/** One HTTP request of the main thread, through undici: the venue's instrument list. Cold. */
import { request } from 'undici';
import { FaultError } from '../faults/fault.js';
import type { HttpRequest } from '../venues/venue.js';
import { LIMITS } from './limits.js';
import type { InstrumentsAnswer } from './load-instruments.js';

export async function requestInstruments(wanted: HttpRequest): Promise<InstrumentsAnswer> {
  const answer = await request(wanted.url, {
    method: wanted.method,
    headers: { ...wanted.headers },
    body: wanted.body ?? null,
    headersTimeout: LIMITS.instrumentsAnswerMsMax,
    bodyTimeout: LIMITS.instrumentsAnswerMsMax,
  });
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of answer.body) {
    const chunk = part as Buffer;
    bytes += chunk.length;
    if (bytes > LIMITS.instrumentsBytesMax) {
      answer.body.destroy();
      throw new FaultError(
        'FRAME_TOO_LARGE',
        `the answer is larger than ${LIMITS.instrumentsBytesMax} bytes`,
      );
    }
    parts.push(chunk);
  }
  const headers = Object.fromEntries(
    Object.entries(answer.headers).map(([name, value]) => [name.toLowerCase(), String(value)]),
  );
  return { status: answer.statusCode, headers, body: Buffer.concat(parts).toString('utf8') };
}
