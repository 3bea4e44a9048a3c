// A world: one machine with an SPMC, its partitions, a hypervisor, guests, an oracle; made from a plain description,
// run in virtual time. Same description + same choices = same events.
//
//     const world = new World(description);
//     const report = world.run();
//
// Not here: reading files (scenario), pictures (export).
//
// Limit: no timeline entry, creation or destruction is lost, but they wait for a host PE: with `hostPeCount` 2 one at a
// time, as one management tool would ask for them.

import { FFA_VERSION_1_2 } from '../abi/versions.ts';
import { ACCESS_WRITE, TOUCH_DOMAIN } from '../base/announcement.ts';
import { assert, present } from '../base/assert.ts';
import { type Coroutine, WAIT_LOCK } from '../base/coroutine.ts';
import {
  EVENT_DOMAIN_CREATE,
  EVENT_DOMAIN_GONE,
  EVENT_EXPECTATION,
  EVENT_INTERRUPT,
  EVENT_STORY,
  EVENT_TEARDOWN_END,
  EVENT_TIMER_FIRE,
  EVENT_VIOLATION,
} from '../base/event-kinds.ts';
import type { EventListener, EventLog } from '../base/event-log.ts';
import { type Nanoseconds, PAGE_SIZE_BYTES } from '../base/units.ts';
import { UserError } from '../base/user-error.ts';
import type { InterruptSink } from '../hardware/conduit.ts';
import { Machine } from '../hardware/machine.ts';
import { Pe } from '../hardware/pe.ts';
import type { Stage2 } from '../hardware/stage2.ts';
import type { Timer } from '../hardware/time.ts';
import { DOMAIN_ALIVE, type Domain, TEE_FFA } from '../hypervisor/domain.ts';
import { Hypervisor } from '../hypervisor/hypervisor.ts';
import { PROFILES } from '../hypervisor/profiles/profile-table.ts';
import { RecordLifecycle } from '../hypervisor/record-lifecycle.ts';
import type { OracleOptionsInput } from '../oracle/options.ts';
import { Oracle } from '../oracle/oracle.ts';
import { PERSONALITIES } from '../spmc/personalities/personality-table.ts';
import type { Personality } from '../spmc/personality.ts';
import { Spmc } from '../spmc/spmc.ts';
import type { FaultDescription, PowerChange, ProgramMaker, TimelineEntry, WorldDescription } from './description.ts';
import { WorldDmaEngine } from './dma-engine.ts';
import { EarlyTime } from './early-time.ts';
import { type ExpectationOutcome, judgeExpectations } from './expectations.ts';
import { type ArmedFault, FaultyConduit } from './faulty-conduit.ts';
import { byName, makeGuests } from './guest-making.ts';
import { oracleOptions } from './oracle-options.ts';
import { partitionDevices } from './partition-devices.ts';
import { partitionSetups, reserveGaps, secureBaseOf } from './partition-setups.ts';
import { reportOf, type WorldReport } from './report.ts';
import { Scheduler, type Task } from './scheduler.ts';
import { changePower, interruptHost } from './secure-events.ts';
import { runVcpu } from './vcpu-run.ts';
import { WorkQueue } from './work-queue.ts';
import type { WorldGuest, WorldParts } from './world-parts.ts';

/** The schedule-receiver interrupt's number at the hypervisor. */
const SPACE_ALL_VMS = -1;
/** Steps after which a run counts as one that does not end. */
const STEPS_MAX = 50_000_000;
const HOST_PE = 0;

export class World implements EventListener {
  readonly description: WorldDescription;
  readonly machine: Machine;
  readonly scheduler: Scheduler;
  readonly spmc: Spmc;
  readonly hypervisor: Hypervisor;
  readonly oracle: Oracle | null;
  readonly guests: readonly WorldGuest[];
  readonly dma: WorldDmaEngine;
  /** The way to the SPMC, on which faults strike. */
  readonly faults: FaultyConduit;
  /** Endpoint ids by name: partitions from the start, guests once created. */
  readonly endpoints = new Map<string, number>();
  /** Lines of the story as it happened; EVENT_STORY's argument is an index. */
  readonly story: string[] = [];
  /** Whether the run came to rest: nothing under way, no timer armed, nothing planned. */
  quiet = false;
  /** Events until everything had booted. */
  bootEventCount = 0;
  /** What endpoints have logged, `name: text`. */
  readonly console: string[] = [];
  /** What the expectations came to; empty before the end. */
  expectationOutcomes: ExpectationOutcome[] = [];
  private readonly hostPes: Pe[] = [];
  private readonly guestsByName: ReadonlyMap<string, WorldGuest[]>;
  /** The guest that has, or last had, a VM id. */
  private readonly guestByVm = new Map<number, WorldGuest>();
  /** The guest that a host PE creates now, by the PE's index. */
  private readonly creating = new Map<number, WorldGuest>();
  private readonly plan: TimelineEntry[];
  private planned = 0;
  /** Work for host PEs: what the timer asks for, and all else; each begins at its `next`. */
  private readonly timerWork = new WorkQueue();
  private readonly hostWork = new WorkQueue();
  private pendingScheduleReceiver = false;
  private peCount = 0;
  private violationCount = 0;
  private ended = false;
  private stepping: boolean;
  private patient = false;

