// The public sources that comments of this project cite, one entry each. A test walks every comment under src/ and
// fails on a citation that is not here.
//
// Two forms are citations:
// - `FF-A 1.1 §10.9.2` or `FF-A 1.1 Table 10.20`: a place in Arm's document DEN0077A. That document was not at hand
//   when this was written, so an entry exists only for a place that public code or a public test plan names; `where`
//   says which. (Section numbers move between revisions of one version: read the number together with `where`.)
// - `[Xen ffa_shm.c]`, `[Hafnium ffa_memory.c]`, `[Xen 7356bb5e47]`: square brackets that begin with a name of
//   CITATION_SOURCES: a file, a commit or a whole project. Brackets that begin otherwise are no citations.
//
// To add one: put a row where its neighbours are. The key is what is cited, without the brackets (rows leave out its
// first word); the title says what is found there; the last part leads a reader to it (a path, or who names the
// section). A new project gets a name in CITATION_SOURCES first. A commit is cited by ten digits for Xen, eight for
// the others.

/** One public source. `key` is unique. */
export interface Citation {
  readonly key: string;
  readonly title: string;
  readonly where: string;
}

/** The words with which a bracketed citation begins. */
export const CITATION_SOURCES = [
  'Xen',
  'Hafnium',
  'TF-A',
  'OP-TEE',
  'Linux',
  'ACS',
  'arm-ffa',
  'pKVM',
  'SMCCC',
  'DTSpec',
  'Perfetto',
  'Mermaid',
] as const;

// Revisions that were read.
const XEN = 'Xen (xenbits.xen.org/xen.git), c447b7308b of 2026-08';
const HAFNIUM = 'Hafnium (git.trustedfirmware.org, hafnium), 21bfbdc1 of 2026-07';
const TF_A = 'TF-A (git.trustedfirmware.org, trusted-firmware-a), 6a164dda7 of 2026-08';
const OP_TEE = 'OP-TEE (github.com/OP-TEE/optee_os), d5001fe0a of 2026-08';
const ACS = 'ff-a-acs (github.com/ARM-software/ff-a-acs), 7dcc13b of 2026-05';
const ARM_FFA = 'arm-ffa (crates.io and github.com/ArmFirmwareCrates/arm-ffa), 80ab572 of 2026-07';
const LINUX = 'Linux (git.kernel.org), as of mid-2025';

const ACS_1_0 = `${ACS}: docs/testcase_checklist.md`;
const ACS_1_1 = `${ACS}: docs/ffa_v1.1_test_scenarios.md`;
const ACS_1_2 = `${ACS}: docs/ffa_v1.2_test_scenarios.md`;
const XEN_HISTORY = 'commit of Xen';
const HAFNIUM_HISTORY = 'commit of Hafnium';

/** The end of the key (what follows `prefix`), the title, and where in `source` it is. */
type Row = readonly [key: string, title: string, where: string];

function rows(source: string, prefix: string, table: readonly Row[]): Citation[] {
  const list: Citation[] = [];
  for (const [key, title, where] of table) {
    const place = [source, where].filter((part) => part !== '').join(': ');
    list.push({ key: `${prefix} ${key}`.trim(), title, where: place });
  }
  return list;
}

// The document itself, as a whole.
const VERSIONS: readonly Citation[] = [
  ...rows('', 'FF-A 1.0', [
    ['', 'the specification, version 1.0', 'Arm DEN0077A, revision 1.0 (developer.arm.com/documentation/den0077/a)'],
  ]),
  ...rows('', 'FF-A 1.1', [
    ['', 'the specification, version 1.1', 'Arm DEN0077A, revision 1.1 (developer.arm.com/documentation/den0077/e)'],
  ]),
  ...rows('', 'FF-A 1.2', [
    ['', 'the specification, version 1.2', 'Arm DEN0077A, revision 1.2 (developer.arm.com/documentation/den0077/j)'],
  ]),
  ...rows('', 'FF-A 1.3', [
    [
      '',
      'the specification, version 1.3, not final: known here by name only',
      'Arm DEN0077A, revision 1.3 ALP, as Hafnium cites it',
    ],
  ]),
];

