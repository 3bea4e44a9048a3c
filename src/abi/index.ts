// abi: FF-A's binary interface, and nothing that has state. Bytes and registers to values, and back.
//
// - Numbers: function ids, errors, versions, features, endpoint ids; `layout/` has each descriptor's offsets and bits,
// so
//   that code on a call path can read a DataView without a codec.
// - Codecs: a file for each descriptor; a decoder gives `Decoded<T>`, a value or a fault, and the byte map if asked
// for. It
//   never throws, reads no byte of a descriptor twice, and strides by the size that the peer states.
// - `calls/`: what each call carries in registers, who may use it, what answers it, its documented errors.
// - Partition manifests: device-tree blobs, and the binding of manifests 1.0 and 1.1.
//
// Structure is checked here (bounds, sizes, counts). What a mediator or an SPMC thinks of a value is its own business.
// Encoders take values of our own making: what does not fit is a bug, and an assertion.
//
// Not covered: the register contents of the calls that 1.3 added, except by name; the RES_INFO descriptors of 1.3; the
// specification's own text was not at hand, so a layout is what public implementations agree on.

export * from './boot-information.ts';
export type { Argument, ArgumentForm, Call, CallError, Caller } from './calls/call.ts';
export * from './calls/call-table.ts';
export * from './calls/register-call.ts';
export * from './composite-region.ts';
export * from './console-log.ts';
export { DescriptorReader } from './descriptor-reader.ts';
export * from './device-tree.ts';
export * from './device-tree-values.ts';
export * from './endpoint-ids.ts';
export * from './errors.ts';
export * from './fault.ts';
export * from './fault-errors.ts';
export * from './feature-properties.ts';
export * from './features.ts';
export * from './framework-message.ts';
export * from './function-ids.ts';
export * from './layout/boot-information.ts';
export * from './layout/buffers.ts';
export * from './layout/memory-bits.ts';
export * from './layout/memory-transaction.ts';
export * from './layout/messages.ts';
export * from './layout/notifications.ts';
export * from './layout/partition-information.ts';
export type { ManifestFault, ManifestFaultKind } from './manifest-properties.ts';
export * from './memory-access.ts';
export * from './memory-permissions.ts';
export * from './memory-text.ts';
export * from './memory-transaction.ts';
export * from './message-header.ts';
export * from './notification-info.ts';
export * from './partition-information.ts';
export * from './partition-information-registers.ts';
export * from './partition-manifest.ts';
export * from './partition-manifest-reader.ts';
export * from './partition-manifest-writer.ts';
export * from './relinquish.ts';
export * from './rxtx-descriptor.ts';
export * from './uuid.ts';
export * from './versions.ts';
export * from './words.ts';
