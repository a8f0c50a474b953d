//! AdamW (Loshchilov and Hutter 2019) and the global gradient norm.

use crate::multiversion;

/// What one update needs beside the tensors.
#[derive(Clone, Copy, Debug)]
pub struct Update {
    /// Learning rate of this step.
    pub lr: f32,
    /// Decay rates of the moments.
    pub betas: (f32, f32),
    /// Added to the root of the second moment.
    pub eps: f32,
    /// Decoupled weight decay.
    pub weight_decay: f32,
    /// Step number, from 1.
    pub step: i32,
    /// Factor on the gradient (global clipping).
    pub scale: f32,
}

multiversion! {
    /// One update of `w` and its moments `m`, `v`, as PyTorch's AdamW orders the operations.
    pub fn update(w: &mut [f32], m: &mut [f32], v: &mut [f32], g: &[f32], u: Update) {
        let (b1, b2) = u.betas;
        let step_size = u.lr / (1.0 - b1.powi(u.step));
        let root = (1.0 - b2.powi(u.step)).sqrt();
        let keep = 1.0 - u.lr * u.weight_decay;
        for (((w, m), v), g) in w.iter_mut().zip(m.iter_mut()).zip(v.iter_mut()).zip(g) {
            let g = g * u.scale;
            *m = b1 * *m + (1.0 - b1) * g;
            *v = b2 * *v + (1.0 - b2) * g * g;
            *w = *w * keep - step_size * *m / (v.sqrt() / root + u.eps);
        }
    }
}

/// Sum of squares in f64.
pub fn sum_of_squares(values: &[f32]) -> f64 {
    values.chunks(4096).map(|chunk| f64::from(crate::simd::dot(chunk, chunk))).sum()
}