// Places of version 1.0.
const FFA_1_0: readonly Citation[] = [
  ...rows(ACS_1_0, 'FF-A 1.0', [
    ['§2.9', 'execution contexts of an endpoint', 'mp_execution_contexts'],
    ['§2.10', 'device memory is not shared, lent or donated', 'share_input_error_checks'],
    ['§4.2.2.3', 'RX/TX buffers: mapping and ownership', 'ffa_rxtx_map_and_unmap'],
    ['§4.3.1', 'a message to an endpoint that takes only the other kind', 'ffa_direct_message_error1'],
    ['§4.4.1', 'partitions with one or many execution contexts', 'ffa_msg_send_error'],
    ['§4.5.2', 'who may send a direct request to whom', 'ffa_direct_message'],
    ['§4.5.4', 'managed exit', 'row without a test'],
    ['§5.6.1', 'donate: states of owner and receiver', 'donate_state_machine'],
    ['§5.7.1', 'lend: states of owner and borrowers', 'lend_state_machine'],
    ['§5.8.1', 'share: states of owner and borrowers', 'share_state_machine'],
    ['§5.9.1', 'relinquish and reclaim: states', 'relinquish_state_machine'],
    ['§5.11.2', 'data access permissions', 'share_ro_retrieve_rw'],
    ['§5.11.3', 'instruction access permissions', 'lend_input_error_checks'],
    ['§5.11.4', 'memory region attributes', 'lend_cache_attr'],
    ['§5.12.1', 'handle: given by the relayer, checked at retrieve', 'donate_invalid_handle_tag'],
    ['§5.12.2', 'tag: checked at retrieve', 'share_invalid_handle_tag'],
    ['§5.12.3', 'endpoint memory access descriptor array', 'share_input_error_checks'],
    ['§5.12.3.3', 'address ranges of a borrower at retrieve', 'lend_retrieve_input_checks'],
    ['§5.12.4.1', 'flags of a memory transaction', 'lend_retrieve_input_checks'],
    ['§8.1.2', 'FFA_VERSION', 'ffa_version'],
    ['§8.2', 'FFA_FEATURES', 'ffa_features'],
    ['§8.3', 'FFA_RX_RELEASE', 'ffa_rx_release'],
    ['§8.4', 'FFA_RXTX_MAP', 'ffa_rxtx_map_and_unmap'],
    ['§8.6', 'FFA_PARTITION_INFO_GET', 'ffa_partition_info_get'],
    ['§8.7', 'FFA_ID_GET', 'ffa_id_get'],
    ['§9.1', 'FFA_MSG_WAIT', 'ffa_msg_send'],
    ['§9.2', 'FFA_YIELD', 'ffa_msg_send'],
    ['§9.3', 'FFA_RUN', 'ffa_run'],
    ['§10.1', 'FFA_MSG_SEND', 'ffa_msg_send_error'],
    ['§10.2', 'FFA_MSG_SEND_DIRECT_REQ', 'ffa_direct_message'],
    ['§10.2.1.2', 'what the relayer checks of a direct request', 'ffa_direct_message_error'],
    ['§10.3', 'FFA_MSG_SEND_DIRECT_RESP', 'ffa_direct_message'],
    ['§10.4', 'FFA_MSG_POLL', 'row without a test'],
    ['§11.3', 'FFA_MEM_SHARE', 'ffa_mem_share'],
    ['§11.6', 'zeroing flags at relinquish', 'relinquish_state_machine_3'],
  ]),
  ...rows(HAFNIUM, 'FF-A 1.0', [
    ['§3.1', 'partition manifest', 'inc/hf/ffa_partition_manifest.h'],
    ['§5.10.2', 'memory region handle', 'inc/hf/ffa/ffa_memory.h'],
    ['Table 5.16', 'endpoint memory access descriptor, 16 bytes', 'inc/vmapi/hf/ffa_v1_0.h'],
    ['Table 8.25', 'partition information descriptor, 8 bytes', 'inc/vmapi/hf/ffa_v1_0.h'],
    ['Table 45', 'memory transaction descriptor, 32 bytes', 'inc/vmapi/hf/ffa_v1_0.h'],
    ['Table 84', 'UUID in registers', 'inc/vmapi/hf/ffa.h'],
  ]),
];

