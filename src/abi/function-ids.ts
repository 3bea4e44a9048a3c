// Function ids of FF-A 1.0, 1.1 and 1.2, and those of 1.3 by name.
//
// A function id is an unsigned 32-bit number: a fast call (bit 31), 64-bit convention or not (bit 30), owner 4
// (standard secure service), and a function number 0x60 to 0x97. A call that has one form only has no suffix; one that
// has both is named `_32` and `_64`.
//
// Not covered: which version, caller or register each call takes: see `calls.ts`.

/** Bit 30 of a function id: the call follows the 64-bit SMC calling convention. */
export const SMC64_BIT = 0x40000000;

const SMC32_BASE = 0x84000000;
const SMC64_BASE = 0xc4000000;

/** Lowest function number (bits [7:0]) of FF-A. */
export const FFA_FIRST_FUNCTION_NUMBER = 0x60;
/** Highest function number that this project knows by name. */
export const FFA_LAST_FUNCTION_NUMBER = 0x97;

export const FFA_ERROR = 0x84000060;
export const FFA_SUCCESS_32 = 0x84000061;
export const FFA_SUCCESS_64 = 0xc4000061;
export const FFA_INTERRUPT = 0x84000062;
export const FFA_VERSION = 0x84000063;
export const FFA_FEATURES = 0x84000064;
export const FFA_RX_RELEASE = 0x84000065;
export const FFA_RXTX_MAP_32 = 0x84000066;
export const FFA_RXTX_MAP_64 = 0xc4000066;
export const FFA_RXTX_UNMAP = 0x84000067;
export const FFA_PARTITION_INFO_GET = 0x84000068;
export const FFA_ID_GET = 0x84000069;
/** FF-A 1.0 only, gone in 1.1. */
export const FFA_MSG_POLL = 0x8400006a;
export const FFA_MSG_WAIT = 0x8400006b;
export const FFA_YIELD = 0x8400006c;
export const FFA_RUN = 0x8400006d;
/** FF-A 1.0 only; `FFA_MSG_SEND2` replaces it. */
export const FFA_MSG_SEND = 0x8400006e;
export const FFA_MSG_SEND_DIRECT_REQ_32 = 0x8400006f;
export const FFA_MSG_SEND_DIRECT_REQ_64 = 0xc400006f;
export const FFA_MSG_SEND_DIRECT_RESP_32 = 0x84000070;
export const FFA_MSG_SEND_DIRECT_RESP_64 = 0xc4000070;
export const FFA_MEM_DONATE_32 = 0x84000071;
export const FFA_MEM_DONATE_64 = 0xc4000071;
export const FFA_MEM_LEND_32 = 0x84000072;
export const FFA_MEM_LEND_64 = 0xc4000072;
export const FFA_MEM_SHARE_32 = 0x84000073;
export const FFA_MEM_SHARE_64 = 0xc4000073;
export const FFA_MEM_RETRIEVE_REQ_32 = 0x84000074;
export const FFA_MEM_RETRIEVE_REQ_64 = 0xc4000074;
export const FFA_MEM_RETRIEVE_RESP = 0x84000075;
export const FFA_MEM_RELINQUISH = 0x84000076;
export const FFA_MEM_RECLAIM = 0x84000077;
/** FF-A 1.0 only, optional there. */
export const FFA_MEM_OP_PAUSE = 0x84000078;
/** FF-A 1.0 only, optional there. */
export const FFA_MEM_OP_RESUME = 0x84000079;
export const FFA_MEM_FRAG_RX = 0x8400007a;
export const FFA_MEM_FRAG_TX = 0x8400007b;
export const FFA_NORMAL_WORLD_RESUME = 0x8400007c;
export const FFA_NOTIFICATION_BITMAP_CREATE = 0x8400007d;
export const FFA_NOTIFICATION_BITMAP_DESTROY = 0x8400007e;
export const FFA_NOTIFICATION_BIND = 0x8400007f;
export const FFA_NOTIFICATION_UNBIND = 0x84000080;
export const FFA_NOTIFICATION_SET = 0x84000081;
export const FFA_NOTIFICATION_GET = 0x84000082;
export const FFA_NOTIFICATION_INFO_GET_32 = 0x84000083;
export const FFA_NOTIFICATION_INFO_GET_64 = 0xc4000083;
export const FFA_RX_ACQUIRE = 0x84000084;
export const FFA_SPM_ID_GET = 0x84000085;
export const FFA_MSG_SEND2 = 0x84000086;
export const FFA_SECONDARY_EP_REGISTER = 0xc4000087;
export const FFA_MEM_PERM_GET_32 = 0x84000088;
export const FFA_MEM_PERM_GET_64 = 0xc4000088;
export const FFA_MEM_PERM_SET_32 = 0x84000089;
export const FFA_MEM_PERM_SET_64 = 0xc4000089;
export const FFA_CONSOLE_LOG_32 = 0x8400008a;
export const FFA_CONSOLE_LOG_64 = 0xc400008a;
export const FFA_PARTITION_INFO_GET_REGS = 0xc400008b;
export const FFA_EL3_INTR_HANDLE = 0x8400008c;
export const FFA_MSG_SEND_DIRECT_REQ2 = 0xc400008d;
export const FFA_MSG_SEND_DIRECT_RESP2 = 0xc400008e;
/** FF-A 1.3. */
export const FFA_NS_RES_INFO_GET = 0xc400008f;
/** FF-A 1.3. */
export const FFA_ABORT_32 = 0x84000090;
/** FF-A 1.3. */
export const FFA_ABORT_64 = 0xc4000090;
/** FF-A 1.3. */
export const FFA_NOTIFICATION_BIND2 = 0xc4000094;
/** FF-A 1.3. */
export const FFA_NOTIFICATION_UNBIND2 = 0xc4000095;
/** FF-A 1.3. */
export const FFA_NOTIFICATION_SET2 = 0xc4000096;
/** FF-A 1.3. */
export const FFA_NOTIFICATION_GET2 = 0xc4000097;

