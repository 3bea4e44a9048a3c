// FF-A versions: bits [30:16] major, [15:0] minor, bit 31 zero, as FFA_VERSION carries them.
//
// A version decides each descriptor's layout. Versions of one major number order as plain numbers do.

export const FFA_VERSION_1_0 = 0x10000;
export const FFA_VERSION_1_1 = 0x10001;
export const FFA_VERSION_1_2 = 0x10002;
export const FFA_VERSION_1_3 = 0x10003;

/** The versions whose layouts this folder knows, oldest first. */
export const FFA_VERSIONS: readonly number[] = [FFA_VERSION_1_0, FFA_VERSION_1_1, FFA_VERSION_1_2, FFA_VERSION_1_3];

/** Bit 31 of FFA_VERSION's input and output: must be zero, so that -1 in w0 is no version. */
export const FFA_VERSION_MBZ_BIT = 0x80000000;

/** Major number, bits [30:16]. */
export function versionMajor(version: number): number {
  return (version >>> 16) & 0x7fff;
}

/** Minor number, bits [15:0]. */
export function versionMinor(version: number): number {
  return version & 0xffff;
}

/** A version from its numbers; both are cut to their fields. */
export function makeVersion(major: number, minor: number): number {
  return ((major & 0x7fff) << 16) | (minor & 0xffff);
}

/** `1.2` for 0x10002. Bit 31 is ignored. */
export function formatVersion(version: number): string {
  return `${versionMajor(version)}.${versionMinor(version)}`;
}

/** 0x10002 for `1.2`; undefined for any other shape, or a number that does not fit its field. */
export function parseVersion(text: string): number | undefined {
  const match = /^(\d{1,5})\.(\d{1,5})$/.exec(text);
  if (match === null) return undefined;
  const major = Number(match[1]);
  const minor = Number(match[2]);
  if (major > 0x7fff || minor > 0xffff) return undefined;
  return makeVersion(major, minor);
}

/** Negative if `a` is older than `b`, 0 if they are the same, positive if it is newer. */
export function compareVersions(a: number, b: number): number {
  const major = versionMajor(a) - versionMajor(b);
  return major !== 0 ? major : versionMinor(a) - versionMinor(b);
}