// Places of version 1.1.
const FFA_1_1: readonly Citation[] = [
  ...rows(ACS_1_1, 'FF-A 1.1', [
    ['§4.2.1', 'static DMA isolation', 'static_mapping_dma'],
    ['§4.9', 'MMIO regions of devices', 'mem_mmio_access'],
    ['§6.4.2', 'direct messages between VMs and SPs', 'ffa_direct_message_error2'],
    ['§8.2', 'secure interrupts: signalling and queuing', 'sp_to_sp_waiting'],
    ['§8.2.1', 'secure interrupt while an SP runs or waits', 'sp_el1_running'],
    ['§8.3.1.1', 'non-secure interrupt: signalled, the SP is preempted', 'vm_to_up_sp_preempt'],
    ['§8.3.1.2', 'non-secure interrupt: managed exit', 'vm_to_sp_managed_exit'],
    ['§8.3.1.2.1', 'managed exit along a call chain', 'vm_to_sp_managed_exit_1'],
    ['§8.3.1.3', 'non-secure interrupt: queued', 'ns_intr_queued'],
    ['§8.3.1.4', 'precedence of the actions for a non-secure interrupt', 'ns_int_precedence'],
    ['§8.3.2', 'secure interrupt in the normal world', 'vm_to_sp_waiting'],
    ['§8.3.2.1', 'secure interrupt for an SP that is blocked or preempted', 's_int_ec_blocked'],
    ['§8.4', 'preemption while a message is processed', 'vm_to_sp_preempt'],
    ['§9.4', 'notifications: binding', 'vm_to_sp_notification'],
    ['§9.5', 'notifications: signalling', 'vm_to_sp_notification_pcpu'],
    ['§9.5.1.1', 'notifications: an SP signals an SP and a VM', 'sp_signals_vm_sp'],
    ['§9.7', 'notifications: feature ids of the interrupts', 'ffa_features_intr'],
    ['§10.10.4.1', 'NS bit of the memory region attributes', 'mem_security_state_ns_bit'],
    ['§13.8', 'FFA_PARTITION_INFO_GET', 'ffa_partition_info_get'],
    ['§13.9', 'FFA_SPM_ID_GET', 'ffa_spm_id_get'],
    ['§15.1', 'FFA_MSG_SEND2', 'ffa_msg_send2'],
    ['§15.2', 'FFA_MSG_SEND_DIRECT_REQ', 'direct_msg_sp_to_vm'],
    ['§17.1', 'FFA_NOTIFICATION_BITMAP_CREATE', 'notification_bitmap_create'],
    ['§17.2', 'FFA_NOTIFICATION_BITMAP_DESTROY', 'notification_bitmap_destroy'],
    ['§17.3', 'FFA_NOTIFICATION_BIND', 'notification_bind'],
    ['§17.4', 'FFA_NOTIFICATION_UNBIND', 'notification_unbind'],
    ['§17.5', 'FFA_NOTIFICATION_SET', 'notification_set'],
    ['§17.6', 'FFA_NOTIFICATION_GET', 'notification_get'],
    ['§17.7', 'FFA_NOTIFICATION_INFO_GET', 'notification_info_get'],
    ['Table 8.4', "another SP's secure interrupt in the blocked state", 'other_secure_int'],
  ]),
  ...rows(OP_TEE, 'FF-A 1.1', [['§4.8', 'preempted and resumed calls', 'core/arch/arm/include/ffa.h']]),
  ...rows(HAFNIUM, 'FF-A 1.1', [
    ['§5.4.1', 'boot information descriptor', 'inc/vmapi/hf/ffa.h'],
    ['§5.4.2', 'boot information header', 'inc/vmapi/hf/ffa.h'],
    ['§7.2', 'runtime model of FFA_RUN', 'src/ffa/spmc/cpu_cycles.c'],
    ['§8.2.3', 'states of an execution context when an interrupt is signalled', 'inc/hf/vcpu.h'],
    ['§8.3.2.2.1', 'secure interrupt of another SP in the blocked state', 'src/ffa/spmc/cpu_cycles.c'],
    ['§10.10.3', 'instruction access: XN is required for a share and not specified by the sender', 'src/ffa_memory.c'],
    [
      '§10.11.3.1',
      'address ranges of a transaction do not overlap',
      'test/vmapi/primary_with_secondaries/memory_sharing.c',
    ],
    ['§13.9.2', 'FFA_SPM_ID_GET at the non-secure physical instance', 'src/ffa/hypervisor/setup_and_discovery.c'],
    ['§17.7.1', 'lists returned by FFA_NOTIFICATION_INFO_GET', 'src/api.c'],
    ['§18.3.2.1', 'FFA_SECONDARY_EP_REGISTER', 'src/api.c'],
    ['Table 13.27', 'endpoint RX/TX descriptor', 'inc/vmapi/hf/ffa.h'],
    ['Table 13.34', 'flags of FFA_PARTITION_INFO_GET', 'inc/vmapi/hf/ffa.h'],
    ['Table 17.19', 'flags of FFA_NOTIFICATION_SET', 'src/api.c'],
  ]),
  ...rows(ARM_FFA, 'FF-A 1.1', [
    ['§5.4.3', 'address of the boot information', 'src/ffa_v1_1.rs'],
    ['Table 5.8', 'boot information descriptor', 'src/ffa_v1_1.rs'],
    ['Table 5.9', 'boot information header', 'src/ffa_v1_1.rs'],
    ['Table 10.13', 'composite memory region descriptor', 'src/ffa_v1_1.rs'],
    ['Table 10.14', 'constituent memory region descriptor', 'src/ffa_v1_1.rs'],
    ['Table 10.16', 'endpoint memory access descriptor, 16 bytes', 'src/ffa_v1_1.rs'],
    ['Table 10.20', 'memory transaction descriptor, 48 bytes', 'src/ffa_v1_1.rs'],
    ['Table 13.37', 'partition information descriptor, 24 bytes', 'src/ffa_v1_1.rs'],
    ['Table 16.25', 'descriptor to relinquish a memory region', 'src/ffa_v1_1.rs'],
  ]),
  ...rows(ACS, 'FF-A 1.1', [
    ['§9.4.1', 'notifications: what a bound bitmap means', 'val/inc/val_ffa_helpers.h'],
    ['Table 6.2', 'partition message header, 20 bytes', 'val/inc/val_ffa_helpers.h'],
  ]),
  ...rows(XEN, 'FF-A 1.1', [
    ['§10.9.2', 'memory region handle', 'xen/arch/arm/tee/ffa_private.h'],
    ['§10.11.4', 'flags of a memory transaction', 'xen/arch/arm/tee/ffa_private.h'],
    ['§13.2.1', 'version numbers and compatibility', 'xen/arch/arm/tee/ffa.c'],
    ['Table 10.15', 'memory access permissions descriptor', 'xen/arch/arm/tee/ffa_private.h'],
    ['Table 10.18', 'memory region attributes descriptor', 'xen/arch/arm/tee/ffa_private.h'],
  ]),
];

