//! The product loss of the reference implementation of Burns et al. 2023: cross-entropy against the product of the student's
//! own answer and the label, normalised, t′ ∝ f^β t^α with α = β = 1, no gradient through t′. In margins that is m + logit t: the
//! label is evidence added to what the student holds. Where the student is sure, a doubtful label moves it next to nothing.

use crate::pool::logit;

/// Factor and target ([`super::loss::Pull`]) at a margin.
pub fn pull(margin: f32, target: f32) -> (f32, f32) {
    let product = f64::from(margin) + f64::from(logit(target));
    (1.0, (1.0 / (1.0 + (-product).exp())) as f32)
}

#[cfg(test)]
mod tests {
    use crate::objective::loss::tests::descend;
    use crate::recipe::{LossKind, Objective};

    /// Firm knowledge against doubtful labels, and against one that is as firm: in as many steps cross-entropy answers all as
    /// the teacher, the product what the label is firm about.
    #[test]
    fn a_sure_student_is_turned_by_a_sure_label_only() {
        let (prior, weak) = ([-3.0, -3.0, -0.1], [0.55, 0.999, 0.55]);
        let plain = descend(&Objective::default(), &prior, &weak);
        let product = descend(&Objective { loss: LossKind::Product, ..Objective::default() }, &prior, &weak);
        assert!(plain.iter().all(|&margin| margin > 0.0), "{plain:?}");
        assert!(product[0] < 0.0 && product[1] > 0.0 && product[2] > 0.0, "{product:?}");
    }
}
