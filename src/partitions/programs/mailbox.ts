// mailbox: an SP for notifications and indirect messages. When it is run without a direct message, it asks for its
// notifications; if RX is full it reads the message there, gives RX back, and may send the payload back to its sender.
// By direct messages it binds bits of its own, sets bits of others, and tells what has come so far.

import { FFA_NOT_SUPPORTED, FFA_OK } from '../../abi/errors.ts';
import { NOTIFICATION_FRAMEWORK_RX_FULL } from '../../abi/layout/notifications.ts';
import * as protocol from '../protocol.ts';
import type { SpCalls } from '../sp-calls.ts';
import type { SpProgramOptions } from '../sp-program.ts';
import { type Part, SpService } from '../sp-service.ts';
import { SERVE_NOTHING, type Serve } from '../sp-vcpu.ts';
import type { Task } from '../task.ts';

export interface MailboxOptions extends SpProgramOptions {
  /** Send each indirect message back to its sender. Default false. */
  readonly answer?: boolean;
}

export class MailboxProgram extends SpService {
  /** Bits 31:0 that have come from anyone, all together. */
  receivedBits = 0;
  /** Indirect messages that have come. */
  messageCount = 0;
  private readonly answer: boolean;

  constructor(options: MailboxOptions) {
    super(options);
    this.answer = options.answer ?? false;
  }

  override reset(): void {
    super.reset();
    this.receivedBits = 0;
    this.messageCount = 0;
  }

  protected override atEntry(ffa: SpCalls): Part {
    return this.mayBeNotified(ffa) ? this.look(ffa) : SERVE_NOTHING;
  }

  protected override *atStart(ffa: SpCalls): Task<Serve> {
    yield* this.learnInterrupt(ffa);
    return SERVE_NOTHING;
  }

  protected override message(ffa: SpCalls): Part {
    const { vcpu } = ffa;
    switch (vcpu.word(0)) {
      case protocol.PROTOCOL_ECHO:
        return vcpu.answerEcho();
      case protocol.PROTOCOL_RECEIVED:
        return vcpu.answer(FFA_OK, this.receivedBits, this.messageCount);
      case protocol.PROTOCOL_NOTIFY:
      case protocol.PROTOCOL_BIND:
        return this.notifyOrBind(ffa);
      default:
        return vcpu.answer(FFA_NOT_SUPPORTED);
    }
  }

  /** Takes what is pending; a message in RX too. */
  private *look(ffa: SpCalls): Task<Serve> {
    const got = yield* ffa.notifications();
    if (!got.ok) return SERVE_NOTHING;
    const { fromHypervisor, fromSp, fromSpm, fromVm } = got.value;
    this.receivedBits = (this.receivedBits | fromSp.low | fromVm.low) >>> 0;
    if (((fromSpm | fromHypervisor) & NOTIFICATION_FRAMEWORK_RX_FULL) === 0) return SERVE_NOTHING;
    const message = yield* ffa.receive();
    if (!message.ok) return SERVE_NOTHING;
    this.messageCount++;
    if (this.answer) yield* ffa.send(message.value.sender, message.value.payload);
    return SERVE_NOTHING;
  }

  private *notifyOrBind(ffa: SpCalls): Task<Serve> {
    const { vcpu } = ffa;
    const other = vcpu.word(1) & 0xffff;
    const bits = { low: vcpu.word(2), high: vcpu.word(3) };
    const isBind = vcpu.word(0) === protocol.PROTOCOL_BIND;
    const { outcome } = yield* isBind ? ffa.bind(other, bits) : ffa.notify(other, bits);
    return vcpu.answer(protocol.protocolStatus(outcome));
  }
}
