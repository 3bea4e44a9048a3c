// World files: YAML in, a WorldDescription out. Every mistake is one message with file, line and column, what was found
// and what fits.
//
// Not here: loading the JavaScript modules that a file names as programs; whoever calls does that (`programModules`).

import { type Place, UserError } from '../base/user-error.ts';
import type {
  Expectation,
  ExploreDescription,
  FaultDescription,
  GuestDescription,
  PartitionDescription,
  TimelineEntry,
  WorldDescription,
} from '../world/description.ts';
import { GENERIC_FAULTS } from '../world/generic-faults.ts';
import { PROFILES, SP_PROGRAMS } from '../world/vocabulary.ts';
import { checkMemory } from './memory-check.ts';
import { nearestName, suggestion } from './nearest-name.ts';
import { type Path, type Problems, readParameters } from './step-reader.ts';
import { type WholeMessage, type WorldFile, worldSchema } from './world-schema.ts';
import { YamlSource } from './yaml-source.ts';

/** A JavaScript module that a world names as a program: by the text that it is named with. */
export interface ProgramModule {
  readonly name: string;
  /** Where the file names it. */
  readonly place: Place;
}

export interface LoadedWorld {
  readonly description: WorldDescription;
  readonly modules: readonly ProgramModule[];
  readonly manifests: readonly ManifestFile[];
}

/** A partition's manifest that a world file names by its path, relative to the file. */
export interface ManifestFile {
  readonly partition: string;
  readonly name: string;
  readonly place: Place;
}

/** Reads a world file. `fileName` names it in messages; its base name without `.yaml` is the world's name. */
export function loadWorld(text: string, fileName: string): WorldDescription {
  return loadWorldFile(text, fileName).description;
}

/** The same, with the modules that it names. */
export function loadWorldFile(text: string, fileName: string): LoadedWorld {
  const source = new YamlSource(text, fileName);
  if (source.value === null || source.value === undefined) {
    throw new UserError('there is nothing in this file', source.placeOf([]), 'a world has guests and partitions');
  }
  const result = worldSchema(namesIn(source.value)).safeParse(source.value);
  if (!result.success) throw misfit(source, result.error.issues[0] as Issue);
  const check = new Check(source, result.data);
  return { description: check.description(nameOf(fileName)), modules: check.modules, manifests: check.manifests };
}

/** Whether a program's name is the path of a module. */
export function isModulePath(program: string): boolean {
  return program.includes('/') || /\.[cm]?[jt]s$/.test(program);
}

interface Issue {
  readonly code: string;
  readonly path: Path;
  readonly message: string;
  readonly keys?: readonly string[];
  readonly expected?: string;
  readonly params?: WholeMessage;
}

/** A zod issue as the user's one message. */
function misfit(source: YamlSource, issue: Issue): UserError {
  const { code, keys, message, params, path } = issue;
  if (params !== undefined) return whole(source, path, params);
  if (code === 'unrecognized_keys' && keys !== undefined) {
    const key = keys[0];
    const known = knownKeys(path);
    return whole(source, [...path, key], { what: `unknown field '${key}'`, hint: suggestion(key, known) });
  }
  const fits =
    code === 'invalid_type' ? `expected ${issue.expected === 'array' ? 'a list' : 'fields'}` : expected(message);
  if (path.length > 0 && !source.has(path)) {
    const parent = path.slice(0, -1);
    return new UserError(`${where(parent)}lacks '${String(path[path.length - 1])}'`, source.placeOf(parent), fits);
  }
  return new UserError(`${where(path)}found ${shown(source.value, path)}`, source.placeOf(path), fits);
}

/** A message that says all itself (`one vCPU at least`) needs no `expected`. */
function expected(fits: string): string {
  return / at (least|most)$/.test(fits) ? fits : `expected ${fits}`;
}

function whole(source: YamlSource, path: Path, { hint, what }: WholeMessage): UserError {
  const last = path[path.length - 1];
  const namesKey = typeof last === 'string' && what.includes(`'${last}'`);
  const place = namesKey ? source.placeOfKey(path) : source.placeOf(path);
  return new UserError(`${where(namesKey ? path.slice(0, -1) : path)}${what}`, place, hint);
}

/** `guests[0].script[3]: ` */
function where(path: Path): string {
  let text = '';
  for (const part of path) text += typeof part === 'number' ? `[${part}]` : text === '' ? part : `.${part}`;
  return text === '' ? '' : `${text}: `;
}

const SHOWN_MAX = 40;

