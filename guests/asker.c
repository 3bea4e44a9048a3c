// Sends direct requests to a partition and checks what comes back.

#include "ffa.h"

#define PARTITION 0x8001
#define REQUESTS 100

int main(void)
{
    u64 r[8];
    u32 wrong = 0;

    ffa(r, FFA_VERSION, 0x10001, 0, 0, 0);
    ffa(r, FFA_ID_GET, 0, 0, 0, 0);
    u16 id = (u16)r[2];
    for (u32 n = 0; n < REQUESTS; n++) {
        u32 answer = (u32)ffa_request(r, id, PARTITION, n, 2 * n, 3 * n, 4 * n);
        if (answer != FFA_MSG_SEND_DIRECT_RESP_32 || r[3] != n || r[4] != 2 * n || r[5] != 3 * n || r[6] != 4 * n)
            wrong++;
    }
    put_decimal(REQUESTS - wrong);
    put(" of ");
    put_decimal(REQUESTS);
    put(" answers are right\n");
    for (;;)
        __asm__ volatile("wfi");
}
