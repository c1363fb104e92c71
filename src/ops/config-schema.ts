/** The configuration of a node: its shape, its limits and its defaults. Main thread, cold. */
import { z } from 'zod';

const port = z.number().int().min(0).max(65535);
const url = (protocols: readonly string[]) =>
  z.string().refine((text) => protocols.some((protocol) => text.startsWith(`${protocol}://`)), {
    message: `expected a URL beginning with ${protocols.map((p) => `${p}://`).join(' or ')}`,
  });
const milliseconds = z.number().int().min(0).max(86_400_000);

const venueSchema = z.strictObject({
  id: z.string().min(1).optional(),
  symbols: z.union([z.literal('all'), z.array(z.string().min(1)).min(1)]).optional(),
  restUrl: url(['http', 'https']).optional(),
  webSocketUrl: url(['ws', 'wss']).optional(),
  settings: z.record(z.string(), z.string()).default({}),
  startTimeoutMs: milliseconds.default(0),
  /** How often the venue is asked whether its instruments are still what they were; 0: in doubt only. */
  instrumentsEverySeconds: z.number().min(0).max(86_400).default(600),
  /** A file that remembers over restarts what was spent of the venue's limits. */
  budgetFile: z.string().min(1).optional(),
  /** `lean` is ours, for market data; `ws` is the package, to fall back on. */
  webSocketClient: z.enum(['lean', 'ws']).default('lean'),
});

const serverSchema = z
  .strictObject({
    enabled: z.boolean().default(true),
    port: port.default(9001),
    host: z.string().min(1).default('127.0.0.1'),
    token: z.string().min(8).optional(),
    tlsCertFile: z.string().min(1).optional(),
    tlsKeyFile: z.string().min(1).optional(),
    allowedOrigins: z.array(z.string().min(1)).default([]),
    allowedHosts: z.array(z.string().min(1)).default([]),
    connections: z.number().int().min(1).max(100_000).default(5_000),
    connectionsPerAddress: z.number().int().min(1).max(100_000).default(20),
    /** The venue's own JSON API on `/ws` and `/info`, for venues that tell every order. */
    api: z.boolean().default(true),
    apiNumbers: z.enum(['obs', 'official']).default('obs'),
    apiCompression: z.boolean().default(false),
  })
  .refine((server) => (server.tlsCertFile === undefined) === (server.tlsKeyFile === undefined), {
    message: 'tlsCertFile and tlsKeyFile belong together',
  });

const threadsSchema = z.strictObject({
  layout: z.enum(['auto', 'full', 'split', 'fused']).default('auto'),
  workers: z.number().int().min(0).max(64).default(0),
  idle: z.enum(['auto', 'spin', 'park', 'hybrid']).default('auto'),
  hangMs: z.number().int().min(50).max(60_000).default(150),
  heapMb: z.number().int().min(32).max(65_536).default(512),
  /** 0: chosen by the machine's memory. */
  youngMb: z.number().int().min(0).max(1_024).default(0),
  /** A core for each thread, where there are enough. */
  pin: z.boolean().default(false),
});

/** The simulator's switches (simulator/fault-settings.ts): probabilities, and two durations. */
const chance = z.number().min(0).max(1).optional();
const faultsSchema = z.strictObject({
  drop: chance,
  duplicate: chance,
  reorder: chance,
  corrupt: chance,
  stall: chance,
  stallMs: milliseconds.optional(),
  disconnect: chance,
  lateSnapshot: chance,
  lateSnapshotMs: milliseconds.optional(),
  staleSnapshot: chance,
  refuse429: chance,
  refuse418: chance,
  retick: chance,
});

const simulatorSchema = z.strictObject({
  instruments: z.number().int().min(1).max(2_000).default(24),
  rate: z.number().min(0).max(1_000_000).default(500),
  seed: z.number().int().min(0).max(4_294_967_295).default(1),
  faults: faultsSchema.prefault({}),
});

/** Only for venues whose data are files of a node beside us. */
const nodeFilesSchema = z.strictObject({
  dataDir: z.string().min(1).optional(),
  layout: z.enum(['auto', 'by-block', 'streaming']).default('auto'),
  markets: z.enum(['perps', 'spot', 'hip3', 'all']).default('perps'),
  snapshotFile: z.string().min(1).optional(),
  infoUrl: url(['http', 'https']).optional(),
  /** Where the node writes the snapshots it is asked for; default: a folder for temporary files. */
  snapshotDir: z.string().min(1).optional(),
  publicInfoUrl: z.boolean().default(false),
  validateEverySeconds: z.number().min(0).max(86_400).default(60),
  binary: z.string().min(1).optional(),
  chain: z.enum(['Mainnet', 'Testnet']).default('Mainnet'),
});

export const configSchema = z.strictObject({
  venue: venueSchema.prefault({}),
  node: nodeFilesSchema.prefault({}),
  channels: z
    .array(z.enum(['book', 'bbo', 'trades', 'context']))
    .min(1)
    .default(['book', 'bbo', 'trades', 'context']),
  server: serverSchema.prefault({}),
  admin: z
    .strictObject({ port: port.optional(), host: z.string().min(1).default('127.0.0.1') })
    .prefault({}),
  threads: threadsSchema.prefault({}),
  simulator: simulatorSchema.prefault({}),
  log: z
    .strictObject({
      level: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info'),
      format: z.enum(['auto', 'json', 'pretty']).default('auto'),
    })
    .prefault({}),
});

export type NodeConfig = z.output<typeof configSchema>;
/** What a program may leave out when it embeds a node. */
export type NodeConfigInput = z.input<typeof configSchema>;

/** For editors: `ringside serve --print-schema > ringside.schema.json`. */
export function configJsonSchema(): unknown {
  return z.toJSONSchema(configSchema, { io: 'input', target: 'draft-2020-12' });
}
