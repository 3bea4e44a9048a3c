// Notification bits that one receiver has from one kind of sender: which may be pending, which are for certain.

export class PendingBits {
  maybeLow = 0;
  maybeHigh = 0;
  sureLow = 0;
  sureHigh = 0;

  /** A SET is on its way. */
  offer(low: number, high: number): void {
    this.maybeLow |= low;
    this.maybeHigh |= high;
  }

  /** It was answered by success: what nobody took meanwhile is pending. */
  confirm(low: number, high: number): void {
    this.sureLow |= low & this.maybeLow;
    this.sureHigh |= high & this.maybeHigh;
  }

  /** It was refused. */
  withdraw(low: number, high: number): void {
    this.maybeLow &= ~low | this.sureLow;
    this.maybeHigh &= ~high | this.sureHigh;
  }

  take(low: number, high: number): void {
    this.maybeLow &= ~low;
    this.maybeHigh &= ~high;
    this.sureLow &= ~low;
    this.sureHigh &= ~high;
  }
}
