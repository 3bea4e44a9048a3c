// Exception classes of ESR_EL2 that machine code can leave with. [Arm ARM ESR_EL2]

export const SYNDROME = {
  UNKNOWN: 0x00,
  WFX: 0x01,
  FP: 0x07,
  ILLEGAL_STATE: 0x0e,
  HVC64: 0x16,
  SMC64: 0x17,
  SYSTEM_REGISTER: 0x18,
  INSTRUCTION_ABORT_LOWER: 0x20,
  PC_ALIGNMENT: 0x22,
  DATA_ABORT_LOWER: 0x24,
  SP_ALIGNMENT: 0x26,
  BREAKPOINT: 0x3c,
} as const;

const NAMES: ReadonlyMap<number, string> = new Map([
  [SYNDROME.UNKNOWN, 'an unknown instruction'],
  [SYNDROME.FP, 'access to floating point'],
  [SYNDROME.ILLEGAL_STATE, 'illegal execution state'],
  [SYNDROME.SYSTEM_REGISTER, 'access to a system register'],
  [SYNDROME.PC_ALIGNMENT, 'a misaligned program counter'],
  [SYNDROME.SP_ALIGNMENT, 'a misaligned stack pointer'],
  [SYNDROME.BREAKPOINT, 'a breakpoint'],
]);

export function exceptionName(exceptionClass: number): string {
  return NAMES.get(exceptionClass) ?? `exception class 0x${exceptionClass.toString(16)}`;
}
