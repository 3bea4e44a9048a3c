// The command line: finds the verb, loads its file, runs it, and turns what it throws into one message and an exit
// code.
//
// Standard output is data, standard error is talk. A user's mistake is one message (exit code 2), a failure of
// ffabric's own says what to report (4), Ctrl-C ends with what was found so far (130).

import { Command, CommanderError } from 'commander';
import { UserError } from '../base/user-error.ts';
import { type CliContext, type ColourWhen, makeContext, takeColour } from './context.ts';
import { EXIT_HELD, EXIT_INTERRUPTED, EXIT_OWN_FAILURE, EXIT_USAGE } from './exit-codes.ts';
import { describeFailure } from './failure.ts';
import { type Host, processHost } from './host.ts';
import { packageVersion } from './package-version.ts';
import { VERBS, type Verb } from './verb-table.ts';

const PROGRAM_EXAMPLE = `
Examples:
  $ ffabric decode x0=0x84000060 x2=0xfffffffa
  $ ffabric decode --help`;

const COLOUR_NOTE = `
Colour: on a terminal only; --color always or --no-color decides otherwise, and NO_COLOR is heard.`;

/** Runs one command line. `argv`: the arguments after the program's name. Returns the exit code; never throws. */
export async function main(argv: string[], host: Host = processHost()): Promise<number> {
  try {
    const { when, rest } = takeColour(argv);
    return await runVerb(rest, host, when);
  } catch (error) {
    if (error instanceof UserError) {
      host.writeErr(`ffabric: ${error.message}\n`);
      return EXIT_USAGE;
    }
    host.writeErr(describeFailure(error, argv));
    return EXIT_OWN_FAILURE;
  } finally {
    host.onInterrupt(null);
  }
}

async function runVerb(argv: readonly string[], host: Host, when: ColourWhen): Promise<number> {
  const context = makeContext(host, when);
  const program = makeProgram(context);
  const wanted = VERBS.find((verb) => verb.name === argv[0] || (argv[0] === 'help' && verb.name === argv[1]));
  for (const verb of VERBS) {
    if (verb === wanted) await addVerb(program, verb, context);
    else program.command(verb.name).description(verb.summary);
  }
  if (argv.length === 0) {
    program.outputHelp();
    return EXIT_HELD;
  }
  try {
    const ended = program.parseAsync([...argv], { from: 'user' }).then(() => context.exitCode);
    return await Promise.race([ended, context.interrupted.then(() => EXIT_INTERRUPTED)]);
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return EXIT_HELD;
    throw usageError(error, argv, wanted);
  }
}

function makeProgram(context: CliContext): Command {
  return new Command('ffabric')
    .description('A whole Arm FF-A system: hypervisor mediator, SPMC, partitions and guests, in virtual time.')
    .version(packageVersion(), '--version', 'print the version')
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput({
      writeOut: (text) => context.out.write(text),
      writeErr: (text) => context.talk.write(text),
      // The message comes back as a CommanderError and is printed once, with all other mistakes of the user.
      outputError: () => undefined,
    })
    .configureHelp({ helpWidth: Math.min(context.out.columns, 100) })
    .addHelpText('after', PROGRAM_EXAMPLE)
    .addHelpText('after', COLOUR_NOTE);
}

async function addVerb(program: Command, verb: Verb, context: CliContext): Promise<void> {
  const module = await verb.load();
  module.register(program, context);
}

/** commander's messages, in ffabric's form. */
function usageError(error: CommanderError, argv: readonly string[], verb: Verb | undefined): UserError {
  const [what, suggestion] = error.message.replace(/^error: /, '').split('\n');
  const hint = /Did you mean (.*)\?/.exec(suggestion ?? '')?.[1] ?? null;
  if (error.code === 'commander.unknownCommand') {
    const names = VERBS.map((one) => one.name).join(', ');
    const meant = hint === null ? `the verbs are ${names}` : `did you mean ${hint}?`;
    return new UserError(`there is no verb '${argv[0]}'`, null, meant);
  }
  const help = verb === undefined ? 'ffabric --help' : `ffabric ${verb.name} --help`;
  return new UserError(what, null, hint === null ? `see ${help}` : `did you mean ${hint}?`);
}
