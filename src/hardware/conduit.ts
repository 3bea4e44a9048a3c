// The conduit: the only way from the hypervisor to the secure world. Registers in, registers out (`pe.smc`), and the
// pages that the hypervisor lent as TX and RX. Our SPMC, recorded answers, or another SPMC stand behind it.

import type { Pending } from '../base/coroutine.ts';
import type { Pe } from './pe.ts';

export interface Conduit {
  /**
   * The SMC in `pe.smc`. Returns null when the answer is in `pe.smc` already, else the coroutine at whose end it will
   * be. The caller keeps its own copy of anything it still needs of the request.
   */
  smc(pe: Pe): Pending;
}

/** Where an interrupt goes: the secure world's schedule-receiver interrupt to the hypervisor, a vIRQ to a guest. */
export interface InterruptSink {
  /** Interrupt `id` becomes pending at `endpoint` (0: the hypervisor), vCPU or PE `target`. */
  raise(endpoint: number, target: number, id: number): void;
}
