//! A fair coin for every row (Zhang et al. 2017, arXiv 1611.03530, section 2.1): the control that holds nothing of the teacher. What a student
//! gains on it, it gains from being trained to answer at all.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// 0 or 1, `[items]`.
pub fn soft(items: usize, seed: u64) -> Vec<f32> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    (0..items).map(|_| f32::from(u8::from(rng.random::<bool>()))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coins_are_fair_and_fall_anew_with_every_seed() {
        let (one, two) = (soft(2000, 1), soft(2000, 2));
        let share = one.iter().sum::<f32>() / 2000.0;
        let alike = one.iter().zip(&two).filter(|(a, b)| a == b).count() as f32 / 2000.0;
        assert!((share - 0.5).abs() < 0.05 && (alike - 0.5).abs() < 0.05, "{share} positive, {alike} alike");
        assert_eq!(one, soft(2000, 1));
    }
}
