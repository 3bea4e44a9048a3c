// Registers of a call or of an answer in words, by the call table. An answer means little alone: what FFA_SUCCESS
// carries and why FFA_ERROR says DENIED depend on the call. It is the set of registers before it, or what `--as`
// names.

import type { Call, CallError } from '../../abi/calls/call.ts';
import { CALLS, callOf } from '../../abi/calls/call-table.ts';
import { decodeAnswer, decodeCall } from '../../abi/calls/register-call.ts';
import { formatEndpointId } from '../../abi/endpoint-ids.ts';
import { errorName } from '../../abi/errors.ts';
import type { FieldSpan } from '../../abi/fault.ts';
import { decodeFrameworkMessage, formatFrameworkMessage } from '../../abi/framework-message.ts';
import {
  FFA_ERROR,
  FFA_NOTIFICATION_INFO_GET_32,
  FFA_NOTIFICATION_INFO_GET_64,
  FFA_SUCCESS_32,
  FFA_SUCCESS_64,
  functionName,
} from '../../abi/function-ids.ts';
import { decodeNotificationInfo } from '../../abi/notification-info.ts';
import { formatVersion } from '../../abi/versions.ts';
import { UserError } from '../../base/user-error.ts';
import { LineBuilder, line, type StyledLine } from '../../export/styled-text.ts';
import { REGISTERS_SHOWN, type RegisterSet } from './register-text.ts';

const NOT_SMCCC = 0xffffffff;

export interface DecodedRegisters {
  /** `call`, `answer`, or `unknown`: w0 is no function id of FF-A. */
  readonly role: 'call' | 'answer' | 'unknown';
  /** Name of the call; of the answer: what came back. */
  readonly name: string;
  /** The call that is answered, if it is known. */
  readonly request: string | null;
  /** The error's name, if this is FFA_ERROR. */
  readonly error: string | null;
  /** When the call may answer so, and who documents it. */
  readonly reasons: readonly CallError[];
  /** Whether the version that was asked about has this call. */
  readonly isInVersion: boolean;
  readonly fields: readonly FieldSpan[];
  /** Further lines: what packed registers list. */
  readonly notes: readonly string[];
  readonly registers: readonly { readonly name: string; readonly value: string }[];
}

/**
 * Decodes sets in order: a set after a call is its answer. `asked`: the call that the first set answers, if it is
 * one.
 */
export function decodeRegisterSets(
  sets: readonly RegisterSet[],
  asked: Call | null,
  version: number | null,
): DecodedRegisters[] {
  const list: DecodedRegisters[] = [];
  let request = asked;
  for (const { words, given } of sets) {
    const row = callOf(words[0]);
    const isAnswer = request !== null && (isAnswerTo(words, request) || answersInW0(request));
    const options = version === null ? { fields: true } : { fields: true, version };
    const registers = registersGiven(words, given);
    if (words[0] === NOT_SMCCC) {
      list.push(unknown('NOT_SUPPORTED: nobody handles this call (x0 = -1)', request, registers));
    } else if (isAnswer && request !== null) {
      const decoded = decodeAnswer(words, request, options);
      list.push({
        role: 'answer',
        name: row === undefined ? 'w0' : row.name,
        request: request.name,
        error: errorOf(words),
        reasons: reasonsOf(words, request),
        isInVersion: true,
        fields: decoded.fields,
        notes: notesOf(words, request),
        registers,
      });
    } else if (row === undefined) {
      list.push(unknown(`${functionName(words[0])} is no function id of FF-A`, request, registers));
    } else {
      const decoded = decodeCall(words, options);
      list.push({
        role: isCall(row) ? 'call' : 'answer',
        name: row.name,
        request: null,
        error: errorOf(words),
        reasons: [],
        isInVersion: version === null || (version >= row.since && (row.until === 0 || version < row.until)),
        fields: decoded.fields,
        notes: notesOf(words, null),
        registers,
      });
    }
    request = row !== undefined && isCall(row) && !isAnswer ? row : null;
  }
  return list;
}

/** The call that `--as` names: `FFA_MEM_RECLAIM`, `mem_share_32`, or without the suffix. */
export function callNamed(name: string): Call | null {
  const wanted = name
    .toUpperCase()
    .replaceAll('-', '_')
    .replace(/^(?!FFA_)/, 'FFA_');
  return CALLS.find((call) => call.name === wanted || call.name === `${wanted}_32`) ?? null;
}

/** The picture of all sets. */
export function describeRegisters(list: readonly DecodedRegisters[], version: number | null): StyledLine[] {
  const lines: StyledLine[] = [];
  for (const one of list) {
    if (lines.length > 0) lines.push([]);
    lines.push(titleLine(one, version), ...fieldLines(one));
    for (const note of one.notes) lines.push(line(`  ${note}`));
    if (one.error !== null && one.reasons.length > 0) {
      lines.push(line(`  ${one.request} answers ${one.error} for:`));
      for (const reason of one.reasons) {
        lines.push(new LineBuilder().add(`  - ${reason.when}`).add(`  [${reason.source}]`, 'dim').done());
      }
    } else if (one.error !== null && one.request === null) {
      lines.push(
        line('  Why depends on the call: give its registers first, or --as FFA_MEM_RECLAIM and so on.', 'dim'),
      );
    } else if (one.error !== null) {
      lines.push(line(`  No source documents ${one.error} for ${one.request}.`, 'warning'));
    }
  }
  return lines;
}

/** Whether a register breaks a rule, in any of the sets. */
export function breaksRule(list: readonly DecodedRegisters[]): boolean {
  return list.some(isWrong);
}

