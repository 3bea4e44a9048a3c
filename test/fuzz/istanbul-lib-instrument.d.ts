// The part of istanbul-lib-instrument that the fuzzers use; the package brings no types.

declare module 'istanbul-lib-instrument' {
  export interface InstrumenterOptions {
    readonly esModules: boolean;
    readonly compact: boolean;
    readonly produceSourceMap: boolean;
  }
  export interface Instrumenter {
    instrumentSync(code: string, filename: string): string;
  }
  export function createInstrumenter(options: InstrumenterOptions): Instrumenter;
}
