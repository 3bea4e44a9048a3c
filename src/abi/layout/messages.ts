// Raw layout of messages: direct messages, framework messages, VM availability, indirect messages.
//
// Sources: [Hafnium api.c], [OP-TEE thread_spmc.c], [Linux arm_ffa], [Xen ffa_msg.c].

/** Direct messages w1: [31:16] sender, [15:0] receiver. */
export const DIRECT_SENDER_SHIFT = 16;
export const DIRECT_ENDPOINT_MASK = 0xffff;

/** FFA_MSG_SEND_DIRECT_REQ and RESP w2 bit 31: a framework message; clear = a partition message, w2 is then zero. */
export const DIRECT_FRAMEWORK_BIT = 0x80000000;
/** FFA_MSG_SEND_DIRECT_REQ and RESP w2 [7:0] of a framework message: its type. */
export const DIRECT_FRAMEWORK_TYPE_MASK = 0xff;
/** w2 [30:8]: should be zero. */
export const DIRECT_FLAGS_RESERVED_MASK = 0x7fffff00;

export const FRAMEWORK_PSCI_REQ = 0;
export const FRAMEWORK_PM_WARM_BOOT = 1;
export const FRAMEWORK_PM_RESP = 2;
export const FRAMEWORK_VM_CREATED_REQ = 4;
export const FRAMEWORK_VM_CREATED_RESP = 5;
export const FRAMEWORK_VM_DESTROYED_REQ = 6;
export const FRAMEWORK_VM_DESTROYED_RESP = 7;
export const FRAMEWORK_VERSION_REQ = 8;
export const FRAMEWORK_VERSION_RESP = 9;
/** FF-A 1.3 from here on. */
export const FRAMEWORK_STOP_REQ = 10;
export const FRAMEWORK_STOP_RESP = 11;
export const FRAMEWORK_LIVE_ACTIVATION_START_REQ = 12;
export const FRAMEWORK_LIVE_ACTIVATION_START_RESP = 13;
export const FRAMEWORK_LIVE_ACTIVATION_FINISH_REQ = 14;
export const FRAMEWORK_LIVE_ACTIVATION_FINISH_RESP = 15;

/** w2 of the VM availability messages, whole. */
export const VM_CREATED_REQ_W2 = 0x80000004;
export const VM_CREATED_RESP_W2 = 0x80000005;
export const VM_DESTROYED_REQ_W2 = 0x80000006;
export const VM_DESTROYED_RESP_W2 = 0x80000007;
/** VM availability request w5 [15:0]: the VM's id. [31:16] should be zero. */
export const VM_AVAILABILITY_VM_ID_MASK = 0xffff;

/** FFA_MSG_SEND_DIRECT_REQ2 and RESP2: first and last payload register. */
export const DIRECT2_PAYLOAD_FIRST_REGISTER = 4;
export const DIRECT2_PAYLOAD_LAST_REGISTER = 17;
/** FFA_MSG_SEND_DIRECT_REQ and RESP: first and last payload register (w3 carries a framework message's first word). */
export const DIRECT_PAYLOAD_FIRST_REGISTER = 3;
export const DIRECT_PAYLOAD_LAST_REGISTER = 7;

/** Size of an indirect message's header in 1.1. */
export const MESSAGE_HEADER_1_1_SIZE_BYTES = 20;
/** Size of an indirect message's header since 1.2. */
export const MESSAGE_HEADER_1_2_SIZE_BYTES = 40;
/** Offset 0, length 4: flags, must be zero. */
export const MESSAGE_FLAGS_OFFSET = 0;
/** Offset 4, length 4: reserved, must be zero. */
export const MESSAGE_RESERVED_4_OFFSET = 4;
/** Offset 8, length 4: offset of the payload from the header's start. */
export const MESSAGE_PAYLOAD_OFFSET = 8;
/** Offset 12, length 2: receiver. */
export const MESSAGE_RECEIVER_OFFSET = 12;
/** Offset 14, length 2: sender. */
export const MESSAGE_SENDER_OFFSET = 14;
/** Offset 16, length 4: size of the payload in bytes. */
export const MESSAGE_PAYLOAD_SIZE_OFFSET = 16;
/** Offset 20, length 4, since 1.2: reserved, must be zero. */
export const MESSAGE_RESERVED_20_OFFSET = 20;
/** Offset 24, length 16, since 1.2: UUID of the protocol. */
export const MESSAGE_UUID_OFFSET = 24;

/** FFA_MSG_SEND2 w1 [31:16]: the sending VM, from the hypervisor only; else zero. */
export const MSG_SEND2_SENDER_SHIFT = 16;
/** FFA_MSG_SEND2 w2 bit 1: delay the schedule receiver interrupt. */
export const MSG_SEND2_FLAG_DELAY_SRI = 1 << 1;

/** FFA_RUN and FFA_INTERRUPT w1: [31:16] endpoint, [15:0] vCPU. */
export const RUN_ENDPOINT_SHIFT = 16;
export const RUN_VCPU_MASK = 0xffff;
/** FFA_MSG_WAIT w2 bit 0, since 1.2: keep the RX buffer. */
export const MSG_WAIT_FLAG_RETAIN_RX = 1 << 0;
