// docs/coverage.md, made from the table of documented answers and from what the drivers saw.

import type { Chapter, DocumentedAnswer, Side } from '../../src/abi/documented/documented-answer.ts';
import { NO_ANSWER, SIDES } from '../../src/abi/documented/documented-answer.ts';
import { DOCUMENTED_CALLS, type DocumentedCall, NO_SUCH_CALL } from '../../src/abi/documented/documented-table.ts';
import { functionName } from '../../src/abi/function-ids.ts';
import { formatVersion } from '../../src/abi/versions.ts';
import { answerName, driverOf, type Flavour, flavoursOf, runIfPossible, versionsOf } from './coverage.ts';
import { isGeneral } from './driver.ts';

const CHAPTERS: readonly (readonly [Chapter, string])[] = [
  ['setup', 'Version, features, buffers, discovery, start'],
  ['messages', 'Messages and CPU cycles'],
  ['memory', 'Memory management'],
  ['notifications', 'Notifications'],
  ['others', 'Other calls'],
];

/** How a name stands in a column. */
const SHORT: Readonly<Record<Flavour, string>> = {
  ffabric: 'f',
  'xen-2024': 'x24',
  'xen-2026': 'x26',
  'xen-2026-vm-to-vm': 'x26v',
  hafnium: 'h',
  'tfa-el3': 't',
  optee: 'o',
};

const SIDE_WORDS: Readonly<Record<Side, string>> = {
  guest: 'guest to mediator',
  hypervisor: 'hypervisor to SPMC',
  partition: 'partition to SPMC',
};

/** The page, and what each answer was given by. */
export function coveragePage(): string {
  const lines = [...head()];
  for (const [chapter, title] of CHAPTERS) {
    lines.push('', `## ${title}`);
    for (const side of SIDES) lines.push(...section(chapter, side));
  }
  lines.push(...notGiven(), ...notCovered());
  return `${lines.join('\n')}\n`;
}

function head(): string[] {
  const given = DOCUMENTED_CALLS.flatMap(({ answers }) => answers.filter((one) => one.notGiven === ''));
  const cells = given.reduce((sum, one) => sum + versionsOf(one).length, 0);
  return [
    '# Answers, call by call',
    '',
    ...wrapped(
      'What each call of FF-A may be answered: by the mediator to a guest, by the SPMC to the hypervisor, by the ' +
        'SPMC to a partition; for callers of 1.0, 1.1 and 1.2; each with its reason and with who documents it (a key ' +
        'of `src/base/citations.ts`). The oracle judges by this table (P13).',
    ),
    '',
    ...wrapped(
      'This page is generated (`npx tsx scripts/coverage-doc.ts`) from the table in `src/abi/documented` and from ' +
        'the drivers in `test/coverage/drivers`. A test makes every answer of the table come about, for every ' +
        `version: ${DOCUMENTED_CALLS.length} calls at their sides, ${given.length} answers, ${cells} cells. ` +
        'It fails, with the ' +
        "cell's name, where nothing exercises a cell, where the answer is another one, and where an answer is seen " +
        'that the table lacks.',
    ),
    '',
    ...bullet(
      "*Versions*: of the caller; none named: all three. A call that came with a later version than the caller's is " +
        'answered all the same where nothing else is said, as Xen and Hafnium do.',
    ),
    ...bullet(
      '*By*: who was seen to answer so. Profiles of the mediator: `f` ffabric (the default), `x24` xen-2024, `x26` ' +
        'xen-2026, `x26v` xen-2026-vm-to-vm. Personalities of the SPMC: `h` hafnium (the default), `t` tfa-el3, `o` ' +
        'optee. Who is not named answers otherwise, or cannot be brought to it.',
    ),
    ...bullet(
      '*Driver*: the file in `test/coverage/drivers` whose driver of that reason brings it about; `-`: the call ' +
        'alone does.',
    ),
    ...bullet(
      "A version, and FFA_VERSION's error, stand in w0. NOT_SUPPORTED stands for the calling convention's -1 too.",
    ),
    ...bullet(
      '"relayed from the SPMC": the mediator passes on that error of the SPMC. For the test it is put on the SPMC\'s ' +
        "side; when the SPMC gives it by itself is said at the hypervisor's side.",
    ),
  ];
}

/** One table: calls of a chapter at a side; calls with the same answers stand together. */
function section(chapter: Chapter, side: Side): string[] {
  const calls = DOCUMENTED_CALLS.filter((call) => call.chapter === chapter && call.side === side);
  if (calls.length === 0) return [];
  if (chapter === 'others') return others(calls.filter(isAbsent), side, calls);
  return table(calls, side);
}

function isAbsent(call: DocumentedCall): boolean {
  return call.answers[0].when === NO_SUCH_CALL;
}

function others(absent: readonly DocumentedCall[], side: Side, calls: readonly DocumentedCall[]): string[] {
  const names = groupNames(absent.map((call) => functionName(call.fid)));
  const rest = calls.filter((call) => !isAbsent(call));
  const said = `NOT_SUPPORTED, in every version [${absent[0].answers[0].source}]: ${names}.`;
  return ['', `### ${heading(side)}`, '', ...wrapped(said), ...(rest.length > 0 ? table(rest, side).slice(2) : [])];
}

const COLUMNS = 120;