function shown(value: unknown, path: Path): string {
  let found = value;
  for (const part of path) found = (found as Record<string | number, unknown> | null | undefined)?.[part];
  if (found === undefined || found === null) return 'nothing';
  if (Array.isArray(found)) return 'a list';
  if (typeof found === 'object') return 'fields';
  const text = typeof found === 'string' ? `'${found}'` : String(found);
  return text.length > SHOWN_MAX ? `${text.slice(0, SHOWN_MAX)}...` : text;
}

/** The fields that there are where a path leads, by walking the schema. */
function knownKeys(path: Path): string[] {
  let at = worldSchema(new Set()) as unknown as SchemaNode;
  for (const part of path) {
    at = unwrapped(at);
    if (typeof part === 'number') at = at.element as SchemaNode;
    else at = (at.shape as Record<string, SchemaNode>)[part];
  }
  return Object.keys(unwrapped(at).shape ?? {});
}

interface SchemaNode {
  readonly shape?: Record<string, SchemaNode>;
  readonly element?: SchemaNode;
  unwrap?(): SchemaNode;
}

function unwrapped(node: SchemaNode): SchemaNode {
  let at = node;
  while (at.shape === undefined && at.element === undefined && at.unwrap !== undefined) at = at.unwrap();
  return at;
}

/** Names of guests and partitions, as far as they can be seen before anything is checked. */
function namesIn(value: unknown): Set<string> {
  const names = new Set<string>();
  const { guests, partitions } = value as Record<string, unknown>;
  for (const list of [partitions, guests]) {
    if (!Array.isArray(list)) continue;
    for (const one of list as ({ name?: unknown; count?: unknown } | null)[]) {
      if (typeof one?.name !== 'string') continue;
      names.add(one.name);
      const count = typeof one.count === 'number' ? Math.min(one.count, 32_000) : 1;
      for (let n = 0; n < count && count > 1; n++) names.add(`${one.name}-${n}`);
    }
  }
  return names;
}

function nameOf(fileName: string): string {
  return fileName.slice(fileName.lastIndexOf('/') + 1).replace(/\.ya?ml$/, '');
}

/** Checks what the schema cannot: what one field says of another. */
class Check {
  readonly modules: ProgramModule[] = [];
  readonly manifests: ManifestFile[] = [];
  private readonly source: YamlSource;
  private readonly file: WorldFile;
  private readonly guestNames = new Set<string>();
  private readonly partitionNames = new Set<string>();

  constructor(source: YamlSource, file: WorldFile) {
    this.source = source;
    this.file = file;
  }

  description(name: string): WorldDescription {
    const { file } = this;
    if (!PROFILES.has(file.profile)) {
      this.fail(['profile'], `no profile '${file.profile}'`, suggestion(file.profile, [...PROFILES.keys()]));
    }
    const partitions = file.partitions.map((one, index) => this.partition(one, ['partitions', index]));
    const guests = file.guests.map((one, index) => this.guest(one, ['guests', index]));
    if (guests.length === 0) this.fail([], 'there is no guest', 'a world has one guest at least');
    checkMemory(file, (path, what, hint) => this.fail(path, what, hint));
    const { retry, ...limits } = file.limits;
    const { handles, personality, version, ...spmcLimits } = file.spmc;
    return {
      name,
      story: file.story.trim(),
      profile: file.profile,
      guestsRunPartitions: file.guestsRunPartitions,
      limits: given({ ...limits, retryNs: retry }),
      personality,
      handleShape: handles,
      spmcLimits: given(spmcLimits),
      spmcVersion: version,
      memoryBase: file.memory.base,
      memoryPages: file.memory.pages,
      partitions,
      guests,
      timeline: file.timeline.map((one, index) => this.timelineEntry(one, ['timeline', index])),
      faults: file.faults.map((one, index) => {
        const path = ['faults', index];
        if (one.partition !== undefined) this.known([...path, 'partition'], one.partition, this.partitionNames);
        if (one.guest !== undefined) this.known([...path, 'guest'], one.guest, this.guestNames);
        return given(one);
      }),
      expectations: file.expect.map((one, index) => this.expectation(one, ['expect', index])),
      propertiesOff: file.propertiesOff,
      untilNs: file.until,
      hostPeCount: file.host.pes,
      timeSliceNs: file.host.timeSlice,
      interleave: file.interleave,
      explore: file.explore === undefined ? undefined : this.exploration(file.explore),
    };
  }

