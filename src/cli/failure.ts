// What the user reads when ffabric itself fails: what happened, that it is not their fault, and all that a report
// needs.

import { packageVersion } from './package-version.ts';

/** The text for standard error. `argv`: the arguments after the program's name. */
export function describeFailure(error: unknown, argv: readonly string[]): string {
  const thrown = error instanceof Error ? error : new Error(String(error));
  const trace = (thrown.stack ?? '').split('\n').filter((one) => /^\s+at /.test(one));
  const lines = [
    `ffabric failed: ${thrown.name}: ${thrown.message}`,
    'This is a mistake in ffabric, not in what it was given. Please report it with these lines:',
    `  version: ffabric ${packageVersion()}, Node ${process.version}, ${process.platform} ${process.arch}`,
    `  command: ffabric ${argv.map(quoted).join(' ')}`.trimEnd(),
    '  trace:',
    ...trace.map((one) => `    ${one.trim()}`),
  ];
  return `${lines.join('\n')}\n`;
}

/** An argument as a shell would need it. */
function quoted(argument: string): string {
  return /^[\w@%+=:,./-]+$/.test(argument) ? argument : `'${argument.replaceAll("'", "'\\''")}'`;
}
