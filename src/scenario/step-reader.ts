// The steps of a guest's script as a world file writes them, read by the table GUEST_STEPS:
//
//     - map                                     a step without fields
//     - wait: 5ms                               a bare value stands for the field that the table names
//     - share: {name: buf, to: crypto}          fields; a field whose name ends in Ns loses that, and takes a unit
//
// A mistake is told with the path from the list of steps to it.

import {
  AVAILABILITY_ENTRY_FORM,
  type FieldRow,
  GUEST_STEPS,
  type GuestStep,
  OUTCOME_NAMES,
  type ProgramParameter,
  parseAvailabilityEntry,
  parseUuid,
  parseWord,
  type SpProgramRow,
  type StepRow,
  stepRow,
  WORD_EXPRESSION_FORM,
} from '../world/vocabulary.ts';
import { suggestion } from './nearest-name.ts';
import { FLAG, integer, oneOf, TEXT, TIME, type ValueType, VERSION } from './values.ts';

export type Path = readonly (string | number)[];

/** Told of a mistake: where, and the whole message or what would fit there. */
export interface Problems {
  /** What is there does not fit. */
  misfit(path: Path, fits: string): void;
  /** A whole message about the field's name. */
  unknown(path: Path, what: string, hint: string): void;
}

/** Names of endpoints that a script may use. */
export type Names = ReadonlySet<string>;

