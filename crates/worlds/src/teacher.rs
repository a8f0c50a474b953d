//! A weak teacher: a smaller network of its own, that has read about a part of the world and was fine-tuned on a labelled set.

use crate::chat::documents::Mix;
use crate::chat::facts::Part;
use crate::chat::items;
use crate::draw::{Draw, Sample};
use crate::error::WorldError;
use crate::pretrain::{Pretraining, skill};
use aar_domain::inference::{Orders, PromptChoice};
use aar_domain::item::{Distribution, Item};
use aar_methods::objective::TrainSpec;
use aar_methods::recipe::{LossKind, ObjectiveKind};
use aar_methods::student::decoder::DecoderStudent;
use aar_methods::student::{Artefact, Student};
use rand::RngCore;

/// Pairs judged right, of what it has read about, at which a teacher's pre-training ends.
const SKILL_GATE: f64 = 0.97;

/// A pre-trained teacher.
pub struct Teacher {
    /// Share of the facts it has read about.
    pub known: f64,
    model: DecoderStudent,
}

impl Teacher {
    /// Pre-train the `variant`-th teacher of a draw until it judges well what it has read.
    pub fn new(draw: &Draw, known: f64, variant: u32) -> Result<Self, WorldError> {
        let settings = &draw.world.settings;
        let stream = |what: &str| draw.secret.stream(&format!("teacher {variant} {what}"));
        let facts = draw.world.known(known, &mut stream("knows"));
        let pretraining = Pretraining {
            world: &draw.world,
            known: &facts,
            shape: settings.teacher,
            mix: Mix::TEACHER,
            steps: settings.teacher_steps,
        };
        let mut gate = stream("skill");
        let model = pretraining.run(&mut stream("documents"), stream("init").next_u64(), &mut |_, model| {
            skill(&draw.world, &facts, model, 300, &mut gate).pair < SKILL_GATE
        })?;
        Ok(Self { known, model: DecoderStudent::new(&draw.problem, model, draw.tokenizer.clone(), 1)? })
    }

    /// The labelled set of the `seed`-th fine-tuning.
    pub fn labelled(draw: &Draw, seed: usize) -> Sample {
        let settings = &draw.world.settings;
        let mut rng = draw.secret.stream(&format!("labelled {seed}"));
        items::draw(&draw.world, Part::Labelled, Distribution::In, settings.labelled, &mut rng).into()
    }

    /// Fine-tune on the `seed`-th labelled set.
    pub fn tune(&self, draw: &Draw, seed: usize) -> Result<Tuned<'_>, WorldError> {
        let settings = &draw.world.settings;
        let labelled = Self::labelled(draw, seed);
        let spec = TrainSpec {
            items: &labelled.items,
            targets: &labelled.targets(),
            weights: &vec![1.0; labelled.items.len()],
            kind: ObjectiveKind::Finetune,
            loss: LossKind::Xent,
            aux: 0.0,
            rank: 1,
            steps: settings.labelled * settings.teacher_epochs / 32,
            batch: 32,
            learning_rate: settings.teacher_rate,
            weight_decay: 0.01,
            swap_augment: false,
            seed: draw.secret.stream(&format!("teacher order {seed}")).next_u64(),
            on_step: &|_, _| (),
        };
        Ok(Tuned { teacher: &self.model, artefact: self.model.train(&spec)? })
    }
}

/// A fine-tuned teacher.
pub struct Tuned<'a> {
    teacher: &'a DecoderStudent,
    artefact: Artefact,
}

impl Tuned<'_> {
    /// Its margins, `[items]`.
    pub fn margins(&self, items: &[Item]) -> Result<Vec<f32>, WorldError> {
        Ok(self.teacher.margins(&self.artefact, PromptChoice::Task, items, Orders::Single)?)
    }
}
