//! Symmetric cross-entropy (Wang et al. 2019, arXiv 1908.06112): α CE + β RCE, where the reverse cross-entropy
//! −Σ f_k ln t_k takes ln 0 = A < 0, hence is −A (1 − f_y) for a hard label. Cross-entropy makes it learn,
//! the reverse, which is bounded, makes it tolerate. Soft targets weigh the two labels' losses.

use super::loss;

/// Weight of cross-entropy.
const ALPHA: f64 = 0.1;
/// Weight of the reverse.
const BETA: f64 = 1.0;
/// What ln 0 is taken for.
const A: f64 = -4.0;

/// Factor and target ([`loss::Pull`]) at a margin.
pub fn pull(margin: f32, target: f32) -> (f32, f32) {
    loss::by_label(margin, target, |p| ALPHA - BETA * A * p)
}

#[cfg(test)]
mod tests {
    use crate::objective::loss::tests::far_out;
    use crate::recipe::LossKind;

    /// See `generalised`: of the unbounded loss a tenth is left.
    #[test]
    fn wrong_labels_far_out_are_given_up() {
        assert_eq!((far_out(LossKind::Xent), far_out(LossKind::Symmetric)), (0.5, 1.0));
    }
}