/** Every named function id with its name, by function number and then 32 before 64. */
export const FUNCTION_NAMES: readonly (readonly [fid: number, name: string])[] = [
  [FFA_ERROR, 'FFA_ERROR'],
  [FFA_SUCCESS_32, 'FFA_SUCCESS_32'],
  [FFA_SUCCESS_64, 'FFA_SUCCESS_64'],
  [FFA_INTERRUPT, 'FFA_INTERRUPT'],
  [FFA_VERSION, 'FFA_VERSION'],
  [FFA_FEATURES, 'FFA_FEATURES'],
  [FFA_RX_RELEASE, 'FFA_RX_RELEASE'],
  [FFA_RXTX_MAP_32, 'FFA_RXTX_MAP_32'],
  [FFA_RXTX_MAP_64, 'FFA_RXTX_MAP_64'],
  [FFA_RXTX_UNMAP, 'FFA_RXTX_UNMAP'],
  [FFA_PARTITION_INFO_GET, 'FFA_PARTITION_INFO_GET'],
  [FFA_ID_GET, 'FFA_ID_GET'],
  [FFA_MSG_POLL, 'FFA_MSG_POLL'],
  [FFA_MSG_WAIT, 'FFA_MSG_WAIT'],
  [FFA_YIELD, 'FFA_YIELD'],
  [FFA_RUN, 'FFA_RUN'],
  [FFA_MSG_SEND, 'FFA_MSG_SEND'],
  [FFA_MSG_SEND_DIRECT_REQ_32, 'FFA_MSG_SEND_DIRECT_REQ_32'],
  [FFA_MSG_SEND_DIRECT_REQ_64, 'FFA_MSG_SEND_DIRECT_REQ_64'],
  [FFA_MSG_SEND_DIRECT_RESP_32, 'FFA_MSG_SEND_DIRECT_RESP_32'],
  [FFA_MSG_SEND_DIRECT_RESP_64, 'FFA_MSG_SEND_DIRECT_RESP_64'],
  [FFA_MEM_DONATE_32, 'FFA_MEM_DONATE_32'],
  [FFA_MEM_DONATE_64, 'FFA_MEM_DONATE_64'],
  [FFA_MEM_LEND_32, 'FFA_MEM_LEND_32'],
  [FFA_MEM_LEND_64, 'FFA_MEM_LEND_64'],
  [FFA_MEM_SHARE_32, 'FFA_MEM_SHARE_32'],
  [FFA_MEM_SHARE_64, 'FFA_MEM_SHARE_64'],
  [FFA_MEM_RETRIEVE_REQ_32, 'FFA_MEM_RETRIEVE_REQ_32'],
  [FFA_MEM_RETRIEVE_REQ_64, 'FFA_MEM_RETRIEVE_REQ_64'],
  [FFA_MEM_RETRIEVE_RESP, 'FFA_MEM_RETRIEVE_RESP'],
  [FFA_MEM_RELINQUISH, 'FFA_MEM_RELINQUISH'],
  [FFA_MEM_RECLAIM, 'FFA_MEM_RECLAIM'],
  [FFA_MEM_OP_PAUSE, 'FFA_MEM_OP_PAUSE'],
  [FFA_MEM_OP_RESUME, 'FFA_MEM_OP_RESUME'],
  [FFA_MEM_FRAG_RX, 'FFA_MEM_FRAG_RX'],
  [FFA_MEM_FRAG_TX, 'FFA_MEM_FRAG_TX'],
  [FFA_NORMAL_WORLD_RESUME, 'FFA_NORMAL_WORLD_RESUME'],
  [FFA_NOTIFICATION_BITMAP_CREATE, 'FFA_NOTIFICATION_BITMAP_CREATE'],
  [FFA_NOTIFICATION_BITMAP_DESTROY, 'FFA_NOTIFICATION_BITMAP_DESTROY'],
  [FFA_NOTIFICATION_BIND, 'FFA_NOTIFICATION_BIND'],
  [FFA_NOTIFICATION_UNBIND, 'FFA_NOTIFICATION_UNBIND'],
  [FFA_NOTIFICATION_SET, 'FFA_NOTIFICATION_SET'],
  [FFA_NOTIFICATION_GET, 'FFA_NOTIFICATION_GET'],
  [FFA_NOTIFICATION_INFO_GET_32, 'FFA_NOTIFICATION_INFO_GET_32'],
  [FFA_NOTIFICATION_INFO_GET_64, 'FFA_NOTIFICATION_INFO_GET_64'],
  [FFA_RX_ACQUIRE, 'FFA_RX_ACQUIRE'],
  [FFA_SPM_ID_GET, 'FFA_SPM_ID_GET'],
  [FFA_MSG_SEND2, 'FFA_MSG_SEND2'],
  [FFA_SECONDARY_EP_REGISTER, 'FFA_SECONDARY_EP_REGISTER'],
  [FFA_MEM_PERM_GET_32, 'FFA_MEM_PERM_GET_32'],
  [FFA_MEM_PERM_GET_64, 'FFA_MEM_PERM_GET_64'],
  [FFA_MEM_PERM_SET_32, 'FFA_MEM_PERM_SET_32'],
  [FFA_MEM_PERM_SET_64, 'FFA_MEM_PERM_SET_64'],
  [FFA_CONSOLE_LOG_32, 'FFA_CONSOLE_LOG_32'],
  [FFA_CONSOLE_LOG_64, 'FFA_CONSOLE_LOG_64'],
  [FFA_PARTITION_INFO_GET_REGS, 'FFA_PARTITION_INFO_GET_REGS'],
  [FFA_EL3_INTR_HANDLE, 'FFA_EL3_INTR_HANDLE'],
  [FFA_MSG_SEND_DIRECT_REQ2, 'FFA_MSG_SEND_DIRECT_REQ2'],
  [FFA_MSG_SEND_DIRECT_RESP2, 'FFA_MSG_SEND_DIRECT_RESP2'],
  [FFA_NS_RES_INFO_GET, 'FFA_NS_RES_INFO_GET'],
  [FFA_ABORT_32, 'FFA_ABORT_32'],
  [FFA_ABORT_64, 'FFA_ABORT_64'],
  [FFA_NOTIFICATION_BIND2, 'FFA_NOTIFICATION_BIND2'],
  [FFA_NOTIFICATION_UNBIND2, 'FFA_NOTIFICATION_UNBIND2'],
  [FFA_NOTIFICATION_SET2, 'FFA_NOTIFICATION_SET2'],
  [FFA_NOTIFICATION_GET2, 'FFA_NOTIFICATION_GET2'],
];