  constructor(description: WorldDescription, parts: WorldParts = {}) {
    this.description = description;
    this.stepping = description.interleave;
    const normalEnd = description.memoryBase + description.memoryPages * PAGE_SIZE_BYTES;
    const secureBase = secureBaseOf(description);
    const unplaced = description.partitions.filter(({ baseAddress }) => baseAddress === undefined);
    const securePages = unplaced.reduce((sum, { pages }) => sum + pages, 0);
    const firstFrame = description.memoryBase / PAGE_SIZE_BYTES;
    const frameCount = secureBase / PAGE_SIZE_BYTES + securePages - firstFrame;
    this.machine = new Machine({ firstFrame, frameCount, contents: parts.contents });
    reserveGaps(this.machine.frames, description, normalEnd / PAGE_SIZE_BYTES, secureBase / PAGE_SIZE_BYTES);
    if (parts.keepEvents !== false) this.machine.events.keep();
    this.scheduler = new Scheduler(this.machine, description.timeSliceNs);
    this.scheduler.takesTurns = description.interleave;
    for (const partition of description.partitions) this.endpoints.set(partition.name, partition.id);
    this.dma = new WorldDmaEngine(this.machine, (sp) => this.spaceOf(sp));
    const programs = parts.programs ?? new Map<string, ProgramMaker>();
    const setups = partitionSetups(description, programs, this.endpoints, this.dma);
    this.spmc = new Spmc(this.machine, {
      partitions: setups,
      interrupts: this.interruptSink(),
      personality: this.personality(parts),
      devices: partitionDevices(description, this.dma),
      limits: description.spmcLimits,
      version: description.spmcVersion || FFA_VERSION_1_2,
      console: { log: (endpoint, text) => this.logged(endpoint, text) },
    });
    parts.spmc?.(this.spmc);
    const faults = description.faults.map((fault, index) => this.arm(fault, index));
    const explored = (description.explore?.faults ?? []).map((fault, n) => this.arm(fault, faults.length + n));
    this.faults = new FaultyConduit(this.machine, this.spmc, this.scheduler, faults, explored);
    const conduit = parts.conduit === undefined ? this.faults : parts.conduit(this.faults);
    const profiles = parts.profiles ?? PROFILES;
    const profile = profiles.get(description.profile);
    if (profile === undefined) {
      throw new UserError(
        `profile: '${description.profile}' is none`,
        null,
        `one of ${[...profiles.keys()].join(', ')}`,
      );
    }
    const { guestsRunPartitions, limits } = description;
    this.hypervisor = new Hypervisor(this.machine, profile, conduit, {
      limits,
      ...(guestsRunPartitions === undefined ? {} : { guestsRunWaiting: guestsRunPartitions }),
    });
    this.oracle =
      parts.judged === false
        ? null
        : this.makeOracle(parts.oracle ?? oracleOptions(this.hypervisor, this.spmc.limits.slots));
    this.machine.events.listen(this);
    for (let n = 0; n < description.hostPeCount; n++) this.hostPes.push(this.newPe());
    this.guests = makeGuests(description.guests, { programs, endpoints: this.endpoints, dma: this.dma });
    this.guestsByName = byName(this.guests);
    this.plan = [...this.creations(), ...description.timeline].sort((a, b) => a.atNs - b.atNs);
  }

  /** Runs to rest, or to the description's end. */
  run(): WorldReport {
    this.begin();
    while (!this.over()) this.advance();
    return this.finish();
  }

