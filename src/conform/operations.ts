// The operations of a vector file, one function each: does to the machine what the recorder did, and compares with the
// answer that it got.

import {
  PARTITION_INFO_1_1_SIZE_BYTES,
  PARTITION_INFO_EXECUTION_CONTEXTS_OFFSET,
  PARTITION_INFO_ID_OFFSET,
  PARTITION_INFO_PROPERTIES_OFFSET,
  PARTITION_INFO_UUID_OFFSET,
} from '../abi/layout/partition-information.ts';
import { NS_PER_MS, PAGE_SIZE_BYTES } from '../base/units.ts';
import {
  STAGE2_DEVICE,
  STAGE2_EXECUTE,
  STAGE2_FOREIGN,
  STAGE2_READ,
  STAGE2_RW,
  STAGE2_RWX,
  type Stage2Attributes,
} from '../hardware/stage2.ts';
import { DOMAIN_DEAD, DOMAIN_GONE, type DomainConfig, TEE_FFA, TEE_NONE, TEE_OTHER } from '../hypervisor/domain.ts';
import { mediate } from '../hypervisor/guest-call.ts';
import { SMCCC_VERSION_1_2 } from '../hypervisor/secure-world.ts';
import type { AnswerCheck } from './answer-check.ts';
import type { Fields } from './fields.ts';
import { FRAME_COUNT, RAM_BASE, type ReplayDomain, type ReplayMachine } from './replay-machine.ts';
import { formatBytes, parseBytes, parseRegisters } from './vector-value.ts';

/** Does one operation; what differs from the answer is reported to `check`. */
export type Operation = (replay: ReplayMachine, operation: Fields, check: AnswerCheck) => void;

const UUID_SIZE_BYTES = 16;
const VCPUS_DEFAULT = 2;
const VCPUS_MAX = 512;
/** Eleven days: a timer that never rests still ends. */
const ADVANCE_MS_MAX = 1e9;
const LATENCY_NS_MAX = 1e12;
const PAGES_DEFAULT = 1024;
const DEFAULT_SMCCC_VERSION = SMCCC_VERSION_1_2;

function probe(replay: ReplayMachine, operation: Fields, check: AnswerCheck): void {
  const hypervisor = replay.reset();
  const { conduit } = replay;
  for (const script of operation.list('scripts')) conduit.scripts.add(operation.entry(script, 'a script'));
  const spmc = operation.fields('spmc');
  conduit.latencyNs = spmc.number('latency_ns', 0, 0, LATENCY_NS_MAX);
  conduit.partitionList = partitionList(spmc);
  hypervisor.secure.smcccVersion = operation.number('smccc', DEFAULT_SMCCC_VERSION, 0);
  check.withSmcs(() => {
    const usable = replay.run(hypervisor.boot(replay.enter()));
    replay.leave();
    check.flag('ok', usable);
  });
  replay.closeHeap();
}

/** The SPMC's partitions as partition information descriptors of 1.1, one after the other. */
function partitionList(spmc: Fields): Uint8Array {
  const partitions = spmc.list('sps');
  const bytes = new Uint8Array(partitions.length * PARTITION_INFO_1_1_SIZE_BYTES);
  const view = new DataView(bytes.buffer);
  for (let n = 0; n < partitions.length; n++) {
    const partition = spmc.entry(partitions[n], `"sps" ${n + 1}`);
    const at = n * PARTITION_INFO_1_1_SIZE_BYTES;
    view.setUint16(at + PARTITION_INFO_ID_OFFSET, partition.number('id'), true);
    view.setUint16(at + PARTITION_INFO_EXECUTION_CONTEXTS_OFFSET, partition.number('ctx', 1), true);
    view.setUint32(at + PARTITION_INFO_PROPERTIES_OFFSET, partition.number('props', 0), true);
    if (!partition.has('uuid')) continue;
    const length = parseBytes(partition.text('uuid'), bytes, at + PARTITION_INFO_UUID_OFFSET);
    if (length !== UUID_SIZE_BYTES) partition.fail('uuid', '16 bytes in hexadecimal');
  }
  return bytes;
}

function domainConfig(operation: Fields): DomainConfig {
  const bits = operation.number('bits', 64);
  if (bits !== 32 && bits !== 64) operation.fail('bits', '32 or 64');
  const tee = operation.number('tee', TEE_FFA);
  if (tee !== TEE_NONE && tee !== TEE_OTHER && tee !== TEE_FFA) operation.fail('tee', '0, 1 or 2');
  return {
    vcpuCount: operation.number('vcpus', VCPUS_DEFAULT, 1, VCPUS_MAX),
    bits: bits as 32 | 64,
    pageCount: operation.number('pages', PAGES_DEFAULT, 0, FRAME_COUNT),
    ramBase: RAM_BASE,
    tee: tee as 0 | 1 | 2,
  };
}

function domainInit(replay: ReplayMachine, operation: Fields, check: AnswerCheck): void {
  addDomain(replay, operation, check, false);
}

