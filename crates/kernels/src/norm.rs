//! Root-mean-square normalisation (Zhang and Sennrich 2019) over the last axis.

use crate::multiversion;
use crate::simd::dot;

multiversion! {
    /// `y[r, :] = x[r, :] * inv[r] * weight`, `inv[r] = 1 / sqrt(mean(x[r, :]²) + eps)`. `x, y [rows, width]`.
    pub fn rms_forward(y: &mut [f32], inv: &mut [f32], x: &[f32], weight: &[f32], eps: f32) {
        let width = weight.len();
        for ((y, x), inv) in y.chunks_exact_mut(width).zip(x.chunks_exact(width)).zip(inv.iter_mut()) {
            let scale = 1.0 / (dot(x, x) / width as f32 + eps).sqrt();
            *inv = scale;
            for ((y, x), w) in y.iter_mut().zip(x).zip(weight) {
                *y = x * scale * w;
            }
        }
    }
}

multiversion! {
    /// Gradients of [`rms_forward`]: `dx[r, :] += …`, `dweight += …`. `dx` may hold a residual's gradient already.
    pub fn rms_backward(dx: &mut [f32], dweight: &mut [f32], dy: &[f32], x: &[f32], inv: &[f32], weight: &[f32]) {
        let width = weight.len();
        let rows = dx.chunks_exact_mut(width).zip(dy.chunks_exact(width)).zip(x.chunks_exact(width)).zip(inv);
        for (((dx, dy), x), &inv) in rows {
            let mut lanes = 0.0;
            for i in 0..width {
                dweight[i] += dy[i] * x[i] * inv;
            }
            for ((dy, x), w) in dy.iter().zip(x).zip(weight) {
                lanes += dy * w * x;
            }
            let pull = lanes * inv * inv / width as f32;
            for (((dx, dy), x), w) in dx.iter_mut().zip(dy).zip(x).zip(weight) {
                *dx += inv * (dy * w - x * pull);
            }
        }
    }
}
