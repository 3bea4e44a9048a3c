// A world file and the modules that it names, from the disk.

import { existsSync, readFileSync } from 'node:fs';
import { dirname, relative, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { UserError } from '../../base/user-error.ts';
import { isImagePath } from '../../qemu/image-file.ts';
import { isModulePath, loadWorldFile, type ProgramModule } from '../../scenario/load-world.ts';
import type { ProgramMaker, WorldDescription } from '../../world/description.ts';
import { withManifests } from './load-manifest.ts';

export interface WorldOnDisk {
  readonly description: WorldDescription;
  readonly programs: ReadonlyMap<string, ProgramMaker>;
}

/** Makes the program of an endpoint whose world file names an image of machine code; `path` is absolute. */
export type ImageMaker = (path: string, shown: string) => ProgramMaker;

/** Reads `file`, a path relative to `directory`. Without `images` a world with machine code is a UserError. */
export async function loadWorldFrom(
  file: string,
  directory: string,
  images: ImageMaker | null = null,
): Promise<WorldOnDisk> {
  const path = resolve(directory, file);
  const loaded = loadWorldFile(readText(path, file), file);
  const programs = new Map<string, ProgramMaker>();
  for (const module of loaded.modules) {
    if (programs.has(module.name)) continue;
    const load = isImagePath(module.name) ? loadImage : loadProgram;
    programs.set(module.name, await load(module, dirname(path), directory, images));
  }
  const description = withManifests(loaded.description, loaded.manifests, dirname(path), directory);
  return { description, programs };
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

async function loadImage(
  { name, place }: ProgramModule,
  folder: string,
  directory: string,
  images: ImageMaker | null,
): Promise<ProgramMaker> {
  const path = resolve(folder, name);
  const shown = relative(directory, path);
  if (!existsSync(path)) {
    const hint = "an image's path is relative to the file; ours are built by `sh scripts/build-guests.sh`";
    throw new UserError(`there is no image ${shown}`, place, hint);
  }
  if (images === null) throw new UserError(`${shown} is machine code`, place, 'ffabric boot runs it, under QEMU');
  return images(path, shown);
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