const STEPS_MAX = 100_000;
const U32_MAX = 0xffff_ffff;
const NAME = /^[A-Za-z_][\w#-]*$/;
const REGION = /^[A-Za-z_][\w#:-]*$/;
const HEX = /^([0-9a-f]{2}|\s)*$/i;
const HEX_FITS = "pairs of hexadecimal digits in quotes, such as '00ff'";
const STATES = oneOf('sending', 'sent', 'refused', 'reclaimed', 'held', 'relinquished');
const CONDITION_FITS = '{variable, is}, {region, state}, {interrupt}, {time} or {address, byte}';

type Mapping = Readonly<Record<string, unknown>>;

/** The name of a table's field in a world file. */
export function fileName(field: string): string {
  return field.endsWith('Ns') ? field.slice(0, -2) : field;
}

/** Reads a list of steps; what does not fit is told and left out. */
export function readSteps(value: unknown, path: Path, names: Names, problems: Problems): GuestStep[] {
  if (!Array.isArray(value) || value.length > STEPS_MAX) {
    problems.misfit(path, 'a list of steps');
    return [];
  }
  const steps: GuestStep[] = [];
  for (const [index, item] of value.entries()) {
    const step = readStep(item, [...path, index], names, problems);
    if (step !== undefined) steps.push(step as unknown as GuestStep);
  }
  return steps;
}

function readStep(value: unknown, path: Path, names: Names, problems: Problems): Record<string, unknown> | undefined {
  const kinds = Object.keys(GUEST_STEPS);
  const isMapping = typeof value === 'object' && value !== null && !Array.isArray(value);
  if (typeof value !== 'string' && !(isMapping && Object.keys(value).length === 1)) {
    problems.misfit(path, `a step: its name, or its name and fields, such as 'share: {name: buf, to: crypto}'`);
    return undefined;
  }
  const kind = typeof value === 'string' ? value : Object.keys(value as Mapping)[0];
  const row = stepRow(kind);
  if (row === undefined) {
    problems.unknown(typeof value === 'string' ? path : [...path, kind], `no step '${kind}'`, suggestion(kind, kinds));
    return undefined;
  }
  const given = typeof value === 'string' ? null : (value as Mapping)[kind];
  const at = typeof value === 'string' ? path : [...path, kind];
  const fields = fieldsOf(given, row, at, problems);
  return fields === undefined ? undefined : { step: kind, ...readFields(fields, kind, row, at, names, problems) };
}

/** The step's fields, with a bare value under the name of the field for which it stands. */
function fieldsOf(given: unknown, row: StepRow, path: Path, problems: Problems): Mapping | undefined {
  if (given === null) return {};
  const known = Object.keys(row.fields).map(fileName);
  const isMapping = typeof given === 'object' && !Array.isArray(given);
  // A condition is a mapping itself: its parts may stand beside the fields.
  if (row.bare === 'condition' && isMapping && !('condition' in (given as Mapping))) {
    const fields: Record<string, unknown> = {};
    const condition: Record<string, unknown> = {};
    for (const [key, value] of Object.entries(given as Mapping)) {
      (known.includes(key) ? fields : condition)[key] = value;
    }
    return { ...fields, condition };
  }
  if (row.bare !== undefined && !isMapping) return { [fileName(row.bare)]: given };
  if (isMapping) return given as Mapping;
  problems.misfit(path, `fields: ${known.join(', ') || 'none'}`);
  return undefined;
}

function readFields(
  given: Mapping,
  kind: string,
  row: StepRow,
  path: Path,
  names: Names,
  problems: Problems,
): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  const fields = new Map(Object.entries(row.fields).map(([field, type]) => [fileName(field), { field, type }]));
  for (const [name, value] of Object.entries(given)) {
    const known = fields.get(name);
    if (known === undefined) {
      problems.unknown([...path, name], `'${kind}' has no field '${name}'`, suggestion(name, [...fields.keys()]));
      continue;
    }
    // A bare value stands at the step itself.
    const at = row.bare !== undefined && fileName(row.bare) === name ? path : [...path, name];
    const read = readField(value, known.type, at, names, problems);
    if (read !== undefined) result[known.field] = read;
  }
  for (const [name, { type }] of fields) {
    if (type.required === true && given[name] === undefined) {
      problems.unknown(path, `'${kind}' lacks '${name}'`, type.doc);
    }
  }
  return result;
}

function readField(value: unknown, row: FieldRow, path: Path, names: Names, problems: Problems): unknown {
  const scalar = scalarType(row);
  if (scalar !== null) {
    const read = scalar.read(value);
    if (read === undefined) problems.misfit(path, scalar.fits);
    return read;
  }
  switch (row.type) {
    case 'endpoint':
      return readEndpoint(value, path, names, problems);
    case 'endpoints':
      if (!Array.isArray(value)) return readEndpoint(value, path, names, problems);
      if (value.length === 0) problems.misfit(path, 'one endpoint at least');
      return value.map((one, index) => readEndpoint(one, [...path, index], names, problems));
    case 'word':
      return readWord(value, path, names, problems);
    case 'words':
    case 'answer':
      if (!Array.isArray(value) || value.length > 18) {
        problems.misfit(path, 'a list of 18 words at most');
        return undefined;
      }
      return value.map((word, index) =>
        word === null && row.type === 'answer' ? null : readWord(word, [...path, index], names, problems),
      );
    case 'condition':
      return readCondition(value, path, names, problems);
    case 'ranges':
      return readRanges(value, path, names, problems);
    case 'steps':
      return readSteps(value, path, names, problems);
    default:
      return undefined;
  }
}

/** The types that need nothing but the value itself. */
function scalarType(row: FieldRow): ValueType<unknown> | null {
  switch (row.type) {
    case 'name':
      return matching(NAME, 'a name: letters, digits, _, - and #, a letter first');
    case 'region':
      return matching(REGION, 'the name of a region, or guest:name');
    case 'integer':
      return integer(row.min ?? Number.MIN_SAFE_INTEGER, row.max ?? Number.MAX_SAFE_INTEGER);
    case 'boolean':
      return FLAG;
    case 'duration':
    case 'time':
      return TIME;
    case 'hex':
      return matching(HEX, HEX_FITS);
    case 'hexes':
      return { fits: `a list; each: ${HEX_FITS}`, read: (value) => (isList(value, HEX) ? value : undefined) };
    case 'version':
      return { fits: `${VERSION.fits}, or any number`, read: (value) => VERSION.read(value) ?? anyVersion.read(value) };
    case 'uuid':
      return {
        fits: 'a UUID, such as 01234567-89ab-cdef-0123-456789abcdef',
        read: (value) => (typeof value === 'string' && parseUuid(value) !== undefined ? value : undefined),
      };
    case 'expectation':
      return { fits: `'any', or one or more of ${OUTCOME_NAMES.join(', ')}`, read: readExpectation };
    case 'choice':
      return oneOf(...(row.choices ?? []));
    default:
      return null;
  }
}

const anyVersion = integer(0, U32_MAX);

function matching(form: RegExp, fits: string): ValueType<string> {
  return { fits, read: (value) => (typeof value === 'string' && form.test(value) ? value : undefined) };
}

function isList(value: unknown, form: RegExp): value is string[] {
  return Array.isArray(value) && value.length > 0 && value.every((one) => typeof one === 'string' && form.test(one));
}

function readExpectation(value: unknown): string | string[] | undefined {
  const all: unknown[] = Array.isArray(value) ? value : [value];
  const good = all.length > 0 && all.every((one) => one === 'any' || OUTCOME_NAMES.some((name) => name === one));
  return good ? (value as string | string[]) : undefined;
}

function readEndpoint(value: unknown, path: Path, names: Names, problems: Problems): string | number | undefined {
  if (typeof value === 'string' && names.has(value)) return value;
  if (Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= 0xffff) return value as number;
  if (typeof value === 'string') problems.unknown(path, `no endpoint '${value}'`, suggestion(value, [...names]));
  else problems.misfit(path, `the name of a guest or partition, or an id up to 0xffff`);
  return undefined;
}

function readWord(value: unknown, path: Path, names: Names, problems: Problems): string | number | undefined {
  const parsed = typeof value === 'number' || typeof value === 'string' ? parseWord(value) : undefined;
  if (parsed === undefined) {
    problems.misfit(path, WORD_EXPRESSION_FORM);
    return undefined;
  }
  if (parsed.kind === 'endpoint' && !names.has(parsed.name)) {
    problems.unknown(path, `no endpoint '${parsed.name}'`, suggestion(parsed.name, [...names]));
  }
  return value as string | number;
}

function readCondition(value: unknown, path: Path, names: Names, problems: Problems): unknown {
  const condition = (typeof value === 'object' && value !== null ? value : {}) as Mapping;
  const form = Object.keys(condition).sort().join(' ');
  const part = <T>(type: ValueType<T>, key: string): T | undefined => {
    const read = type.read(condition[key]);
    if (read === undefined) problems.misfit([...path, key], type.fits);
    return read;
  };
  switch (form) {
    case 'is variable':
      return {
        variable: part(matching(NAME, 'the name of a variable'), 'variable'),
        is: part(integer(Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER), 'is'),
      };
    case 'region state':
      return { region: part(matching(REGION, 'the name of a region'), 'region'), state: part(STATES, 'state') };
    case 'interrupt':
      return { interrupt: part(integer(0, 0xffff), 'interrupt') };
    case 'time':
      return { timeNs: part(TIME, 'time') };
    case 'address byte': {
      const address = readWord(condition['address'], [...path, 'address'], names, problems);
      return { address, byte: part(integer(0, 0xff), 'byte') };
    }
    default:
      problems.misfit(path, CONDITION_FITS);
      return undefined;
  }
}

function readRanges(value: unknown, path: Path, names: Names, problems: Problems): unknown {
  if (!Array.isArray(value) || value.length === 0) {
    problems.misfit(path, 'a list of {page, count} or {address, count}');
    return undefined;
  }
  return value.map((item: unknown, index) => {
    const at = [...path, index];
    const range = (typeof item === 'object' && item !== null ? item : {}) as Mapping;
    const form = Object.keys(range).sort().join(' ');
    if (form !== 'count page' && form !== 'address count') {
      problems.misfit(at, '{page, count} or {address, count}');
      return undefined;
    }
    const count = integer(0, U32_MAX).read(range['count']);
    if (count === undefined) problems.misfit([...at, 'count'], 'a number of pages');
    if (form === 'address count') {
      return { address: readWord(range['address'], [...at, 'address'], names, problems), count };
    }
    const page = integer(0, 0x10_0000).read(range['page']);
    if (page === undefined) problems.misfit([...at, 'page'], 'a page of RAM, counted from 0');
    return { page, count };
  });
}

/** Reads a program's parameters by its table. */
export function readParameters(given: Mapping, row: SpProgramRow, path: Path, problems: Problems): Mapping {
  const result: Record<string, unknown> = {};
  const known = new Map(row.parameters.map((parameter) => [fileName(parameter.name), parameter]));
  for (const [name, value] of Object.entries(given)) {
    const parameter = known.get(name);
    if (parameter === undefined) {
      const what = `program '${row.name}' has no parameter '${name}'`;
      problems.unknown([...path, name], what, suggestion(name, [...known.keys()]));
      continue;
    }
    const type = parameterType(parameter);
    const read = type.read(value);
    if (read === undefined) problems.misfit([...path, name], type.fits);
    else result[parameter.name] = read;
  }
  for (const [name, parameter] of known) {
    if (parameter.default === undefined && given[name] === undefined) {
      problems.unknown(path, `program '${row.name}' needs the parameter '${name}'`, parameter.doc);
    }
  }
  return result;
}

function parameterType(parameter: ProgramParameter): ValueType<unknown> {
  switch (parameter.type) {
    case 'duration':
      return TIME;
    case 'integer':
      return integer(1, 1_000_000);
    case 'boolean':
      return FLAG;
    case 'text':
      return TEXT;
    case 'choice':
      return oneOf(...(parameter.choices ?? []));
    case 'answers':
      return { fits: `a list; each entry: ${AVAILABILITY_ENTRY_FORM}`, read: readAnswers };
  }
}

function readAnswers(value: unknown): string[] | undefined {
  if (!Array.isArray(value)) return undefined;
  const good = value.every((text) => typeof text === 'string' && parseAvailabilityEntry(text) !== undefined);
  return good ? (value as string[]) : undefined;
}
