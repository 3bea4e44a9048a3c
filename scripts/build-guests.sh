#!/bin/sh
# Builds the guests of guests/ into dist/guests. Needs Debian's gcc-aarch64-linux-gnu.
#   sh scripts/build-guests.sh
set -e
cd "$(dirname "$0")/../guests"
into=../dist/guests
base=0x50000000
pages=64
flags="-O2 -Wall -Wextra -Werror -ffreestanding -nostdlib -mgeneral-regs-only -mstrict-align -no-pie"
flags="$flags -fno-tree-loop-distribute-patterns -Wl,--build-id=none -Wl,--no-warn-rwx-segments"
mkdir -p "$into"
for source in *.c hostile/*.c; do
  name=$(basename "$source" .c)
  # shellcheck disable=SC2086
  aarch64-linux-gnu-gcc $flags -DMEMORY_END="($base + $pages * 4096UL)" -Wl,--defsym=GUEST_BASE=$base -T guest.ld \
    -o "$into/$name.elf" start.S "$source"
done
