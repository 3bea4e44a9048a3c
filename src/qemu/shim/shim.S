// The EL2 shim: all that runs at EL2 under QEMU. It switches to the context that ffabric names, and reports why the
// context left. It decides nothing: calls, faults, stage-2 tables and interrupts are ffabric's, in TypeScript.
//
// One CPU. RAM as layout.ts says: this image, one mailbox page, one page for each context. ffabric writes a command and
// then its number; the shim writes what came of it and then the same number to `done`. While it waits, the shim first
// looks again and again, then sleeps between looks for a millisecond each.

#define MAILBOX             0x40280000
#define STACK_TOP           0x40280000

// Mailbox.
#define BOX_COMMAND_NUMBER  0       // u32, written by ffabric last
#define BOX_DONE_NUMBER     4       // u32, written by the shim last
#define BOX_COMMAND         8       // u32
#define BOX_FLAGS           12      // u32
#define BOX_CONTEXT         16      // u64: address of the context's page
#define BOX_SLICE           24      // u64: ticks of the counter after which the context must leave
#define BOX_REASON          32      // u64
#define BOX_ESR             40
#define BOX_FAR             48
#define BOX_HPFAR           56
#define BOX_READY           64      // u64: magic, once the shim runs
#define BOX_FREQUENCY       72      // u64: ticks of the counter a second
#define BOX_X               128     // x0..x30 of the context that runs
#define BOX_PC              376
#define BOX_SPSR            384
#define BOX_HCR             392     // HCR_EL2 while it runs
#define BOX_LR0             400     // ICH_LR0_EL2: the virtual interrupt that it is to take

#define COMMAND_RUN         1
#define COMMAND_REWRITE     2       // store what is in memory once more: BOX_CONTEXT from, BOX_SLICE bytes
#define FLAG_TLB            1       // stage-2 tables changed: forget what was cached of them

#define REASON_SYNC         1       // synchronous exception: ESR, FAR, HPFAR
#define REASON_SLICE        2       // its time is over
#define REASON_SERROR       3
#define REASON_SHIM         4       // an exception in the shim itself: a fault of ffabric
#define REASON_TIMER        5       // the context's virtual timer

#define READY_MAGIC         0x4d494853

// A context's page: what changes hands only when another context runs.
#define CTX_SYS             0       // system registers of EL1 and EL0
#define CTX_VTTBR           256
#define CTX_VMPIDR          264
#define CTX_VPIDR           272
#define CTX_CNTVOFF         280
#define CTX_FP              512     // q0..q31, then fpsr, fpcr

#define LOOKS               20000
#define TIMER_HYP           26
#define TIMER_VIRTUAL       27

.macro to_u32 reg, value
    movz    \reg, #((\value) & 0xffff)
    movk    \reg, #(((\value) >> 16) & 0xffff), lsl #16
.endm

