/**
 * A heartbeat a second to each client: the next sequence of each of its streams, so that silence and
 * loss differ. Spread over the second by when each client came. Broadcast thread, warm.
 */
import { POSITION_FIELDS } from '../wire/message-layout.js';
import { BroadcastColumn } from './broadcast-counters.js';
import type { RoomContext } from './room-context.js';
import { Phase } from './sessions.js';
import type { Session } from './sessions.js';

export class Heartbeats {
  private readonly room: RoomContext;
  private positions = new Float64Array(64 * POSITION_FIELDS);

  constructor(room: RoomContext) {
    this.room = room;
  }

  /** Sends one if it is due and the client has room for it. */
  beat(session: Session, nowNs: number): void {
    if (nowNs < session.nextHeartbeatNs) return;
    session.nextHeartbeatNs = nowNs + this.room.limits.heartbeatNs;
    if (!session.authenticated) return;
    if (session.connection.bufferedBytes() > this.room.limits.highWaterBytes) return;
    const count = this.collect(session);
    const { scratch, encoder, counters } = this.room;
    scratch.ensureBytes(encoder.heartbeatBytes(count));
    scratch.bytes = encoder.writeHeartbeat(scratch.words, 0, nowNs, this.positions, count);
    counters.add(0, BroadcastColumn.Heartbeats, 1);
    if (session.json)
      session.connection.sendText(this.room.outlet.text(scratch.words, 0, scratch.bytes, 0));
    else session.connection.sendBinary(scratch.view());
  }

  /** Positions of what the client has: for those that fell behind, of what it will get next. */
  private collect(session: Session): number {
    const needed = session.subscriptions.size * POSITION_FIELDS;
    if (needed > this.positions.length) this.positions = new Float64Array(needed * 2);
    let at = 0;
    for (const { phase, stream, epoch, sequence, uncertain } of session.subscriptions.values()) {
      if (phase === Phase.Fresh || (phase === Phase.Behind && uncertain)) continue;
      const live = phase === Phase.Live;
      this.positions[at] = live ? stream.epoch : epoch;
      this.positions[at + 1] = (live ? stream.sequence : sequence) + 1;
      this.positions[at + 2] = stream.streamId;
      this.positions[at + 3] = stream.instrumentId;
      at += POSITION_FIELDS;
    }
    return at / POSITION_FIELDS;
  }
}
