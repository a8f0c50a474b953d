//! What a BERT needs beside matrix products: forward only, for it is used as frozen features.

use crate::attention::Heads;
use crate::multiversion;
use crate::simd::{axpy, dot, exp};

multiversion! {
    /// Layer normalisation (Ba et al. 2016) in place: `x[r, :] = (x − mean) / sqrt(var + eps) * weight + bias`.
    pub fn layer_norm(x: &mut [f32], weight: &[f32], bias: &[f32], eps: f32) {
        let width = weight.len();
        for x in x.chunks_exact_mut(width) {
            let mean = x.iter().sum::<f32>() / width as f32;
            for v in x.iter_mut() {
                *v -= mean;
            }
            let scale = 1.0 / (dot(x, x) / width as f32 + eps).sqrt();
            for ((v, w), b) in x.iter_mut().zip(weight).zip(bias) {
                *v = *v * scale * w + b;
            }
        }
    }
}

multiversion! {
    /// The exact GELU in place, x Φ(x), with erf by Abramowitz and Stegun 7.1.26 (absolute error below 1.5e-7).
    pub fn gelu(x: &mut [f32]) {
        for v in x.iter_mut() {
            let z = (*v * std::f32::consts::FRAC_1_SQRT_2).abs();
            let t = 1.0 / (1.0 + 0.327_591_1 * z);
            let poly = t * (0.254_829_6 + t * (-0.284_496_74 + t * (1.421_413_7 + t * (-1.453_152 + t * 1.061_405_4))));
            let erf = 1.0 - poly * exp(-z * z);
            *v = 0.5 * *v * (1.0 + erf.copysign(*v));
        }
    }
}

multiversion! {
    /// `out[n, heads * dim]` = softmax(q kᵀ / √dim) v, every token of a row seeing every other. `scratch` holds the longest row.
    pub fn attend(out: &mut [f32], scratch: &mut [f32], q: &[f32], k: &[f32], v: &[f32], offsets: &[usize], heads: Heads) {
        let (hd, width) = (heads.dim, heads.query * heads.dim);
        let scale = 1.0 / (hd as f32).sqrt();
        for row in offsets.windows(2) {
            for head in 0..heads.query {
                let at = |token: usize| token * width + head * hd;
                for i in row[0]..row[1] {
                    let p = &mut scratch[..row[1] - row[0]];
                    let mut top = f32::NEG_INFINITY;
                    for (p, j) in p.iter_mut().zip(row[0]..) {
                        *p = dot(&q[at(i)..][..hd], &k[at(j)..][..hd]) * scale;
                        top = top.max(*p);
                    }
                    for p in p.iter_mut() {
                        *p = exp(*p - top);
                    }
                    let norm = 1.0 / p.iter().sum::<f32>();
                    let out = &mut out[at(i)..][..hd];
                    out.fill(0.0);
                    for (p, j) in p.iter().zip(row[0]..) {
                        axpy(out, p * norm, &v[at(j)..][..hd]);
                    }
                }
            }
        }
    }
}
