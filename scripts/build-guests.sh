#!/bin/sh
# Builds the guests of guests/ into guests/build. Needs Debian's gcc-aarch64-linux-gnu.
#   sh scripts/build-guests.sh
set -e
cd "$(dirname "$0")/../guests"
base=0x50000000
pages=64
mkdir -p build
for source in *.c hostile/*.c; do
  name=$(basename "$source" .c)
  aarch64-linux-gnu-gcc -O2 -Wall -Wextra -Werror -ffreestanding -nostdlib -mgeneral-regs-only -mstrict-align \
    -fno-tree-loop-distribute-patterns -no-pie -Wl,--build-id=none -Wl,--no-warn-rwx-segments \
    -DMEMORY_END="($base + $pages * 4096UL)" -Wl,--defsym=GUEST_BASE=$base -T guest.ld -o "build/$name.elf" start.S "$source"
  aarch64-linux-gnu-objcopy -O binary "build/$name.elf" "build/$name.bin"
done
