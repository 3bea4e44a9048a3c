// Shares pages that hold a word, tells the partition of the handle, and goes on working until it is killed: at any
// instruction, with its pages at the partition.

#include "ffa.h"

#define CANARY 0xc0ffee5ec4e7dead
#define SHARED_PAGES 4
#define PARTITION 0x8001

extern u8 image_end[];

int main(void)
{
    u64 r[8];
    u8 *tx = page_after(image_end), *rx = tx + PAGE_SIZE, *shared = rx + PAGE_SIZE;

    ffa(r, FFA_VERSION, 0x10001, 0, 0, 0);
    put("FF-A ");
    put_hex((u32)r[0]);
    put("\n");
    ffa(r, FFA_ID_GET, 0, 0, 0, 0);
    u16 id = (u16)r[2];
    if (ffa(r, FFA_RXTX_MAP_64, (u64)tx, (u64)rx, 1, 0) != FFA_SUCCESS_32) {
        put("no buffers\n");
        return 1;
    }
    for (u64 n = 0; n < SHARED_PAGES * PAGE_SIZE / 8; n++)
        ((volatile u64 *)shared)[n] = CANARY;
    u32 length = describe_share(tx, id, PARTITION, (u64)shared, SHARED_PAGES);
    if (ffa(r, FFA_MEM_SHARE_32, length, length, 0, 0) != FFA_SUCCESS_32) {
        put("share refused: ");
        put_hex((u32)r[2]);
        put("\n");
        return 1;
    }
    put("shared as ");
    put_hex((u32)r[2]);
    put("\n");
    // The partitions' own protocol: word 0 says "retrieve a share", words 1 and 2 are the handle.
    u64 low = (u32)r[2], high = (u32)r[3];
    if (ffa_request(r, id, PARTITION, 1, low, high, 1) != FFA_MSG_SEND_DIRECT_RESP_32 || (u32)r[3] != 0)
        put("the partition did not retrieve it\n");
    put("working\n");
    for (volatile u64 work = 0;; work++)
        ;
}
