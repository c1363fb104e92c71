/** An HttpTransport without a network: each request waits until the test answers it. */
import { FaultError } from '../../src/faults/fault.js';
import type { HttpAnswer, HttpBounds, HttpTransport } from '../../src/ingest/transport.js';
import type { Clock } from '../../src/time/clock.js';
import type { HttpRequest } from '../../src/venues/venue.js';

export class MemoryRequest {
  isSettled = false;
  private resolve!: (answer: HttpAnswer) => void;
  private reject!: (error: Error) => void;
  readonly answered: Promise<HttpAnswer>;

  constructor(
    readonly request: HttpRequest,
    readonly bounds: HttpBounds,
    readonly atNs: number,
  ) {
    this.answered = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
  }

  /** Lets the answer through; await `settle` before looking at what it caused. */
  answer(status: number, body: string, headers: Record<string, string> = {}): void {
    this.isSettled = true;
    this.resolve({ status, headers, body: Buffer.from(body) });
  }

  fail(message: string): void {
    this.isSettled = true;
    this.reject(new FaultError('VENUE_UNREACHABLE', message));
  }
}

export class MemoryHttpTransport implements HttpTransport {
  readonly requests: MemoryRequest[] = [];
  /** What the server does with a new request; the default leaves it waiting. */
  onRequest: (request: MemoryRequest) => void = () => {};

  constructor(private readonly clock: Clock) {}

  request(request: HttpRequest, bounds: HttpBounds): Promise<HttpAnswer> {
    const pending = new MemoryRequest(request, bounds, this.clock.nowNs());
    this.requests.push(pending);
    this.onRequest(pending);
    return pending.answered;
  }

  get waiting(): MemoryRequest[] {
    return this.requests.filter((request) => !request.isSettled);
  }
}

/** Runs every promise reaction that is due. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 8; i++) await Promise.resolve();
}