// Places of version 1.2.
const FFA_1_2: readonly Citation[] = [
  ...rows(ACS_1_2, 'FF-A 1.2', [
    ['§1.11.3', 'implementation defined value of a receiver (memory management supplement)', 'mem_share_impdef'],
    ['§3.2', 'logical partitions at EL3', 'ffa_partition_info_get_lsp'],
    ['§6.4.2', 'FFA_YIELD in the secure interrupt runtime model', 'sp_yield_spmc_mode'],
    ['§7.3', 'indirect message: UUID in the header', 'ffa_msg_send2_uuid_check'],
    ['§9.2.3', 'call chains of direct requests', 'ffa_run_direct_req'],
    ['§11.11.4.2', 'retrieve: bypass of the check of the other borrowers', 'share_multi_borrower_flag_check'],
    ['§13.2.2', 'negotiation ends with the first other call', 'ffa_version_negotiation'],
    ['§13.9.1', 'FFA_PARTITION_INFO_GET_REGS', 'ffa_partition_info_get_regs'],
    ['§13.12', 'FFA_CONSOLE_LOG', 'ffa_console_log'],
    ['§14.1', 'FFA_MSG_WAIT: retain the RX buffer', 'ffa_msg_wait_rx_buff_rel'],
    ['§15.4', 'FFA_MSG_SEND_DIRECT_REQ2', 'ffa_direct_message2'],
    ['§15.5', 'FFA_MSG_SEND_DIRECT_RESP2', 'ffa_direct_message2'],
    ['Table 13.39', 'registers of FFA_PARTITION_INFO_GET_REGS', 'ffa_partition_info_get_regs'],
  ]),
  ...rows(HAFNIUM, 'FF-A 1.2', [
    ['§6.1', 'partition ids: bit 15 tells an SP from a VM', 'inc/vmapi/hf/ffa.h'],
    ['§8.3', 'runtime model of direct requests', 'src/ffa/spmc/cpu_cycles.c'],
    ['§8.4', 'runtime model of secure interrupts', 'src/ffa/spmc/cpu_cycles.c'],
    ['§13.2', 'FFA_VERSION', 'src/api.c'],
    ['§13.2.1', 'version numbers and compatibility', 'inc/vmapi/hf/ffa.h'],
    ['§13.3', 'FFA_FEATURES', 'src/api.c'],
    ['§14.9.2', 'rules of FFA_PARTITION_INFO_GET_REGS (numbering of ALP0)', 'src/api.c'],
    ['§17.4.3', 'retrieve by the hypervisor (numbering of ALP0)', 'src/ffa_memory.c'],
    ['§18.2.4', 'power management messages: an SP that refuses', 'src/ffa/spmc/direct_messaging.c'],
    ['Table 1.16', 'endpoint memory access descriptor, 32 bytes (memory management supplement)', 'inc/vmapi/hf/ffa.h'],
    ['Table 5.2', 'memory regions of a partition manifest', 'inc/hf/ffa_partition_manifest.h'],
    ['Table 5.3', 'device regions of a partition manifest', 'inc/hf/ffa_partition_manifest.h'],
    ['Table 6.2', 'partition properties', 'inc/vmapi/hf/ffa.h'],
    ['Table 16.6', 'FFA_MSG_SEND_DIRECT_REQ: registers', 'src/api.c'],
  ]),
  ...rows(ACS, 'FF-A 1.2', [
    ['Table 11.16', 'implementation defined value of a receiver', 'val/inc/val_ffa_helpers.h'],
  ]),
];

