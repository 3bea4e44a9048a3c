// Device-tree sources become blobs by `dtc`, the device-tree compiler, where it is installed. Nothing else of ffabric
// runs a program for a file.

import { spawnSync } from 'node:child_process';
import { UserError } from '../base/user-error.ts';

const INSTALL = 'apt-get install device-tree-compiler';
const BLOB_SIZE_MAX_BYTES = 16 * 1024 * 1024;

/**
 * The blob of the `.dts` file at `path`; `name` is what messages call it. A mistake in the source, or a machine without
 * `dtc`, is a UserError.
 */
export function compileDeviceTree(path: string, name: string, environment: NodeJS.ProcessEnv): Uint8Array {
  const ran = spawnSync('dtc', ['-q', '-I', 'dts', '-O', 'dtb', '-o', '-', path], {
    maxBuffer: BLOB_SIZE_MAX_BYTES,
    env: environment,
  });
  const { error } = ran;
  if (error !== undefined) {
    if ('code' in error && error.code === 'ENOENT') {
      throw new UserError(
        'a device-tree source needs dtc, which is not installed',
        { file: name, line: 0, column: 0 },
        INSTALL,
      );
    }
    throw error;
  }
  if (ran.status === 0) return ran.stdout;
  throw sourceError(ran.stderr.toString(), name);
}

/** dtc says `Error: FILE:LINE.COLUMN-END what`, then that it gives up. */
function sourceError(said: string, name: string): UserError {
  const match = /^Error: .*?:(\d+)\.(\d+)-[\d.]+ (.*)$/m.exec(said);
  if (match !== null) {
    return new UserError(`dtc: ${match[3]}`, { file: name, line: Number(match[1]), column: Number(match[2]) });
  }
  const first = said.split('\n').find((line) => line !== '') ?? 'it failed and did not say why';
  return new UserError(`dtc: ${first}`, { file: name, line: 0, column: 0 });
}
