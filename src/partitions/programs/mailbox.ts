// mailbox: an SP for notifications and indirect messages. When it is run without a direct message, it asks for its
// notifications; if RX is full it reads the message there, gives RX back, and may send the payload back to its sender.
// By direct messages it binds bits of its own, sets bits of others, and tells what has come so far.

import { FFA_NOT_SUPPORTED, FFA_OK } from '../../abi/errors.ts';
import { NOTIFICATION_FRAMEWORK_RX_FULL, NOTIFICATION_GET_FLAGS_MASK } from '../../abi/layout/notifications.ts';
import type { VcpuContext } from '../../hardware/partition-entry.ts';
import { ReceiveMessage, SendMessage } from '../operations/indirect-message.ts';
import { BindNotifications, GetNotifications, SetNotifications } from '../operations/notifications.ts';
import { OUTCOME_SUCCESS } from '../outcome.ts';
import * as protocol from '../protocol.ts';
import { SpProgram, type SpProgramOptions } from '../sp-program.ts';
import { SERVE_NOTHING, type Serve, type SpVcpu } from '../sp-vcpu.ts';

export interface MailboxOptions extends SpProgramOptions {
  /** Send each indirect message back to its sender. Default false. */
  readonly answer?: boolean;
}

const STEP_ASK = 0;
const STEP_ASKED = 1;
const STEP_READ = 2;
const STEP_ANSWERED = 3;

export class MailboxProgram extends SpProgram {
  /** Bits 31:0 that have come from anyone, all together. */
  receivedBits = 0;
  /** Indirect messages that have come. */
  messageCount = 0;
  private readonly answer: boolean;
  private readonly asked: GetNotifications[] = [];
  private readonly message: ReceiveMessage[] = [];

  constructor(options: MailboxOptions) {
    super(options);
    this.answer = options.answer ?? false;
  }

  override reset(): void {
    super.reset();
    this.receivedBits = 0;
    this.messageCount = 0;
  }

  protected override errand(vcpu: SpVcpu, context: VcpuContext): Serve {
    if (vcpu.kind !== 'none') return SERVE_NOTHING;
    const good = vcpu.step === STEP_ASK || vcpu.caller.outcome === OUTCOME_SUCCESS;
    switch (good ? vcpu.step++ : STEP_ANSWERED) {
      case STEP_ASK:
        this.asked[context.vcpu] = new GetNotifications(NOTIFICATION_GET_FLAGS_MASK, context.vcpu);
        return this.begin(vcpu, context, this.asked[context.vcpu]);
      case STEP_ASKED: {
        const { fromHypervisor, fromSp, fromSpm, fromVm } = this.asked[context.vcpu];
        this.receivedBits = (this.receivedBits | fromSp.low | fromVm.low) >>> 0;
        if (((fromSpm | fromHypervisor) & NOTIFICATION_FRAMEWORK_RX_FULL) === 0) return SERVE_NOTHING;
        this.message[context.vcpu] = new ReceiveMessage();
        return this.begin(vcpu, context, this.message[context.vcpu]);
      }
      case STEP_READ: {
        this.messageCount++;
        const { payload, sender } = this.message[context.vcpu];
        return this.answer ? this.begin(vcpu, context, new SendMessage(sender, payload)) : SERVE_NOTHING;
      }
      default:
        return SERVE_NOTHING;
    }
  }

  protected override serve(vcpu: SpVcpu, context: VcpuContext): Serve {
    const operation = vcpu.word(0);
    if (operation === protocol.PROTOCOL_ECHO) return vcpu.answerEcho();
    if (operation === protocol.PROTOCOL_RECEIVED) return vcpu.answer(FFA_OK, this.receivedBits, this.messageCount);
    if (vcpu.step++ > 0) return vcpu.answer(protocol.protocolStatus(vcpu.caller.outcome));
    const other = vcpu.word(1) & 0xffff;
    const bits = { low: vcpu.word(2), high: vcpu.word(3) };
    if (operation === protocol.PROTOCOL_NOTIFY) return this.begin(vcpu, context, new SetNotifications(other, bits));
    if (operation === protocol.PROTOCOL_BIND)
      return this.begin(vcpu, context, new BindNotifications(true, other, bits));
    return vcpu.answer(FFA_NOT_SUPPORTED);
  }
}
