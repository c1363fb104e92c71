/** A buffer of doubles that is used again and again and grows to what is asked. Books thread; cold. */
export class Scratch {
  private doubles = new Float64Array(0);

  /** At least `length` doubles, with unspecified contents; valid until the next call. */
  atLeast(length: number): Float64Array {
    if (this.doubles.length < length) {
      this.doubles = new Float64Array(2 ** Math.ceil(Math.log2(Math.max(64, length))));
    }
    return this.doubles;
  }
}