// Places of version 1.3, which is not final: only where an earlier number is not known.
const FFA_1_3: readonly Citation[] = [
  ...rows('Arm DEN0077A, revision 1.3 ALP4, table of contents', 'FF-A 1.3', [
    ['§18.3', 'VM availability signaling', 'chapter 18'],
  ]),
];

// Xen, by file.
const XEN_FILES: readonly Citation[] = [
  ...rows(XEN, 'Xen', [
    ['ffa.c', 'dispatcher, versions, features, creation and teardown', 'xen/arch/arm/tee/ffa.c'],
    ['ffa_private.h', 'ABI definitions and per-domain state', 'xen/arch/arm/tee/ffa_private.h'],
    ['ffa_shm.c', 'share and reclaim of memory', 'xen/arch/arm/tee/ffa_shm.c'],
    ['ffa_partinfo.c', 'partition information, VM availability messages', 'xen/arch/arm/tee/ffa_partinfo.c'],
    ['ffa_rxtx.c', 'RX/TX buffers', 'xen/arch/arm/tee/ffa_rxtx.c'],
    ['ffa_msg.c', 'direct and indirect messages, run', 'xen/arch/arm/tee/ffa_msg.c'],
    ['ffa_notif.c', 'notifications', 'xen/arch/arm/tee/ffa_notif.c'],
    ['tee.c', 'how a mediator is chosen and called', 'xen/arch/arm/tee/tee.c'],
    ['vsmc.c', "where a guest's SMC arrives", 'xen/arch/arm/vsmc.c'],
    ['common/domain.c', 'creation, references and destruction of a domain', 'xen/common/domain.c'],
    ['arch/arm/domain.c', 'what of a domain is given back, step by step', 'xen/arch/arm/domain.c'],
    ['timer.c', 'timers', 'xen/common/timer.c'],
    ['SUPPORT.md', 'what Xen says is supported', 'SUPPORT.md'],
  ]),
];

