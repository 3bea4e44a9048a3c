// Writes behind the end of its own memory.

#include "../ffa.h"

int main(void)
{
    u64 r[8];
    ffa(r, FFA_VERSION, 0x10001, 0, 0, 0);
    put("writing\n");
    *(volatile u64 *)MEMORY_END = 1;
    put("written\n");
    return 0;
}