  /** Boots everything. */
  begin(): void {
    const pe = this.hostPes[HOST_PE];
    this.scheduler.start(pe, 'boot', this.boot(pe));
    while (this.scheduler.taskCount > 0) {
      if (!this.scheduler.step()) this.moveTime(this.scheduler.nextWakeNs());
    }
    this.bootEventCount = this.machine.events.count;
    if (!this.hypervisor.secure.usable) {
      throw new UserError('the hypervisor finds no FF-A that it can use behind this SPMC');
    }
  }

  /** One step of a task, or of time. */
  advance(): void {
    assert(this.scheduler.stepCount < STEPS_MAX, 'a run has ended after so many steps');
    this.planDue();
    this.takeScheduleReceiver();
    this.employHosts();
    if (this.scheduler.step()) {
      this.noteViolations();
      return;
    }
    const next = this.nextTimeNs();
    if (next === Number.POSITIVE_INFINITY || next > this.description.untilNs) {
      this.quiet = next === Number.POSITIVE_INFINITY;
      this.machine.time.advanceTo(this.quiet ? this.machine.time.nowNs : this.description.untilNs);
      this.ended = true;
      return;
    }
    this.passTime(next);
  }

  /** Whether the run has ended. */
  over(): boolean {
    return this.ended;
  }

  /** Runs until time would reach `untilNs`, and sets the clock to it; what is planned for then has not begun. */
  runBefore(untilNs: Nanoseconds): void {
    while (this.scheduler.enabled().length > 0 || this.nextTimeNs() < untilNs) this.advance();
    this.moveTime(untilNs);
  }

  /** Whether `task.again` makes a coroutine that stands where the task's stands now. */
  resumable(task: Task): boolean {
    if (task.again === null) return false;
    for (const { vcpus } of this.spmc.partitions) {
      if (vcpus.some(({ program }) => program.underWay?.() === true)) return false;
    }
    return this.guests.some(({ asleep, program }) => asleep.has(task.pe.index) && program.underWay?.() !== true);
  }

  /** From now on every PE stands still wherever another could interleave. */
  explored(): void {
    this.stepping = true;
    this.patient = true;
    const pes = [...this.hostPes, ...this.guests.flatMap((guest) => guest.pes)];
    for (const pe of pes) {
      pe.stepping = true;
      pe.patient = true;
    }
    const { earlyMax = 0 } = this.description.explore ?? {};
    if (earlyMax > 0) this.scheduler.early = new EarlyTime(this, this.peCount++);
  }

  /** The judge's last look, and what it all came to. */
  finish(): WorldReport {
    this.judge();
    return reportOf(this);
  }

  /** The judge's last look. */
  judge(): void {
    if (this.oracle !== null && this.quiet) this.oracle.quiet();
    if (this.quiet) this.reportStuck();
    this.expectationOutcomes = judgeExpectations(this);
    for (const [index, { held }] of this.expectationOutcomes.entries()) {
      this.machine.events.emit(EVENT_EXPECTATION, HOST_PE, index, held ? 1 : 0);
    }
    this.noteViolations();
  }

  /** What waits for ever when all is quiet: for a lock, or for a guest to leave the hypervisor. */
  private reportStuck(): void {
    for (const { name, wait, pe } of this.scheduler.all()) {
      const isHost = this.hostPes.includes(pe);
      if (wait !== WAIT_LOCK && !isHost) continue;
      const anomaly = wait === WAIT_LOCK ? `${name} waits for a lock for ever` : `${name} never ends`;
      this.oracle?.report('P12', anomaly, { pe: pe.index });
    }
  }

  /** The stage 2 of an endpoint, secure or not; null when there is none. */
  spaceOf(endpoint: number): Stage2 | null {
    const partition = this.spmc.partitionById.get(endpoint);
    if (partition !== undefined) return partition.pages;
    return this.hypervisor.domains.findVm(endpoint)?.stage2 ?? null;
  }

  /** The teardown state of the default profile, null under others. */
  get records(): RecordLifecycle | null {
    return this.hypervisor.lifecycle instanceof RecordLifecycle ? this.hypervisor.lifecycle : null;
  }

  /** A guest, or all that share a description's name. */
  guestsNamed(name: string): readonly WorldGuest[] {
    return this.guestsByName.get(name) ?? [];
  }

