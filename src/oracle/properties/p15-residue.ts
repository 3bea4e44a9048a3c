// P15 residue: a VM id is used again only when nothing is left under it.

import { EVENT_DOMAIN_CREATE } from '../../base/event-kinds.ts';
import type { EventLog } from '../../base/event-log.ts';
import { Property, type PropertyInfo } from '../property.ts';
import { nameEndpoint } from '../violation.ts';

export class Residue extends Property {
  readonly info: PropertyInfo = {
    id: 'P15',
    title: 'residue',
    checks:
      'When a VM id is used again, no transaction (outside quarantine), message, buffer, notification bitmap or ' +
      'unfinished request is left under it.',
    blindTo: 'What is left in partitions themselves.',
  };
  readonly kinds = [EVENT_DOMAIN_CREATE];

  override event(_kind: number, log: EventLog, at: number): void {
    const vm = log.argument(at, 0);
    const serial = log.argument(at, 1);
    const { transactions, availability, buffers, door } = this.bench.model;
    const shares = transactions.countOf(vm);
    if (shares > 0) this.report(`VM id ${vm} is used again with memory of the VM before it`, { vm, serial, shares });
    if (buffers.atSpmc.has(vm) && !this.relaxed('buffers-forgotten')) {
      this.report(`VM id ${vm} is used again with buffers of the VM before it`, { vm, serial });
    }
    if (door.bitmaps.has(vm) && !this.relaxed('bitmaps-forgotten')) {
      this.report(`VM id ${vm} is used again with the notification bitmap of the VM before it`, { vm, serial });
    }
    for (const pair of availability.byVm.get(vm) ?? []) {
      if (!availability.owes(pair) || this.relaxed('messages-forgotten')) continue;
      const { sp } = pair;
      this.report(`VM id ${vm} is used again while ${nameEndpoint(sp)} believes in the VM before it`, {
        vm,
        serial,
        sp,
      });
    }
    for (const taken of door.taken) {
      if (taken.caller !== vm || this.relaxed('run-unchecked')) continue;
      const sp = taken.target >>> 16;
      this.report(`VM id ${vm} is used again while ${nameEndpoint(sp)} serves the VM before it`, { vm, serial, sp });
    }
  }
}
