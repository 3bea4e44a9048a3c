// P11 no impersonation: a guest speaks, runs, reclaims and is answered as itself, and never as the hypervisor.

import { isSecureEndpoint } from '../../abi/endpoint-ids.ts';
import {
  FFA_INTERRUPT,
  FFA_MEM_FRAG_RX,
  FFA_MEM_RECLAIM,
  FFA_MSG_SEND_DIRECT_REQ_32,
  FFA_MSG_SEND_DIRECT_REQ_64,
  FFA_MSG_SEND_DIRECT_REQ2,
  FFA_MSG_SEND_DIRECT_RESP_32,
  FFA_MSG_SEND_DIRECT_RESP_64,
  FFA_MSG_SEND_DIRECT_RESP2,
  FFA_MSG_SEND2,
  FFA_NOTIFICATION_BIND,
  FFA_NOTIFICATION_GET,
  FFA_NOTIFICATION_SET,
  FFA_NOTIFICATION_UNBIND,
  FFA_RUN,
  FFA_RX_ACQUIRE,
  FFA_RX_RELEASE,
  FFA_RXTX_UNMAP,
  FFA_YIELD,
  functionName,
} from '../../abi/function-ids.ts';
import { DIRECT_FRAMEWORK_BIT } from '../../abi/layout/messages.ts';
import {
  EVENT_GUEST_RETURN,
  EVENT_SMC,
  EVENT_SMC_RETURN,
  EVENT_TEARDOWN_END,
  EVENT_TEARDOWN_ROUND,
  EVENT_TEARDOWN_WAIT,
} from '../../base/event-kinds.ts';
import type { EventLog } from '../../base/event-log.ts';
import { type Exchange, PURPOSE_DIRECT, PURPOSE_RUN, PURPOSE_SEND } from '../model/exchange.ts';
import type { GuestCall } from '../model/guest-call.ts';
import { Property, type PropertyInfo } from '../property.ts';
import { nameEndpoint } from '../violation.ts';

export class Impersonation extends Property {
  readonly info: PropertyInfo = {
    id: 'P11',
    title: 'no impersonation',
    checks:
      'What goes out for a guest carries its id, is for a partition and no framework message, runs no partition that ' +
      'serves another, and reclaims only its own; a reply reaches the guest that it names, from the partition that ' +
      'it asked.',
    blindTo: 'What a partition itself does with the ids that it is told.',
  };
  readonly kinds = [
    EVENT_SMC,
    EVENT_SMC_RETURN,
    EVENT_GUEST_RETURN,
    EVENT_TEARDOWN_ROUND,
    EVENT_TEARDOWN_WAIT,
    EVENT_TEARDOWN_END,
  ];
  /** VM whose teardown each PE works on; 0: none. */
  private readonly tearing: number[] = [];
  /** The partition that a guest asked when this was preempted: in a chain of calls another one. By `preempted`. */
  private readonly asked = new Map<string, number>();
  /** By PE: the partition whose reply its newest FFA_RUN of a partition may bring. */
  private readonly expected: number[] = [];

  override reset(): void {
    this.tearing.length = 0;
    this.asked.clear();
    this.expected.length = 0;
  }

  override event(kind: number, log: EventLog, at: number): void {
    const pe = log.pe(at);
    switch (kind) {
      case EVENT_SMC:
        this.outgoing(this.bench.model.door.of(pe));
        return;
      case EVENT_SMC_RETURN: {
        const exchange = this.bench.model.door.of(pe);
        this.misled(exchange);
        this.remember(exchange);
        return;
      }
      case EVENT_GUEST_RETURN:
        this.answered(pe);
        return;
      default:
        this.tearing[pe] = kind === EVENT_TEARDOWN_ROUND ? log.argument(at, 0) : 0;
    }
  }

  private outgoing(x: Exchange): void {
    const fid = x.w(0);
    if (fid === FFA_MEM_RECLAIM) this.reclaim(x);
    const vm = x.caller;
    if (vm === 0) return;
    const call = this.bench.model.call(x.pe);
    if (call.open && call.vm !== vm && !fillsReceiver(x, call)) {
      this.report(`SMC for VM ${vm} in a call of VM ${call.vm}`, { vm: call.vm, named: vm });
    }
    const high = x.w(1) >>> 16;
    const low = x.w(1) & 0xffff;
    switch (fid) {
      case FFA_MSG_SEND_DIRECT_REQ_32:
      case FFA_MSG_SEND_DIRECT_REQ_64:
        if ((x.w(2) & DIRECT_FRAMEWORK_BIT) !== 0 && !this.relaxed('framework-bit-relayed')) {
          this.report(`VM ${vm} sends a framework message`, { vm, w2: x.w(2) });
        }
        this.speaksAs(vm, fid, high);
        this.asks(vm, fid, low);
        return;
      case FFA_MSG_SEND_DIRECT_REQ2:
      case FFA_MSG_SEND2:
      case FFA_NOTIFICATION_SET:
      case FFA_RXTX_UNMAP:
        this.speaksAs(vm, fid, high);
        return;
      case FFA_NOTIFICATION_BIND:
      case FFA_NOTIFICATION_UNBIND:
      case FFA_NOTIFICATION_GET:
        this.speaksAs(vm, fid, low);
        return;
      case FFA_RX_RELEASE:
        if (low !== 0) this.speaksAs(vm, fid, low);
        return;
      case FFA_RUN:
        this.expected[x.pe] = this.asked.get(preempted(call, x.w(1))) ?? high;
        this.runs(x, vm);
        return;
      default:
        if (x.purpose === PURPOSE_SEND && x.transaction !== null) this.speaksAs(vm, fid, x.transaction.sender);
    }
  }

