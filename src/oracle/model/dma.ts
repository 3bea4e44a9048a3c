// Transfers of partitions' DMA engines that are under way. Few at a time: a plain list.

export interface Transfer {
  readonly sp: number;
  readonly frame: number;
  readonly count: number;
}

export class Dma {
  readonly running: Transfer[] = [];

  reset(): void {
    this.running.length = 0;
  }

  start(sp: number, frame: number, count: number): void {
    this.running.push({ sp, frame, count });
  }

  end(sp: number, frame: number, count: number): void {
    const at = this.running.findIndex((one) => one.sp === sp && one.frame === frame && one.count === count);
    if (at >= 0) this.running.splice(at, 1);
  }
}