const NAME_OF_ID: ReadonlyMap<number, string> = new Map(FUNCTION_NAMES);
const ID_OF_NAME: ReadonlyMap<string, number> = new Map(FUNCTION_NAMES.map(([fid, name]) => [name, fid]));

/** The constant's name, e.g. `FFA_MEM_SHARE_32`, or the id in hex (`0x840000ff`) if it is not a known one. */
export function functionName(fid: number): string {
  const unsigned = fid >>> 0;
  return NAME_OF_ID.get(unsigned) ?? `0x${unsigned.toString(16).padStart(8, '0')}`;
}

/** The function id of that constant's name, or undefined. */
export function functionIdOf(name: string): number | undefined {
  return ID_OF_NAME.get(name);
}

/** True if `fid` is one of the ids above, in a form that exists. Bits above 31 are ignored. */
export function isFfaFunctionId(fid: number): boolean {
  return NAME_OF_ID.has(fid >>> 0);
}

/** True if the id lies in FF-A's range of the standard secure service, named or not, in either form. */
export function isInFfaRange(fid: number): boolean {
  const base = (fid & ~0xff) >>> 0;
  const functionNumber = fid & 0xff;
  return (
    (base === SMC32_BASE || base === SMC64_BASE) &&
    functionNumber >= FFA_FIRST_FUNCTION_NUMBER &&
    functionNumber <= FFA_LAST_FUNCTION_NUMBER
  );
}

/** True if the id is of the 64-bit convention. */
export function isSmc64(fid: number): boolean {
  return (fid & SMC64_BIT) !== 0;
}
