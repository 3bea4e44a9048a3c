// Direct messages between VMs, in the default profile. A vCPU that can take one stands in FFA_MSG_WAIT (or has answered
// one); who asks stands still until the answer comes. Nothing of it reaches the secure world.
//
// An interrupt that is pending for the one who asks ends its wait with FFA_INTERRUPT; FFA_RUN of the vCPU that it names
// goes on waiting. The end of either VM ends it too: the other hears ABORTED, or answers nobody.
//
// Not here: FFA_YIELD of a VM, messages from a partition to a VM (no SPMC that is known passes them on).

import { FFA_ABORTED, FFA_BUSY, FFA_DENIED, FFA_INVALID_PARAMETERS, FFA_NOT_SUPPORTED, FFA_OK } from '../abi/errors.ts';
import { FFA_INTERRUPT, FFA_MSG_SEND_DIRECT_REQ2, FFA_MSG_SEND_DIRECT_RESP2, isSmc64 } from '../abi/function-ids.ts';
import {
  DIRECT_ENDPOINT_MASK,
  DIRECT_PAYLOAD_LAST_REGISTER,
  DIRECT_SENDER_SHIFT,
  MSG_WAIT_FLAG_RETAIN_RX,
  RUN_ENDPOINT_SHIFT,
} from '../abi/layout/messages.ts';
import { FFA_VERSION_1_2 } from '../abi/versions.ts';
import { TOUCH_PARTITION } from '../base/announcement.ts';
import type { Coroutine } from '../base/coroutine.ts';
import type { Pe } from '../hardware/pe.ts';
import { REGISTER_COUNT, RegisterFile } from '../hardware/registers.ts';
import { answerError } from './answer.ts';
import { DOMAIN_ALIVE, type Domain, type Vcpu } from './domain.ts';
import { type FfaContext, VERSION_NONE } from './ffa-context.ts';
import type { Hypervisor } from './hypervisor.ts';

/** A vCPU that waits for a request. */
interface Waiter {
  readonly vcpu: Vcpu;
  readonly pe: Pe;
  /** Its request is in its registers. */
  served: boolean;
}

/** A request that has been taken and not answered. */
interface Exchange {
  readonly sender: Vcpu;
  readonly receiver: Vcpu;
  readonly second: boolean;
  /** Where the sender stands still; null while it is interrupted. */
  pe: Pe | null;
  answered: boolean;
  readonly reply: RegisterFile;
}

export class VmMessages {
  private readonly waiting = new Map<Domain, Waiter[]>();
  private readonly bySender = new Map<Vcpu, Exchange>();
  private readonly byReceiver = new Map<Vcpu, Exchange>();

  /** FFA_MSG_WAIT: until a request, or an interrupt of its own. */
  *wait(pe: Pe, vcpu: Vcpu): Coroutine {
    const { registers: r } = vcpu;
    const flags = r.w(2) & ~MSG_WAIT_FLAG_RETAIN_RX;
    if ((r.w(1) | flags | r.w(3) | r.w(4) | r.w(5) | r.w(6) | r.w(7)) !== 0) {
      answerError(r, FFA_INVALID_PARAMETERS);
    } else if (this.byReceiver.has(vcpu)) answerError(r, FFA_DENIED);
    else yield* this.rest(pe, vcpu);
  }

  /** FFA_MSG_SEND_DIRECT_REQ and REQ2 to a VM; the ids in w1 have been looked at. */
  *ask(hypervisor: Hypervisor, pe: Pe, vcpu: Vcpu): Coroutine {
    const { registers } = vcpu;
    const receiverId = registers.w(1) & DIRECT_ENDPOINT_MASK;
    if (pe.stepping) yield pe.writes(TOUCH_PARTITION, receiverId);
    const receiver = hypervisor.domains.findVm(receiverId);
    const error = receiver === null ? FFA_INVALID_PARAMETERS : this.checkReceiver(vcpu, receiver);
    const waiter = receiver === null ? undefined : this.waiting.get(receiver)?.[0];
    if (error !== FFA_OK || waiter === undefined) {
      answerError(registers, error === FFA_OK ? FFA_BUSY : error);
      return;
    }
    const second = registers.w(0) === FFA_MSG_SEND_DIRECT_REQ2;
    const reply = new RegisterFile();
    const exchange: Exchange = { sender: vcpu, receiver: waiter.vcpu, second, pe, answered: false, reply };
    this.bySender.set(vcpu, exchange);
    this.byReceiver.set(waiter.vcpu, exchange);
    this.leave(waiter);
    pass(registers, waiter.vcpu.registers);
    waiter.served = true;
    waiter.pe.wake();
    yield* this.await(pe, exchange);
  }

  /** FFA_MSG_SEND_DIRECT_RESP and RESP2 of a VM; then it waits for the next request. */
  *answer(pe: Pe, vcpu: Vcpu): Coroutine {
    if (pe.stepping) yield pe.writes(TOUCH_PARTITION, vcpu.domain.vmId);
    const exchange = this.byReceiver.get(vcpu);
    const error = checkResponse(vcpu, exchange);
    if (error !== FFA_OK || exchange === undefined) {
      answerError(vcpu.registers, error);
      return;
    }
    this.byReceiver.delete(vcpu);
    pass(vcpu.registers, exchange.reply);
    exchange.answered = true;
    exchange.pe?.wake();
    yield* this.rest(pe, vcpu);
  }