  private speaksAs(vm: number, fid: number, id: number): void {
    if (id === vm) return;
    this.report(`${functionName(fid)} of VM ${vm} goes out as ${nameEndpoint(id)}`, { vm, id });
  }

  /** Between VMs the secure world has no say. */
  private asks(vm: number, fid: number, to: number): void {
    if (isSecureEndpoint(to) || this.relaxed('framework-bit-relayed')) return;
    this.report(`${functionName(fid)} of VM ${vm} for ${nameEndpoint(to)} goes to the SPMC`, { vm, to });
  }

  private runs(x: Exchange, vm: number): void {
    if (x.servedVm < 0 || x.servedVm === vm || this.relaxed('run-unchecked')) return;
    const sp = x.w(1) >>> 16;
    const facts = { vm, sp, serves: x.servedVm };
    this.report(`VM ${vm} runs ${nameEndpoint(sp)} that serves ${nameEndpoint(x.servedVm)}`, facts);
  }

  /** What is preempted goes on later, with the reply of whom the guest asked. */
  private remember(x: Exchange): void {
    if (x.caller === 0 || (x.a(0) !== FFA_INTERRUPT && x.a(0) !== FFA_YIELD)) return;
    const key = preempted(this.bench.model.call(x.pe), x.a(1));
    if (x.purpose === PURPOSE_DIRECT) this.asked.set(key, x.w(1) & 0xffff);
    else if (x.purpose === PURPOSE_RUN) this.asked.set(key, this.expected[x.pe]);
  }

  private reclaim(x: Exchange): void {
    const { transaction } = x;
    if (transaction === null) return;
    const tearing = this.tearing[x.pe] ?? 0;
    const { sender } = transaction;
    if (x.caller === sender || (x.caller === 0 && (tearing === 0 || tearing === sender))) return;
    const { handle } = transaction;
    if (x.caller !== 0) {
      this.report(`VM ${x.caller} reclaims what VM ${sender} shares`, { vm: x.caller, sender, handle });
    } else {
      this.report(`the teardown of VM ${tearing} reclaims what VM ${sender} shares`, { vm: tearing, sender, handle });
    }
  }

  /** An SPMC that is known to be ours answers each PE with the reply for whom it asked. */
  private misled(x: Exchange): void {
    const w0 = x.a(0);
    if (w0 === FFA_MEM_FRAG_RX && x.transaction !== null && this.bench.options.spmcSlots > 0) {
      const asked = x.a(4) >>> 16;
      const { sender: vm, handle } = x.transaction;
      if (asked !== vm)
        this.report(`the SPMC asks ${nameEndpoint(asked)} for what VM ${vm} sends`, { vm, asked, handle });
    }
    const isReply = w0 === FFA_MSG_SEND_DIRECT_RESP_32 || w0 === FFA_MSG_SEND_DIRECT_RESP_64;
    const to = x.a(1) & 0xffff;
    if (
      !isReply ||
      this.bench.options.spmcSlots === 0 ||
      to === x.caller ||
      x.caller === 0 ||
      x.purpose !== PURPOSE_DIRECT
    )
      return;
    this.report(`the SPMC gives VM ${x.caller} a reply that is for ${nameEndpoint(to)}`, { vm: x.caller, to });
  }

  private answered(pe: number): void {
    const call = this.bench.model.call(pe);
    const w0 = call.a(0);
    const short = w0 === FFA_MSG_SEND_DIRECT_RESP_32 || w0 === FFA_MSG_SEND_DIRECT_RESP_64;
    if ((!short && w0 !== FFA_MSG_SEND_DIRECT_RESP2) || this.relaxed('reply-unchecked')) return;
    const { vm } = call;
    const from = call.a(1) >>> 16;
    const to = call.a(1) & 0xffff;
    const asked = call.w(0) === FFA_RUN ? this.ranFor(call) : call.w(1) & 0xffff;
    if (to !== vm) this.report(`VM ${vm} gets a reply that is for ${nameEndpoint(to)}`, { vm, to, from });
    else if (from !== asked) {
      this.report(`VM ${vm} gets a reply of ${nameEndpoint(from)} to what it asked ${nameEndpoint(asked)}`, {
        vm,
        from,
        asked,
      });
    }
    if (short && (call.a(2) & DIRECT_FRAMEWORK_BIT) !== 0) {
      this.report(`VM ${vm} gets a framework response`, { vm, from, w2: call.a(2) });
    }
  }

  /** Whose reply FFA_RUN may bring. */
  private ranFor(call: GuestCall): number {
    return call.smcCount > 0 ? this.expected[call.pe] : call.w(1) >>> 16;
  }
}

/** A vCPU of a partition (w1 of FFA_RUN) as one incarnation of a guest left it. */
function preempted({ vm, serial }: GuestCall, target: number): string {
  return `${vm}.${serial}.${target}`;
}

/** Whether the hypervisor takes or gives back a receiver's RX, in its name, to deliver an indirect message. */
function fillsReceiver(x: Exchange, call: GuestCall): boolean {
  const fid = x.w(0);
  if (call.w(0) !== FFA_MSG_SEND2 || (x.w(1) & 0xffff) !== x.caller) return false;
  return fid === FFA_RX_ACQUIRE || fid === FFA_RX_RELEASE;
}
