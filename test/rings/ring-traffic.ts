/**
 * Records that writer and reader make up independently from one seed: every length from empty to the
 * greatest, contents that cannot be guessed, and a running checksum over all of them.
 */
import { Prng } from '../../src/domain/prng.js';

export class RingTraffic {
  /** Of everything so far; equal on both sides at the end. */
  checksum = 0x811c9dc5;
  sequence = 0;
  private readonly prng: Prng;
  private readonly doublesMax: number;

  constructor(seed: number, doublesMax: number) {
    this.prng = new Prng(seed);
    this.doublesMax = doublesMax;
  }

  /** Length of the next record; mostly short ones, now and then the longest possible. */
  nextDoubles(): number {
    const dice = this.prng.nextInt(64);
    if (dice === 0) return this.doublesMax;
    return this.prng.nextInt(Math.min(this.doublesMax, 6) + 1);
  }

  /** Contents of the next double. */
  nextValue(): number {
    const value = this.prng.nextUint32();
    this.checksum = Math.imul(this.checksum ^ value, 0x01000193);
    return value;
  }

  typeId(doubles: number): number {
    return 1 + ((this.sequence + doubles) & 0x3ff);
  }

  fill(target: Float64Array, slot: number, doubles: number): void {
    for (let i = 0; i < doubles; i++) target[slot + i] = this.nextValue();
    this.sequence++;
  }

  /** What is wrong with a record that was read, or null. */
  check(source: Float64Array, slot: number, bytes: number, typeId: number): string | null {
    const doubles = this.nextDoubles();
    if (bytes !== doubles * 8) return `record ${this.sequence}: ${bytes} bytes, not ${doubles * 8}`;
    if (typeId !== this.typeId(doubles)) return `record ${this.sequence}: type ${typeId}`;
    for (let i = 0; i < doubles; i++) {
      if (source[slot + i] !== this.nextValue())
        return `record ${this.sequence}: double ${i} differs`;
    }
    this.sequence++;
    return null;
  }
}
