//! Cross-entropy with the entropy of the student's own answers (Grandvalet and Bengio 2004, equation 6; between teacher and
//! student tried by EleutherAI 2024): (1 − α) CE(f, weak) + α H(f). The auxiliary confidence loss hardens the student's
//! answers, this one only sharpens them. α grows linearly over the first fifth of training, as there.

use crate::pool::sigmoid;

/// Factor and target ([`super::loss::Pull`]) at a margin: dH/dm = −m σ(m) σ(−m).
pub fn pull(margin: f32, target: f32, aux: f32, progress: f32) -> (f32, f32) {
    let alpha = (aux * (progress / 0.2).min(1.0)).min(0.95);
    let sharpening = margin * sigmoid(margin) * sigmoid(-margin);
    (1.0 - alpha, target + alpha / (1.0 - alpha) * sharpening)
}

#[cfg(test)]
mod tests {
    use crate::objective::loss::tests::descend;
    use crate::recipe::{LossKind, Objective};

    /// A student that leans the other way and a teacher that wavers: cross-entropy goes over to the teacher, least entropy
    /// sharpens what the student leans to, and follows the teacher where it leaned nowhere.
    #[test]
    fn what_the_student_leans_to_outlives_a_wavering_label() {
        let (prior, weak) = ([-1.5, -1.5, 0.1], [0.6, 0.6, 0.6]);
        let plain = descend(&Objective::default(), &prior, &weak);
        let sharp = descend(&Objective { loss: LossKind::Entropy, aux: 0.8, ..Objective::default() }, &prior, &weak);
        assert!(plain.iter().all(|&margin| margin > 0.0), "{plain:?}");
        assert!(sharp[0] < -1.0 && sharp[1] < -1.0 && sharp[2] > 0.0, "{sharp:?}");
    }
}
