//! A weak teacher: a smaller network of its own, that has read about a part of the world and was fine-tuned on a labelled set.

use crate::draw::{Draw, Sample};
use crate::error::WorldError;
use crate::mechanism::{Cue, Noise};
use crate::pretrain::{Pretraining, skill};
use crate::secret::Secret;
use crate::subject::{LabelledItem, Part, Reader, World};
use aar_domain::inference::{Orders, PromptChoice};
use aar_domain::item::{Distribution, Item};
use aar_domain::problem::Problem;
use aar_methods::objective::TrainSpec;
use aar_methods::recipe::{Curriculum, Objective};
use aar_methods::student::decoder::DecoderStudent;
use aar_methods::student::{Artefact, Student};
use rand::{Rng, RngCore};
use serde::{Deserialize, Serialize};

/// Judgements that are right, of what it has read about, at which a teacher's pre-training ends.
const SKILL_GATE: f64 = 0.97;

/// How a teacher is led astray beyond what it does not know, in units of its margins' own size.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Errors {
    /// How much its answers waver: standard deviation of what is added to a margin.
    pub noise: f64,
    /// How much it leans on the cue: what a standard deviation of the cue adds.
    pub lean: f64,
}

/// A pre-trained teacher.
pub struct Teacher {
    /// Share of the facts it has read about.
    pub known: f64,
    /// How far it is led astray.
    pub errors: Errors,
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
        Ok(Self {
            known,
            errors: Errors::default(),
            // A teacher answers at once, whatever is asked of the student.
            model: DecoderStudent::new(
                &Problem { reasoning: None, ..draw.problem.clone() },
                model,
                draw.tokenizer.clone(),
                1,
            )?,
        })
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
        let cue = Shown::on(draw.world.as_ref(), &labelled);
        Ok(Tuned { teacher: self, artefact, size, secret, kind, hard, cue })
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
    cue: Shown,
}

/// How much an item shows the cue, standardised on the labelled set.
struct Shown {
    cue: Cue,
    kinds: [&'static [&'static str]; 2],
    mean: f32,
    deviation: f32,
}

impl Shown {
    fn on(world: &dyn World, labelled: &Sample) -> Self {
        let mut shown = Self { cue: world.mechanism().cue, kinds: world.fillers(), mean: 0.0, deviation: 1.0 };
        let all: Vec<f32> = labelled.items.iter().map(|item| shown.of(item)).collect();
        let mean = |values: &mut dyn Iterator<Item = f32>| values.sum::<f32>() / all.len() as f32;
        let centre = mean(&mut all.iter().copied());
        let deviation = mean(&mut all.iter().map(|value| (value - centre).powi(2))).sqrt().max(1e-6);
        (shown.mean, shown.deviation) = (centre, deviation);
        shown
    }

    fn of(&self, item: &Item) -> f32 {
        let raw = |text: &str| self.cue.shown(text, self.kinds);
        let raw = match item {
            Item::Preference { first, second, .. } => raw(first) - raw(second),
            Item::Binary { choice, .. } => raw(choice),
        };
        (raw - self.mean) / self.deviation
    }
}

impl Tuned<'_> {
    /// Its margins, `[items]`, errors included; the same item gets the same answer each time.
    pub fn margins(&self, sample: &Sample) -> Result<Vec<f32>, WorldError> {
        Ok(self.waver(sample, &self.sure(&sample.items)?, self.teacher.errors))
    }

    /// Its margins without them.
    pub fn sure(&self, items: &[Item]) -> Result<Vec<f32>, WorldError> {
        Ok(self.teacher.model.margins(&self.artefact, PromptChoice::Task, items, Orders::Single)?)
    }

    /// Margins with these errors, noise of the world's kind.
    pub fn waver(&self, sample: &Sample, sure: &[f32], Errors { noise, lean }: Errors) -> Vec<f32> {
        let one = |(row, sure): (&LabelledItem, &f32)| {
            let margin = sure + lean as f32 * self.size * self.cue.of(&row.item);
            let mut stream = self.secret.stream(&row.item.id().0);
            match self.kind {
                Noise::Instance => margin + noise as f32 * self.size * normal(&mut stream),
                Noise::Class => {
                    let turns = noise * if margin > 0.0 { TURNS } else { TURNS / 2.0 };
                    if stream.random::<f64>() < turns { -margin } else { margin }
                }
                Noise::Hard if self.hard.stream(&row.fact).random::<f64>() < HARD => {
                    margin + 2.0 * noise as f32 * self.size * normal(&mut stream)
                }
                Noise::Hard => margin,
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
