//! Rotary position embedding (Su et al. 2021) in the half-split layout of Hugging Face's Qwen.

use crate::multiversion;

/// Cosines and sines, `[positions, head_dim / 2]` each.
#[derive(Clone, Debug, Default)]
pub struct RopeTable {
    cos: Vec<f32>,
    sin: Vec<f32>,
    half: usize,
}

impl RopeTable {
    /// A table for positions below `positions`. Angles in f32, as the reference computes them.
    pub fn new(positions: usize, head_dim: usize, theta: f32) -> Self {
        let half = head_dim / 2;
        let inverse: Vec<f32> = (0..half).map(|i| 1.0 / theta.powf(2.0 * i as f32 / head_dim as f32)).collect();
        let angles = (0..positions).flat_map(|t| inverse.iter().map(move |f| t as f32 * f));
        let (cos, sin) = angles.map(|angle| (angle.cos(), angle.sin())).unzip();
        Self { cos, sin, half }
    }

    /// Positions covered.
    pub fn positions(&self) -> usize {
        self.cos.len() / self.half.max(1)
    }
}

/// Rotate every head of `x [n, heads * head_dim]`; `offsets` are the ragged rows' bounds. `inverse` rotates back,
/// which is the backward pass, for a rotation's transpose is its inverse.
pub fn rotate(x: &mut [f32], heads: usize, offsets: &[usize], table: &RopeTable, inverse: bool) {
    rotate_all(x, heads, offsets, &table.cos, &table.sin, table.half, if inverse { -1.0 } else { 1.0 });
}

/// [`rotate`] for one token per row, at these positions of their rows: `x [positions.len(), heads * head_dim]`.
pub fn rotate_at(x: &mut [f32], heads: usize, positions: &[usize], table: &RopeTable) {
    let half = table.half;
    for (token, &position) in x.chunks_exact_mut(2 * half * heads).zip(positions) {
        let (cos, sin) = (&table.cos[position * half..], &table.sin[position * half..]);
        rotate_all(token, heads, &[0, 1], cos, sin, half, 1.0);
    }
}

multiversion! {
    /// See [`rotate`].
    pub fn rotate_all(x: &mut [f32], heads: usize, offsets: &[usize], cos: &[f32], sin: &[f32], half: usize, sign: f32) {
        let width = heads * half * 2;
        for row in offsets.windows(2) {
            for (position, token) in (row[0]..row[1]).enumerate() {
                let cos = &cos[position * half..][..half];
                let sin = &sin[position * half..][..half];
                for head in x[token * width..][..width].chunks_exact_mut(2 * half) {
                    let (low, high) = head.split_at_mut(half);
                    for i in 0..half {
                        let (a, b, s) = (low[i], high[i], sign * sin[i]);
                        low[i] = a * cos[i] - b * s;
                        high[i] = b * cos[i] + a * s;
                    }
                }
            }
        }
    }
}
