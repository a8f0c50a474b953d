//! Counted operations: two per multiply-add of every matrix product, machine-independent.

/// Operations counted on this thread (and on threads it waited for) since the last call.
pub fn take() -> u64 {
    aar_kernels::gemm::take_operations()
}