function domainCreate(replay: ReplayMachine, operation: Fields, check: AnswerCheck): void {
  addDomain(replay, operation, check, true);
}

function addDomain(replay: ReplayMachine, operation: Fields, check: AnswerCheck, undo: boolean): void {
  const { hypervisor } = replay;
  const id = operation.number('dom', undefined, 0);
  if (hypervisor.domains.find(id) !== null) operation.fail('dom', 'a domain that does not exist yet');
  const domain = hypervisor.domains.allocateAs(id, domainConfig(operation));
  if (domain === null) operation.fail('pages', `no more than the recorded machine has left (${FRAME_COUNT} in all)`);
  const added: ReplayDomain = { domain, undone: false };
  replay.domains.set(id, added);
  check.withSmcs(() => {
    const pe = replay.enter();
    const error = replay.run(hypervisor.lifecycle.domainInit(hypervisor, pe, domain));
    if (error !== 0 && undo) {
      replay.run(hypervisor.failCreation(pe, domain, error));
      added.undone = true;
    }
    replay.leave();
    check.zero('rc', error);
  });
  check.text('maddr', `0x${(replay.creationFrame(domain, RAM_BASE) * PAGE_SIZE_BYTES).toString(16)}`);
  check.domain(added);
}

function find(replay: ReplayMachine, operation: Fields, name = 'dom'): ReplayDomain {
  const found = replay.domains.get(operation.number(name));
  if (found === undefined) operation.fail(name, 'a domain that an earlier step created');
  return found;
}

function smc(replay: ReplayMachine, operation: Fields, check: AnswerCheck): void {
  const target = find(replay, operation);
  const { domain } = target;
  const vcpu = domain.vcpus[operation.number('vcpu', 0, 0)];
  if (vcpu === undefined) operation.fail('vcpu', `a number below ${domain.vcpus.length}`);
  const bad = parseRegisters(operation.list('regs'), vcpu.registers.words);
  if (bad >= 0) operation.fail('regs', 'a list of up to 18 registers');
  const before = vcpu.registers.words.slice();
  check.withSmcs(() => {
    const pe = replay.enter();
    if (!operation.flag('raw')) replay.finish(replay.hypervisor.guestCall(pe, vcpu));
    else if (domain.ffa !== null) replay.finish(mediate(replay.hypervisor, pe, vcpu));
    else vcpu.registers.setWords(0, 0xffff_ffff, 0xffff_ffff);
    replay.leave();
  });
  check.registers(vcpu.registers.words, before);
  check.domain(target);
}

function write(replay: ReplayMachine, operation: Fields): void {
  const bytes = new Uint8Array(operation.text('hex').length >> 1);
  if (parseBytes(operation.text('hex'), bytes, 0) < 0) operation.fail('hex', 'bytes in hexadecimal');
  access(replay, operation, bytes.length, (address, at, length) => {
    replay.machine.frames.contents.write(address, bytes, at, length);
  });
}

function read(replay: ReplayMachine, operation: Fields, check: AnswerCheck): void {
  const bytes = new Uint8Array(operation.number('len', undefined, 0, FRAME_COUNT * PAGE_SIZE_BYTES));
  access(replay, operation, bytes.length, (address, at, length) => {
    replay.machine.frames.contents.read(address, bytes, at, length);
  });
  check.text('hex', formatBytes(bytes, bytes.length));
}

/** Walks a range of guest memory page by page, through the guest's stage 2 as it is now. */
function access(
  replay: ReplayMachine,
  operation: Fields,
  lengthBytes: number,
  piece: (address: number, at: number, length: number) => void,
): void {
  const { domain } = find(replay, operation);
  const gpa = operation.number('gpa', undefined, 0);
  let done = 0;
  while (done < lengthBytes) {
    const at = gpa + done;
    const gfn = Math.floor(at / PAGE_SIZE_BYTES);
    const offset = at - gfn * PAGE_SIZE_BYTES;
    const length = Math.min(lengthBytes - done, PAGE_SIZE_BYTES - offset);
    const mapped = domain.stage2.translate(gfn);
    const frame = mapped >= 0 ? mapped : replay.creationFrame(domain, at);
    if (frame < 0) operation.fail('gpa', 'an address of the guest’s memory');
    piece(frame * PAGE_SIZE_BYTES + offset, done, length);
    done += length;
  }
}

const PAGE_TYPES: ReadonlyMap<string, Stage2Attributes> = new Map([
  ['rw', STAGE2_RWX],
  ['ro', STAGE2_READ | STAGE2_EXECUTE],
  ['mmio', STAGE2_RW | STAGE2_DEVICE],
  ['foreign_rw', STAGE2_RW | STAGE2_FOREIGN],
  ['foreign_ro', STAGE2_READ | STAGE2_FOREIGN],
  ['grant_rw', STAGE2_RW | STAGE2_FOREIGN],
  ['grant_ro', STAGE2_READ | STAGE2_FOREIGN],
]);