  /** EventListener: who gets which VM id, and when the last of a guest is gone. */
  event(log: EventLog, at: number): void {
    const kind = log.kind(at);
    if (kind === EVENT_DOMAIN_CREATE) {
      const guest = this.creating.get(this.scheduler.current?.pe.index ?? -1);
      if (guest !== undefined) this.assignVm(guest, log.argument(at, 0));
    } else if (kind === EVENT_DOMAIN_GONE || kind === EVENT_TEARDOWN_END) {
      const guest = this.guestByVm.get(log.argument(at, 0));
      if (guest !== undefined) this.noteGone(guest);
    }
  }

  private assignVm(guest: WorldGuest, vmId: number): void {
    guest.vmId = vmId;
    this.guestByVm.set(vmId, guest);
    this.endpoints.set(guest.name, vmId);
  }

  // Making ----------------------------------------------------------------------------------------------------------

  private personality(parts: WorldParts): Personality {
    const { personality, handleShape } = this.description;
    const known = parts.personalities?.get(personality) ?? PERSONALITIES.get(personality);
    if (known === undefined) {
      const names = [...PERSONALITIES.keys(), ...(parts.personalities?.keys() ?? [])];
      throw new UserError(`personality: '${personality}' is none`, null, `one of ${names.join(', ')}`);
    }
    return handleShape === null ? known : { ...known, handleShape };
  }

  private makeOracle(options: OracleOptionsInput): Oracle {
    const oracle = new Oracle(this.machine, { ...options, off: this.description.propertiesOff });
    for (const partition of this.spmc.partitions) oracle.watchSpace(partition.id, partition.pages);
    return oracle;
  }

  private newPe(): Pe {
    const pe = new Pe(this.peCount++);
    pe.stepping = this.stepping;
    pe.patient = this.patient;
    return pe;
  }

  private arm(fault: FaultDescription, index: number): ArmedFault {
    const partition =
      fault.partition === undefined ? -1 : present(this.endpoints.get(fault.partition), fault.partition);
    const { guest } = fault;
    const guests = guest === undefined ? null : (vmId: number) => this.isGuest(guest, vmId);
    return { index, description: fault, partition, guests, skip: fault.skip, times: fault.times };
  }

  private isGuest(name: string, vmId: number): boolean {
    const guest = this.guestByVm.get(vmId);
    return guest !== undefined && (guest.name === name || guest.description.name === name);
  }

  private *creations(): Iterable<TimelineEntry> {
    for (const { description, name } of this.guests) {
      if (description.createAtNs !== null) yield { atNs: description.createAtNs, do: 'create', guest: name };
    }
  }

  private *boot(pe: Pe): Coroutine {
    yield* this.spmc.boot(pe);
    yield* this.hypervisor.boot(pe);
  }

  // Time and plan -----------------------------------------------------------------------------------------------------

  private planDue(): void {
    while (this.planned < this.plan.length && this.plan[this.planned].atNs <= this.machine.time.nowNs) {
      this.act(this.plan[this.planned++]);
    }
  }

  /** When the next event is; infinite when there is none. */
  nextTimeNs(): Nanoseconds {
    const plan = this.planned < this.plan.length ? this.plan[this.planned].atNs : Number.POSITIVE_INFINITY;
    const timer = this.machine.time.next?.expiryNs ?? Number.POSITIVE_INFINITY;
    return Math.max(this.machine.time.nowNs, Math.min(plan, timer, this.scheduler.nextWakeNs()));
  }

  private moveTime(toNs: Nanoseconds): void {
    assert(toNs < Number.POSITIVE_INFINITY, 'time moves to an end');
    this.machine.time.advanceTo(toNs);
    this.scheduler.tick();
  }

  /** Moves time, and fires what is due then. */
  passTime(toNs: Nanoseconds): void {
    this.moveTime(toNs);
    const { time, events } = this.machine;
    for (;;) {
      const timer = time.takeDue(time.nowNs);
      if (timer === null) return;
      if (this.dma.timerFired(timer)) continue;
      if (events.on) events.emit(EVENT_TIMER_FIRE, HOST_PE, timer.id, timer.expiryNs);
      this.fireHypervisorTimer(timer);
    }
  }

  private fireHypervisorTimer(timer: Timer): void {
    const pe = this.hostPes[HOST_PE];
    const work = (on: Pe) => this.hypervisor.timerFired(on, timer);
    this.timerWork.push('timer', work);
    if (!this.scheduler.busy(pe)) this.employ(pe, this.timerWork);
  }