  private exploration(one: NonNullable<WorldFile['explore']>): ExploreDescription {
    const faults: FaultDescription[] = one.generic ? [...GENERIC_FAULTS] : [];
    for (const [index, { answers, call, guest, partition, reaches }] of one.faults.entries()) {
      const path = ['explore', 'faults', index];
      if (partition !== undefined) this.known([...path, 'partition'], partition, this.partitionNames);
      if (guest !== undefined) this.known([...path, 'guest'], guest, this.guestNames);
      const rest = given({ guest, partition });
      for (const answer of answers) {
        faults.push({ call, answer, ...rest, skip: 0, times: Number.POSITIVE_INFINITY, reaches });
      }
    }
    return { fromNs: one.from, faults, faultsMax: faults.length === 0 ? 0 : one.faultsMax, earlyMax: one.early };
  }

  private partition(one: WorldFile['partitions'][number], path: Path): PartitionDescription {
    this.newName(one.name, path);
    this.partitionNames.add(one.name);
    const twin = this.file.partitions.find((other) => other.id === one.id && other !== one);
    const isSecond = twin !== undefined && this.file.partitions.indexOf(twin) < this.file.partitions.indexOf(one);
    if (isSecond) {
      this.fail([...path, 'id'], `${hex(one.id)} is the id of '${twin.name}' already`, 'each partition has its own');
    }
    if (one.manifest !== undefined) {
      const place = this.source.placeOf([...path, 'manifest']);
      this.manifests.push({ partition: one.name, name: one.manifest, place });
    }
    return {
      name: one.name,
      id: one.id,
      program: one.program,
      parameters: this.parameters(one.program, one.parameters, path),
      uuid: one.uuid,
      baseAddress: one.base,
      ffaVersion: one.version,
      vcpuCount: one.vcpus,
      pages: one.pages,
      created: one.subscribes.includes('created'),
      destroyed: one.subscribes.includes('destroyed'),
      nsInterrupts: one.nsInterrupts,
      bootOrder: one.bootOrder,
      abortAction: one.abortAction,
      dmaOutlives: one.dmaOutlives,
      exceptionLevel: one.exceptionLevel,
      bootInformation: one.bootInformation,
      deviceInterrupts: one.deviceInterrupts,
      powerMessages: one.powerMessages,
      notifications: one.notifications,
    };
  }

  private parameters(program: string, parameters: Record<string, unknown>, path: Path): Record<string, unknown> {
    const at = [...path, 'program'];
    if (isModulePath(program)) {
      this.modules.push({ name: program, place: this.source.placeOf(at) });
      return parameters;
    }
    const row = SP_PROGRAMS.find((one) => one.name === program);
    const names = SP_PROGRAMS.map((one) => one.name);
    if (row === undefined) {
      const near = nearestName(program, names);
      const hint = near === null ? `there are ${names.join(', ')}` : `did you mean '${near}'?`;
      return this.fail(at, `no program '${program}'`, `${hint} (or the path of a module, such as ./program.js)`);
    }
    const problems: Problems = {
      misfit: (where, fits) => {
        throw misfit(this.source, { code: 'custom', path: where, message: fits });
      },
      unknown: (where, what, hint) => {
        throw whole(this.source, where, { what, hint });
      },
    };
    return { ...readParameters(parameters, row, [...path, 'parameters'], problems) };
  }

  private guest(one: WorldFile['guests'][number], path: Path): GuestDescription {
    this.newName(one.name, path);
    this.guestNames.add(one.name);
    for (let n = 0; n < one.count && one.count > 1; n++) this.guestNames.add(`${one.name}-${n}`);
    const ways = [one.script, one.vcpus, one.program].filter((way) => way !== undefined).length;
    if (ways > 1) this.fail(path, "more than one of 'script', 'vcpus' and 'program'", 'a guest has one of them');
    if (one.program !== undefined) {
      const at = [...path, 'program'];
      if (!isModulePath(one.program)) {
        this.fail(at, `'${one.program}' is no path of a module`, 'a guest has steps, or a module such as ./guest.js');
      }
      this.modules.push({ name: one.program, place: this.source.placeOf(at) });
    }
    return {
      name: one.name,
      count: one.count,
      pages: one.pages,
      ramBase: one.ramBase,
      bits: one.bits,
      ffaVersion: one.version,
      createAtNs: one.create,
      vcpus: one.vcpus ?? [one.script ?? []],
      program: one.program,
      parameters: one.parameters,
    };
  }

