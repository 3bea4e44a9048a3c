// A secure partition of machine code: answers each direct request with the words that came, and says yes to each
// framework message about VMs that come and go.

#include "ffa.h"

#define FFA_MSG_WAIT 0x8400006bu
#define FRAMEWORK 0x80000000u

int main(void)
{
    u64 r[8];

    ffa(r, FFA_VERSION, 0x10001, 0, 0, 0);
    ffa(r, FFA_MSG_WAIT, 0, 0, 0, 0);
    while ((u32)r[0] == FFA_MSG_SEND_DIRECT_REQ_32) {
        u32 from = (u32)r[1] >> 16, self = (u32)r[1] & 0xffff, message = (u32)r[2];
        r[0] = FFA_MSG_SEND_DIRECT_RESP_32;
        r[1] = ((u64)self << 16) | from;
        r[2] = 0;
        if (message & FRAMEWORK) {
            // The response to a framework message is the next number; word 3 is its status.
            r[2] = message + 1;
            r[3] = r[4] = r[5] = 0;
        }
        ffa_smc(r);
    }
    put("an answer that is no request: ");
    put_hex((u32)r[0]);
    put(" ");
    put_hex((u32)r[2]);
    put("\n");
    return 0;
}
