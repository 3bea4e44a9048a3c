// Registers for tests: x0, x1, ... as numbers, or as hex text where a double is too short.

/** 36 words from registers; those that are not given are zero. */
export function wordsOfRegisters(...registers: (number | string)[]): Uint32Array {
  const words = new Uint32Array(36);
  for (const [n, register] of registers.entries()) {
    const hex = typeof register === 'number' ? register.toString(16) : register.slice(2);
    const digits = hex.padStart(16, '0');
    words[2 * n] = Number.parseInt(digits.slice(8), 16);
    words[2 * n + 1] = Number.parseInt(digits.slice(0, 8), 16);
  }
  return words;
}

/** Hex of x0 to x17 without trailing zeros. */
export function registersOfWords(words: Uint32Array): string[] {
  const registers: string[] = [];
  for (let n = 0; n < 18; n++) {
    const high = words[2 * n + 1];
    const low = words[2 * n].toString(16);
    registers.push(high === 0 ? `0x${low}` : `0x${high.toString(16)}${low.padStart(8, '0')}`);
  }
  while (registers.length > 1 && registers.at(-1) === '0x0') registers.pop();
  return registers;
}