// Xen, by commit: the patch itself first, then what shaped or mended its mediator, oldest first.
const XEN_COMMITS: readonly Citation[] = [
  ...rows(XEN_HISTORY, 'Xen', [
    ['7356bb5e47', 'reclaim shared memory on guest destroy', '2024-02-27'],
    ['c447b7308b', 'Harden SEND2 against invented loads', '2026-08-20'],
    ['38846de217', 'tee: add a primitive FF-A mediator', '2023-07-20'],
    ['c9a1d98295', 'add direct request support', '2023-08-18'],
    ['a33f28872c', 'map SPMC rx/tx buffers', '2023-08-18'],
    ['4c4887bb7a', 'send guest events to Secure Partitions', '2023-08-18'],
    ['38d81e7ccb', 'support mapping guest RX/TX buffers', '2023-08-18'],
    ['caf6491e95', 'support guest FFA_PARTITION_INFO_GET', '2023-08-18'],
    ['7fc2a2993d', 'support sharing memory', '2023-08-18'],
    ['195b2adf71', 'add support to reclaim shared memory', '2023-08-18'],
    ['cd3d2a9d97', 'improve lock granularity', '2023-08-18'],
    ['51a3920363', 'list current limitations', '2023-08-18'],
    ['6242d1b745', 'fix guest map RX/TX error code', '2023-09-06'],
    ['75571e162b', 'return FFA_RET_NOT_SUPPORTED on unhandled calls', '2023-12-13'],
    ['1b42304fd1', 'return fpi size from FFA_PARTITION_INFO_GET', '2023-12-19'],
    ['8836867200', 'separate memory sharing routines', '2024-04-03'],
    ['bded3e6467', 'separate partition info get routines', '2024-04-03'],
    ['be75f686eb', 'separate rxtx buffer routines', '2024-04-03'],
    ['538ab07bad', 'support FFA_FEATURES', '2024-04-03'],
    ['66e6e47511', 'refactor ffa_handle_call()', '2024-06-13'],
    ['4d2b1b5d69', 'use ACCESS_ONCE()', '2024-06-13'],
    ['452551c723', 'add and call tee_free_domain_ctx()', '2024-06-13'],
    ['b490f470f5', 'support notification', '2024-06-13'],
    ['1a20f862f3', 'Rework feature discovery', '2024-12-16'],
    ['da07df5558', 'Fix version negotiation', '2024-12-16'],
    ['2f9f240a5e', 'Fine granular call support', '2024-12-16'],
    ['8a932b91aa', 'Rework partition info get', '2024-12-16'],
    ['2833aa172f', 'Use bit 15 convention for SPs', '2024-12-16'],
    ['6dceb1378d', 'Transmit RXTX buffers to the SPMC', '2024-12-16'],
    ['e6794b683b', 'Remove per VM notif_enabled', '2024-12-16'],
    ['df8a0eec1c', 'Add indirect message support', '2024-12-16'],
    ['a1a1e2b7dc', 'fix build with clang', '2025-01-09'],
    ['39c45caef2', 'fix bind/unbind notification', '2025-02-03'],
    ['719ace560d', 'Create tee command line parameter', '2025-08-12'],
    ['36dd9a7a42', 'Rework partinfo_get implementation', '2025-08-12'],
    ['09a201605f', 'Introduce VM to VM support', '2025-08-12'],
    ['3935c70568', 'Add buffer full notification support', '2025-08-12'],
    ['98af565b1e', 'Add indirect message between VM', '2025-08-12'],
    ['911b305e7b', 'Enable VM to VM without firmware', '2025-08-12'],
    ['a9eb6c6269', 'add FF-A v1.2 function IDs', '2026-02-02'],
    ['ad2d3a7daf', 'per-VM FFA_VERSION negotiation state', '2026-02-02'],
    ['6e8c62d457', 'Fix is_64bit init', '2026-02-02'],
    ['a3075e2fda', 'harden RX/TX mapping', '2026-02-02'],
    ['9e9504ef32', 'rework SPMC RX/TX buffer management', '2026-02-02'],
    ['3528248b8c', 'rework VM RX/TX buffer management', '2026-02-02'],
    ['00c4db5731', 'use signed 32-bit status codes', '2026-02-02'],
    ['5c85600270', 'add UUID helpers for partition info', '2026-02-02'],
    ['7a90dad8de', 'Add FFA_RUN support', '2026-02-02'],
    ['e040b94d0f', 'add v1.2 SEND2 header layout', '2026-02-02'],
    ['3ca6aca20d', 'add MSG_SEND_DIRECT_REQ2 support', '2026-02-02'],
    ['f42bacb20e', 'advertise FF-A v1.2', '2026-02-02'],
    ['4ed7f66fab', 'Add endpoint lookup helper', '2026-02-24'],
    ['edf036fac2', 'Fix MEM_SHARE NS attribute handling', '2026-02-24'],
    ['01c79ad9c6', 'Harden shm page parsing', '2026-02-24'],
    ['a90376c6ad', 'Add FF-A 1.2 endpoint memory access descriptors', '2026-02-24'],
    ['a97fe0a4c7', 'Fix PARTINFO RX release errors', '2026-02-24'],
    ['d1b958a92c', 'Fix RX/TX map layout and errors', '2026-02-24'],
    ['309e8edfe3', 'Fix RXTX_UNMAP ownership race', '2026-02-24'],
    ['4992308e97', 'Fix FFA_FEATURES validation', '2026-02-24'],
    ['e70117a53f', 'Fix SEND2 SP support gating', '2026-02-24'],
    ['9d63e7e9ca', 'Reduce logging noise', '2026-02-24'],
    ['4d39261835', 'Add MEM_SHARE page diagnostics', '2026-02-24'],
    ['ed6787f6d2', 'Add start_index to VM partinfo helper', '2026-03-20'],
    ['cca899b380', 'Cache SP partition info at init', '2026-03-20'],
    ['71518be79d', 'Drop SP subscriber lists', '2026-03-20'],
    ['500ee5fe0f', 'Add cached GET_REGS support', '2026-03-20'],
    ['b89ecb4dd4', 'fix build with clang/ATfE', '2026-04-23'],
  ]),
];

