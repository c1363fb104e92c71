/**
 * Which addresses the ingest room may talk to. Venue URLs come from code or configuration; still, a
 * typing mistake or a poisoned name server must not make the node a way into the local network.
 *
 * Encrypted schemes only, except to this machine; a public name must not resolve to a private address
 * unless the configuration says that the venue is local. Cold; used by both transports.
 */
import type { LookupAddress, LookupOptions } from 'node:dns';
import { lookup } from 'node:dns';
import { BlockList, isIP } from 'node:net';
import { FaultError } from '../faults/fault.js';

export interface UrlPolicy {
  /** The venue is on our own network (a node, a gateway): plain schemes and private addresses pass. */
  readonly allowPrivate: boolean;
  /** It must be: what is asked of it (files written on its disk) is asked of no stranger. */
  readonly onlyPrivate?: boolean;
}

const PLAIN_SCHEMES = new Set(['ws:', 'http:']);
const SCHEMES = new Set(['wss:', 'https:', 'ws:', 'http:']);

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

const privateNets = new BlockList();
for (const [net, prefix] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
  ['224.0.0.0', 3],
] as const) {
  privateNets.addSubnet(net, prefix, 'ipv4');
}
for (const [net, prefix] of [
  ['::', 127],
  ['fc00::', 7],
  ['fe80::', 10],
  ['ff00::', 8],
] as const) {
  privateNets.addSubnet(net, prefix, 'ipv6');
}

/** Throws FaultError BAD_CONFIG for a URL that no venue can have. Returns it parsed. */
export function checkUrl(text: string, policy: UrlPolicy): URL {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw new FaultError('BAD_CONFIG', `not a URL: ${text.slice(0, 200)}`);
  }
  const host = hostOf(url);
  if (!SCHEMES.has(url.protocol)) {
    throw new FaultError('BAD_CONFIG', `${url.protocol}// is no scheme for a venue: ${host}`);
  }
  if (url.username !== '' || url.password !== '') {
    throw new FaultError('BAD_CONFIG', `credentials do not belong in a URL: ${host}`);
  }
  if (policy.onlyPrivate === true && isIP(host) !== 0 && !isPrivate(host)) {
    throw new FaultError('BAD_CONFIG', `${host} is a public address`);
  }
  if (isLoopbackHost(host) || policy.allowPrivate) return url;
  if (PLAIN_SCHEMES.has(url.protocol)) {
    throw new FaultError('BAD_CONFIG', `${url.protocol}// is allowed on loopback only: ${host}`);
  }
  if (isIP(host) !== 0 && isPrivate(host)) {
    throw new FaultError('BAD_CONFIG', `${host} is a private address`);
  }
  return url;
}

type LookupCallback = (
  error: NodeJS.ErrnoException | null,
  address: string | LookupAddress[],
  family?: number,
) => void;

/** A `lookup` for sockets that refuses names which resolve to private addresses. */
export function guardedLookup(policy: UrlPolicy) {
  return (hostname: string, options: LookupOptions, callback: LookupCallback): void => {
    lookup(hostname, { ...options, all: true }, (error, addresses) => {
      if (error !== null) {
        callback(error, '');
        return;
      }
      const stranger = addresses.find(({ address }) => !isPrivate(address));
      if (stranger !== undefined && policy.onlyPrivate === true) {
        callback(new Error(`${hostname} resolves to the public address ${stranger.address}`), '');
        return;
      }
      const refused = addresses.find(({ address }) => isPrivate(address));
      if (refused !== undefined && !policy.allowPrivate && !isLoopbackHost(hostname)) {
        callback(new Error(`${hostname} resolves to the private address ${refused.address}`), '');
      } else if (options.all === true) callback(null, addresses);
      else callback(null, addresses[0]!.address, addresses[0]!.family);
    });
  };
}

/** The host without the brackets of an IPv6 literal. */
function hostOf(url: URL): string {
  return url.hostname.startsWith('[') ? url.hostname.slice(1, -1) : url.hostname;
}

function isLoopbackHost(host: string): boolean {
  if (host === 'localhost') return true;
  const family = isIP(host);
  return family !== 0 && loopback.check(host, family === 4 ? 'ipv4' : 'ipv6');
}

function isPrivate(address: string): boolean {
  return privateNets.check(address, isIP(address) === 4 ? 'ipv4' : 'ipv6');
}
