// Makes calls that nobody has, with whatever is in the registers, without end.

#include "../ffa.h"

int main(void)
{
    u64 r[8], seed = 1;
    ffa(r, FFA_VERSION, 0x10001, 0, 0, 0);
    put("flooding\n");
    for (;;) {
        for (int n = 0; n < 8; n++)
            r[n] = seed = seed * 6364136223846793005 + 1442695040888963407;
        r[0] = (r[0] & 0x400000ff) | 0x84000000;
        ffa_smc(r);
    }
}
