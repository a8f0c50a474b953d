//! Matrix products, fused operations and their backward passes, threads and SIMD.
