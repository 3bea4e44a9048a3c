// Jumps to an address where nothing is.

#include "../ffa.h"

int main(void)
{
    u64 r[8];
    ffa(r, FFA_VERSION, 0x10001, 0, 0, 0);
    put("jumping\n");
    ((void (*)(void))0x66660000)();
    return 0;
}
