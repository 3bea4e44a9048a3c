// Boot information: what a partition asks for in its manifest, put at the beginning of its image before it starts. Its
// address is the image's own, in the register that the manifest names [Hafnium boot_info.c].
//
// The first page holds header and descriptors; each content begins a page of its own behind it. The form of 1.0 knows a
// manifest only [OP-TEE spmc_sp_handler.c].

import {
  type BootDescriptor,
  bootName,
  buildBootInformation,
  encodeBootInformation,
  encodeBootInformation10,
} from '../abi/boot-information.ts';
import {
  BOOT_DESCRIPTOR_NAME_SIZE_BYTES,
  BOOT_FLAG_CONTENT_ADDRESS,
  BOOT_TYPE_FDT,
  BOOT_TYPE_HOB,
} from '../abi/layout/boot-information.ts';
import { wordsOf } from '../abi/words.ts';
import { PAGE_SIZE_BYTES } from '../base/units.ts';
import { UserError } from '../base/user-error.ts';
import type { FrameContents } from '../hardware/frame-contents.ts';
import type { Partition, PartitionVcpu } from './partition.ts';
import type { BootInformationWanted } from './partition-setup.ts';

/** What `boot-info` may ask for. */
const BOOT_INFORMATION_MANIFEST = 'ffa_manifest';
const BOOT_INFORMATION_HOB_LIST = 'hob_list';

/** The name of a manifest in the form of 1.0. */
const MANIFEST_NAME_1_0 = 'TYPE_DT';

/** x4: the linear index of the PE, and so of the context that is pinned to it [Hafnium manifest.c]. */
const CONTEXT_INDEX_REGISTER = 4;

interface Content {
  readonly type: number;
  readonly bytes: Uint8Array;
}

/** What a context finds when it begins: its registers, all others zero; before the first one, the boot information. */
export function prepareStart(vcpu: PartitionVcpu, contents: FrameContents): void {
  const { partition, registers } = vcpu;
  const { manifest, image } = partition.setup;
  if (vcpu.vcpu === 0) writeBootInformation(partition, contents);
  registers.clear();
  registers.setW(CONTEXT_INDEX_REGISTER, vcpu.vcpu);
  if (manifest.bootInformation === undefined || manifest.bootRegister === undefined) return;
  registers.setX(manifest.bootRegister, image.baseAddress);
}

/** Writes what the partition wants. Throws a UserError for what cannot be had, or does not fit. */
function writeBootInformation(partition: Partition, contents: FrameContents): void {
  const { manifest, image } = partition.setup;
  const wanted = manifest.bootInformation;
  if (wanted === undefined) return;
  const found = wanted.contents.map((name) => contentOf(name, wanted));
  const addresses: number[] = [];
  let end = image.baseAddress + PAGE_SIZE_BYTES;
  for (const { bytes } of found) {
    addresses.push(end);
    end += Math.ceil(bytes.length / PAGE_SIZE_BYTES) * PAGE_SIZE_BYTES;
  }
  const sizeBytes = end - image.baseAddress;
  const room = manifest.entrypointOffset || image.pageCount * PAGE_SIZE_BYTES;
  if (sizeBytes > room) {
    const name = `partition 0x${partition.id.toString(16)}`;
    throw new UserError(`${name}: its boot information has ${sizeBytes} bytes`, null, `${room} before its code`);
  }
  const head =
    wanted.form === '1.0' ? encode10(found, addresses) : encode11(found, addresses, partition.version, sizeBytes);
  contents.write(image.baseAddress, head, 0, head.length);
  for (let n = 0; n < found.length; n++) contents.write(addresses[n], found[n].bytes, 0, found[n].bytes.length);
}

function contentOf(name: string, wanted: BootInformationWanted): Content {
  const known = [
    { name: BOOT_INFORMATION_MANIFEST, type: BOOT_TYPE_FDT, bytes: wanted.manifestBlob },
    { name: BOOT_INFORMATION_HOB_LIST, type: BOOT_TYPE_HOB, bytes: wanted.hobList },
  ].find((one) => one.name === name);
  const both = `${BOOT_INFORMATION_MANIFEST} and ${BOOT_INFORMATION_HOB_LIST}`;
  if (known === undefined) throw new UserError(`boot-info: there is no ${name}`, null, `there are ${both}`);
  if (known.bytes === undefined) throw new UserError(`boot-info: the partition has no ${name}`);
  if (wanted.form === '1.0' && known.type !== BOOT_TYPE_FDT) {
    throw new UserError(`boot-info: the form of 1.0 has no ${name}`, null, `it has ${BOOT_INFORMATION_MANIFEST}`);
  }
  return { type: known.type, bytes: known.bytes };
}

function encode11(
  found: readonly Content[],
  addresses: readonly number[],
  version: number,
  sizeBytes: number,
): Uint8Array {
  const descriptors: BootDescriptor[] = found.map(({ type, bytes }, n) => ({
    // Unused: the type says what it is.
    name: new Uint8Array(BOOT_DESCRIPTOR_NAME_SIZE_BYTES),
    type,
    flags: BOOT_FLAG_CONTENT_ADDRESS,
    contentSizeBytes: bytes.length,
    content: wordsOf(addresses[n]),
  }));
  const head = encodeBootInformation({ ...buildBootInformation(version, descriptors), blobSizeBytes: sizeBytes });
  return head.subarray(0, PAGE_SIZE_BYTES);
}

function encode10(found: readonly Content[], addresses: readonly number[]): Uint8Array {
  const name = bootName(MANIFEST_NAME_1_0);
  return encodeBootInformation10(
    found.map(({ bytes }, n) => ({ name, value: wordsOf(addresses[n]), size: wordsOf(bytes.length) })),
  );
}
