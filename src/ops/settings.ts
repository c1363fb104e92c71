/**
 * Every setting of the node in one table: where it stands in the configuration file, its flag, its
 * environment variable and what it is for. The command line, the environment reader and the help
 * text are made from it. Main thread, cold.
 */
export type SettingKind = 'text' | 'number' | 'boolean' | 'list';

export interface Setting {
  /** Place in the file, e.g. `server.port`. */
  readonly path: string;
  /** Long flag as commander writes it, e.g. `--port <number>`. */
  readonly flag: string;
  readonly kind: SettingKind;
  readonly about: string;
  /** Never shown in logs, banners or error messages. */
  readonly secret?: boolean;
}

export const SETTINGS: readonly Setting[] = [
  {
    path: 'venue.id',
    flag: '--venue <id>',
    kind: 'text',
    about: 'venue to connect to; without it the node runs on its own simulator',
  },
  {
    path: 'venue.symbols',
    flag: '--symbols <list>',
    kind: 'list',
    about: "symbols in the venue's spelling, comma-separated, or 'all'",
  },
  {
    path: 'venue.restUrl',
    flag: '--rest-url <url>',
    kind: 'text',
    about: "use this REST server instead of the venue's own",
  },
  {
    path: 'venue.webSocketUrl',
    flag: '--ws-url <url>',
    kind: 'text',
    about: "use this WebSocket server instead of the venue's own",
  },
  {
    path: 'venue.settings',
    flag: '--venue-settings <list>',
    kind: 'text',
    about: "the venue's own choices, e.g. depthInterval=0ms",
  },
  {
    path: 'venue.startTimeoutMs',
    flag: '--start-timeout <ms>',
    kind: 'number',
    about: 'give up if the venue does not answer within this (0: keep trying)',
  },
  {
    path: 'venue.instrumentsEverySeconds',
    flag: '--instruments-every <s>',
    kind: 'number',
    about: 'ask this often whether tick sizes, decimals and states changed (0: only when in doubt)',
  },
  {
    path: 'venue.budgetFile',
    flag: '--budget-file <path>',
    kind: 'text',
    about: "remember there, over restarts, what was spent of the venue's rate limits",
  },
  {
    path: 'venue.webSocketClient',
    flag: '--ws-client <name>',
    kind: 'text',
    about: 'which WebSocket client reads the venue: lean (our own) or ws',
  },
  {
    path: 'node.dataDir',
    flag: '--data <dir>',
    kind: 'text',
    about: 'hyperliquid-node: folder of the files that the node writes (hl/data)',
  },
  {
    path: 'node.layout',
    flag: '--node-layout <name>',
    kind: 'text',
    about: 'hyperliquid-node: auto, by-block or streaming files',
  },
  {
    path: 'node.markets',
    flag: '--markets <name>',
    kind: 'text',
    about: 'hyperliquid-node: perps, spot, hip3 or all',
  },
  {
    path: 'node.snapshotFile',
    flag: '--snapshot <file>',
    kind: 'text',
    about: 'hyperliquid-node: begin from this L4 snapshot',
  },
  {
    path: 'node.infoUrl',
    flag: '--info-url <url>',
    kind: 'text',
    about: "hyperliquid-node: the node's info server, e.g. http://127.0.0.1:3001",
  },
  {
    path: 'node.snapshotDir',
    flag: '--snapshot-dir <dir>',
    kind: 'text',
    about: 'hyperliquid-node: where the node is asked to write its snapshots',
  },
  {
    path: 'node.publicInfoUrl',
    flag: '--public-info-url <boolean>',
    kind: 'boolean',
    about: 'hyperliquid-node: allow an info server that is not on our own network',
  },
  {
    path: 'node.validateEverySeconds',
    flag: '--validate-every <s>',
    kind: 'number',
    about: 'hyperliquid-node: compare every order with a fresh snapshot this often (0: never)',
  },
  {
    path: 'node.binary',
    flag: '--hl-node <file>',
    kind: 'text',
    about: 'hyperliquid-node: program that computes snapshots from the newest state',
  },
  {
    path: 'node.chain',
    flag: '--chain <name>',
    kind: 'text',
    about: 'hyperliquid-node: Mainnet or Testnet, for that program',
  },
  {
    path: 'channels',
    flag: '--channels <list>',
    kind: 'list',
    about: 'what to take from the venue: book, bbo, trades, context',
  },
  {
    path: 'server.port',
    flag: '--port <number>',
    kind: 'number',
    about: 'port of the feed, the dashboard and HTTP (0: any free one)',
  },
  { path: 'server.host', flag: '--host <address>', kind: 'text', about: 'address to listen on' },
  {
    path: 'server.token',
    flag: '--token <secret>',
    kind: 'text',
    about: 'bearer token that clients must send',
    secret: true,
  },
  {
    path: 'server.tlsCertFile',
    flag: '--tls-cert <file>',
    kind: 'text',
    about: 'TLS certificate chain, PEM',
  },
  {
    path: 'server.tlsKeyFile',
    flag: '--tls-key <file>',
    kind: 'text',
    about: 'TLS private key, PEM',
  },
  {
    path: 'server.allowedOrigins',
    flag: '--allowed-origins <list>',
    kind: 'list',
    about: 'web origins that may connect, beside the node itself',
  },
  {
    path: 'server.allowedHosts',
    flag: '--allowed-hosts <list>',
    kind: 'list',
    about: 'names accepted in the Host header, beside the listening address',
  },
  {
    path: 'server.connections',
    flag: '--connections <number>',
    kind: 'number',
    about: 'most clients at one time',
  },
  {
    path: 'server.connectionsPerAddress',
    flag: '--connections-per-address <number>',
    kind: 'number',
    about: 'most clients at one time from one address',
  },
  {
    path: 'server.apiNumbers',
    flag: '--api-numbers <obs|official>',
    kind: 'text',
    about: "numbers on /ws as order_book_server's (81307) or the official API's (81307.0)",
  },
  {
    path: 'server.apiCompression',
    flag: '--api-compression [boolean]',
    kind: 'boolean',
    about: 'offer permessage-deflate on /ws: a fifth of the bytes for much processor time',
  },
  {
    path: 'admin.port',
    flag: '--admin-port <number>',
    kind: 'number',
    about: 'a port of its own for /metrics, /health and /ready',
  },
  {
    path: 'admin.host',
    flag: '--admin-host <address>',
    kind: 'text',
    about: 'address of the admin port',
  },
  {
    path: 'threads.layout',
    flag: '--layout <name>',
    kind: 'text',
    about: 'auto, full, split or fused: which agents share a thread',
  },
  {
    path: 'threads.workers',
    flag: '--workers <number>',
    kind: 'number',
    about: 'book workers in the full layout (0: chosen by cores)',
  },
  {
    path: 'threads.idle',
    flag: '--idle <name>',
    kind: 'text',
    about: 'auto, spin, park or hybrid: what a thread does when there is nothing to do',
  },
  {
    path: 'threads.hangMs',
    flag: '--hang-ms <ms>',
    kind: 'number',
    about: 'a thread without a heartbeat for this long is replaced',
  },
  {
    path: 'threads.heapMb',
    flag: '--heap-mb <mb>',
    kind: 'number',
    about: 'heap limit of each worker thread',
  },
  {
    path: 'threads.youngMb',
    flag: '--young-mb <mb>',
    kind: 'number',
    about: 'what a thread with sockets allocates between collections (0: by memory, 16 to 96)',
  },
  {
    path: 'threads.pin',
    flag: '--pin [boolean]',
    kind: 'boolean',
    about: 'keep each thread to a core of its own (Linux, by taskset; needs a core a thread)',
  },
  {
    path: 'simulator.instruments',
    flag: '--sim-instruments <number>',
    kind: 'number',
    about: 'instruments on the simulated exchange',
  },
  {
    path: 'simulator.rate',
    flag: '--sim-rate <number>',
    kind: 'number',
    about: 'depth updates a second of the simulated exchange, all instruments together',
  },
  {
    path: 'simulator.seed',
    flag: '--sim-seed <number>',
    kind: 'number',
    about: 'seed of the simulated market',
  },
  {
    path: 'simulator.faults',
    flag: '--sim-faults <list>',
    kind: 'text',
    about: 'faults to inject, e.g. drop=0.01,duplicate=0.01,disconnect=0.0001',
  },
  {
    path: 'log.level',
    flag: '--log-level <name>',
    kind: 'text',
    about: 'trace, debug, info, warn, error, fatal or silent',
  },
  {
    path: 'log.format',
    flag: '--log-format <name>',
    kind: 'text',
    about: 'auto (pretty on a terminal), json or pretty',
  },
];

/** Variables with our prefix that are no settings of the node. */
export const OTHER_VARIABLES: ReadonlySet<string> = new Set([
  'RINGSIDE_CONFIG',
  'RINGSIDE_CAPTURES',
]);

/** `--rest-url <url>` → `RINGSIDE_REST_URL`: the flag's name names the variable too. */
export function variableOf(setting: Setting): string {
  return `RINGSIDE_${flagName(setting).slice(2).replaceAll('-', '_').toUpperCase()}`;
}

/** `--rest-url <url>` → `--rest-url`. */
export function flagName(setting: Setting): string {
  return setting.flag.split(' ')[0]!;
}