  /** FFA_RUN of a VM's vCPU: goes on waiting for its answer. */
  *goOn(pe: Pe, vcpu: Vcpu): Coroutine {
    const exchange = this.bySender.get(vcpu);
    if (exchange === undefined || nameOf(exchange.receiver) !== vcpu.registers.w(1)) {
      answerError(vcpu.registers, exchange === undefined ? FFA_NOT_SUPPORTED : FFA_DENIED);
      return;
    }
    exchange.pe = pe;
    yield* this.await(pe, exchange);
  }

  /** The domain begins to die: whoever stands still for it, or in it, goes on. */
  dying(domain: Domain): void {
    for (const waiter of this.waiting.get(domain) ?? []) waiter.pe.wake();
    for (const vcpu of domain.vcpus) {
      const asked = this.byReceiver.get(vcpu);
      this.byReceiver.delete(vcpu);
      asked?.pe?.wake();
      const asking = this.bySender.get(vcpu);
      this.bySender.delete(vcpu);
      asking?.pe?.wake();
    }
  }

  private checkReceiver(sender: Vcpu, receiver: Domain): number {
    const theirs = receiver.ffa;
    if (receiver.life !== DOMAIN_ALIVE || theirs === null || theirs.version === VERSION_NONE) {
      return FFA_INVALID_PARAMETERS;
    }
    const functionId = sender.registers.w(0);
    if (functionId === FFA_MSG_SEND_DIRECT_REQ2 && theirs.version < FFA_VERSION_1_2) return FFA_DENIED;
    if (isSmc64(functionId) && receiver.config.bits === 32) return FFA_DENIED;
    return this.bySender.has(sender) ? FFA_BUSY : FFA_OK;
  }

  private *rest(pe: Pe, vcpu: Vcpu): Coroutine {
    const { domain, registers } = vcpu;
    const waiter: Waiter = { vcpu, pe, served: false };
    const list = this.waiting.get(domain);
    if (list === undefined) this.waiting.set(domain, [waiter]);
    else list.push(waiter);
    while (!waiter.served && domain.life === DOMAIN_ALIVE && vcpu.interrupts.length === 0 && !pe.interruptPending) {
      yield pe.suspend();
    }
    if (waiter.served) return;
    this.leave(waiter);
    if (domain.life !== DOMAIN_ALIVE) answerError(registers, FFA_ABORTED);
    else interrupted(pe, registers, vcpu);
  }

  private leave(waiter: Waiter): void {
    const { domain } = waiter.vcpu;
    const list = this.waiting.get(domain) ?? [];
    list.splice(list.indexOf(waiter), 1);
    if (list.length === 0) this.waiting.delete(domain);
  }

  private *await(pe: Pe, exchange: Exchange): Coroutine {
    const { receiver, sender } = exchange;
    while (!exchange.answered && areAlive(sender, receiver) && !pe.interruptPending) yield pe.suspend();
    exchange.pe = null;
    if (!exchange.answered && areAlive(sender, receiver)) {
      interrupted(pe, sender.registers, receiver);
      return;
    }
    this.bySender.delete(sender);
    if (exchange.answered) sender.registers.copy(exchange.reply);
    else answerError(sender.registers, FFA_ABORTED);
  }
}

function areAlive(sender: Vcpu, receiver: Vcpu): boolean {
  return sender.domain.life === DOMAIN_ALIVE && receiver.domain.life === DOMAIN_ALIVE;
}

/** FFA_INTERRUPT, about the vCPU that is waited for: the interrupt is the hypervisor's, which takes it now. */
function interrupted(pe: Pe, registers: RegisterFile, about: Vcpu): void {
  pe.interruptPending = false;
  registers.clear();
  registers.set4(FFA_INTERRUPT, nameOf(about), 0, 0);
}

function nameOf({ domain, index }: Vcpu): number {
  return ((domain.vmId << RUN_ENDPOINT_SHIFT) | index) >>> 0;
}

function checkResponse(vcpu: Vcpu, exchange: Exchange | undefined): number {
  const r = vcpu.registers;
  const second = r.w(0) === FFA_MSG_SEND_DIRECT_RESP2;
  if (second && (vcpu.domain.ffa as FfaContext).version < FFA_VERSION_1_2) return FFA_NOT_SUPPORTED;
  if (!second && r.w(2) !== 0) return FFA_INVALID_PARAMETERS;
  const receiver = r.w(1) & DIRECT_ENDPOINT_MASK;
  const { vmId } = vcpu.domain;
  if (r.w(1) >>> DIRECT_SENDER_SHIFT !== vmId || receiver === vmId) return FFA_INVALID_PARAMETERS;
  if (exchange === undefined || exchange.sender.domain.vmId !== receiver) return FFA_DENIED;
  return exchange.second === second ? FFA_OK : FFA_DENIED;
}

/** Hands a message over: what its form does not carry is zero. */
function pass(from: RegisterFile, to: RegisterFile): void {
  const functionId = from.w(0);
  to.copy(from);
  if (functionId === FFA_MSG_SEND_DIRECT_REQ2) return;
  if (functionId === FFA_MSG_SEND_DIRECT_RESP2) {
    to.clear(2, 3);
    return;
  }
  to.clear(DIRECT_PAYLOAD_LAST_REGISTER + 1, REGISTER_COUNT - 1);
  if (isSmc64(functionId)) return;
  for (let n = 0; n <= DIRECT_PAYLOAD_LAST_REGISTER; n++) to.setW(n, from.w(n));
}
