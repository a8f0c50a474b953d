//! SwiGLU (Shazeer 2020): `silu(gate) * up`.

use crate::multiversion;
use crate::simd::exp;

multiversion! {
    /// `y = silu(gate) * up`, all `[n * width]`.
    pub fn forward(y: &mut [f32], gate: &[f32], up: &[f32]) {
        for ((y, g), u) in y.iter_mut().zip(gate).zip(up) {
            *y = g / (1.0 + exp(-g)) * u;
        }
    }
}

multiversion! {
    /// Gradients of [`forward`], written over `gate` and `up`.
    pub fn backward(gate: &mut [f32], up: &mut [f32], dy: &[f32]) {
        for ((g, u), dy) in gate.iter_mut().zip(up.iter_mut()).zip(dy) {
            let s = 1.0 / (1.0 + exp(-*g));
            let silu = *g * s;
            let dgate = dy * *u * (s + silu * (1.0 - s));
            *u = dy * silu;
            *g = dgate;
        }
    }
}
