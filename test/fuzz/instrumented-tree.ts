// The code under test and the targets as JavaScript with counters: src/ and test/fuzz/ compiled file by file into a
// folder under node_modules/.cache, each module of src/ with one counter for each statement and branch.
// istanbul-lib-instrument places its counters; they are replaced by one byte each of an array that all modules share
// (measured: five times as many inputs a second). A file that has not changed is not compiled again.

import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

/** The part of istanbul-lib-instrument that is used; it brings no types. */
interface InstrumentModule {
  createInstrumenter(options: { esModules: boolean; compact: boolean; produceSourceMap: boolean }): {
    instrumentSync(code: string, filename: string): string;
  };
}

const require = createRequire(import.meta.url);
const { createInstrumenter } = require('istanbul-lib-instrument') as InstrumentModule;

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const OUT = join(ROOT, 'node_modules', '.cache', 'ffabric-fuzz');
/** Raised when what is done to a file changes. */
const RECIPE = 4;

/** Brings the tree up to date; returns its root. */
export function instrumentedTree(): string {
  mkdirSync(OUT, { recursive: true });
  writeChanged(join(OUT, 'package.json'), '{"type":"module"}\n');
  for (const file of sourceFiles(join(ROOT, 'src'))) compile(file, true);
  for (const file of sourceFiles(join(ROOT, 'test', 'fuzz'))) compile(file, false);
  return OUT;
}

function sourceFiles(folder: string): string[] {
  const files: string[] = [];
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) files.push(...sourceFiles(path));
    else if (entry.name.endsWith('.ts') && !entry.name.endsWith('.test.ts') && !entry.name.endsWith('.d.ts')) {
      files.push(path);
    }
  }
  return files.sort();
}

function compile(path: string, counted: boolean): void {
  const source = readFileSync(path, 'utf8');
  const name = relative(ROOT, path);
  const stamp = `// ${RECIPE} ${createHash('sha256').update(source).digest('hex')}\n`;
  const out = join(OUT, name).replace(/\.ts$/, '.js');
  if (readIfThere(out)?.startsWith(stamp)) return;
  const { outputText } = ts.transpileModule(source, {
    fileName: path,
    compilerOptions: {
      target: ts.ScriptTarget.ES2023,
      module: ts.ModuleKind.ESNext,
      verbatimModuleSyntax: true,
      rewriteRelativeImportExtensions: true,
    },
  });
  mkdirSync(dirname(out), { recursive: true });
  writeChanged(out, stamp + (counted ? withCounters(outputText, name) : outputText));
}

function withCounters(code: string, name: string): string {
  const instrumenter = createInstrumenter({ esModules: true, compact: false, produceSourceMap: false });
  const instrumented = instrumenter.instrumentSync(code, name);
  const variable = /^function (cov_\w+)\(\) \{/m.exec(instrumented)?.[1];
  if (variable === undefined) return code;
  // The preamble that describes every counter is not needed: it ends where it calls itself.
  const preambleEnd = instrumented.indexOf(`\n${variable}();\n`);
  if (preambleEnd < 0) throw new Error(`${name}: no end of the preamble of counters`);
  const body = instrumented.slice(preambleEnd + variable.length + 5);
  const numbers = new Map<string, number>();
  const counted = body.replace(
    new RegExp(`${variable}\\(\\)\\.([sbf](?:\\[\\d+\\])+)\\+\\+`, 'g'),
    (_, counter: string) => {
      let number = numbers.get(counter);
      if (number === undefined) {
        number = numbers.size;
        numbers.set(counter, number);
      }
      return `cov_c[cov_b+${number}]++`;
    },
  );
  if (counted.includes(`${variable}(`)) throw new Error(`${name}: a counter was not replaced`);
  const prologue =
    `var cov_r = globalThis.ffabricFuzzCounters ?? { counters: new Uint8Array(1 << 17), used: 0, modules: [] };\n` +
    `var cov_c = cov_r.counters, cov_b = cov_r.used;\n` +
    `cov_r.used += ${numbers.size}; cov_r.modules.push(['${name}', cov_b, ${numbers.size}]);\n`;
  return prologue + counted;
}

function writeChanged(path: string, text: string): void {
  if (readIfThere(path) === text) return;
  const temporary = `${path}.${process.pid}.part`;
  writeFileSync(temporary, text);
  renameSync(temporary, path);
}

function readIfThere(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}