// Hafnium, by file.
const HAFNIUM_FILES: readonly Citation[] = [
  ...rows(HAFNIUM, 'Hafnium', [
    ['api.c', 'the calls of partitions and VMs, lock order', 'src/api.c'],
    ['ffa_memory.c', 'share, lend, donate, retrieve, relinquish, reclaim', 'src/ffa_memory.c'],
    ['handler.c', 'which calls there are', 'src/arch/aarch64/hypervisor/handler.c'],
    ['ffa_memory.h', 'handles', 'inc/hf/ffa/ffa_memory.h'],
    ['ffa.h', 'ABI definitions', 'inc/vmapi/hf/ffa.h'],
    ['ffa_v1_0.h', 'layouts of version 1.0', 'inc/vmapi/hf/ffa_v1_0.h'],
    ['vm_ids.h', 'endpoint ids', 'inc/vmapi/hf/vm_ids.h'],
    ['call.h', 'calls as a partition makes them', 'inc/vmapi/hf/call.h'],
    ['boot_info.c', 'boot information', 'src/boot_info.c'],
    ['manifest.c', 'partition manifests and their errors', 'src/manifest.c'],
    ['ffa_partition_manifest.h', 'partition manifest fields', 'inc/hf/ffa_partition_manifest.h'],
    ['vm.c', 'partitions, notifications, memory modes', 'src/vm.c'],
    ['mm.c', 'stage-2 page tables', 'src/mm.c'],
    ['vcpu.h', 'states and runtime models of an execution context', 'inc/hf/vcpu.h'],
    ['cpu_cycles.c', 'runtime models, run, wait, yield', 'src/ffa/spmc/cpu_cycles.c'],
    ['direct_messaging.c', 'direct messages, framework messages', 'src/ffa/spmc/direct_messaging.c'],
    ['indirect_messaging.c', 'indirect messages', 'src/ffa/spmc/indirect_messaging.c'],
    ['notifications.c', 'notifications', 'src/ffa/spmc/notifications.c'],
    ['interrupts.c', 'secure and non-secure interrupts', 'src/ffa/spmc/interrupts.c'],
    ['lifecycle_msg.c', 'life-cycle messages', 'src/ffa/spmc/lifecycle_msg.c'],
    ['setup_and_discovery.c', 'partition information, buffers at the SPMC', 'src/ffa/spmc/setup_and_discovery.c'],
  ]),
];

// Hafnium, by commit.
const HAFNIUM_COMMITS: readonly Citation[] = [
  ...rows(HAFNIUM_HISTORY, 'Hafnium', [
    ['a283c021', 'fix(mem_share): correct the fragment offset', '2026-05-08'],
    ['b446fd89', 'fix(mem_share): use v1.0 struct for region offset', '2026-05-08'],
    ['fc50ef7d', 'fix(notifications): counter pending notifications', '2025-02-03'],
    ['89c22131', 'fix: per-vCPU/global bind/set mismatch', '2024-02-14'],
    ['1fff55d2', 'fix(ff-a): version negotiation fails when preempted by S-interrupt', '2026-02-23'],
    ['c7270b75', 'fix(memory share): hypervisor retrieve request check', '2024-09-23'],
  ]),
];

