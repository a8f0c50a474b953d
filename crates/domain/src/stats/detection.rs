//! What independent evidence gives together.

use statrs::distribution::{ContinuousCDF, Normal};

/// The accuracy that two independent, graded pieces of evidence of these accuracies reach together at most: their d′ add as
/// squares (Green and Swets 1966, chapter 9). What is no better than a coin adds nothing.
pub fn together(a: f64, b: f64) -> f64 {
    let Ok(normal) = Normal::new(0.0, 1.0) else { return 1.0 };
    let detection = |share: f64| normal.inverse_cdf(share.clamp(0.5, 0.999_999));
    normal.cdf(detection(a).hypot(detection(b)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_pieces_of_evidence_give_more_than_one_and_chance_gives_nothing() {
        assert!((together(0.5, 0.7) - 0.7).abs() < 1e-9);
        assert!((together(0.4, 0.7) - 0.7).abs() < 1e-9, "worse than chance is no evidence");
        let both = together(0.62, 0.75);
        assert!((0.76..0.79).contains(&both), "{both}");
    }
}