.section .text
.globl _start
_start:
    to_u32  x0, STACK_TOP
    mov     sp, x0
    adr     x0, vectors
    msr     vbar_el2, x0
    // Stage 2: 4 KiB pages, 39-bit intermediate addresses from level 1, 40-bit physical addresses.
    to_u32  x0, ((1 << 31) | (2 << 16) | (3 << 12) | (1 << 10) | (1 << 8) | (1 << 6) | 25)
    msr     vtcr_el2, x0
    mov     x0, #0x33ff             // no trap of FP and SIMD
    msr     cptr_el2, x0
    mov     x0, #3                  // counters of EL1 are open
    msr     cnthctl_el2, x0
    msr     mdcr_el2, xzr
    msr     hstr_el2, xzr
    // The interrupt controller: distributor, this CPU's redistributor, system registers.
    to_u32  x1, 0x08000000
    mov     w0, #0x12               // affinity routing, group 1
    str     w0, [x1]
    to_u32  x1, 0x080a0000
    ldr     w0, [x1, #0x14]         // GICR_WAKER
    bic     w0, w0, #2
    str     w0, [x1, #0x14]
1:  ldr     w0, [x1, #0x14]
    tbnz    w0, #2, 1b
    to_u32  x1, 0x080b0000
    mov     w0, #-1
    str     w0, [x1, #0x80]         // GICR_IGROUPR0
    to_u32  x0, ((1 << TIMER_HYP) | (1 << TIMER_VIRTUAL))
    str     w0, [x1, #0x100]        // GICR_ISENABLER0
    mov     x0, #0xf
    msr     S3_4_C12_C9_5, x0       // ICC_SRE_EL2
    isb
    mov     x0, #0xff
    msr     S3_0_C4_C6_0, x0        // ICC_PMR_EL1
    mov     x0, #1
    msr     S3_0_C12_C12_7, x0      // ICC_IGRPEN1_EL1
    msr     S3_4_C12_C11_0, x0      // ICH_HCR_EL2: virtual interface on
    isb
    tlbi    alle1
    dsb     sy
    isb
    to_u32  x20, MAILBOX
    mov     x21, xzr                // context whose system registers are loaded
    mov     w22, wzr                // number of the last command
    mrs     x0, cntfrq_el0
    str     x0, [x20, #BOX_FREQUENCY]
    to_u32  x0, READY_MAGIC
    dmb     sy
    str     x0, [x20, #BOX_READY]

// Waits for the next command. x20 mailbox, x21 loaded context, w22 number of the last command.
wait:
    to_u32  x1, LOOKS
2:  ldr     w0, [x20, #BOX_COMMAND_NUMBER]
    cmp     w0, w22
    b.ne    command
    subs    x1, x1, #1
    b.ne    2b
    // Nothing for long: sleep until the timer of EL2 wakes this CPU, a thousandth of a second at a time.
3:  mrs     x0, cntfrq_el0
    mov     x1, #1000
    udiv    x0, x0, x1
    msr     S3_4_C14_C2_0, x0       // CNTHP_TVAL_EL2
    mov     x0, #1
    msr     S3_4_C14_C2_1, x0       // CNTHP_CTL_EL2
    isb
    wfi
    msr     S3_4_C14_C2_1, xzr
    isb
    ldr     w0, [x20, #BOX_COMMAND_NUMBER]
    cmp     w0, w22
    b.eq    3b

command:
    mov     w22, w0
    dmb     sy
    ldr     w1, [x20, #BOX_FLAGS]
    tbz     w1, #0, 4f
    dsb     ishst
    tlbi    alle1
    dsb     ish
    isb
4:  ldr     x1, [x20, #BOX_CONTEXT]
    ldr     w2, [x20, #BOX_COMMAND]
    cmp     w2, #COMMAND_REWRITE
    b.eq    rewrite
    cmp     x1, x21
    b.eq    5f
    cbz     x21, 6f
    mov     x0, x21
    bl      save
6:  mov     x21, x1
    mov     x0, x1
    bl      load
5:  ldr     x1, [x20, #BOX_HCR]
    msr     hcr_el2, x1
    ldr     x1, [x20, #BOX_LR0]
    msr     S3_4_C12_C12_0, x1      // ICH_LR0_EL2
    ldr     x1, [x20, #BOX_SLICE]
    msr     S3_4_C14_C2_0, x1       // CNTHP_TVAL_EL2
    mov     x1, #1
    msr     S3_4_C14_C2_1, x1       // CNTHP_CTL_EL2
    ldr     x1, [x20, #BOX_PC]
    msr     elr_el2, x1
    ldr     x1, [x20, #BOX_SPSR]
    msr     spsr_el2, x1
    stp     x21, x22, [sp, #-16]!   // what the way back needs
    add     x0, x20, #BOX_X
    ldp     x2, x3, [x0, #16]
    ldp     x4, x5, [x0, #32]
    ldp     x6, x7, [x0, #48]
    ldp     x8, x9, [x0, #64]
    ldp     x10, x11, [x0, #80]
    ldp     x12, x13, [x0, #96]
    ldp     x14, x15, [x0, #112]
    ldp     x16, x17, [x0, #128]
    ldp     x18, x19, [x0, #144]
    ldp     x20, x21, [x0, #160]
    ldp     x22, x23, [x0, #176]
    ldp     x24, x25, [x0, #192]
    ldp     x26, x27, [x0, #208]
    ldp     x28, x29, [x0, #224]
    ldr     x30, [x0, #240]
    ldp     x0, x1, [x0]
    eret

// QEMU keeps translated code until the processor itself writes where it came from: what ffabric writes into the RAM file
// goes unseen. So new code is stored once more from here.
rewrite:
    ldr     x2, [x20, #BOX_SLICE]
    add     x2, x2, x1
10: ldp     x3, x4, [x1]
    stp     x3, x4, [x1], #16
    cmp     x1, x2
    b.lo    10b
    dsb     sy
    ic      iallu
    isb
    str     w22, [x20, #BOX_DONE_NUMBER]
    b       wait

// The context left: x0 and x1 are on the stack, x0 holds the reason.
leave:
    to_u32  x1, (MAILBOX + BOX_X)
    stp     x2, x3, [x1, #16]
    stp     x4, x5, [x1, #32]
    stp     x6, x7, [x1, #48]
    stp     x8, x9, [x1, #64]
    stp     x10, x11, [x1, #80]
    stp     x12, x13, [x1, #96]
    stp     x14, x15, [x1, #112]
    stp     x16, x17, [x1, #128]
    stp     x18, x19, [x1, #144]
    stp     x20, x21, [x1, #160]
    stp     x22, x23, [x1, #176]
    stp     x24, x25, [x1, #192]
    stp     x26, x27, [x1, #208]
    stp     x28, x29, [x1, #224]
    str     x30, [x1, #240]
    ldp     x2, x3, [sp], #16
    stp     x2, x3, [x1]
    ldp     x21, x22, [sp], #16
    to_u32  x20, MAILBOX
    msr     S3_4_C14_C2_1, xzr      // its time no longer runs
    cmp     x0, #REASON_SLICE
    b.ne    7f
    // An interrupt: which one?
    mrs     x2, S3_0_C12_C12_0      // ICC_IAR1_EL1
    cmp     x2, #TIMER_VIRTUAL
    b.ne    8f
    // The context's own timer: masked until ffabric has had it taken.
    mov     x0, #REASON_TIMER
    mrs     x3, cntv_ctl_el0
    orr     x3, x3, #2
    msr     cntv_ctl_el0, x3
    isb
8:  cmp     x2, #1020
    b.hs    7f
    msr     S3_0_C12_C12_1, x2      // ICC_EOIR1_EL1
7:  mrs     x2, esr_el2
    mrs     x3, far_el2
    mrs     x4, hpfar_el2
    mrs     x5, elr_el2
    mrs     x6, spsr_el2
    mrs     x7, S3_4_C12_C12_0
    str     x2, [x20, #BOX_ESR]
    str     x3, [x20, #BOX_FAR]
    str     x4, [x20, #BOX_HPFAR]
    str     x5, [x20, #BOX_PC]
    str     x6, [x20, #BOX_SPSR]
    str     x7, [x20, #BOX_LR0]
    str     x0, [x20, #BOX_REASON]
    dmb     sy
    str     w22, [x20, #BOX_DONE_NUMBER]
    b       wait

// System registers of EL1 and EL0, in the order of CTX_SYS.
.macro each_register do
    \do sctlr_el1, 0
    \do ttbr0_el1, 1
    \do ttbr1_el1, 2
    \do tcr_el1, 3
    \do mair_el1, 4
    \do vbar_el1, 5
    \do cpacr_el1, 6
    \do esr_el1, 7
    \do far_el1, 8
    \do elr_el1, 9
    \do spsr_el1, 10
    \do sp_el0, 11
    \do sp_el1, 12
    \do tpidr_el0, 13
    \do tpidr_el1, 14
    \do tpidrro_el0, 15
    \do contextidr_el1, 16
    \do par_el1, 17
    \do afsr0_el1, 18
    \do afsr1_el1, 19
    \do amair_el1, 20
    \do cntkctl_el1, 21
    \do cntv_ctl_el0, 22
    \do cntv_cval_el0, 23
    \do csselr_el1, 24
.endm

.macro save_one register, place
    mrs     x2, \register
    str     x2, [x0, #(CTX_SYS + 8 * \place)]
.endm

.macro load_one register, place
    ldr     x2, [x0, #(CTX_SYS + 8 * \place)]
    msr     \register, x2
.endm



// x0: context. Uses x2, x3.
save:
    each_register save_one
    add     x2, x0, #CTX_FP
    stp     q0, q1, [x2, #0]
    stp     q2, q3, [x2, #32]
    stp     q4, q5, [x2, #64]
    stp     q6, q7, [x2, #96]
    stp     q8, q9, [x2, #128]
    stp     q10, q11, [x2, #160]
    stp     q12, q13, [x2, #192]
    stp     q14, q15, [x2, #224]
    stp     q16, q17, [x2, #256]
    stp     q18, q19, [x2, #288]
    stp     q20, q21, [x2, #320]
    stp     q22, q23, [x2, #352]
    stp     q24, q25, [x2, #384]
    stp     q26, q27, [x2, #416]
    stp     q28, q29, [x2, #448]
    stp     q30, q31, [x2, #480]
    mrs     x3, fpsr
    str     x3, [x2, #512]
    mrs     x3, fpcr
    str     x3, [x2, #520]
    ret

// x0: context. Uses x2, x3.
load:
    each_register load_one
    add     x2, x0, #CTX_FP
    ldp     q0, q1, [x2, #0]
    ldp     q2, q3, [x2, #32]
    ldp     q4, q5, [x2, #64]
    ldp     q6, q7, [x2, #96]
    ldp     q8, q9, [x2, #128]
    ldp     q10, q11, [x2, #160]
    ldp     q12, q13, [x2, #192]
    ldp     q14, q15, [x2, #224]
    ldp     q16, q17, [x2, #256]
    ldp     q18, q19, [x2, #288]
    ldp     q20, q21, [x2, #320]
    ldp     q22, q23, [x2, #352]
    ldp     q24, q25, [x2, #384]
    ldp     q26, q27, [x2, #416]
    ldp     q28, q29, [x2, #448]
    ldp     q30, q31, [x2, #480]
    ldr     x3, [x2, #512]
    msr     fpsr, x3
    ldr     x3, [x2, #520]
    msr     fpcr, x3
    ldr     x2, [x0, #CTX_VTTBR]
    msr     vttbr_el2, x2
    ldr     x2, [x0, #CTX_VMPIDR]
    msr     vmpidr_el2, x2
    ldr     x2, [x0, #CTX_VPIDR]
    msr     vpidr_el2, x2
    ldr     x2, [x0, #CTX_CNTVOFF]
    msr     cntvoff_el2, x2
    isb
    ret

// An exception taken while the shim itself ran: reported, then nothing more.
shim_fault:
    to_u32  x20, MAILBOX
    mov     x0, #REASON_SHIM
    str     x0, [x20, #BOX_REASON]
    mrs     x0, esr_el2
    str     x0, [x20, #BOX_ESR]
    mrs     x0, far_el2
    str     x0, [x20, #BOX_FAR]
    mrs     x0, elr_el2
    str     x0, [x20, #BOX_HPFAR]
    dmb     sy
    ldr     w0, [x20, #BOX_COMMAND_NUMBER]
    str     w0, [x20, #BOX_DONE_NUMBER]
9:  wfi
    b       9b

.macro fault_vector
    .balign 128
    b       shim_fault
.endm

.macro context_vector reason
    .balign 128
    stp     x0, x1, [sp, #-16]!
    mov     x0, #\reason
    b       leave
.endm

.balign 2048
vectors:
    .rept 8
    fault_vector
    .endr
    context_vector REASON_SYNC
    context_vector REASON_SLICE     // IRQ
    context_vector REASON_SLICE     // FIQ
    context_vector REASON_SERROR
    .rept 4
    fault_vector
    .endr