  /** Gives waiting work to free host PEs. The first is kept for timers and interrupts, unless it is the only one. */
  private employHosts(): void {
    if (!this.timerWork.empty && !this.scheduler.busy(this.hostPes[HOST_PE])) {
      this.employ(this.hostPes[HOST_PE], this.timerWork);
    }
    for (let n = this.hostPes.length === 1 ? HOST_PE : 1; n < this.hostPes.length && !this.hostWork.empty; n++) {
      if (!this.scheduler.busy(this.hostPes[n])) this.employ(this.hostPes[n], this.hostWork);
    }
  }

  private employ(pe: Pe, queue: WorkQueue): void {
    const { name, work } = queue.take();
    this.scheduler.start(pe, name, work(pe));
  }

  // What the plan does -----------------------------------------------------------------------------------------------

  private act(entry: TimelineEntry): void {
    if (entry.say !== undefined) this.tell(entry.say);
    switch (entry.do) {
      case 'create':
        for (const guest of this.guestsNamed(entry.guest)) this.host('create', (pe) => this.create(pe, guest));
        return;
      case 'destroy':
        for (const guest of this.guestsNamed(entry.guest)) this.host('destroy', (pe) => this.destroy(pe, guest));
        return;
      case 'interrupt':
        for (const guest of this.guestsNamed(entry.guest)) for (const pe of guest.pes) this.scheduler.interrupt(pe);
        return;
      case 'secure-interrupt': {
        const { guest, id } = entry;
        if (guest !== undefined && this.interruptSecurely(guest, id)) return;
        this.host('secure interrupt', (pe) => interruptHost(this.spmc, pe, id));
        return;
      }
      case 'power':
        this.host('power', (pe) => this.changePower(pe, entry.change));
        return;
      case 'retry-quarantine':
        this.host('retry quarantine', (pe) => this.retryQuarantine(pe));
        return;
      case 'write-off-quarantine':
        this.tell('everything in quarantine is written off');
        for (const item of this.records?.quarantine.list() ?? []) this.records?.quarantine.writeOff(item);
        return;
      case 'partition':
        this.changePartition(present(this.endpoints.get(entry.partition), entry.partition), entry.change);
        return;
      case 'say':
        return;
    }
  }

  private changePartition(id: number, change: 'crash' | 'stop' | 'restart'): void {
    if (change === 'restart') {
      this.host('restart', (pe) => this.restart(pe, id));
      return;
    }
    if (change === 'crash') this.spmc.crash(id);
    else this.spmc.stop(id);
  }

  private *restart(pe: Pe, id: number): Coroutine {
    yield* this.spmc.restart(pe, id);
  }

  private host(name: string, work: (pe: Pe) => Coroutine): void {
    this.hostWork.push(name, work);
  }

  private *create(pe: Pe, guest: WorldGuest): Coroutine {
    const { description } = guest;
    guest.program.reset();
    guest.goneNs = null;
    guest.destroyAskedNs = null;
    this.creating.set(pe.index, guest);
    const { error, domain } = yield* this.hypervisor.createDomain(pe, {
      vcpuCount: description.vcpus.length,
      bits: description.bits,
      pageCount: description.pages,
      ramBase: description.ramBase,
      tee: TEE_FFA,
    });
    this.creating.delete(pe.index);
    guest.createError = error;
    guest.domain = domain;
    if (domain === null) {
      return;
    }
    guest.createdNs = this.machine.time.nowNs;
    this.assignVm(guest, domain.vmId);
    this.oracle?.watchSpace(domain.vmId, domain.stage2);
    guest.pes.length = 0;
    for (const vcpu of domain.vcpus) {
      const vcpuPe = this.newPe();
      guest.pes.push(vcpuPe);
      const run = () => this.runVcpu(vcpuPe, guest, domain, vcpu.index);
      this.scheduler.start(vcpuPe, `${guest.name}.${vcpu.index}`, run()).again = run;
    }
  }

  private *destroy(pe: Pe, guest: WorldGuest): Coroutine {
    const { domain } = guest;
    if (domain === null || domain.life !== DOMAIN_ALIVE) return;
    guest.destroyAskedNs = this.machine.time.nowNs;
    this.machine.touches?.touch(TOUCH_DOMAIN, domain.vmId, ACCESS_WRITE);
    // Its vCPUs are kicked out of wherever they are: the secure world, a sleep of their own, a wait for an interrupt.
    for (const vcpuPe of guest.pes) {
      this.scheduler.interrupt(vcpuPe);
      if (guest.asleep.has(vcpuPe.index)) this.scheduler.rouse(vcpuPe);
    }
    yield* this.hypervisor.destroyDomain(pe, domain);
    for (const vcpuPe of guest.pes) if (guest.asleep.has(vcpuPe.index)) vcpuPe.wake();
    this.noteGone(guest);
  }

