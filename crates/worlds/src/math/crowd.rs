//! How far asking the untouched student gets is tuned: careful graders join the crowd until its answers are good enough.

use super::tables::World;
use crate::error::WorldError;
use crate::pretrain::one_step;
use crate::subject::{Asked, Library};
use aar_lm::{AdamW, Decoder, Schedule, Scope, Trainer};
use rand::RngCore;
use rand_chacha::ChaCha8Rng;

/// Steps between two looks at its answers.
const LOOK_EVERY: usize = 5;

/// Go on training until the student, asked, is right about as many tuning items as the settings say. In
/// `library` some of the crowd's documents have careful graders.
pub fn admit_careful(
    world: &World,
    model: Decoder,
    library: &dyn Library,
    asked: &Asked<'_>,
    rng: &mut ChaCha8Rng,
) -> Result<Decoder, WorldError> {
    let settings = &world.settings;
    let mut best = asked.centred(&model)?;
    if best >= settings.zero_shot {
        return Ok(model);
    }
    let optimizer = AdamW { lr: 2e-5, betas: (0.9, 0.95), eps: 1e-8, weight_decay: 0.05, clip: Some(1.0) };
    let mut trainer = Trainer::new(model, Scope::Full, optimizer, Schedule::Constant, 1, rng.next_u64());
    let mut done = 0;
    while best < settings.zero_shot && done < settings.careful_steps {
        for _ in 0..LOOK_EVERY {
            one_step(&mut trainer, library, &settings.sizes, rng)?;
        }
        done += LOOK_EVERY;
        best = asked.centred(trainer.model())?;
    }
    Ok(trainer.into_model())
}
