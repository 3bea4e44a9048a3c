// The manifests that a world file names, from the disk: each goes to its partition.

import { readFileSync } from 'node:fs';
import { extname, relative, resolve } from 'node:path';
import { decodeDeviceTree } from '../../abi/device-tree.ts';
import { readPartitionManifest } from '../../abi/partition-manifest-reader.ts';
import { PAGE_SIZE_BYTES } from '../../base/units.ts';
import { type Place, UserError } from '../../base/user-error.ts';
import type { ManifestFile } from '../../scenario/load-world.ts';
import type { ManifestDescription, PartitionDescription, WorldDescription } from '../../world/description.ts';
import { withManifest } from '../../world/with-manifest.ts';
import { compileDeviceTree } from '../device-tree-compiler.ts';

/** `folder`: the world file's; messages name a manifest by its path from `directory`. */
export function withManifests(
  description: WorldDescription,
  files: readonly ManifestFile[],
  folder: string,
  directory: string,
): WorldDescription {
  if (files.length === 0) return description;
  const partitions = description.partitions.map((partition) => {
    const file = files.find((one) => one.partition === partition.name);
    if (file === undefined) return partition;
    const complete = withManifest(partition, readManifest(file, folder, directory));
    checkPlace(complete, description, file);
    return complete;
  });
  return { ...description, partitions };
}

/** A load-address is held to the same as `base`, which was checked with the file. */
function checkPlace({ baseAddress }: PartitionDescription, description: WorldDescription, file: ManifestFile): void {
  const end = description.memoryBase + description.memoryPages * PAGE_SIZE_BYTES;
  if (baseAddress === undefined || baseAddress >= end) return;
  const found = `${file.name}: /load-address: 0x${baseAddress.toString(16)} is not above the normal world's memory`;
  throw new UserError(found, file.place, `0x${end.toString(16)} or above, or another memory.base`);
}

function readManifest({ name, place }: ManifestFile, folder: string, directory: string): ManifestDescription {
  const path = resolve(folder, name);
  const shown = relative(directory, path);
  const blob = readBlob(path, shown, place);
  const tree = decodeDeviceTree(blob);
  if (!tree.ok) {
    const { fault } = tree;
    throw new UserError(`${shown}: ${fault.path}: ${fault.found}`, place, fault.rule);
  }
  const reading = readPartitionManifest(tree.value);
  if (reading.ok) return { decoded: reading.manifest, blob };
  const [first] = reading.faults;
  const more = reading.faults.length > 1 ? ` (and ${reading.faults.length - 1} more: ffabric decode ${shown})` : '';
  throw new UserError(`${shown}: ${first.path}: ${first.found}`, place, `${first.rule}${more}`);
}

function readBlob(path: string, shown: string, place: Place): Uint8Array {
  try {
    if (extname(path) === '.dts') return compileDeviceTree(path, shown, process.env);
    return new Uint8Array(readFileSync(path));
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(`there is no manifest ${shown}`, place, "a manifest's path is relative to the world file");
  }
}