  /** A secure interrupt where a guest's vCPU is in the secure world; false when none is there. */
  private interruptSecurely(name: string, id: number): boolean {
    const pes = this.guestsNamed(name).flatMap((guest) => guest.pes);
    const pe = pes.find((one) => this.scheduler.isInSecureWorld(one));
    if (pe === undefined || !this.spmc.assertInterrupt(pe, id)) return false;
    this.scheduler.rouse(pe);
    return true;
  }

  private *changePower(pe: Pe, change: PowerChange): Coroutine {
    const agreed = yield* changePower(this.spmc, pe, change);
    this.tell(`PE ${pe.index}, ${change}: the partitions ${agreed ? 'agree' : 'do not agree'}`);
  }

  private *retryQuarantine(pe: Pe): Coroutine {
    const { records } = this;
    if (records === null) return;
    for (const entry of [...records.quarantine.list()]) {
      const outcome = yield* records.retryQuarantine(this.hypervisor, pe, entry);
      this.tell(`quarantine entry ${entry.id} (${entry.pageCount} pages of VM ${entry.vmId}): ${outcome}`);
    }
  }

  private *runVcpu(pe: Pe, guest: WorldGuest, domain: Domain, index: number): Coroutine {
    if (!(yield* runVcpu(this.hypervisor, pe, guest, domain, index))) return;
    this.tell(`${guest.name} has crashed`);
    this.host('destroy', (host) => this.destroy(host, guest));
  }

  // Interrupts, story, judgement -------------------------------------------------------------------------------------

  private interruptSink(): InterruptSink {
    return {
      raise: (endpoint, _target, id) => {
        if (this.machine.events.on) this.machine.events.emit(EVENT_INTERRUPT, HOST_PE, endpoint, id);
        if (endpoint === 0 || endpoint === SPACE_ALL_VMS) this.pendingScheduleReceiver = true;
      },
    };
  }

  private takeScheduleReceiver(): void {
    if (!this.pendingScheduleReceiver || this.scheduler.busy(this.hostPes[HOST_PE])) return;
    this.pendingScheduleReceiver = false;
    const pe = this.hostPes[HOST_PE];
    this.scheduler.start(pe, 'schedule receiver', this.receive(pe));
  }

  private *receive(pe: Pe): Coroutine {
    yield* this.hypervisor.scheduleReceiver(pe);
    for (const guest of this.guests) {
      if (guest.domain === null) continue;
      for (const [index, vcpu] of guest.domain.vcpus.entries())
        if (vcpu.interrupts.length > 0) guest.pes[index]?.wake();
    }
  }

  private logged(endpoint: number, text: string): void {
    const partition = this.description.partitions.find(({ id }) => id === endpoint);
    const line = `${partition?.name ?? this.guestByVm.get(endpoint)?.name ?? endpoint}: ${text.trimEnd()}`;
    this.console.push(line);
    this.tell(line);
  }

  private tell(line: string): void {
    this.story.push(line);
    if (this.machine.events.on) this.machine.events.emit(EVENT_STORY, HOST_PE, this.story.length - 1);
  }

  /** Notes when the last of a destroyed guest is gone. */
  private noteGone(guest: WorldGuest): void {
    if (guest.destroyAskedNs === null || guest.goneNs !== null || this.isHeld(guest)) return;
    guest.goneNs = this.machine.time.nowNs;
  }

  /** Whether anything is left of a guest whose end was asked for. */
  private isHeld(guest: WorldGuest): boolean {
    if (guest.domain === null) return false;
    if (guest.domain.references > 0) return true;
    const record = this.records?.records.get(guest.vmId);
    return record !== undefined && record.serial === guest.domain.serial;
  }

  /** New findings of the oracle, as events. */
  private noteViolations(): void {
    if (this.oracle === null) return;
    const { violations } = this.oracle;
    for (; this.violationCount < violations.length; this.violationCount++) {
      this.machine.events.emit(
        EVENT_VIOLATION,
        0,
        Number.parseInt(violations[this.violationCount].property.slice(1), 10),
        this.violationCount,
      );
    }
  }
}
