// RX/TX buffers of VMs: which frames the SPMC maps for whom (forwarded FFA_RXTX_MAP), and which references hold them.

/** Frames as runs: first, count, first, count, ... */
export type Ranges = readonly number[];

export class Buffers {
  /** What the SPMC maps, or may map, by VM. */
  readonly atSpmc = new Map<number, Ranges>();
  /** References that a VM's buffers hold, by VM. */
  readonly pinned = new Map<number, Ranges>();
  private readonly vmByFrame = new Map<number, number>();

  reset(): void {
    this.atSpmc.clear();
    this.pinned.clear();
    this.vmByFrame.clear();
  }

  mapped(vm: number, ranges: Ranges): void {
    this.unmapped(vm);
    this.atSpmc.set(vm, ranges);
    for (let n = 0; n < ranges.length; n += 2) {
      for (let frame = ranges[n]; frame < ranges[n] + ranges[n + 1]; frame++) this.vmByFrame.set(frame, vm);
    }
  }

  unmapped(vm: number): void {
    const ranges = this.atSpmc.get(vm);
    if (ranges === undefined) return;
    this.atSpmc.delete(vm);
    for (let n = 0; n < ranges.length; n += 2) {
      for (let frame = ranges[n]; frame < ranges[n] + ranges[n + 1]; frame++) this.vmByFrame.delete(frame);
    }
  }

  /** The VM as whose buffer the SPMC maps the frame; -1: none. */
  vmOf(frame: number): number {
    return this.vmByFrame.get(frame) ?? -1;
  }

  get frameCount(): number {
    return this.vmByFrame.size;
  }

  frames(): IterableIterator<number> {
    return this.vmByFrame.keys();
  }
}
