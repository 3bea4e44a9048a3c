// The frame around every verb: exit codes, colour, help, failures, Ctrl-C.

import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { makeContext, takeColour } from '../../src/cli/context.ts';
import { describeFailure } from '../../src/cli/failure.ts';
import { main } from '../../src/cli/main.ts';
import { VERBS } from '../../src/cli/verb-table.ts';
import { FakeHost, type FakeHostOptions } from './fake-host.ts';

interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function run(argv: string[], options: FakeHostOptions = {}): Promise<Ran> {
  const host = new FakeHost(options);
  const code = await main(argv, host);
  return { code, stdout: host.stdout, stderr: host.stderr };
}

const ESCAPE = '\u001b[';
const BAD_RELINQUISH = ['decode', '--as', 'relinquish', '0700000000000000000000000200000001'.padEnd(36, '0')];

describe('the program', () => {
  it('without a verb prints its help', async () => {
    const { code, stdout, stderr } = await run([]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    for (const verb of VERBS) expect(stdout).toContain(`  ${verb.name}`);
  });

  it('prints the same help when asked', async () => {
    expect(await run(['--help'])).toEqual(await run([]));
  });

  it('prints its version alone', async () => {
    const { code, stdout } = await run(['--version']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  it('leaves --version to a verb that has one of its own', async () => {
    const { stdout } = await run(['decode', '--version', '1.1', 'x0=0x84000069']);
    expect(stdout).toContain('FFA_ID_GET');
  });

  it('writes a mistake to standard error only', async () => {
    const { code, stdout, stderr } = await run(['decode', '--frobnicate']);
    expect(code).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toBe("ffabric: unknown option '--frobnicate'; see ffabric decode --help\n");
  });
});

describe('every verb', () => {
  for (const verb of VERBS) {
    it(`${verb.name} registers itself, and its help has examples and exit codes`, async () => {
      const program = new Command();
      const module = await verb.load();
      module.register(program, makeContext(new FakeHost(), 'never'));
      expect(program.commands.map((command) => command.name())).toEqual([verb.name]);
      const { code, stdout, stderr } = await run([verb.name, '--help']);
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      expect(stdout).toContain(`Usage: ffabric ${verb.name}`);
      expect(stdout).toContain(`$ ffabric ${verb.name}`);
      expect(stdout).toContain('--json');
      expect((await run(['help', verb.name])).stdout).toBe(stdout);
    });
  }
});

describe('colour', () => {
  const cases: readonly (readonly [name: string, argv: string[], options: FakeHostOptions, coloured: boolean])[] = [
    ['not in a file', [], {}, false],
    ['on a terminal', [], { isTerminal: true }, true],
    ['not with NO_COLOR', [], { isTerminal: true, env: { NO_COLOR: '1' } }, false],
    ['with an empty NO_COLOR', [], { isTerminal: true, env: { NO_COLOR: '' } }, true],
    ['not on a dumb terminal', [], { isTerminal: true, env: { TERM: 'dumb' } }, false],
    ['with --color', ['--color'], {}, true],
    ['with --color always', ['--color', 'always'], {}, true],
    ['with --color=always against NO_COLOR', ['--color=always'], { env: { NO_COLOR: '1' } }, true],
    ['not with --no-color', ['--no-color'], { isTerminal: true }, false],
    ['not with --color never', ['--color', 'never'], { isTerminal: true }, false],
  ];
  for (const [name, argv, options, coloured] of cases) {
    it(name, async () => {
      const { code, stdout } = await run([...argv, ...BAD_RELINQUISH], options);
      expect(code).toBe(1);
      expect(stdout.includes(ESCAPE)).toBe(coloured);
      expect((await run([...BAD_RELINQUISH, ...argv], options)).stdout).toBe(stdout);
    });
  }

  it('changes nothing but colour', async () => {
    const plain = await run(BAD_RELINQUISH);
    const coloured = await run(['--color', ...BAD_RELINQUISH]);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: the escapes are what is looked for
    expect(coloured.stdout.replaceAll(/\u001b\[\d+m/g, '')).toBe(plain.stdout);
    expect(coloured.stdout).toContain(`${ESCAPE}31m`);
  });

  it('is left to whoever comes after --', () => {
    expect(takeColour(['--', '--color'])).toEqual({ when: 'auto', rest: ['--', '--color'] });
  });
});

describe('a failure of ffabric itself', () => {
  it('ends with 4 and says what to report', async () => {
    const host = new FakeHost();
    host.readInput = () => {
      throw new RangeError('out of something');
    };
    expect(await main(['decode', '-', '--as', 'registers'], host)).toBe(4);
    expect(host.stdout).toBe('');
    expect(host.stderr).toMatch(
      new RegExp(
        [
          '^ffabric failed: RangeError: out of something',
          'This is a mistake in ffabric, not in what it was given. Please report it with these lines:',
          ' {2}version: ffabric \\d+\\.\\d+\\.\\d+, Node v[\\d.]+, \\w+ \\w+',
          ' {2}command: ffabric decode - --as registers',
          ' {2}trace:',
          ' {4}at .*main\\.test\\.ts',
        ].join('\n'),
      ),
    );
  });

  it('quotes the command as a shell needs it, and takes what is no error', () => {
    const text = describeFailure('just text', ['decode', "it's", 'a b', 'plain=1']);
    expect(text).toContain('ffabric failed: Error: just text\n');
    expect(text).toContain(`command: ffabric decode 'it'\\''s' 'a b' plain=1\n`);
  });
});

describe('Ctrl-C', () => {
  it('is left to the system by a verb that asks for nothing', () => {
    const host = new FakeHost();
    makeContext(host, 'never');
    expect(host.pressControlC()).toBe(false);
  });

  it('does what was asked, last first, then stops whoever waits for breath', async () => {
    const host = new FakeHost();
    const context = makeContext(host, 'never');
    const done: string[] = [];
    context.onInterrupt(() => done.push('first'));
    context.onInterrupt(() => done.push('second'));
    await context.breathe();
    expect(host.pressControlC()).toBe(true);
    await context.interrupted;
    expect(done).toEqual(['second', 'first']);
    let isBreathing = false;
    void context.breathe().then(() => {
      isBreathing = true;
    });
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(isBreathing).toBe(false);
    expect(host.pressControlC()).toBe(false);
  });
});
