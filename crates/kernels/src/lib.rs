//! Matrix products, fused operations and their backward passes.
//!
//! Everything works on row-major `f32` slices of *ragged* batches: the rows' tokens are laid end to end, so a
//! batch of `n` tokens is `[n, width]` and there is no padding to skip. Each operation stands beside its backward pass.
//! A backward pass adds to gradients of parameters and overwrites gradients of activations, unless it says otherwise.
#![allow(unsafe_code)]

pub mod adamw;
pub mod attention;
pub mod bert;
pub mod gemm;
pub mod norm;
pub mod rope;
pub mod simd;
pub mod swiglu;
