//! Causal attention with grouped queries over ragged rows.

use crate::multiversion;
use crate::simd::{axpy, dot, exp};

/// Heads and their width.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heads {
    /// Query heads.
    pub query: usize,
    /// Key and value heads; divides `query`.
    pub key: usize,
    /// Width of a head.
    pub dim: usize,
}

/// Entries of the probability buffer: the lower triangles of all rows and query heads.
pub fn probability_len(offsets: &[usize], heads: Heads) -> usize {
    offsets.windows(2).map(|row| triangle(row[1] - row[0])).sum::<usize>() * heads.query
}

#[inline(always)]
fn triangle(length: usize) -> usize {
    length * (length + 1) / 2
}

multiversion! {
    /// `out[n, query * dim]` = softmax(q kᵀ / √dim) v per row and head; probabilities are kept for the backward pass.
    /// `q [n, query * dim]`, `k, v [n, key * dim]`.
    pub fn forward(out: &mut [f32], probabilities: &mut [f32], q: &[f32], k: &[f32], v: &[f32], offsets: &[usize], heads: Heads) {
        let (hd, group) = (heads.dim, heads.query / heads.key);
        let (qw, kw) = (heads.query * hd, heads.key * hd);
        let scale = 1.0 / (hd as f32).sqrt();
        let mut at = 0;
        for row in offsets.windows(2) {
            let (start, end) = (row[0], row[1]);
            for head in 0..heads.query {
                let (qo, ko) = (head * hd, head / group * hd);
                for i in start..end {
                    let p = &mut probabilities[at..at + i - start + 1];
                    at += p.len();
                    let qi = &q[i * qw + qo..][..hd];
                    let mut top = f32::NEG_INFINITY;
                    for (p, j) in p.iter_mut().zip(start..) {
                        *p = dot(qi, &k[j * kw + ko..][..hd]) * scale;
                        top = top.max(*p);
                    }
                    let mut sum = 0.0;
                    for p in p.iter_mut() {
                        *p = exp(*p - top);
                    }
                    for p in p.iter() {
                        sum += p;
                    }
                    let norm = 1.0 / sum;
                    let oi = &mut out[i * qw + qo..][..hd];
                    oi.fill(0.0);
                    for (p, j) in p.iter_mut().zip(start..) {
                        *p *= norm;
                        axpy(oi, *p, &v[j * kw + ko..][..hd]);
                    }
                }
            }
        }
    }
}

multiversion! {
    /// [`forward`] at every row's last token alone: `out, q [rows, query * dim]`, `k, v [n, key * dim]`. `scratch` holds at least
    /// the longest row.
    pub fn last(out: &mut [f32], scratch: &mut [f32], q: &[f32], k: &[f32], v: &[f32], offsets: &[usize], heads: Heads) {
        let (hd, group) = (heads.dim, heads.query / heads.key);
        let (qw, kw) = (heads.query * hd, heads.key * hd);
        let scale = 1.0 / (hd as f32).sqrt();
        for (r, row) in offsets.windows(2).enumerate() {
            for head in 0..heads.query {
                let (qo, ko) = (r * qw + head * hd, head / group * hd);
                let p = &mut scratch[..row[1] - row[0]];
                let mut top = f32::NEG_INFINITY;
                for (p, j) in p.iter_mut().zip(row[0]..) {
                    *p = dot(&q[qo..][..hd], &k[j * kw + ko..][..hd]) * scale;
                    top = top.max(*p);
                }
                let mut sum = 0.0;
                for p in p.iter_mut() {
                    *p = exp(*p - top);
                    sum += *p;
                }
                let oi = &mut out[qo..][..hd];
                oi.fill(0.0);
                for (p, j) in p.iter().zip(row[0]..) {
                    axpy(oi, p / sum, &v[j * kw + ko..][..hd]);
                }
            }
        }
    }
}

multiversion! {
    /// Gradients of [`forward`]: `dq`, `dk`, `dv` are overwritten. `scratch` holds at least the longest row.
    pub fn backward(
        dq: &mut [f32], dk: &mut [f32], dv: &mut [f32], scratch: &mut [f32], dout: &[f32], probabilities: &[f32],
        q: &[f32], k: &[f32], v: &[f32], offsets: &[usize], heads: Heads,
    ) {
        let (hd, group) = (heads.dim, heads.query / heads.key);
        let (qw, kw) = (heads.query * hd, heads.key * hd);
        let scale = 1.0 / (hd as f32).sqrt();
        dq.fill(0.0);
        dk.fill(0.0);
        dv.fill(0.0);
        let mut at = 0;
        for row in offsets.windows(2) {
            let (start, end) = (row[0], row[1]);
            for head in 0..heads.query {
                let (qo, ko) = (head * hd, head / group * hd);
                for i in start..end {
                    let p = &probabilities[at..at + i - start + 1];
                    at += p.len();
                    let doi = &dout[i * qw + qo..][..hd];
                    let dp = &mut scratch[..p.len()];
                    let mut inner = 0.0;
                    for ((p, dp), j) in p.iter().zip(dp.iter_mut()).zip(start..) {
                        *dp = dot(doi, &v[j * kw + ko..][..hd]);
                        inner += *dp * p;
                        axpy(&mut dv[j * kw + ko..][..hd], *p, doi);
                    }
                    let qi = &q[i * qw + qo..][..hd];
                    let dqi = &mut dq[i * qw + qo..][..hd];
                    for ((p, dp), j) in p.iter().zip(dp.iter()).zip(start..) {
                        let ds = p * (dp - inner) * scale;
                        axpy(dqi, ds, &k[j * kw + ko..][..hd]);
                        axpy(&mut dk[j * kw + ko..][..hd], ds, qi);
                    }
                }
            }
        }
    }
}