/** Lines of at most so many columns. */
function wrapped(text: string, columns = COLUMNS): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > columns) {
      lines.push(line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  return [...lines, line];
}

function bullet(text: string): string[] {
  return wrapped(text, COLUMNS - 2).map((line, n) => (n === 0 ? `- ${line}` : `  ${line}`));
}

function heading(side: Side): string {
  const words = SIDE_WORDS[side];
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** What one row says of an answer: reasons that share the rest stand together. */
interface Line {
  readonly answer: string;
  readonly reasons: string[];
  /** Versions, by, source, driver. */
  readonly rest: string;
}

function table(calls: readonly DocumentedCall[], side: Side): string[] {
  const groups = new Map<string, { names: string[]; lines: readonly Line[] }>();
  for (const call of calls) {
    const lines = linesOf(call);
    // The two forms of a call stand together although one answers in the other's form.
    const key = lines.map(
      ({ answer, reasons, rest }) => `${answer.replace(/_(32|64)$/, '')} ${reasons.join()} ${rest}`,
    );
    const group = groups.get(key.join('\n'));
    if (group === undefined) groups.set(key.join('\n'), { names: [functionName(call.fid)], lines });
    else group.names.push(functionName(call.fid));
  }
  const rows = ['', `### ${heading(side)}`, '', '| call | answer | because | versions | by | source | driver |'];
  rows.push('|---|---|---|---|---|---|---|');
  for (const { names, lines } of groups.values()) {
    lines.forEach(({ answer, reasons, rest }, n) => {
      rows.push(`| ${n === 0 ? groupNames(names) : ''} | ${answer} | ${reasons.join('; ')} | ${rest} |`);
    });
  }
  return rows;
}

function linesOf(call: DocumentedCall): Line[] {
  const lines: Line[] = [];
  for (const one of call.answers) {
    if (one.notGiven !== '') continue;
    const answer = answerName(one.answer);
    const rest = restOf(call, one);
    const same = lines.find((line) => line.answer === answer && line.rest === rest);
    if (same === undefined) lines.push({ answer, reasons: [one.when], rest });
    else same.reasons.push(one.when);
  }
  return lines;
}

function restOf(call: DocumentedCall, answer: DocumentedAnswer): string {
  const versions = versionsOf(answer);
  const shown = versions.length === 3 ? '' : versions.map(formatVersion).join(', ');
  const file = isGeneral(answer.when) ? '-' : (driverOf(call, answer.when)?.file ?? '-');
  const by = flavoursOf(call.side).filter((flavour) => isGivenBy(call, answer, flavour));
  return [shown, by.map((one) => SHORT[one] ?? one).join(' '), answer.source, file].join(' | ');
}

/** Whether that profile or personality was seen to answer so, to a caller of some version. */
function isGivenBy(call: DocumentedCall, answer: DocumentedAnswer, flavour: Flavour): boolean {
  return versionsOf(answer).some((version) => {
    const done = runIfPossible(call, answer, version, flavour);
    return done !== null && (done.answer ?? NO_ANSWER) === answer.answer;
  });
}

/** `FFA_MEM_SHARE_32, 64, FFA_MEM_LEND_32, 64` for names that differ in their form only. */
function groupNames(names: readonly string[]): string {
  const byStem = new Map<string, string[]>();
  for (const name of names) {
    const match = /^(.*)_(32|64)$/.exec(name);
    const stem = match?.[1] ?? name;
    byStem.set(stem, [...(byStem.get(stem) ?? []), match?.[2] ?? '']);
  }
  return [...byStem].map(([stem, forms]) => (forms[0] === '' ? stem : `${stem}_${forms.join(', ')}`)).join(', ');
}

function notGiven(): string[] {
  const rows = new Map<string, { names: string[]; cells: string }>();
  for (const { fid, side, answers } of DOCUMENTED_CALLS) {
    for (const one of answers) {
      if (one.notGiven === '') continue;
      const cells = `${SIDE_WORDS[side]} | ${answerName(one.answer)} | ${one.when} | ${one.source} | ${one.notGiven}`;
      const row = rows.get(cells);
      if (row === undefined) rows.set(cells, { names: [functionName(fid)], cells });
      else row.names.push(functionName(fid));
    }
  }
  return [
    '',
    '## Documented, and not given here',
    '',
    'Somebody documents these answers; no profile or personality ever gives them. P13 lets them pass.',
    '',
    '| call | door | answer | because | source | why not here |',
    '|---|---|---|---|---|---|',
    ...[...rows.values()].map(({ names, cells }) => `| ${groupNames(names)} | ${cells} |`),
  ];
}

function notCovered(): string[] {
  return [
    '',
    '## Not covered',
    '',
    ...bullet(
      'One reason at a time: which of two reasons wins is tested beside the handlers (`test/spmc`, ' +
        '`test/hypervisor`) and held to recordings (`test/conform`), not here.',
    ),
    ...bullet(
      'Profiles and personalities beside the default ones are run through the same drivers; what they answer is ' +
        'shown, and must be in the table. That each of them gives each answer is asked only where a row is ' +
        'theirs alone.',
    ),
    ...bullet("Guests of 64 bits only. A 32-bit guest's SMC64 call is unknown (-1 in x0) before the mediator sees it."),
    ...bullet(
      'The calls of FF-A 1.3 are known by name. FFA_ABORT of a partition is obeyed, though Hafnium wants 1.3 for it.',
    ),
    ...bullet(
      'Calls that the dispatcher at EL3 makes of the SPMC (power management, secure interrupts) are no cells: they ' +
        'come at a door of their own.',
    ),
    ...bullet(
      'Answers are compared by function and error code; what success carries is the business of the tests ' +
        'of each call.',
    ),
  ];
}
