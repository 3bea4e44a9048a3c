// Checks a script when it is made, by the table GUEST_STEPS: a mistake is one message that says where, what was found
// and what fits. World files are checked earlier, with line and column; this is for scripts that TypeScript code
// writes.

import { parseUuid } from '../abi/uuid.ts';
import { UserError } from '../base/user-error.ts';
import type { GuestStep } from './guest-step.ts';
import { type FieldRow, GUEST_STEPS, REGION_PAGES_MAX, stepRow } from './guest-steps.ts';
import { OUTCOME_NAMES } from './outcome.ts';
import { parseWord, WORD_EXPRESSION_FORM } from './word-expression.ts';

const REGION_STATES = ['sending', 'sent', 'refused', 'reclaimed', 'held', 'relinquished'];
const NAME = /^[A-Za-z_][\w#-]*$/;
const REGION = /^[A-Za-z_][\w#:-]*$/;
const HEX = /^([0-9a-f]{2}|\s)*$/i;
const REGISTERS_MAX = 18;

type Endpoints = ReadonlyMap<string, number>;

/** Throws a UserError for the first mistake; `path` says where the script is, `endpoints` which names there are. */
export function checkGuestSteps(steps: readonly GuestStep[], path: string, endpoints: Endpoints): void {
  for (const [index, step] of steps.entries())
    checkStep(step as unknown as Record<string, unknown>, `${path}[${index}]`, endpoints);
}

function checkStep(step: Record<string, unknown>, path: string, endpoints: Endpoints): void {
  const kind = String(step['step']);
  const row = stepRow(kind);
  if (row === undefined) fail(`${path}.step`, kind, `one of ${Object.keys(GUEST_STEPS).join(', ')}`);
  for (const [field, value] of Object.entries(step)) {
    if (field === 'step' || value === undefined) continue;
    const fieldRow = Object.hasOwn(row.fields, field) ? row.fields[field] : undefined;
    if (fieldRow === undefined) {
      fail(path, `the field ${field}`, `${kind} has ${Object.keys(row.fields).join(', ') || 'no fields'}`);
    }
    checkField(value, fieldRow, `${path}.${field}`, endpoints);
  }
  for (const [field, fieldRow] of Object.entries(row.fields)) {
    if (fieldRow.required === true && step[field] === undefined) fail(path, `no ${field}`, fieldRow.doc);
  }
}

function checkField(value: unknown, row: FieldRow, path: string, endpoints: Endpoints): void {
  switch (row.type) {
    case 'name':
      check(isText(value, NAME), path, value, 'letters, digits, _, - and #, a letter first');
      return;
    case 'region':
      check(isText(value, REGION), path, value, 'a name, or guest:name');
      return;
    case 'endpoint':
      checkEndpoint(value, path, endpoints);
      return;
    case 'endpoints': {
      const all = Array.isArray(value) ? value : [value];
      check(all.length > 0, path, '[]', 'one endpoint at least');
      for (const one of all) checkEndpoint(one, path, endpoints);
      return;
    }
    case 'integer': {
      const min = row.min ?? Number.MIN_SAFE_INTEGER;
      const max = row.max ?? Number.MAX_SAFE_INTEGER;
      const good = Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max;
      check(good, path, value, `a whole number from ${min} to ${max}`);
      return;
    }
    case 'boolean':
      check(typeof value === 'boolean', path, value, 'true or false');
      return;
    case 'duration':
    case 'time':
      check(Number.isSafeInteger(value) && (value as number) >= 0, path, value, 'nanoseconds, 0 or more');
      return;
    case 'word':
      checkWord(value, path, endpoints);
      return;
    case 'words':
    case 'answer':
      check(
        Array.isArray(value) && value.length <= REGISTERS_MAX,
        path,
        value,
        `a list of ${REGISTERS_MAX} words at most`,
      );
      for (const [index, word] of (value as unknown[]).entries()) {
        if (word !== null || row.type !== 'answer') checkWord(word, `${path}[${index}]`, endpoints);
      }
      return;
    case 'hex':
      check(isText(value, HEX), path, value, 'pairs of hexadecimal digits');
      return;
    case 'hexes': {
      const good = Array.isArray(value) && value.length > 0 && value.every((one) => isText(one, HEX));
      check(good, path, value, 'a list of pairs of hexadecimal digits');
      return;
    }
    case 'version':
      check(Number.isSafeInteger(value) && (value as number) > 0, path, value, 'a version such as 0x10001');
      return;
    case 'uuid':
      check(typeof value === 'string' && parseUuid(value) !== undefined, path, value, 'a canonical UUID');
      return;
    case 'expectation':
      checkExpectation(value, path);
      return;
    case 'condition':
      checkCondition(value, path, endpoints);
      return;
    case 'ranges':
      checkRanges(value, path, endpoints);
      return;
    case 'steps':
      check(Array.isArray(value), path, value, 'a list of steps');
      checkGuestSteps(value as GuestStep[], path, endpoints);
      return;
    case 'choice': {
      const choices = row.choices ?? [];
      check(
        choices.some((choice) => choice === value),
        path,
        value,
        `one of ${choices.join(', ')}`,
      );
      return;
    }
  }
}

function checkWord(value: unknown, path: string, endpoints: Endpoints): void {
  const parsed = typeof value === 'number' || typeof value === 'string' ? parseWord(value) : undefined;
  if (parsed === undefined) fail(path, String(value), WORD_EXPRESSION_FORM);
  if (parsed.kind === 'endpoint') checkEndpoint(parsed.name, path, endpoints);
}

function checkExpectation(value: unknown, path: string): void {
  const all = Array.isArray(value) ? value : [value];
  const good = all.length > 0 && all.every((one) => one === 'any' || OUTCOME_NAMES.some((name) => name === one));
  check(good, path, value, `any, or one or more of ${OUTCOME_NAMES.join(', ')}`);
}

function checkCondition(value: unknown, path: string, endpoints: Endpoints): void {
  const condition = (typeof value === 'object' && value !== null ? value : {}) as Record<string, unknown>;
  const form = Object.keys(condition).sort().join(' ');
  const good =
    (form === 'is variable' && isText(condition['variable'], NAME) && Number.isSafeInteger(condition['is'])) ||
    (form === 'region state' &&
      isText(condition['region'], REGION) &&
      REGION_STATES.includes(String(condition['state']))) ||
    (form === 'interrupt' && Number.isSafeInteger(condition['interrupt'])) ||
    (form === 'timeNs' && Number.isSafeInteger(condition['timeNs'])) ||
    (form === 'address byte' && Number.isSafeInteger(condition['byte']));
  const states = REGION_STATES.join(' | ');
  const fits = `{variable, is}, {region, state: ${states}}, {interrupt}, {timeNs} or {address, byte}`;
  check(good, path, JSON.stringify(value), fits);
  if (form === 'address byte') checkWord(condition['address'], `${path}.address`, endpoints);
}

function checkRanges(value: unknown, path: string, endpoints: Endpoints): void {
  check(Array.isArray(value) && value.length > 0, path, value, 'a list of {page, count} or {address, count}');
  for (const [index, range] of (value as Record<string, unknown>[]).entries()) {
    const where = `${path}[${index}]`;
    const { address, count, page } = range;
    check((address === undefined) !== (page === undefined), where, JSON.stringify(range), 'page or address, not both');
    const countFits = Number.isSafeInteger(count) && (count as number) >= 0 && (count as number) <= 0xffff_ffff;
    check(countFits, `${where}.count`, count, 'a number of pages');
    if (address !== undefined) {
      checkWord(address, `${where}.address`, endpoints);
      continue;
    }
    const pageFits = Number.isSafeInteger(page) && (page as number) >= 0 && (page as number) <= REGION_PAGES_MAX;
    check(pageFits, `${where}.page`, page, 'a page of RAM, counted from 0');
  }
}

function isText(value: unknown, form: RegExp): boolean {
  return typeof value === 'string' && form.test(value);
}

function checkEndpoint(value: unknown, path: string, endpoints: Endpoints): void {
  const isId = Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= 0xffff;
  const isName = typeof value === 'string' && endpoints.has(value);
  check(isId || isName, path, value, `an id up to 0xffff or one of ${[...endpoints.keys()].join(', ') || 'no names'}`);
}

function check(good: boolean, path: string, found: unknown, fits: string): void {
  if (!good) fail(path, String(found), fits);
}

function fail(path: string, found: string, fits: string): never {
  throw new UserError(`${path}: found ${found}`, null, `expected ${fits}`);
}