function isWrong(one: DecodedRegisters): boolean {
  return one.role === 'unknown' || !one.isInVersion || one.fields.some((field) => field.rule !== undefined);
}

function unknown(name: string, request: Call | null, registers: DecodedRegisters['registers']): DecodedRegisters {
  return {
    role: 'unknown',
    name,
    request: request?.name ?? null,
    error: null,
    reasons: [],
    isInVersion: true,
    fields: [],
    notes: [],
    registers,
  };
}

/** Whether somebody asks this; else it only answers. */
function isCall(row: Call): boolean {
  return row.answers.length > 0 || answersInW0(row);
}

/** FFA_VERSION answers in w0 itself. */
function answersInW0(row: Call): boolean {
  return row.results.some((result) => result.register === 0);
}

function isAnswerTo(words: Uint32Array, request: Call): boolean {
  const fid = words[0];
  return fid === FFA_ERROR || fid === FFA_SUCCESS_32 || fid === FFA_SUCCESS_64 || request.answers.includes(fid);
}

function errorOf(words: Uint32Array): string | null {
  return words[0] === FFA_ERROR ? errorName(words[4]) : null;
}

function reasonsOf(words: Uint32Array, request: Call): readonly CallError[] {
  return words[0] === FFA_ERROR ? request.errors.filter((one) => one.code === (words[4] | 0)) : [];
}

/** What packed registers mean. */
function notesOf(words: Uint32Array, request: Call | null): string[] {
  const framework = decodeFrameworkMessage(words);
  if (framework.ok) return [formatFrameworkMessage(framework.value)];
  const isInfoGet =
    request !== null && (request.fid === FFA_NOTIFICATION_INFO_GET_32 || request.fid === FFA_NOTIFICATION_INFO_GET_64);
  if (!isInfoGet) return [];
  const info = decodeNotificationInfo(words);
  if (!info.ok) return [];
  const lists = info.value.lists.map(({ endpoint, vcpus }) => {
    const whom = vcpus.length === 0 ? 'global notifications' : `vCPU ${vcpus.join(', ')}`;
    return `${formatEndpointId(endpoint)}: ${whom}`;
  });
  return info.value.isMorePending ? [...lists, 'more is pending'] : lists;
}

function titleLine(one: DecodedRegisters, version: number | null): StyledLine {
  const built = new LineBuilder();
  if (one.role === 'unknown') {
    built.add(one.name, 'wrong');
    if (one.request !== null) built.add(`, an answer to ${one.request}`);
    return built.done();
  }
  built.add(one.name, one.error === null ? 'strong' : 'warning');
  if (one.error !== null) built.add(` ${one.error}`, 'warning');
  if (one.request !== null) return built.add(`, an answer to ${one.request}`).done();
  const row = CALLS.find((call) => call.name === one.name);
  if (row === undefined) return built.done();
  built.add(one.role === 'call' ? ', a call' : ', an answer');
  if (row.until !== 0) built.add(`, FF-A ${formatVersion(row.since)} until before ${formatVersion(row.until)}`);
  else built.add(`, FF-A ${formatVersion(row.since)} and later`);
  if (version !== null && !one.isInVersion) built.add(`: not in ${formatVersion(version)}`, 'wrong');
  return built.done();
}

/**
 * One line a field: where it is, what it is called, what it says; then registers that no field of the call explains.
 */
function fieldLines(one: DecodedRegisters): StyledLine[] {
  const rows = one.fields.map((field) => {
    const space = field.path.indexOf(' ');
    const place = space < 0 ? field.path : field.path.slice(0, space);
    const name = space < 0 ? '' : field.path.slice(space + 1);
    return { place, name, text: field.text, rule: field.rule ?? null };
  });
  if (one.fields.length === 0) {
    for (const { name, value } of one.registers) rows.push({ place: name, name: '', text: value, rule: null });
  }
  const placeWidth = rows.reduce((most, row) => Math.max(most, row.place.length), 0);
  const nameWidth = rows.reduce((most, row) => Math.max(most, row.name.length), 0);
  const lines: StyledLine[] = [];
  for (const row of rows) {
    const built = new LineBuilder()
      .add(row.rule === null ? '  ' : '! ', row.rule === null ? 'plain' : 'wrong')
      .add(row.place.padEnd(placeWidth), 'dim')
      .add(`  ${row.name.padEnd(nameWidth)}  `, 'hue0')
      .add(row.text, row.rule === null ? 'plain' : 'wrong');
    lines.push(built.done());
    if (row.rule !== null) lines.push(line(`${' '.repeat(placeWidth + 4)}^ ${row.rule}`, 'wrong'));
  }
  return lines;
}

function registersGiven(words: Uint32Array, given: readonly boolean[]): { name: string; value: string }[] {
  const list: { name: string; value: string }[] = [];
  for (let n = 0; n < REGISTERS_SHOWN; n++) if (given[n]) list.push({ name: `x${n}`, value: registerText(words, n) });
  return list;
}

function registerText(words: Uint32Array, n: number): string {
  const low = words[2 * n].toString(16);
  const high = words[2 * n + 1];
  return high === 0 ? `0x${low}` : `0x${high.toString(16)}${low.padStart(8, '0')}`;
}

/** For `--as`: neither a descriptor nor a call. */
export function unknownName(name: string, descriptorNames: readonly string[]): UserError {
  const fits = `it takes registers, ${descriptorNames.join(', ')}, or a call such as FFA_MEM_RECLAIM`;
  return new UserError(`--as does not know '${name}'`, null, fits);
}
