// The import matrix: which layer may use which. hypervisor, spmc and partitions meet only in hardware's interfaces.

import { posix } from 'node:path';
import { describe, expect, it } from 'vitest';
import { importsOf } from './syntax.ts';
import {
  CORE_LAYERS,
  type Finding,
  finding,
  isCore,
  layerOf,
  type SourceFile,
  snippet,
  typescriptFiles,
} from './tree.ts';

const FOUNDATION = ['base', 'abi', 'hardware'];
const MACHINE = [...FOUNDATION, 'hypervisor', 'spmc', 'partitions', 'oracle'];
const CORE = [...MACHINE, 'world', 'conform', 'explore'];

/** A layer, what it may import beside itself, and the packages it may use. */
interface Layer {
  readonly mayImport: readonly string[];
  /** Names of packages; `node:` stands for every module of Node. */
  readonly packages: readonly string[];
}

const LAYERS: Readonly<Record<string, Layer>> = {
  base: { mayImport: [], packages: [] },
  abi: { mayImport: ['base'], packages: [] },
  hardware: { mayImport: ['base', 'abi'], packages: [] },
  hypervisor: { mayImport: FOUNDATION, packages: [] },
  spmc: { mayImport: FOUNDATION, packages: [] },
  partitions: { mayImport: FOUNDATION, packages: [] },
  oracle: { mayImport: FOUNDATION, packages: [] },
  world: { mayImport: MACHINE, packages: [] },
  conform: { mayImport: [...FOUNDATION, 'hypervisor', 'spmc', 'oracle'], packages: [] },
  explore: { mayImport: [...MACHINE, 'world', 'conform'], packages: [] },
  scenario: { mayImport: ['base', 'world'], packages: ['yaml', 'zod'] },
  export: { mayImport: ['base', 'abi'], packages: [] },
  qemu: { mayImport: [...CORE, 'scenario'], packages: ['node:'] },
  service: { mayImport: [...CORE, 'scenario', 'export', 'qemu'], packages: ['node:', 'zod'] },
  cli: {
    mayImport: [...CORE, 'scenario', 'export', 'qemu', 'service'],
    // Computed: the modules that a world file names as programs.
    packages: ['node:', 'commander', 'picocolors', 'yaml', 'zod', '(computed)'],
  },
};

/** The imports of `file` that its layer does not allow. */
function forbiddenImports(file: SourceFile): Finding[] {
  const layerName = layerOf(file.path);
  if (layerName === null) return [finding(file, 1, 'lies in src/ but in no layer')];
  const layer = LAYERS[layerName];
  if (layer === undefined) return [finding(file, 1, `the layer ${layerName} is not in the import matrix`)];

  const findings: Finding[] = [];
  for (const { line, from } of importsOf(file)) {
    if (from.startsWith('.')) {
      const target = posix.join(posix.dirname(file.path), from);
      const targetLayer = layerOf(target);
      if (!from.endsWith('.ts')) findings.push(finding(file, line, `imports '${from}' without its .ts ending`));
      if (targetLayer === null) findings.push(finding(file, line, `imports '${from}', which is outside src/`));
      else if (targetLayer !== layerName && !layer.mayImport.includes(targetLayer)) {
        findings.push(finding(file, line, `${layerName} may not import ${targetLayer} ('${from}')`));
      }
    } else {
      const allowed = layer.packages.some((name) =>
        name.endsWith(':') ? from.startsWith(name) : from === name || from.startsWith(`${name}/`),
      );
      if (!allowed) findings.push(finding(file, line, `${layerName} may not use '${from}'`));
    }
  }
  return findings;
}

describe('import matrix', () => {
  it('holds in every file under src/', () => {
    const files = typescriptFiles('src');
    expect(files.length).toBeGreaterThan(10);
    expect(files.flatMap(forbiddenImports)).toEqual([]);
  });

  it('lets a layer import only layers above it in the table, so that no two can need each other', () => {
    const order = Object.keys(LAYERS);
    for (const [index, name] of order.entries()) {
      const below = LAYERS[name]!.mayImport.filter((other) => order.indexOf(other) >= index);
      expect(below, name).toEqual([]);
    }
  });

  it('gives the core no package and no module of Node', () => {
    expect(CORE_LAYERS.filter((name) => LAYERS[name]!.packages.length > 0)).toEqual([]);
    expect(Object.keys(LAYERS).filter((name) => isCore(`src/${name}/x.ts`))).toEqual(CORE_LAYERS);
  });

  const bad: readonly [path: string, code: string, expected: string][] = [
    ['src/spmc/a.ts', "import { x } from '../hypervisor/b.ts';", 'spmc may not import hypervisor'],
    ['src/hypervisor/a.ts', "import type { X } from '../spmc/b.ts';", 'hypervisor may not import spmc'],
    ['src/partitions/a.ts', "export * from '../spmc/b.ts';", 'partitions may not import spmc'],
    ['src/conform/a.ts', "import { x } from '../world/b.ts';", 'conform may not import world'],
    ['src/conform/spmc/a.ts', "import { x } from '../../partitions/b.ts';", 'conform may not import partitions'],
    ['src/abi/deep/a.ts', "let x: import('../../hardware/b.ts').X;", 'abi may not import hardware'],
    ['src/world/a.ts', "import { readFileSync } from 'node:fs';", "world may not use 'node:fs'"],
    ['src/oracle/a.ts', "import { z } from 'zod';", "oracle may not use 'zod'"],
    ['src/scenario/a.ts', "const fs = await import('node:fs');", "scenario may not use 'node:fs'"],
    ['src/cli/a.ts', "import { x } from '../../test/b.ts';", 'outside src/'],
    ['src/cli/a.ts', "import { x } from '../base/assert';", 'without its .ts ending'],
    ['src/stray/a.ts', '', 'the layer stray is not in the import matrix'],
    ['src/a.ts', '', 'in no layer'],
  ];
  it.each(bad)('can fail: %s with %s', (path, code, expected) => {
    expect(forbiddenImports(snippet(path, code)).join('\n')).toContain(expected);
  });

  it('passes what is allowed', () => {
    const good = "import { x } from './b.ts';\nimport type { Y } from '../base/c.ts';\n// import 'node:fs'\n";
    expect(forbiddenImports(snippet('src/abi/a.ts', good))).toEqual([]);
    expect(forbiddenImports(snippet('src/cli/a.ts', "import 'node:fs';\nimport pc from 'picocolors';"))).toEqual([]);
  });
});