function map(replay: ReplayMachine, operation: Fields): void {
  const { domain } = find(replay, operation);
  const gfn = operation.pageNumber('gpa');
  const count = operation.number('n', 1, 1, FRAME_COUNT);
  const type = operation.text('type');
  if (type === 'invalid') {
    domain.stage2.unmap(gfn, count);
    return;
  }
  const attributes = PAGE_TYPES.get(type);
  if (attributes === undefined) operation.fail('type', `invalid, ${[...PAGE_TYPES.keys()].join(', ')}`);
  const source = operation.number('src', gfn * PAGE_SIZE_BYTES, 0);
  const owner = operation.has('src_dom') ? find(replay, operation, 'src_dom').domain : domain;
  const stride = operation.number('stride', 1, 0);
  for (let n = 0; n < count; n++) {
    const frame = replay.creationFrame(owner, source + n * stride * PAGE_SIZE_BYTES);
    domain.stage2.map(gfn + n, Math.max(frame, 0), 1, attributes);
  }
}

function spmcScript(replay: ReplayMachine, operation: Fields): void {
  replay.conduit.scripts.add(operation);
}

function domainTeardown(replay: ReplayMachine, operation: Fields, check: AnswerCheck): void {
  const target = find(replay, operation);
  check.withSmcs(() => {
    replay.run(replay.hypervisor.teardownDomain(replay.enter(), target.domain));
    replay.leave();
  });
  check.zero('rc', 0);
  check.domain(target);
}

function domainKill(replay: ReplayMachine, operation: Fields, check: AnswerCheck): void {
  const target = find(replay, operation);
  const { domain } = target;
  check.withSmcs(() => {
    replay.run(replay.hypervisor.teardownDomain(replay.enter(), domain));
    replay.leave();
    replay.hypervisor.domains.relinquish(domain);
    if (domain.life !== DOMAIN_DEAD && domain.life !== DOMAIN_GONE) replay.hypervisor.domains.drop(domain);
  });
  check.zero('rc', 0);
  check.domain(target);
}

function domainRelinquish(replay: ReplayMachine, operation: Fields, check: AnswerCheck): void {
  const target = find(replay, operation);
  replay.hypervisor.domains.relinquish(target.domain);
  check.zero('rc', 0);
  check.domain(target);
}

function domainPut(replay: ReplayMachine, operation: Fields, check: AnswerCheck): void {
  const target = find(replay, operation);
  if (target.domain.life === DOMAIN_DEAD || target.domain.life === DOMAIN_GONE) {
    operation.fail('dom', 'a domain whose own reference has not been dropped yet');
  }
  replay.hypervisor.domains.drop(target.domain);
  check.zero('rc', 0);
  check.domain(target);
}

function advance(replay: ReplayMachine, operation: Fields, check: AnswerCheck): void {
  const targetNs = replay.machine.time.nowNs + operation.number('ms', undefined, 0, ADVANCE_MS_MAX) * NS_PER_MS;
  const fires = check.fields.list('fires');
  let count = 0;
  replay.advance(targetNs, (atNs, run) => {
    const at = count++;
    if (at >= fires.length) {
      check.differs('fires', `${fires.length} timers`, `one more, at ${atNs} ns`);
      check.withoutSmcs(run);
      return;
    }
    const fire = check.within(fires[at], `fires ${at + 1}`);
    fire.number('t', atNs);
    fire.withSmcs(run);
  });
  if (count < fires.length) check.differs('fires', `${fires.length} timers`, `${count}`);
  check.number('now', replay.machine.time.nowNs);
  check.timer();
}

function irq(replay: ReplayMachine, _operation: Fields, check: AnswerCheck): void {
  const { hypervisor } = replay;
  const taken = hypervisor.secure.scheduleReceiverInterrupt >= 0;
  check.withSmcs(() => {
    if (!taken) return;
    replay.run(hypervisor.scheduleReceiver(replay.enter()));
    replay.leave();
  });
  check.number('handlers', taken ? 1 : 0);
}

function vcpuOnline(replay: ReplayMachine, operation: Fields): void {
  const { domain } = find(replay, operation);
  const vcpu = domain.vcpus[operation.number('vcpu', undefined, 0)];
  if (vcpu === undefined) operation.fail('vcpu', `a number below ${domain.vcpus.length}`);
  vcpu.online = operation.flag('online');
}

function state(replay: ReplayMachine, operation: Fields, check: AnswerCheck): void {
  check.number('now', replay.machine.time.nowNs);
  if (operation.has('dom')) check.domainState(find(replay, operation));
}

/** Every operation by its name. */
export const OPERATIONS: ReadonlyMap<string, Operation> = new Map<string, Operation>([
  ['probe', probe],
  ['domain_init', domainInit],
  ['domain_create', domainCreate],
  ['smc', smc],
  ['write', write],
  ['read', read],
  ['map', map],
  ['spmc_script', spmcScript],
  ['domain_teardown', domainTeardown],
  ['domain_kill', domainKill],
  ['domain_relinquish', domainRelinquish],
  ['domain_put', domainPut],
  ['advance', advance],
  ['irq', irq],
  ['vcpu', vcpuOnline],
  ['state', state],
]);
