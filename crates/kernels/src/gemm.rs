//! Row-major matrix products over faer, on the calling thread.

use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};
use std::cell::Cell;

thread_local! {
    static OPERATIONS: Cell<u64> = const { Cell::new(0) };
}

/// Operations (two per multiply-add) that matrix products made on this thread since the last call.
pub fn take_operations() -> u64 {
    OPERATIONS.with(|count| count.replace(0))
}

/// Add operations counted on another thread.
pub fn add_operations(operations: u64) {
    OPERATIONS.with(|count| count.set(count.get() + operations));
}

fn accum(add: bool) -> Accum {
    if add { Accum::Add } else { Accum::Replace }
}

/// `c[m, n] (+)= a[m, k] · b[k, n]`.
pub fn nn(c: &mut [f32], a: &[f32], b: &[f32], (m, k, n): (usize, usize, usize), add: bool) {
    add_operations(2 * (m * k * n) as u64);
    let c = MatMut::from_row_major_slice_mut(&mut c[..m * n], m, n);
    let a = MatRef::from_row_major_slice(&a[..m * k], m, k);
    let b = MatRef::from_row_major_slice(&b[..k * n], k, n);
    matmul(c, accum(add), a, b, 1.0, Par::Seq);
}

/// `c[m, n] (+)= a[m, k] · b[n, k]ᵀ`: activations times a weight matrix stored `[out, in]`.
pub fn nt(c: &mut [f32], a: &[f32], b: &[f32], (m, k, n): (usize, usize, usize), add: bool) {
    add_operations(2 * (m * k * n) as u64);
    let c = MatMut::from_row_major_slice_mut(&mut c[..m * n], m, n);
    let a = MatRef::from_row_major_slice(&a[..m * k], m, k);
    let b = MatRef::from_row_major_slice(&b[..n * k], n, k);
    matmul(c, accum(add), a, b.transpose(), 1.0, Par::Seq);
}

/// `c[m, n] (+)= a[k, m]ᵀ · b[k, n]`: a weight's gradient.
pub fn tn(c: &mut [f32], a: &[f32], b: &[f32], (m, k, n): (usize, usize, usize), add: bool) {
    add_operations(2 * (m * k * n) as u64);
    let c = MatMut::from_row_major_slice_mut(&mut c[..m * n], m, n);
    let a = MatRef::from_row_major_slice(&a[..k * m], k, m);
    let b = MatRef::from_row_major_slice(&b[..k * n], k, n);
    matmul(c, accum(add), a.transpose(), b, 1.0, Par::Seq);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_three_layouts_agree_with_the_definition() {
        let (m, k, n) = (5, 7, 3);
        let fill =
            |len: usize, seed: usize| -> Vec<f32> { (0..len).map(|i| ((i * 31 + seed) % 17) as f32 - 8.0).collect() };
        let (a, b) = (fill(m * k, 1), fill(k * n, 2));
        let mut expect = vec![1.0; m * n];
        for i in 0..m {
            for j in 0..n {
                expect[i * n + j] += (0..k).map(|l| a[i * k + l] * b[l * n + j]).sum::<f32>();
            }
        }
        let transpose = |x: &[f32], rows: usize, cols: usize| -> Vec<f32> {
            (0..rows * cols).map(|i| x[(i % rows) * cols + i / rows]).collect()
        };
        let check = |product: &dyn Fn(&mut [f32])| {
            let mut c = vec![1.0; m * n];
            product(&mut c);
            assert_eq!(c, expect);
        };
        check(&|c| nn(c, &a, &b, (m, k, n), true));
        check(&|c| nt(c, &a, &transpose(&b, k, n), (m, k, n), true));
        check(&|c| tn(c, &transpose(&a, m, k), &b, (m, k, n), true));
    }
}
