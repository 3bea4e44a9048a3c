// P17 version: one version per endpoint decides every layout.

import { FFA_PARTITION_INFO_GET, FFA_SUCCESS_32, FFA_VERSION } from '../../abi/function-ids.ts';
import { EMAD_1_2_SIZE_BYTES } from '../../abi/layout/memory-transaction.ts';
import {
  PARTITION_INFO_1_1_SIZE_BYTES,
  PARTITION_INFO_GET_FLAG_COUNT_ONLY,
} from '../../abi/layout/partition-information.ts';
import { FFA_VERSION_1_1, FFA_VERSION_1_2, formatVersion } from '../../abi/versions.ts';
import { EVENT_GUEST_RETURN, EVENT_SMC, EVENT_SMC_RETURN } from '../../base/event-kinds.ts';
import type { EventLog } from '../../base/event-log.ts';
import { SMCCC_UNKNOWN_FUNCTION } from '../model/answers.ts';
import { PURPOSE_SEND } from '../model/exchange.ts';
import type { GuestCall } from '../model/guest-call.ts';
import { Property, type PropertyInfo } from '../property.ts';

export class Version extends Property {
  readonly info: PropertyInfo = {
    id: 'P17',
    title: 'version',
    checks:
      'An endpoint is told one version, and what it gets and sends has the layout of that version: partition ' +
      'information for guests, descriptors for the SPMC.',
    blindTo: 'Layouts of what a guest sends, which its own door judges.',
  };
  readonly kinds = [EVENT_GUEST_RETURN, EVENT_SMC, EVENT_SMC_RETURN];
  /** Version that the hypervisor agreed on, once it has made another call; 0: not yet. */
  private settled = 0;
  private agreed = 0;

  override reset(): void {
    this.settled = 0;
    this.agreed = 0;
  }

  override event(kind: number, log: EventLog, at: number): void {
    const pe = log.pe(at);
    if (kind === EVENT_GUEST_RETURN) {
      if (!this.relaxed('version-renegotiated')) this.guest(this.bench.model.call(pe));
      return;
    }
    const exchange = this.bench.model.door.of(pe);
    if (exchange.w(0) === FFA_VERSION) {
      if (kind !== EVENT_SMC_RETURN || exchange.a(0) >>> 31 !== 0) return;
      this.agreed = Math.min(exchange.a(0), exchange.w(1));
      if (this.settled === 0 || this.settled === this.agreed) return;
      const facts = { before: formatVersion(this.settled), after: formatVersion(this.agreed) };
      this.report('the hypervisor changes the version that it speaks', facts);
      return;
    }
    if (kind !== EVENT_SMC) return;
    this.settled = this.agreed;
    const { transaction } = exchange;
    if (exchange.purpose !== PURPOSE_SEND || transaction === null || this.agreed === 0) return;
    if (transaction.accessSize === EMAD_1_2_SIZE_BYTES && this.agreed < FFA_VERSION_1_2) {
      const version = formatVersion(this.agreed);
      const facts = { vm: transaction.sender, version, size: transaction.accessSize };
      this.report('a descriptor to the SPMC has access entries that its version does not know', facts);
    }
  }

  private guest(call: GuestCall): void {
    const guest = this.bench.model.guests.of(call.vm);
    const { vm } = call;
    const w0 = call.a(0);
    if (w0 === SMCCC_UNKNOWN_FUNCTION) return;
    if (call.w(0) === FFA_VERSION) {
      if (w0 >>> 31 !== 0) return;
      if (guest.versionAnswer === 0) guest.versionAnswer = w0;
      else if (guest.versionAnswer !== w0) {
        const facts = { vm, before: formatVersion(guest.versionAnswer), after: formatVersion(w0) };
        this.report(`VM ${vm} is told two versions`, facts);
      }
      return;
    }
    if (call.w(0) !== FFA_PARTITION_INFO_GET || w0 !== FFA_SUCCESS_32 || guest.version === 0) return;
    if ((call.w(5) & PARTITION_INFO_GET_FLAG_COUNT_ONLY) !== 0) return;
    const size = call.a(3);
    const recent = guest.version >= FFA_VERSION_1_1;
    if (recent ? size >= PARTITION_INFO_1_1_SIZE_BYTES : size === 0) return;
    const version = formatVersion(guest.version);
    this.report(`VM ${vm} gets partition information of another version than its own`, { vm, version, size });
  }
}
