/** Who fans out in the fan-out bench: our server, `ws`, and a loop of sends in C (the limit). */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createInterface } from 'node:readline';
import { WebSocketServer } from 'ws';
import type { ServerEvents } from '../src/broadcast/broadcast-server.js';
import { DEFAULT_LIMITS } from '../src/broadcast/limits.js';
import { UwsServer } from '../src/broadcast/uws-server.js';
import { invariant } from '../src/faults/invariant.js';
import { compilePeer } from './compile-peer.js';

export interface FanOut {
  readonly port: number;
  publish(message: Uint8Array): void;
  close(): void;
}

export async function ours(): Promise<FanOut> {
  const { frameBytesMax, socketBytesMax } = DEFAULT_LIMITS;
  // No pings: the readers count bytes.
  const idleSeconds = 0;
  const server = new UwsServer({ limits: { frameBytesMax, socketBytesMax, idleSeconds } });
  const nothing = (): void => {};
  const events: ServerEvents = {
    onUpgrade: () => ({ kind: 'accept', ticket: { json: false, authenticated: true } }),
    onOpen: (connection) => connection.join('stream'),
    onMessage: nothing,
    onPing: nothing,
    onDrain: nothing,
    onDropped: () => invariant(false, 'the window keeps every socket below its bound'),
    onClose: nothing,
    onHttp: nothing,
  };
  server.setEvents(events);
  const { port } = await server.listen('127.0.0.1', 0);
  return {
    port,
    publish: (message) => server.publish('stream', message),
    close: () => server.close(),
  };
}

export async function wsServer(): Promise<FanOut> {
  const http = createServer();
  const server = new WebSocketServer({ server: http, path: '/v1/feed', perMessageDeflate: false });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  return {
    port: (http.address() as AddressInfo).port,
    publish: (message) => {
      for (const client of server.clients) client.send(message, { binary: true });
    },
    close: () => {
      for (const client of server.clients) client.terminate();
      server.close();
      http.close();
    },
  };
}

/** peers/send-loop.c: sends by itself what it is told to, each batch to each client by one write. */
export class SendLoop {
  private constructor(
    private readonly child: ChildProcess,
    readonly port: number,
  ) {}

  static async start(clients: number, messageBytes: number): Promise<SendLoop> {
    const program = compilePeer('send-loop');
    const child = spawn(program, [String(clients), String(messageBytes)], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const lines = createInterface({ input: child.stdout });
    const [line] = (await once(lines, 'line')) as [string];
    return new SendLoop(child, Number(line.split(' ')[1]));
  }

  send(batches: number, messagesPerBatch: number): void {
    this.child.stdin!.write(`send ${batches} ${messagesPerBatch}\n`);
  }

  close(): void {
    this.child.kill('SIGKILL');
  }
}
