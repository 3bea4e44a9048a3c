// An endpoint of machine code, as a partition entry like any other: the hypervisor and the SPMC run it without knowing.
// Its vCPUs run on the machine under QEMU, each in a context of its own, until they call, sleep, fault or have had
// their slice. Its memory is what its stage 2 says at that moment.
//
// Trapped: SMC, HVC, WFI, accesses to what stage 2 does not map. Of those a serial port (PL011) is answered here; any
// other ends the endpoint with a report.
//
// Limits: one vCPU; no generic interrupt controller but the CPU interface; no timer interrupts.

import { NS_PER_MS, PAGE_SIZE_BYTES } from '../base/units.ts';
import { UserError } from '../base/user-error.ts';
import {
  EXIT_CALL,
  EXIT_CRASH,
  EXIT_IDLE,
  EXIT_WORK,
  type Exit,
  type PartitionEntry,
  type VcpuContext,
} from '../hardware/partition-entry.ts';
import type { ProgramEnvironment } from '../partitions/partition-program-module.ts';
import { Context } from './context.ts';
import type { Image } from './image-file.ts';
import type { ImageHost } from './image-host.ts';
import { REASON_SLICE, REASON_SYNC, REASON_TIMER } from './layout.ts';
import { PL011_BASE, PL011_SIZE_BYTES, Pl011 } from './pl011.ts';
import { Stage2Tables } from './stage2-tables.ts';
import { exceptionName, SYNDROME } from './syndrome.ts';

export class ImageProgram implements PartitionEntry {
  private readonly host: ImageHost;
  private readonly environment: ProgramEnvironment;
  private readonly image: Image;
  private readonly serial: Pl011;
  private own: Context | null = null;
  private tables: Stage2Tables | null = null;
  /** The vCPU stands behind a call whose answer is in the registers that it is entered with. */
  private called = false;
  /** How long it has run since its last call, in milliseconds of the host. */
  private ranMs = 0;
  /** How long it has run for which virtual time has not passed yet. */
  private owedMs = 0;

  constructor(host: ImageHost, environment: ProgramEnvironment, image: Image) {
    this.host = host;
    this.environment = environment;
    this.image = image;
    this.serial = new Pl011((line) => host.options.console(environment.name, line));
  }

  reset(): void {
    this.tables?.release();
    this.tables = null;
    this.own = null;
    this.called = false;
    this.ranMs = 0;
    this.owedMs = 0;
    this.serial.flush();
  }

  run(context: VcpuContext): Exit {
    const { cpu, options } = this.host;
    const own = this.own ?? this.begin(context);
    const tables = this.tables as Stage2Tables;
    // Whoever calls and calls takes time as well: others have their turn, and a machine's plan goes on.
    if (this.owedMs >= options.sliceMs) return this.work(context);
    if (this.called) own.putAnswer(context.registers);
    this.called = false;
    for (;;) {
      const began = performance.now();
      const changed = tables.update((frame) => this.host.expose(frame));
      cpu.run(own, options.sliceMs, changed);
      const tookMs = performance.now() - began;
      this.owedMs += tookMs;
      this.ranMs += tookMs;
      switch (cpu.reason) {
        case REASON_SLICE:
        case REASON_TIMER:
          if (this.ranMs < options.stuckMs) return this.work(context);
          return this.crash(`has made no call for ${Math.round(this.ranMs / 1000)} s`);
        case REASON_SYNC: {
          const exit = this.trapped(context, own);
          if (exit !== null) return exit;
          break;
        }
        default:
          return this.crash('took a system error');
      }
    }
  }

  /** Lets virtual time pass for what it has computed. */
  private work(context: VcpuContext): Exit {
    context.workNs = Math.ceil(this.owedMs * NS_PER_MS);
    this.owedMs = 0;
    return EXIT_WORK;
  }

  /** Loads the image and makes the first context. */
  private begin(context: VcpuContext): Context {
    const { host, environment, image } = this;
    const { address } = environment.memory;
    if (!context.memory.write(address, image.bytes, 0, image.bytes.length)) {
      throw new UserError(`the image of ${environment.name} does not lie in memory that it may write`);
    }
    const place = host.newContext();
    this.tables = new Stage2Tables(host.qemu.ram, host.pool, host.spaceOf(context.endpoint));
    const { ram } = host.qemu;
    const entry = address + image.entryOffset;
    this.own = new Context(ram, place.address, entry, context.vcpu, this.tables.root, place.number);
    return this.own;
  }

  /** A synchronous exception. Null: dealt with here, and the vCPU goes on. */
  private trapped(context: VcpuContext, own: Context): Exit | null {
    const { cpu } = this.host;
    switch (cpu.syndrome >>> 26) {
      case SYNDROME.SMC64:
        own.skipInstruction();
        return this.call(context, own);
      case SYNDROME.HVC64:
        return this.call(context, own);
      case SYNDROME.WFX:
        own.skipInstruction();
        return EXIT_IDLE;
      case SYNDROME.DATA_ABORT_LOWER:
        return this.access(own);
      case SYNDROME.INSTRUCTION_ABORT_LOWER:
        return this.crash(`jumped to ${this.faultAddress()}, where nothing is mapped that it may execute`);
      default:
        return this.crash(`took an exception that nobody handles: ${exceptionName(cpu.syndrome >>> 26)}`);
    }
  }

  private call(context: VcpuContext, own: Context): Exit {
    own.takeCall(context.registers);
    this.called = true;
    this.ranMs = 0;
    return EXIT_CALL;
  }

  /** An access that stage 2 does not allow: a device that is imitated here, or the end. */
  private access(own: Context): Exit | null {
    const { syndrome, faultPage, faultOffset } = this.host.cpu;
    const address = faultPage * PAGE_SIZE_BYTES + faultOffset;
    const isWrite = ((syndrome >>> 6) & 1) !== 0;
    const described = ((syndrome >>> 24) & 1) !== 0;
    if (!described || address < PL011_BASE || address >= PL011_BASE + PL011_SIZE_BYTES) {
      const did = isWrite ? 'wrote to' : 'read from';
      return this.crash(`${did} ${this.faultAddress()}, which it may not`);
    }
    const register = (syndrome >>> 16) & 0x1f;
    if (isWrite) this.serial.write(address - PL011_BASE, own.x(register));
    else own.setX(register, this.serial.read(address - PL011_BASE));
    own.skipInstruction();
    return null;
  }

  private faultAddress(): string {
    return `0x${(this.host.cpu.faultPage * PAGE_SIZE_BYTES + this.host.cpu.faultOffset).toString(16)}`;
  }

  private crash(what: string): Exit {
    this.serial.flush();
    this.host.findings.push({ endpoint: this.environment.name, what, registers: (this.own as Context).dump() });
    return EXIT_CRASH;
  }
}
