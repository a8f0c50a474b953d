//! The vectors of the two label words. The truth lies in one direction of the student's last state; words it was never asked
//! for there meet it at any angle, so that asking it would be right or wrong by accident. They are redrawn until asking it
//! gets as far as it should.

use super::programs::World;
use crate::error::WorldError;
use crate::subject::Asked;
use crate::teacher::normal;
use aar_lm::Decoder;
use aar_methods::student::centred;
use rand_chacha::ChaCha8Rng;

/// Redraw the label words, keeping their mean and distance, and take the pair whose accuracy on tuning items, as it is and
/// centred, comes nearest to the settings'.
pub fn redraw(
    world: &World,
    mut model: Decoder,
    asked: &Asked<'_>,
    rng: &mut ChaCha8Rng,
) -> Result<Decoder, WorldError> {
    let settings = &world.settings;
    let ids = ["pass", "fail"].map(|label| world.word(label));
    let [pass, fail] = ids.map(|id| model.word(id).to_vec());
    let half = pass.iter().zip(&fail).map(|(a, b)| (a - b) * (a - b)).sum::<f32>().sqrt() / 2.0;
    let states = asked.states(&model)?;
    let mut best = (f64::INFINITY, vec![0.0; pass.len()]);
    for _ in 0..settings.redraws {
        let direction: Vec<f32> = pass.iter().map(|_| normal(rng)).collect();
        let length = direction.iter().map(|x| x * x).sum::<f32>().sqrt();
        let direction: Vec<f32> = direction.iter().map(|x| half * x / length).collect();
        let dot = |state: &[f32]| state.iter().zip(&direction).map(|(s, d)| s * d).sum::<f32>();
        let margins: Vec<f32> = states.chunks_exact(direction.len()).map(dot).collect();
        let far = |margins: &[f32]| (asked.sample.accuracy(margins) - settings.zero_shot).abs();
        let raw = far(&margins);
        let distance = raw + far(&centred(margins));
        if distance < best.0 {
            best = (distance, direction);
        }
    }
    for (id, sign) in ids.into_iter().zip([1.0, -1.0]) {
        let middle = pass.iter().zip(&fail).map(|(a, b)| (a + b) / 2.0);
        let word: Vec<f32> = middle.zip(&best.1).map(|(m, d)| m + sign * d).collect();
        model.set_word(id, &word);
    }
    Ok(model)
}
