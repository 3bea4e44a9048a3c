// The QEMU process: started with the shim in its RAM file, watched, and always taken away again with all its files.
//
// Everything is synchronous: while machine code runs, ffabric has nothing else to do than to wait for it.

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { UserError } from '../base/user-error.ts';
import { BOX_READY, MAILBOX_ADDRESS, READY_MAGIC, SHIM_ADDRESS } from './layout.ts';
import { pause } from './pause.ts';
import { RamFile } from './ram-file.ts';
import { SHIM_IMAGE } from './shim/shim-image.ts';

const QEMU = 'qemu-system-aarch64';
const READY_MS = 10_000;
/** Where files live in memory, if the system has such a place. */
const MEMORY_FOLDER = '/dev/shm';

const QEMU_INSTALL = 'apt-get install qemu-system-arm';

/** What `qemu-system-aarch64 --version` says first; null when there is none. */
export function qemuVersion(): string | null {
  const asked = spawnSync(QEMU, ['--version'], { encoding: 'utf8' });
  return asked.status === 0 ? (asked.stdout.split('\n')[0] ?? '') : null;
}

export class QemuProcess {
  readonly ram: RamFile;
  private readonly child: ChildProcess;
  private readonly folder: string;
  private readonly errors: string;
  private readonly atExit = () => this.stop();
  private stopped = false;

  /** Starts QEMU and waits until the shim is ready. Throws a UserError when there is no QEMU or it does not start. */
  constructor(sizeBytes: number, gdbPort: number | null = null) {
    if (qemuVersion() === null) {
      throw new UserError(`${QEMU} is not installed`, null, `on Debian: ${QEMU_INSTALL}`);
    }
    this.folder = mkdtempSync(join(tmpdir(), 'ffabric-'));
    const place = existsSync(MEMORY_FOLDER) ? MEMORY_FOLDER : this.folder;
    this.ram = new RamFile(join(place, `ffabric-ram-${process.pid}-${sizeBytes}`), sizeBytes);
    const image = Buffer.from(SHIM_IMAGE, 'base64');
    this.ram.write(SHIM_ADDRESS, image, 0, image.length);
    this.errors = join(this.folder, 'qemu-errors');
    const errorFile = openSync(this.errors, 'w');
    const size = `${Math.ceil(sizeBytes / 2 ** 20)}M`;
    const args = ['-M', 'virt,virtualization=on,gic-version=3,memory-backend=ram', '-cpu', 'cortex-a72', '-m', size];
    args.push('-object', `memory-backend-file,id=ram,size=${size},mem-path=${this.ram.path},share=on`);
    args.push('-device', `loader,addr=0x${SHIM_ADDRESS.toString(16)},cpu-num=0`);
    args.push('-display', 'none', '-monitor', 'none', '-serial', 'none', '-nodefaults');
    if (gdbPort !== null) args.push('-gdb', `tcp:127.0.0.1:${gdbPort}`);
    this.child = spawn(QEMU, args, { stdio: ['ignore', errorFile, errorFile] });
    process.on('exit', this.atExit);
    this.awaitReady();
  }

  /** Whether QEMU still runs. A process that has ended and was not waited for counts as gone. */
  get alive(): boolean {
    const { pid } = this.child;
    if (pid === undefined || this.child.exitCode !== null) return false;
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
      return stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3) !== 'Z';
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      return !existsSync('/proc/self') && this.child.exitCode === null;
    }
  }

  /** What QEMU has printed, for messages. */
  get printed(): string {
    return existsSync(this.errors) ? readFileSync(this.errors, 'utf8').trim() : '';
  }

  /** Ends QEMU and takes its files away. May be called again. */
  stop(): void {
    if (this.stopped) return;
    this.stopped = true;
    process.removeListener('exit', this.atExit);
    this.child.kill('SIGKILL');
    this.ram.remove();
    rmSync(this.folder, { recursive: true, force: true });
  }

  private awaitReady(): void {
    const endMs = performance.now() + READY_MS;
    while (this.ram.readWord(MAILBOX_ADDRESS + BOX_READY) !== READY_MAGIC) {
      const late = performance.now() > endMs;
      if (late || !this.alive) {
        const printed = this.printed;
        this.stop();
        const why = late ? `was not ready after ${READY_MS / 1000} s` : 'ended at once';
        throw new UserError(`QEMU ${why}${printed === '' ? '' : `: ${printed}`}`, null, `a QEMU of 7.2 or later`);
      }
      pause(2);
    }
  }
}
