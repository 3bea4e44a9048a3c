// The museum on the disk: bugs/ beside src/, and built beside the rest of dist/. The worlds that expose its bugs are
// files below worlds/ and bugs/worlds/.

import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { UserError } from '../../base/user-error.ts';
import type { WorldDescription } from '../../world/description.ts';
import type { WorldParts } from '../../world/world-parts.ts';
import { loadWorldFrom } from '../world/load-world.ts';

/** A bug as bugs/bug.ts describes it. */
export interface Bug {
  readonly id: string;
  readonly upstream: { readonly project: string; readonly fixedBy: string; readonly date: string } | null;
  readonly title: string;
  readonly broke: string;
  readonly kind: string;
  readonly world: string;
  readonly property: string;
  mutate(): WorldParts;
}

const ROOT = new URL('../../../', import.meta.url);

/** Every bug, in the museum's order. */
export async function loadBugs(): Promise<readonly Bug[]> {
  const isSource = import.meta.url.endsWith('.ts');
  const museum = new URL(isSource ? 'bugs/index.ts' : 'dist/bugs/index.js', ROOT);
  const { BUGS } = (await import(museum.href)) as { readonly BUGS: readonly Bug[] };
  return BUGS;
}

/** The bug of that id. */
export function findBug(bugs: readonly Bug[], id: string): Bug {
  const bug = bugs.find((one) => one.id === id);
  if (bug !== undefined) return bug;
  const alike = bugs.filter((one) => id !== '' && one.id.includes(id)).map((one) => one.id);
  const fits = alike.length > 0 ? `perhaps ${alike.slice(0, 5).join(', ')}` : "'ffabric bugs' lists them";
  throw new UserError(`there is no bug '${id}'`, null, fits);
}

/** Path of the world that exposes a bug, from the package's folder. */
export function worldFileOf(bug: Bug): string {
  const general = `worlds/${bug.world}.yaml`;
  return existsSync(new URL(general, ROOT)) ? general : `bugs/worlds/${bug.world}.yaml`;
}

export async function worldOf(bug: Bug): Promise<WorldDescription> {
  const { description } = await loadWorldFrom(worldFileOf(bug), fileURLToPath(ROOT));
  return description;
}
