// echo: answers each direct message with its own payload, in the form in which it came.

import type { VcpuContext } from '../../hardware/partition-entry.ts';
import { SpProgram } from '../sp-program.ts';
import type { Serve, SpVcpu } from '../sp-vcpu.ts';

export class EchoProgram extends SpProgram {
  protected override serve(vcpu: SpVcpu, _context: VcpuContext): Serve {
    return vcpu.answerEcho();
  }
}