// The other implementations.
const OTHERS: readonly Citation[] = [
  ...rows(TF_A, 'TF-A', [
    ['spmc', 'the SPMC at EL3, as a whole', 'services/std_svc/spm/el3_spmc'],
    ['spmd', 'the dispatcher at EL3', 'services/std_svc/spmd'],
    ['spmc_main.c', 'calls, partition information, manifests', 'services/std_svc/spm/el3_spmc/spmc_main.c'],
    ['spmc_shared_mem.c', 'memory transactions', 'services/std_svc/spm/el3_spmc/spmc_shared_mem.c'],
    ['spmc_pm.c', 'power management messages', 'services/std_svc/spm/el3_spmc/spmc_pm.c'],
    ['logical_sp.c', 'logical partitions', 'services/std_svc/spm/el3_spmc/logical_sp.c'],
    ['ffa_svc.h', 'ABI definitions', 'include/services/ffa_svc.h'],
    ['el3_spmc_ffa_memory.h', 'layouts of memory transactions', 'include/services/el3_spmc_ffa_memory.h'],
  ]),
  ...rows(OP_TEE, 'OP-TEE', [
    ['ffa.h', 'ABI definitions', 'core/arch/arm/include/ffa.h'],
    ['thread_spmc.c', 'the SPMC at S-EL1: calls, memory, VM availability', 'core/arch/arm/kernel/thread_spmc.c'],
    ['spmc_sp_handler.c', 'calls and shares of its SPs', 'core/arch/arm/kernel/spmc_sp_handler.c'],
    ['secure_partition.c', 'SPs, their manifests and interrupts', 'core/arch/arm/kernel/secure_partition.c'],
    ['mobj_ffa.c', 'shared memory objects', 'core/arch/arm/mm/mobj_ffa.c'],
  ]),
  ...rows(LINUX, 'Linux', [
    ['arm_ffa', 'the driver of a guest or host, as a whole', 'drivers/firmware/arm_ffa'],
    [
      'arm_ffa/driver.c',
      'the driver: version, buffers, messages, memory, notifications',
      'drivers/firmware/arm_ffa/driver.c',
    ],
    ['arm_ffa.h', 'ABI definitions', 'include/linux/arm_ffa.h'],
  ]),
  ...rows(LINUX, 'pKVM', [['ffa.c', 'the proxy between host and SPMC', 'arch/arm64/kvm/hyp/nvhe/ffa.c']]),
  ...rows(ACS, 'ACS', [
    ['', 'the compliance suite, as a whole', ''],
    ['val_ffa_helpers.h', 'ABI definitions of the suite', 'val/inc/val_ffa_helpers.h'],
    ['testcase_checklist.md', 'tests of version 1.0 and the sections that they are for', 'docs/testcase_checklist.md'],
    [
      'ffa_v1.1_test_scenarios.md',
      'tests of version 1.1 and the sections that they are for',
      'docs/ffa_v1.1_test_scenarios.md',
    ],
    [
      'ffa_v1.2_test_scenarios.md',
      'tests of version 1.2 and the sections that they are for',
      'docs/ffa_v1.2_test_scenarios.md',
    ],
  ]),
  ...rows(ARM_FFA, 'arm-ffa', [
    ['crate', 'a codec of all calls in Rust, as a whole', ''],
    ['ffa_v1_1.rs', 'layouts of version 1.1, field by field', 'src/ffa_v1_1.rs (in its history)'],
  ]),
];

// Documents beside FF-A.
const FORMATS: readonly Citation[] = [
  ...rows('', 'SMCCC', [['', 'SMC calling convention', 'Arm DEN0028 (developer.arm.com/documentation/den0028)']]),
  ...rows('', 'DTSpec', [
    ['', 'Devicetree Specification, version 0.4', 'devicetree.org/specifications'],
    ['§5', 'flattened devicetree (blob) format', 'Devicetree Specification 0.4, chapter 5'],
  ]),
  ...rows('', 'Perfetto', [
    ['', 'trace viewer and trace processor', 'perfetto.dev/docs'],
    [
      'trace_packet.proto',
      'trace format, protobuf',
      'github.com/google/perfetto, protos/perfetto/trace/trace_packet.proto',
    ],
    [
      'JSON',
      'Chrome JSON trace format, as Perfetto reads it',
      'perfetto.dev/docs, and the document Trace Event Format',
    ],
  ]),
  ...rows('', 'Mermaid', [['sequence', 'sequence diagram syntax', 'mermaid.js.org/syntax/sequenceDiagram.html']]),
];

/** Every public source that a comment may cite, in no order that matters. */
export const CITATIONS: readonly Citation[] = [
  ...VERSIONS,
  ...FFA_1_0,
  ...FFA_1_1,
  ...FFA_1_2,
  ...FFA_1_3,
  ...XEN_FILES,
  ...XEN_COMMITS,
  ...HAFNIUM_FILES,
  ...HAFNIUM_COMMITS,
  ...OTHERS,
  ...FORMATS,
];
