/**
 * Holds what statuses and fills say of a block against its diffs: a block of which a row is missing,
 * or all, contradicts them. In streaming, where a block without events has no row, this is how a
 * missing block is found at once. Pure; ingest thread, once a block.
 *
 *     statuses, fills ─▶ onClaim ─▶ kept by height ─▶ close(block) ─▶ all there, or not
 *
 * A claim of a block that was closed before proves nothing and is counted as unverifiable, like those
 * beyond CLAIMS_MAX. Each is counted once: checked = passed + failed.
 */
import { IdTable, NOT_FOUND } from '../domain/id-table.js';
import { ORDER_EVENT_DOUBLES, ORDER_ID, ORDER_KIND, OrderKind } from '../rings/record-types.js';
import { Claim, type ClaimTaker } from '../venues/hyperliquid-node/claims.js';

/** Seconds of all markets; a source that is so far ahead of the diffs says something else. */
const CLAIMS_MAX = 1 << 16;
const CLAIMS_FIRST = 256;
/** Nothing is missing. */
export const WHOLE: number = -1;

export class BlockWitness implements ClaimTaker {
  private heights = new Float64Array(CLAIMS_FIRST);
  private oids = new Float64Array(CLAIMS_FIRST);
  private claims = new Uint8Array(CLAIMS_FIRST);
  private count = 0;
  private closedHeight = -1;
  /** Kinds of change by order, as bits, of the block being held against them. */
  private readonly changes = new IdTable(CLAIMS_FIRST);
  missingFrom = WHOLE;
  checked = 0;
  failed = 0;
  unverifiable = 0;

  get passed(): number {
    return this.checked - this.failed;
  }

  onClaim(height: number, oid: number, claim: Claim): void {
    if (height <= this.closedHeight || this.count === CLAIMS_MAX) {
      this.unverifiable++;
      return;
    }
    if (this.count === this.oids.length) this.grow();
    this.heights[this.count] = height;
    this.oids[this.count] = oid;
    this.claims[this.count] = claim;
    this.count++;
  }

  /**
   * A block's diffs, whole as far as they know. True if nothing that is claimed of it is missing;
   * `missingFrom` is the first height between the block closed before and this one of which something
   * is claimed (all of it is missing then), or WHOLE.
   */
  close(height: number, events: Float64Array, eventsCount: number): boolean {
    // Of blocks before the first that was read nothing is known.
    const from = this.closedHeight < 0 ? height : this.closedHeight + 1;
    this.closedHeight = height;
    this.missingFrom = WHOLE;
    if (this.count === 0) return true;
    this.collect(events, eventsCount);
    let isWhole = true;
    let kept = 0;
    for (let i = 0; i < this.count; i++) {
      const at = this.heights[i]!;
      if (at > height) {
        this.keep(i, kept++);
        continue;
      }
      if (at < from) {
        this.unverifiable++;
        continue;
      }
      this.checked++;
      if (at === height && this.isThere(i)) continue;
      this.failed++;
      if (at === height) isWhole = false;
      else if (this.missingFrom === WHOLE || at < this.missingFrom) this.missingFrom = at;
    }
    this.count = kept;
    this.changes.clear();
    return isWhole;
  }

  /** The blocks up to `height` are given up: what is claimed of them cannot be told. */
  skip(height: number): void {
    let kept = 0;
    for (let i = 0; i < this.count; i++) {
      if (this.heights[i]! > height) this.keep(i, kept++);
      else this.unverifiable++;
    }
    this.count = kept;
    this.closedHeight = height;
  }

  private collect(events: Float64Array, count: number): void {
    for (let i = 0; i < count; i++) {
      const at = i * ORDER_EVENT_DOUBLES;
      const oid = events[at + ORDER_ID]!;
      const before = this.changes.get(oid);
      const bit = 1 << events[at + ORDER_KIND]!;
      this.changes.set(oid, before === NOT_FOUND ? bit : before | bit);
    }
  }

  private isThere(index: number): boolean {
    const changes = this.changes.get(this.oids[index]!);
    if (changes === NOT_FOUND) return false;
    switch (this.claims[index]) {
      case Claim.New:
        return (changes & (1 << OrderKind.New)) !== 0;
      case Claim.Gone:
        return (changes & (1 << OrderKind.Remove)) !== 0;
      default:
        return (changes & ((1 << OrderKind.Remove) | (1 << OrderKind.Update))) !== 0;
    }
  }

  private keep(from: number, to: number): void {
    this.heights[to] = this.heights[from]!;
    this.oids[to] = this.oids[from]!;
    this.claims[to] = this.claims[from]!;
  }

  private grow(): void {
    const size = this.oids.length * 2;
    const heights = new Float64Array(size);
    heights.set(this.heights);
    this.heights = heights;
    const oids = new Float64Array(size);
    oids.set(this.oids);
    this.oids = oids;
    const claims = new Uint8Array(size);
    claims.set(this.claims);
    this.claims = claims;
  }
}
