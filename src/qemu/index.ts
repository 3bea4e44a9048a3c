// Endpoints of AArch64 code under QEMU: the machine, and a partition entry for each image.

export { type Image, imageOf, isImagePath } from './image-file.ts';
export { IMAGE_HOST_DEFAULTS, type ImageFinding, ImageHost, type ImageHostOptions } from './image-host.ts';
export { ImageProgram } from './image-program.ts';
export { QemuProcess, qemuVersion } from './qemu-process.ts';
export { ramSizeOf } from './ram-size.ts';
