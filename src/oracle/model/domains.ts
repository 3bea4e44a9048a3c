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
  private highestSerial = 0;

  reset(): void {
    this.bySerial.clear();
    this.byVm.clear();
    this.highestSerial = 0;
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
    if (serial > this.highestSerial) this.highestSerial = serial;
    return domain;
  }

  gone(serial: number): void {
    const domain = this.bySerial.get(serial);
    if (domain === undefined) return;
    this.bySerial.delete(serial);
    if (this.byVm.get(domain.vm) === domain) this.byVm.delete(domain.vm);
  }

  /** Whether a domain of this serial lived and is gone. */
  isGone(serial: number): boolean {
    return serial > 0 && serial <= this.highestSerial && !this.bySerial.has(serial);
  }
}
