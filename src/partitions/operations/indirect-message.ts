// Indirect messages: FFA_MSG_SEND2 with header and payload in TX; and what a receiver does when its RX is full.

import { FFA_MSG_SEND2, FFA_RX_RELEASE, FFA_SUCCESS_32 } from '../../abi/function-ids.ts';
import { decodeMessageHeader, encodeMessageHeader, messageHeaderBytes } from '../../abi/message-header.ts';
import { NIL_UUID, type Uuid } from '../../abi/uuid.ts';
import type { CallContext, Caller, CallStep, Operation } from '../caller.ts';
import { OUTCOME_FAULT, OUTCOME_MALFORMED, OUTCOME_SUCCESS, OUTCOME_UNEXPECTED, type Outcome } from '../outcome.ts';

export interface SendMessageOptions {
  /** The protocol, in a header of 1.2. */
  readonly uuid?: Uuid;
  /** w2: `MSG_SEND2_FLAG_...`. */
  readonly flags?: number;
  /** Sender in the header instead of the own id: a lie. */
  readonly sender?: number;
}

/** Sends one message. Its payload must fit TX behind the header. */
export class SendMessage implements Operation {
  private readonly receiver: number;
  private readonly payload: Uint8Array;
  private readonly options: SendMessageOptions;

  constructor(receiver: number, payload: Uint8Array, options: SendMessageOptions = {}) {
    this.receiver = receiver;
    this.payload = payload;
    this.options = options;
  }

  start(caller: Caller, context: CallContext): CallStep {
    const { endpoint } = caller;
    if (!endpoint.claimBuffers(caller.vcpu, false)) return caller.startLater(context);
    const version = endpoint.layoutVersion;
    const payloadOffset = messageHeaderBytes(version);
    const header = encodeMessageHeader(
      {
        flags: 0,
        payloadOffset,
        receiver: this.receiver,
        sender: this.options.sender ?? endpoint.id,
        payloadSizeBytes: this.payload.length,
        uuid: this.options.uuid ?? NIL_UUID,
      },
      version,
    );
    const message = new Uint8Array(payloadOffset + this.payload.length);
    message.set(header);
    message.set(this.payload, payloadOffset);
    if (message.length > endpoint.bufferBytes) return caller.finish(OUTCOME_FAULT);
    if (!context.memory.write(endpoint.txAddress, message, 0, message.length)) return caller.finish(OUTCOME_FAULT);
    return caller.call(context, FFA_MSG_SEND2, 0, this.options.flags ?? 0);
  }

  answered(caller: Caller, context: CallContext): CallStep {
    const good = context.registers.w(0) === FFA_SUCCESS_32;
    return caller.finish(good ? OUTCOME_SUCCESS : OUTCOME_UNEXPECTED);
  }
}

/** Reads the message in RX and gives RX back. Without a message there, FFA_RX_RELEASE is refused. */
export class ReceiveMessage implements Operation {
  sender = 0;
  payload: Uint8Array = new Uint8Array(0);
  private result: Outcome = OUTCOME_SUCCESS;

  start(caller: Caller, context: CallContext): CallStep {
    if (!caller.endpoint.claimBuffers(caller.vcpu, true)) return caller.startLater(context);
    this.result = this.readMessage(caller, context);
    return caller.call(context, FFA_RX_RELEASE);
  }

  answered(caller: Caller, context: CallContext): CallStep {
    if (context.registers.w(0) !== FFA_SUCCESS_32) return caller.finish(OUTCOME_UNEXPECTED);
    return caller.finish(this.result);
  }

  private readMessage(caller: Caller, context: CallContext): Outcome {
    const { bufferBytes, layoutVersion, rxAddress } = caller.endpoint;
    const buffer = new Uint8Array(bufferBytes);
    if (!context.memory.read(rxAddress, buffer, 0, bufferBytes)) return OUTCOME_FAULT;
    const decoded = decodeMessageHeader(new DataView(buffer.buffer), layoutVersion);
    if (!decoded.ok) return OUTCOME_MALFORMED;
    const { payloadOffset, payloadSizeBytes, sender } = decoded.value;
    if (payloadOffset + payloadSizeBytes > bufferBytes) return OUTCOME_MALFORMED;
    this.sender = sender;
    this.payload = buffer.slice(payloadOffset, payloadOffset + payloadSizeBytes);
    return OUTCOME_SUCCESS;
  }
}
