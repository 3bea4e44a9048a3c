// Computes for ever and never calls.

#include "../ffa.h"

int main(void)
{
    put("spinning\n");
    for (volatile u64 n = 0;; n++)
        ;
}
