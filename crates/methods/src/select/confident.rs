//! The teacher's most confident rows, half from each end (the reference's "train only on confident labels", with a
//! share instead of fixed thresholds, so that an over- or under-confident teacher leaves as many rows).

/// Indices of the `keep` share with the lowest and highest `weak [n]`.
pub fn rows(weak: &[f32], keep: f32) -> Vec<usize> {
    let half = ((weak.len() as f32 * keep / 2.0).round() as usize).max(1);
    let mut order: Vec<usize> = (0..weak.len()).collect();
    order.sort_by(|&a, &b| weak[a].total_cmp(&weak[b]));
    let mut kept: Vec<usize> = order.iter().take(half).chain(order.iter().rev().take(half)).copied().collect();
    kept.sort_unstable();
    kept.dedup();
    kept
}

#[cfg(test)]
mod tests {
    #[test]
    fn takes_both_ends() {
        assert_eq!(super::rows(&[0.5, 0.9, 0.1, 0.6, 0.95, 0.05], 0.67), [1, 2, 4, 5]);
    }
}
