//! A weak teacher: a smaller network of its own, that has read about a part of the world and was fine-tuned on a labelled set.

use crate::draw::{Draw, Sample};
use crate::error::WorldError;
use crate::mechanism::Noise;
use crate::pretrain::{Pretraining, skill};
use crate::secret::Secret;
use crate::subject::{LabelledItem, Part, Reader};
use aar_domain::inference::{Orders, PromptChoice};
use aar_domain::item::{Distribution, Item};
use aar_methods::objective::TrainSpec;
use aar_methods::recipe::{Curriculum, Objective};
use aar_methods::student::decoder::DecoderStudent;
use aar_methods::student::{Artefact, Student};
use rand::{Rng, RngCore};

/// Judgements that are right, of what it has read about, at which a teacher's pre-training ends.
const SKILL_GATE: f64 = 0.97;

/// A pre-trained teacher.
pub struct Teacher {
    /// Share of the facts it has read about.
    pub known: f64,
    /// How much its answers waver: standard deviation of what is added to a margin, in units of the margins' own size.
    pub noise: f64,
    model: DecoderStudent,
}

impl Teacher {
    /// Pre-train the `variant`-th teacher of a draw until it judges well what it has read.
    pub fn new(draw: &Draw, known: f64, variant: u32) -> Result<Self, WorldError> {
        let sizes = draw.world.sizes();
        let stream = |what: &str| draw.secret.stream(&format!("teacher {variant} {what}"));
        let library = draw.world.library(Reader::Teacher, known, &mut stream("knows"));
        let pretraining = Pretraining {
            world: draw.world.as_ref(),
            library: library.as_ref(),
            shape: sizes.teacher,
            steps: sizes.teacher_steps,
        };
        let mut gate = stream("skill");
        let model = pretraining.run(&mut stream("documents"), stream("init").next_u64(), &mut |_, model| {
            skill(library.as_ref(), model, 300, &mut gate).gate() < SKILL_GATE
        })?;
        Ok(Self { known, noise: 0.0, model: DecoderStudent::new(&draw.problem, model, draw.tokenizer.clone(), 1)? })
    }

    /// The labelled set of the `seed`-th fine-tuning.
    pub fn labelled(draw: &Draw, seed: usize) -> Sample {
        let sizes = draw.world.sizes();
        let mut rng = draw.secret.stream(&format!("labelled {seed}"));
        draw.world.items(Part::Labelled, Distribution::In, sizes.labelled, &mut rng).into()
    }

    /// Fine-tune on the `seed`-th labelled set.
    pub fn tune(&self, draw: &Draw, seed: usize) -> Result<Tuned<'_>, WorldError> {
        let sizes = draw.world.sizes();
        let labelled = Self::labelled(draw, seed);
        let spec = TrainSpec {
            items: &labelled.items,
            targets: &labelled.targets(),
            weights: &vec![1.0; labelled.items.len()],
            weak: &[],
            objective: &Objective::default(),
            curriculum: Curriculum::None,
            steps: sizes.labelled * sizes.teacher_epochs / 32,
            batch: 32,
            learning_rate: sizes.teacher_rate,
            weight_decay: 0.01,
            swap_augment: false,
            seed: draw.secret.stream(&format!("teacher order {seed}")).next_u64(),
            on_step: &|_, _| (),
        };
        let artefact = self.model.train(&spec)?;
        let sure = self.model.margins(&artefact, PromptChoice::Task, &labelled.items, Orders::Single)?;
        let size = (sure.iter().map(|margin| margin * margin).sum::<f32>() / sure.len() as f32).sqrt();
        let secret = draw.secret.child(&format!("teacher noise {seed}"));
        let (kind, hard) = (draw.world.mechanism().noise, draw.secret.child("hard facts"));
        Ok(Tuned { teacher: self, artefact, size, secret, kind, hard })
    }
}

/// A fine-tuned teacher.
pub struct Tuned<'a> {
    teacher: &'a Teacher,
    artefact: Artefact,
    /// Root mean square of its margins on what it was tuned on.
    size: f32,
    /// Of its noise.
    secret: Secret,
    kind: Noise,
    /// Which facts are hard.
    hard: Secret,
}

impl Tuned<'_> {
    /// Its margins, `[items]`, noise included; the same item gets the same answer each time.
    pub fn margins(&self, sample: &Sample) -> Result<Vec<f32>, WorldError> {
        Ok(self.waver(sample, &self.sure(&sample.items)?, self.teacher.noise))
    }

    /// Its margins without noise.
    pub fn sure(&self, items: &[Item]) -> Result<Vec<f32>, WorldError> {
        Ok(self.teacher.model.margins(&self.artefact, PromptChoice::Task, items, Orders::Single)?)
    }

    /// Margins with noise of this size, of the world's kind.
    pub fn waver(&self, sample: &Sample, sure: &[f32], noise: f64) -> Vec<f32> {
        let one = |(row, margin): (&LabelledItem, &f32)| {
            let mut stream = self.secret.stream(&row.item.id().0);
            match self.kind {
                Noise::Instance => margin + noise as f32 * self.size * normal(&mut stream),
                Noise::Class => {
                    let turns = noise * if *margin > 0.0 { TURNS } else { TURNS / 2.0 };
                    if stream.random::<f64>() < turns { -margin } else { *margin }
                }
                Noise::Hard if self.hard.stream(&row.fact).random::<f64>() < HARD => {
                    margin + 2.0 * noise as f32 * self.size * normal(&mut stream)
                }
                Noise::Hard => *margin,
            }
        };
        sample.rows.iter().zip(sure).map(one).collect()
    }
}

/// Share of positive answers that turn, at noise 1; at most (`mint` goes up to 4) every second one.
const TURNS: f64 = 0.125;
/// Share of facts that are hard.
const HARD: f64 = 2.0 / 3.0;

/// A standard normal number (Box and Muller 1958).
pub(crate) fn normal(stream: &mut impl Rng) -> f32 {
    let (a, b): (f32, f32) = (stream.random(), stream.random());
    (-2.0 * (1.0 - a).ln()).sqrt() * (std::f32::consts::TAU * b).cos()
}
