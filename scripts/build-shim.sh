#!/bin/sh
# Builds the EL2 shim from src/qemu/shim/shim.S into src/qemu/shim/shim-image.ts.
# Needs Debian's gcc-aarch64-linux-gnu.
#   sh scripts/build-shim.sh [FILE]      (FILE: elsewhere, to compare)
set -e
cd "$(dirname "$0")/.."
into=${1:-src/qemu/shim/shim-image.ts}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
aarch64-linux-gnu-gcc -c -x assembler-with-cpp -o "$work/shim.o" src/qemu/shim/shim.S
aarch64-linux-gnu-ld -Ttext=0x40200000 -o "$work/shim.elf" "$work/shim.o"
aarch64-linux-gnu-objcopy -O binary "$work/shim.elf" "$work/shim.bin"
{
  echo '// The EL2 shim as built from shim.S by scripts/build-shim.sh, for machines without a cross compiler.'
  echo '// A test builds it anew and compares.'
  echo
  echo '/** The image, in base64; it is loaded at SHIM_ADDRESS. */'
  echo 'export const SHIM_IMAGE = ['
  base64 -w 100 "$work/shim.bin" | sed "s/.*/  '&',/"
  echo "].join('');"
} >"$into"
