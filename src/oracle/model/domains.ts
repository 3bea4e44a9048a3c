// The lives of domains as the hypervisor's events tell them. Serials only rise, so a serial that was seen and is not
// here any more is gone: no tombstone is needed for it.

export type Life = 0 | 1 | 2;
export const LIFE_ALIVE = 0;
export const LIFE_DYING = 1;
/** Its own reference has gone; others keep it. */
export const LIFE_ZOMBIE = 2;

export interface DomainLife {
  readonly vm: number;
  readonly serial: number;
  pages: number;
  life: Life;
  /** Its creation failed. */
  failed: boolean;
  /** References after the last change; -1 before the first one that was told. */
  references: number;
  /** References before anything was shared; -1 before the first change. */
  baseline: number;
  /** Whether a call of it has been answered. */
  called: boolean;
}

export class Domains {
  readonly bySerial = new Map<number, DomainLife>();
  readonly byVm = new Map<number, DomainLife>();
  /** Whether the newest event about a domain named one that is gone. */
  stray = false;
  /** VM ids that ever were in use: 32 to a word. */
  private readonly seen = new Int32Array(0x10000 >> 5);
  private highestSerial = 0;

  reset(): void {
    this.bySerial.clear();
    this.byVm.clear();
    this.seen.fill(0);
    this.stray = false;
    this.highestSerial = 0;
  }

  /** Whether a domain of this VM id ever lived. */
  knows(vm: number): boolean {
    return (this.seen[(vm & 0xffff) >> 5] & (1 << (vm & 31))) !== 0;
  }

  create(vm: number, serial: number, pages: number): DomainLife {
    const domain: DomainLife = {
      vm,
      serial,
      pages,
      life: LIFE_ALIVE,
      failed: false,
      references: -1,
      baseline: -1,
      called: false,
    };
    this.bySerial.set(serial, domain);
    this.byVm.set(vm, domain);
    this.seen[(vm & 0xffff) >> 5] |= 1 << (vm & 31);
    if (serial > this.highestSerial) this.highestSerial = serial;
    return domain;
  }

  gone(serial: number): void {
    const domain = this.bySerial.get(serial);
    this.stray = domain === undefined && this.isGone(serial);
    if (domain === undefined) return;
    this.bySerial.delete(serial);
    if (this.byVm.get(domain.vm) === domain) this.byVm.delete(domain.vm);
  }

  /** Whether a domain of this serial lived and is gone. */
  isGone(serial: number): boolean {
    return serial > 0 && serial <= this.highestSerial && !this.bySerial.has(serial);
  }
}
