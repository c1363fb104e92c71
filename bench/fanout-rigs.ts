/**
 * One who fans out together with their readers: a round of deliveries as fast as the window allows, or
 * messages at a fixed rate. Each round begins and ends with all that was sent having been read.
 */
import { setImmediate as nextTurn, setTimeout as nap } from 'node:timers/promises';
import { invariant } from '../src/faults/invariant.js';
import { SystemClock } from '../src/time/system-clock.js';
import { Reader } from './fanout-readers-layout.js';
import { openReaders, type Readers } from './fanout-readers.js';
import { type FanOut, SendLoop } from './fanout-servers.js';

export const MESSAGE_BYTES = 400;
/** Two bytes of header, two of length: what a server's frame of this size takes. */
export const FRAME_BYTES = MESSAGE_BYTES + 4;
const WINDOW_BYTES_A_CLIENT = 64 * 1024;

const originMonotonicNs = process.hrtime.bigint();
const clock = new SystemClock(originMonotonicNs);
const message = new Uint8Array(MESSAGE_BYTES).fill(7);

export interface Rig {
  /** `batches` of so many messages each to all clients; how long it took, in ns. */
  round(batches: number, messagesPerBatch: number): Promise<number>;
  close(): Promise<void>;
}

const settingOf = (port: number, clients: number, samplesMax: number, core: number | null) => ({
  port,
  clients,
  frameBytes: FRAME_BYTES,
  originMonotonicNs,
  samplesMax,
  core,
});

export class ServerRig implements Rig {
  private constructor(
    private readonly fanOut: FanOut,
    private readonly readers: Readers,
  ) {}

  static async open(
    fanOut: FanOut,
    clients: number,
    core: number | null,
    samplesMax = 0,
  ): Promise<ServerRig> {
    const readers = await openReaders(settingOf(fanOut.port, clients, samplesMax, core));
    return new ServerRig(fanOut, readers);
  }

  async round(batches: number, messagesPerBatch: number): Promise<number> {
    const { fanOut, readers } = this;
    const windowBytes = WINDOW_BYTES_A_CLIENT * readers.clients;
    const batchBytes = messagesPerBatch * readers.clients * FRAME_BYTES;
    const before = readers.get(Reader.Bytes);
    // What the readers had when it was last looked at: they are asked only when the window is full.
    let readBytes = 0;
    const startedNs = clock.nowNs();
    for (let sent = 0; sent < batches;) {
      if (sent * batchBytes - readBytes > windowBytes) {
        readBytes = readers.get(Reader.Bytes) - before;
      }
      if (sent * batchBytes - readBytes <= windowBytes) {
        for (let i = 0; i < messagesPerBatch; i++) fanOut.publish(message);
        sent++;
      }
      await nextTurn();
    }
    while (readers.get(Reader.Bytes) - before < batches * batchBytes) await nextTurn();
    const elapsedNs = clock.nowNs() - startedNs;
    invariant(
      readers.get(Reader.Bytes) - before === batches * batchBytes,
      'every byte arrived, and no other',
    );
    return elapsedNs;
  }

  /** Sorted latencies in ns of all deliveries, of messages at a fixed rate, sent when they are due. */
  async latency(perSecond: number, seconds: number): Promise<Float64Array> {
    const { fanOut, readers } = this;
    const stepNs = 1e9 / perSecond;
    const messages = perSecond * seconds;
    const samples = messages * readers.clients;
    const firstDueNs = clock.nowNs() + 5e6;
    readers.set(Reader.Samples, 0);
    readers.set(Reader.StepNs, stepNs);
    readers.set(Reader.FirstDueNs, firstDueNs);
    for (let sent = 0; sent < messages;) {
      const nowNs = clock.nowNs();
      for (; sent < messages && firstDueNs + sent * stepNs <= nowNs; sent++)
        fanOut.publish(message);
      await nextTurn();
    }
    while (readers.get(Reader.Samples) < samples) await nextTurn();
    readers.set(Reader.FirstDueNs, 0);
    // The first tenth warms the code up.
    return readers
      .latencies(samples)
      .subarray(samples / 10)
      .sort();
  }

  async close(): Promise<void> {
    await this.readers.close();
    this.fanOut.close();
  }
}

/** The loop in C: a batch is one write to each client. */
export class SendLoopRig implements Rig {
  private constructor(
    private readonly loop: SendLoop,
    private readonly readers: Readers,
  ) {}

  static async open(clients: number, core: number | null): Promise<SendLoopRig> {
    const loop = await SendLoop.start(clients, MESSAGE_BYTES);
    return new SendLoopRig(loop, await openReaders(settingOf(loop.port, clients, 0, core)));
  }

  async round(batches: number, messagesPerBatch: number): Promise<number> {
    const { readers, loop } = this;
    const before = readers.get(Reader.Bytes);
    const bytesAll = batches * messagesPerBatch * readers.clients * FRAME_BYTES;
    const startedNs = clock.nowNs();
    loop.send(batches, messagesPerBatch);
    while (readers.get(Reader.Bytes) - before < bytesAll) await nap(1);
    const elapsedNs = clock.nowNs() - startedNs;
    invariant(readers.get(Reader.Bytes) - before === bytesAll, 'every byte arrived, and no other');
    return elapsedNs;
  }

  async close(): Promise<void> {
    await this.readers.close();
    this.loop.close();
  }
}
