// What guests of ours share: calls, a serial port, a memory transaction descriptor of one receiver. FF-A 1.1.

#pragma once

typedef unsigned long u64;
typedef unsigned int u32;
typedef unsigned short u16;
typedef unsigned char u8;

#define PAGE_SIZE 4096UL

#define FFA_ERROR 0x84000060u
#define FFA_SUCCESS_32 0x84000061u
#define FFA_VERSION 0x84000063u
#define FFA_INTERRUPT 0x84000062u
#define FFA_RXTX_MAP_64 0xc4000066u
#define FFA_ID_GET 0x84000069u
#define FFA_YIELD 0x8400006cu
#define FFA_RUN 0x8400006du
#define FFA_MSG_SEND_DIRECT_REQ_32 0x8400006fu
#define FFA_MSG_SEND_DIRECT_RESP_32 0x84000070u
#define FFA_MEM_SHARE_32 0x84000073u
#define FFA_MEM_RECLAIM 0x84000077u

extern void ffa_smc(u64 registers[8]);

// The serial port that the machine answers.
static volatile u32 *const serial = (volatile u32 *)0x09000000;

static inline void put(const char *text)
{
    while (*text)
        serial[0] = (u8)*text++;
}

static inline void put_hex(u64 value)
{
    char digits[17];
    int n = 16;
    digits[n] = 0;
    do {
        digits[--n] = "0123456789abcdef"[value & 15];
        value >>= 4;
    } while (value);
    put("0x");
    put(digits + n);
}

static inline void put_decimal(u64 value)
{
    char digits[21];
    int n = 20;
    digits[n] = 0;
    do {
        digits[--n] = '0' + value % 10;
        value /= 10;
    } while (value);
    put(digits + n);
}

static inline u64 ffa(u64 registers[8], u64 x0, u64 x1, u64 x2, u64 x3, u64 x4)
{
    registers[0] = x0;
    registers[1] = x1;
    registers[2] = x2;
    registers[3] = x3;
    registers[4] = x4;
    registers[5] = registers[6] = registers[7] = 0;
    ffa_smc(registers);
    return (u32)registers[0];
}

// A direct request with five words in w3 to w7.
static inline u64 ffa_request(u64 registers[8], u16 from, u16 to, u64 word0, u64 word1, u64 word2, u64 word3)
{
    registers[0] = FFA_MSG_SEND_DIRECT_REQ_32;
    registers[1] = ((u64)from << 16) | to;
    registers[2] = 0;
    registers[3] = word0;
    registers[4] = word1;
    registers[5] = word2;
    registers[6] = word3;
    registers[7] = 0;
    ffa_smc(registers);
    // Preempted: it goes on when it is run.
    while ((u32)registers[0] == FFA_INTERRUPT || (u32)registers[0] == FFA_YIELD)
        ffa(registers, FFA_RUN, registers[1], 0, 0, 0);
    return (u32)registers[0];
}

// The first page that begins at `at` or behind it.
static inline u8 *page_after(u8 *at)
{
    return (u8 *)(((u64)at + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1));
}

// A descriptor in `tx` that shares `pages` pages from `address` with one partition, read-write. Returns its length.
static inline u32 describe_share(u8 *tx, u16 sender, u16 receiver, u64 address, u32 pages)
{
    u32 *word = (u32 *)tx;
    for (int n = 0; n < 24; n++)
        word[n] = 0;
    word[0] = sender | (0x2fu << 16); // normal memory, write-back, inner shareable
    word[6] = 16;                     // size of an endpoint memory access descriptor
    word[7] = 1;
    word[8] = 48; // where they begin
    word[12] = receiver | (2u << 16);
    word[13] = 64; // the composite
    word[16] = pages;
    word[17] = 1;
    word[20] = (u32)address;
    word[21] = (u32)(address >> 32);
    word[22] = pages;
    return 96;
}
