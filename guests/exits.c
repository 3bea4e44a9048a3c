// Asks for its own id, again and again: how fast calls of machine code are served.

#include "ffa.h"

#define CALLS 5000

static u64 now(void)
{
    u64 ticks;
    __asm__ volatile("isb\n\tmrs %0, cntvct_el0" : "=r"(ticks));
    return ticks;
}

int main(void)
{
    u64 r[8], frequency;
    __asm__ volatile("mrs %0, cntfrq_el0" : "=r"(frequency));

    ffa(r, FFA_VERSION, 0x10001, 0, 0, 0);
    u64 began = now();
    for (int n = 0; n < CALLS; n++)
        ffa(r, FFA_ID_GET, 0, 0, 0, 0);
    u64 took = now() - began;
    put_decimal(CALLS * frequency / took);
    put(" calls a second\n");
    for (;;)
        __asm__ volatile("wfi");
}
