/**
 * Who may come in: Host, Origin, token, and how many. Pure decisions over header text. Broadcast
 * thread, cold.
 *
 * Host: a page on the internet can point a name of its own at 127.0.0.1 (DNS rebinding) and then is
 * "same origin" with us; it cannot do so with an address or with `localhost`. So those are taken, and
 * names only from the allow-list. Origin: absent means no browser; else it must be our own or listed,
 * because browsers let any page open a WebSocket to any host.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import { isIP } from 'node:net';
import type { FaultCode } from '../faults/fault.js';

export interface SecurityOptions {
  /** Origins of pages that may connect besides our own, e.g. `https://desk.example`. */
  readonly allowedOrigins?: readonly string[];
  /** Host names by which this node may be addressed besides `localhost` and plain addresses. */
  readonly allowedHosts?: readonly string[];
  /** Bearer token; without one everybody who reaches the port may read. */
  readonly token?: string | undefined;
}

export type AdmissionVerdict =
  | { readonly ok: true; readonly authenticated: boolean }
  | {
      readonly ok: false;
      readonly status: number;
      readonly code: FaultCode;
      readonly message: string;
    };

interface Caller {
  readonly host: string;
  readonly origin: string;
  readonly authorization: string;
}

const BEARER = /^bearer +(.+?) *$/i;

export class Admission {
  private readonly origins: ReadonlySet<string>;
  private readonly hosts: ReadonlySet<string>;
  private readonly tokenHash: Buffer | null;

  constructor(options: SecurityOptions) {
    this.origins = new Set((options.allowedOrigins ?? []).map((origin) => origin.toLowerCase()));
    this.hosts = new Set((options.allowedHosts ?? []).map((host) => host.toLowerCase()));
    this.tokenHash = options.token === undefined ? null : hashOf(options.token);
  }

  get needsToken(): boolean {
    return this.tokenHash !== null;
  }

  /** The Host header's rule, for every HTTP request. */
  hostAllowed(host: string): boolean {
    const name = hostNameOf(host);
    if (name === null) return false;
    return name === 'localhost' || isIP(name) !== 0 || this.hosts.has(name);
  }

  originAllowed(origin: string, host: string): boolean {
    if (origin === '') return true;
    const lower = origin.toLowerCase();
    if (this.origins.has(lower)) return true;
    const authority = /^https?:\/\/([^/]+)$/.exec(lower)?.[1];
    return authority !== undefined && authority === host.toLowerCase();
  }

  tokenMatches(token: string): boolean {
    return this.tokenHash === null || timingSafeEqual(hashOf(token), this.tokenHash);
  }

  /**
   * Of a WebSocket handshake. Without an Authorization header the connection may still say who it is
   * by its first message (browsers cannot set the header): ok, not authenticated.
   */
  judge(caller: Caller): AdmissionVerdict {
    if (!this.hostAllowed(caller.host)) {
      return refuse(
        403,
        'FORBIDDEN_HOST',
        'the Host header names neither an address nor an allowed host',
      );
    }
    if (!this.originAllowed(caller.origin, caller.host)) {
      return refuse(
        403,
        'FORBIDDEN_ORIGIN',
        'pages of this origin may not connect; see allowedOrigins',
      );
    }
    if (this.tokenHash === null) return { ok: true, authenticated: true };
    if (caller.authorization === '') return { ok: true, authenticated: false };
    return this.bearer(caller.authorization)
      ? { ok: true, authenticated: true }
      : refuse(401, 'UNAUTHORIZED', 'the bearer token is not the right one');
  }

  /** Whether an Authorization header opens what a token protects. */
  bearer(authorization: string): boolean {
    if (this.tokenHash === null) return true;
    const token = BEARER.exec(authorization)?.[1];
    return token !== undefined && this.tokenMatches(token);
  }
}

function refuse(status: number, code: FaultCode, message: string): AdmissionVerdict {
  return { ok: false, status, code, message };
}

/** Hashes have one length, so that comparing them tells nothing of the token's. */
function hashOf(token: string): Buffer {
  return createHash('sha256').update(token, 'utf8').digest();
}

/** Name or address of a Host header in lower case, null if it is none. */
function hostNameOf(host: string): string | null {
  const match = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9._-]+))(?::\d{1,5})?$/.exec(host.toLowerCase());
  if (match === null) return null;
  return match[1] ?? match[2]!.replace(/\.$/, '');
}
