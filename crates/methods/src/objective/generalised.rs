//! Generalised cross-entropy (Zhang and Sabuncu 2018, arXiv 1805.07836, equation 6): L_q = (1 − f_y^q) / q, mean absolute
//! error at q = 1 and cross-entropy in the limit q = 0. Its gradient is cross-entropy's times f_y^q, so
//! rows the student does not believe count little, and wrong labels with them. Soft targets weigh the two labels' losses.

use super::loss;

/// Their q in all experiments.
const Q: f64 = 0.7;

/// Factor and target ([`loss::Pull`]) at a margin.
pub fn pull(margin: f32, target: f32) -> (f32, f32) {
    loss::by_label(margin, target, |p| p.powf(Q))
}

#[cfg(test)]
mod tests {
    use crate::objective::loss::tests::far_out;
    use crate::recipe::LossKind;

    /// What cross-entropy spends on wrong labels far out turns its line past half of the rows; a bounded loss gives those up.
    #[test]
    fn wrong_labels_far_out_are_given_up() {
        assert_eq!((far_out(LossKind::Xent), far_out(LossKind::Generalised)), (0.5, 1.0));
    }
}
