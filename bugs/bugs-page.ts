// docs/bugs.md: the museum as a page.

import type { Bug } from './bug.ts';

/** The page's text; scripts/bugs-doc.ts writes it. */
export function bugsPage(bugs: readonly Bug[]): string {
  const historical = bugs.filter(({ upstream }) => upstream !== null);
  const own = bugs.filter(({ upstream }) => upstream === null);
  const general = historical.filter(({ world }) => world === 'explore/general').length;
  return `# The museum of bugs

This page is made from \`bugs/\` (\`npx tsx scripts/bugs-doc.ts\`).

${historical.length} bugs that were made and fixed in hypervisors, SPMCs and partitions, each put back as one small
override of one component, and each found by one property of the oracle, from a world alone: \`ffabric bugs hunt\` is
told nothing of a schedule. ${general} of them are found in one general world, which knows of none,
\`worlds/explore/general.yaml\`. The other worlds are in \`bugs/worlds/\` and \`worlds/\`.

    ffabric bugs                      what there is
    ffabric bugs show ID              one of them
    ffabric bugs hunt [ID]            search for one, or for all

An override says what a bug comes to here, in a model of the component that had it; it is no copy of anybody's code.
Only what is fixed upstream is named. The commits are those that fixed it.

## With a history

${table(historical, true)}

## Of our own making

Nobody shipped these. Each takes out one thing that the default profile promises (docs/reclaim.md), or breaks one
property and no other.

${table(own, false)}
`;
}

function table(bugs: readonly Bug[], isHistorical: boolean): string {
  const head = isHistorical
    ? ['| id | what was wrong, and what came of it | fixed by | kind | property | world |', '|---|---|---|---|---|---|']
    : ['| id | what is wrong, and what comes of it | kind | property | world |', '|---|---|---|---|---|'];
  return [...head, ...bugs.map((bug) => row(bug))].join('\n');
}

function row({ broke, id, kind, property, title, upstream, world }: Bug): string {
  const what = `${title.charAt(0).toUpperCase()}${title.slice(1)}. ${broke}`;
  const from = upstream === null ? [] : [`${upstream.project} ${upstream.fixedBy}, ${upstream.date}`];
  return `| ${[`\`${id}\``, what, ...from, kind, property, world].join(' | ')} |`;
}