  private timelineEntry(one: WorldFile['timeline'][number], path: Path): TimelineEntry {
    const { at, crash, create, destroy, guest, interrupt, power, quarantine, restart, say, secureInterrupt, stop } =
      one;
    const told = given({ atNs: at, say }) as { atNs: number; say?: string };
    const actions = Object.entries({
      ...{ create, destroy, interrupt, secureInterrupt, power, quarantine },
      ...{ crash, stop, restart },
    }).filter(([, value]) => value !== undefined);
    if (actions.length > 1) {
      this.fail(path, `both '${actions[0][0]}' and '${actions[1][0]}'`, 'an entry does one thing: make two of it');
    }
    for (const [key, value] of actions) {
      if (ABOUT_GUESTS.includes(key)) this.known([...path, key], String(value), this.guestNames);
      if (ABOUT_PARTITIONS.includes(key)) this.known([...path, key], String(value), this.partitionNames);
    }
    if (guest !== undefined) {
      this.known([...path, 'guest'], guest, this.guestNames);
      if (secureInterrupt === undefined)
        this.fail([...path, 'guest'], "'guest' alone", 'it belongs to secureInterrupt');
    }
    if (create !== undefined) return { ...told, do: 'create', guest: create };
    if (destroy !== undefined) return { ...told, do: 'destroy', guest: destroy };
    if (interrupt !== undefined) return { ...told, do: 'interrupt', guest: interrupt };
    if (secureInterrupt !== undefined)
      return { ...told, do: 'secure-interrupt', id: secureInterrupt, ...given({ guest }) };
    if (power !== undefined) return { ...told, do: 'power', change: power };
    if (crash !== undefined) return { ...told, do: 'partition', partition: crash, change: 'crash' };
    if (stop !== undefined) return { ...told, do: 'partition', partition: stop, change: 'stop' };
    if (restart !== undefined) return { ...told, do: 'partition', partition: restart, change: 'restart' };
    if (quarantine !== undefined) {
      return { ...told, do: quarantine === 'retry' ? 'retry-quarantine' : 'write-off-quarantine' };
    }
    if (say === undefined)
      this.fail(
        path,
        'nothing to do',
        'create, destroy, interrupt, secureInterrupt, power, crash, stop, restart, quarantine or say',
      );
    return { ...told, do: 'say' };
  }

  private expectation(one: WorldFile['expect'][number], path: Path): Expectation {
    const { believers, by, console, guest, is, pages, quarantine, quiet, scripts } = one;
    const kinds = { guest, quarantine, pages, quiet, scripts, console, believers };
    const names = Object.entries(kinds).filter(([, value]) => value !== undefined);
    if (names.length !== 1) {
      const what = names.length === 0 ? 'nothing is expected' : `both '${names[0][0]}' and '${names[1][0]}'`;
      this.fail(path, what, `one of ${Object.keys(kinds).join(', ')}`);
    }
    if (guest === undefined && (is !== undefined || by !== null)) {
      this.fail(path, `'${is === undefined ? 'by' : 'is'}' without a guest`, "it belongs to 'guest'");
    }
    if (guest !== undefined) {
      this.known([...path, 'guest'], guest, this.guestNames);
      if (is === undefined) this.fail(path, "'guest' without 'is'", 'is: alive, gone, zombie, held or refused');
      if (by !== null && is !== 'gone') this.fail([...path, 'by'], "'by' without 'is: gone'", 'only an end has a time');
      return { kind: 'guest', guest, is, byNs: by };
    }
    if (believers !== undefined) {
      this.known([...path, 'believers', 'partition'], believers.partition, this.partitionNames);
      return { kind: 'believers', ...believers };
    }
    if (console !== undefined) return { kind: 'console', lines: console };
    if (quarantine !== undefined) return { kind: 'quarantine', pages: quarantine };
    if (quiet !== undefined) return { kind: 'quiet', is: quiet };
    return { kind: pages === undefined ? 'scripts' : 'pages-back' };
  }

  private newName(name: string, path: Path): void {
    if (this.guestNames.has(name) || this.partitionNames.has(name)) {
      this.fail([...path, 'name'], `there is another '${name}'`, 'each guest and partition has its own name');
    }
  }

  private known(path: Path, name: string, names: ReadonlySet<string>): void {
    if (names.has(name)) return;
    const kind = names === this.guestNames ? 'guest' : 'partition';
    this.fail(path, `no ${kind} '${name}'`, suggestion(name, [...names].slice(0, SUGGESTED_MAX)));
  }

  private fail(path: Path, what: string, hint: string): never {
    throw new UserError(`${where(path)}${what}`, this.source.placeOf(path), hint);
  }
}

/** Actions of the timeline that name a guest. */
const ABOUT_GUESTS = ['create', 'destroy', 'interrupt'];
/** Those that name a partition. */
const ABOUT_PARTITIONS = ['crash', 'stop', 'restart'];

/** A crowd's names are not all listed. */
const SUGGESTED_MAX = 20;

function hex(value: number): string {
  return `0x${value.toString(16)}`;
}

/** The fields that have a value. */
function given<T extends object>(fields: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  const entries = Object.entries(fields).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [K in keyof T]: Exclude<T[K], undefined> };
}
