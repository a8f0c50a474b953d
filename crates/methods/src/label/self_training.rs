//! The second round of self-training (Scudder 1965; Xie et al. 2020): the first student relabels the pool, its most
//! confident answers are kept.

/// Soft targets and the rows kept, out of the first student's margins `[items]`: the `keep` most confident, half of
/// either answer where there are enough.
pub fn relabel(margins: &[f32], keep: f32) -> (Vec<f32>, Vec<usize>) {
    let soft = margins.iter().map(|&margin| crate::pool::sigmoid(margin)).collect();
    let half = ((margins.len() as f32 * keep / 2.0).round() as usize).max(1);
    let mut order: Vec<usize> = (0..margins.len()).collect();
    order.sort_by(|&a, &b| margins[a].total_cmp(&margins[b]));
    let mut kept: Vec<usize> = order.iter().take(half).filter(|&&i| margins[i] < 0.0).copied().collect();
    kept.extend(order.iter().rev().take(half).filter(|&&i| margins[i] > 0.0));
    kept.sort_unstable();
    (soft, kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_surest_of_either_answer() {
        let (soft, kept) = relabel(&[0.1, -3.0, 2.0, -0.2, 1.0, -1.0], 0.67);
        assert_eq!(kept, [1, 2, 4, 5]);
        assert!(soft[2] > 0.8 && soft[1] < 0.1);
    }
}
