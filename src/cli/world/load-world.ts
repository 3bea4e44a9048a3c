// A world file and the modules that it names, from the disk.

import { existsSync, readFileSync } from 'node:fs';
import { dirname, relative, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { UserError } from '../../base/user-error.ts';
import { isModulePath, loadWorldFile, type ProgramModule } from '../../scenario/load-world.ts';
import type { ProgramMaker, WorldDescription } from '../../world/description.ts';

export interface WorldOnDisk {
  readonly description: WorldDescription;
  readonly programs: ReadonlyMap<string, ProgramMaker>;
}

/** Reads `file`, a path relative to `directory`. */
export async function loadWorldFrom(file: string, directory: string): Promise<WorldOnDisk> {
  const path = resolve(directory, file);
  const loaded = loadWorldFile(readText(path, file), file);
  const programs = new Map<string, ProgramMaker>();
  for (const module of loaded.modules) {
    if (!programs.has(module.name)) programs.set(module.name, await loadProgram(module, dirname(path), directory));
  }
  return { description: loaded.description, programs };
}

function readText(path: string, file: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const what = code === 'ENOENT' ? 'there is no such file' : code === 'EISDIR' ? 'this is a folder' : String(error);
    throw new UserError(
      what,
      { file, line: 0, column: 0 },
      'it takes a world file, such as worlds/destroyed-while-held.yaml',
    );
  }
}

/** Node that runs TypeScript by leaving the types out says so here. */
function stripsTypes(): boolean {
  const { typescript } = process.features as { readonly typescript?: string | false };
  return typescript !== undefined && typescript !== false;
}

async function loadProgram(module: ProgramModule, folder: string, directory: string): Promise<ProgramMaker> {
  const { name, place } = module;
  const path = resolve(folder, name);
  const shown = relative(directory, path);
  if (!isModulePath(name) || !existsSync(path)) {
    throw new UserError(`there is no module ${shown}`, place, "a module's path is relative to the world file");
  }
  if (/\.[cm]?ts$/.test(name) && !stripsTypes()) {
    const hint = 'name a JavaScript module, or use Node 22.18 or later';
    throw new UserError(`${name} is TypeScript, which Node ${process.version} does not run`, place, hint);
  }
  const found = (await importModule(path, shown, place)) as { create?: unknown };
  if (typeof found.create !== 'function') {
    throw new UserError(`${shown} exports no function 'create'`, place, 'create(environment) returns {run, reset}');
  }
  const { create } = found as { create: ProgramMaker };
  return (environment) => {
    const program: unknown = create(environment);
    const { reset, run } = (program ?? {}) as { run?: unknown; reset?: unknown };
    if (typeof run === 'function' && typeof reset === 'function') return program as ReturnType<ProgramMaker>;
    throw new UserError(`create of ${shown} returned no program`, place, 'a program has functions run and reset');
  };
}

async function importModule(path: string, shown: string, place: ProgramModule['place']): Promise<unknown> {
  try {
    return await import(pathToFileURL(path).href);
  } catch (error) {
    throw new UserError(`${shown} cannot be loaded: ${(error as Error).message}`, place, 'it is an ES module');
  }
}
