// Where every guest of ours begins: a stack, then main. The image is loaded at the first byte of its memory; its last
// pages are left to it.

    .section .text.start, "ax"
    .globl  _start
_start:
    adr     x1, stack_top
    mov     sp, x1
    bl      main
1:  wfi
    b       1b

// struct answer call(x0, ..., x7): an SMC with x0 to x7; x8 to x17 are zero. The answer's registers go where x8 points.
    .section .text
    .globl  ffa_smc
ffa_smc:
    stp     x19, x30, [sp, #-16]!
    mov     x19, x0
    ldp     x0, x1, [x19, #0]
    ldp     x2, x3, [x19, #16]
    ldp     x4, x5, [x19, #32]
    ldp     x6, x7, [x19, #48]
    mov     x8, xzr
    mov     x9, xzr
    mov     x10, xzr
    mov     x11, xzr
    mov     x12, xzr
    mov     x13, xzr
    mov     x14, xzr
    mov     x15, xzr
    mov     x16, xzr
    mov     x17, xzr
    smc     #0
    stp     x0, x1, [x19, #0]
    stp     x2, x3, [x19, #16]
    stp     x4, x5, [x19, #32]
    stp     x6, x7, [x19, #48]
    ldp     x19, x30, [sp], #16
    ret

    .section .bss
    .balign 16
    .skip   0x4000
stack_top:
