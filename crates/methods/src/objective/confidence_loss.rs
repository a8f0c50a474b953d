//! The auxiliary confidence loss of Burns et al. 2023, section 4.3 and appendix A.4.
//!
//! L = (1 − α) CE(f, weak) + α CE(f, f̂_t), where f̂_t are the student's own predictions, hardened at a threshold t
//! that makes the batch's share of positives that of the weak labels. α grows linearly from 0 to its full value over
//! the first fifth of training.

/// The targets of one batch: `(1 − α) weak + α [margin > t]`. `margins`, `weak [batch]`.
pub fn targets(margins: &[f32], weak: &[f32], aux: f32, progress: f32) -> Vec<f32> {
    let alpha = aux * (progress / 0.2).min(1.0);
    let share = weak.iter().sum::<f32>() / weak.len().max(1) as f32;
    let threshold = quantile(margins, 1.0 - share);
    let hardened = |margin: f32| f32::from(u8::from(margin > threshold));
    margins.iter().zip(weak).map(|(&margin, &weak)| (1.0 - alpha) * weak + alpha * hardened(margin)).collect()
}

/// Linear interpolation between order statistics, as NumPy's default.
fn quantile(values: &[f32], q: f32) -> f32 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f32::total_cmp);
    let at = q.clamp(0.0, 1.0) * (sorted.len().max(1) - 1) as f32;
    let (low, high) = (at.floor() as usize, at.ceil() as usize);
    sorted[low] + (at - low as f32) * (sorted[high] - sorted[low])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hardened_answers_keep_the_weak_labels_share_of_positives() {
        let (margins, weak) = ([3.0, 2.0, 1.0, 0.5], [0.0, 0.0, 1.0, 1.0]);
        assert_eq!(targets(&margins, &weak, 1.0, 0.5), [1.0, 1.0, 0.0, 0.0]);
        assert_eq!(targets(&margins, &weak, 0.5, 1.0), [0.5, 0.5, 0.5, 0.5]);
        assert_eq!(targets(&margins, &weak, 0.5, 0.0), weak);
        assert_eq!(targets(&margins, &weak, 0.5, 0.1), [0.25, 0.25, 0.75, 0.75]);
    }
}
