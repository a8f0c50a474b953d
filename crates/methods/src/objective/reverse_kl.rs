//! Distillation by the reverse divergence KL(f ‖ t) (for language models: Gu et al. 2023, arXiv 2306.08543, section 2.1), which
//! seeks one mode of the labels instead of covering all: its slope f (1 − f) (m − logit t) dies out where the student is sure,
//! so that it is turned by what it doubts and not by what it knows.

/// Factor and target ([`super::loss::Pull`]) at a margin. Labels are kept within [0.02, 0.98]: against a hard one the
/// divergence is infinite.
pub fn pull(margin: f32, target: f32) -> (f32, f32) {
    let target = target.clamp(0.02, 0.98);
    let (m, t) = (f64::from(margin), f64::from(target));
    let f = 1.0 / (1.0 + (-m).exp());
    let distance = m - (t / (1.0 - t)).ln();
    // At the label itself the ratio is 0 / 0; its limit is 1.
    let factor = if distance.abs() < 1e-6 { 1.0 } else { f * (1.0 - f) * distance / (f - t) };
    (factor as f32, target)
}

#[cfg(test)]
mod tests {
    use crate::objective::loss::tests::descend;
    use crate::pool::logit;
    use crate::recipe::{LossKind, Objective};

    /// In as many steps: a student that doubts takes the label over, one that is sure does not, where cross-entropy
    /// turns both.
    #[test]
    fn a_sure_student_is_hardly_pulled() {
        let (prior, weak) = ([-7.0, -0.5], [0.7, 0.7]);
        let plain = descend(&Objective::default(), &prior, &weak);
        let reverse = descend(&Objective { loss: LossKind::ReverseKl, ..Objective::default() }, &prior, &weak);
        assert!(plain.iter().all(|&margin| margin > 0.5), "{plain:?}");
        assert!(reverse[0] < -4.0 && (reverse[1] - logit(0.7)).abs() < 0.1, "{reverse:?}");
    }
}
