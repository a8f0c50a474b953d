//! A student that can be asked, probed and trained; one implementation per architecture.

use crate::error::MethodError;
use crate::objective::TrainSpec;
use aar_domain::inference::{MemberKind, Orders, PromptChoice};
use aar_domain::item::Item;
use aar_domain::problem::{Architecture, Problem};
use std::path::Path;

pub mod decoder;
pub mod encoder;
pub mod head;

use decoder::DecoderStudent;
use encoder::EncoderStudent;
use head::Head;

/// What training leaves.
pub enum Artefact {
    /// A whole checkpoint.
    Full(aar_lm::Decoder),
    /// A low-rank adapter.
    Adapter(aar_lm::Adapter),
    /// A linear readout.
    Head(Head),
    /// The untouched student.
    Base,
}

impl Artefact {
    /// How it is named in an inference recipe.
    pub fn kind(&self) -> MemberKind {
        match self {
            Artefact::Full(_) => MemberKind::Full,
            Artefact::Adapter(_) => MemberKind::Adapter,
            Artefact::Head(_) => MemberKind::Head,
            Artefact::Base => MemberKind::Base,
        }
    }
}

/// Contrast features of items: what a linear readout sees.
pub struct Features {
    /// `[items, width]`.
    pub values: Vec<f32>,
    /// Width.
    pub width: usize,
}

/// An item that stands with its label before the one that is asked about.
#[derive(Clone, Debug)]
pub struct Example {
    /// The item.
    pub item: Item,
    /// Its label.
    pub positive: bool,
}

impl Example {
    /// The pair in the other order with the other label; a binary example, which has no order, stays.
    fn swapped(&self) -> Self {
        match self.item.swapped() {
            Some(item) => Self { item, positive: !self.positive },
            None => self.clone(),
        }
    }
}

/// A student, as the steps of a recipe use it. All margins have the orientation of `domain::item`.
pub trait Student {
    /// The problem it is asked about.
    fn problem(&self) -> &Problem;

    /// Margins of the untouched student, made consistent: swap-averaged for pairs, median-centred for binary items.
    /// `[items]`. Not applicable where the problem has no zero-shot prompt.
    fn zero_shot(&self, items: &[Item]) -> Result<Vec<f32>, MethodError>;

    /// Margins of the untouched student under one prompt, the task's or a zero-shot one by its number, as written: in one order and not
    /// centred. `[items]`. `examples` stand before each item: none at all, or a list per item, of which the earliest are left
    /// out where the student's context is too short. Not applicable where a student can't be asked.
    fn asked(&self, prompt: Option<usize>, items: &[Item], examples: &[Vec<Example>]) -> Result<Vec<f32>, MethodError>;

    /// Features of the untouched student; for pairs antisymmetric: swapping an item negates its row.
    fn features(&self, items: &[Item]) -> Result<Features, MethodError>;

    /// States of the untouched student after a statement and after its negation (CCS, Burns et al. 2022): a pair in both orders, or an
    /// item with either label. `[items, width]` each. Not applicable where a student has no such states.
    fn sides(&self, items: &[Item]) -> Result<[Features; 2], MethodError>;

    /// Margins of a judge that reads critiques ([`crate::label::critic`]), taught on rows of `spec` and asked about others, `[asked]`: both by
    /// their places in `spec`. Not applicable where a student can't write.
    fn judged(&self, spec: &TrainSpec<'_>, taught_asked: [&[usize]; 2]) -> Result<Vec<f32>, MethodError>;

    /// Train from the untouched student.
    fn train(&self, spec: &TrainSpec<'_>) -> Result<Artefact, MethodError>;

    /// Margins of a trained student, `[items]`.
    fn margins(
        &self,
        artefact: &Artefact,
        prompt: PromptChoice,
        items: &[Item],
        orders: Orders,
    ) -> Result<Vec<f32>, MethodError>;

    /// Write an artefact into a folder.
    fn save(&self, artefact: &Artefact, dir: &Path) -> Result<(), MethodError>;

    /// Read an artefact; shapes and finiteness are checked.
    fn load(&self, kind: MemberKind, dir: &Path) -> Result<Artefact, MethodError>;
}

/// Open a student's folder for a problem. `caches`: files with features of items made earlier.
pub fn open(
    problem: &Problem,
    dir: &Path,
    caches: &[std::path::PathBuf],
    threads: usize,
) -> Result<Box<dyn Student>, MethodError> {
    Ok(match problem.student {
        Architecture::Decoder => Box::new(DecoderStudent::open(problem, dir, threads)?),
        Architecture::Encoder => Box::new(EncoderStudent::open(problem, dir, caches, threads)?),
    })
}

/// Half the difference between an item's margin and its swap's.
pub(crate) fn antisymmetric(margins: &[f32], swapped: &[f32]) -> Vec<f32> {
    margins.iter().zip(swapped).map(|(a, b)| (a - b) / 2.0).collect()
}

/// Less their median, so that both labels are used alike.
pub fn centred(mut margins: Vec<f32>) -> Vec<f32> {
    let mut sorted = margins.clone();
    sorted.sort_by(f32::total_cmp);
    let median = sorted.get(sorted.len() / 2).copied().unwrap_or_default();
    margins.iter_mut().for_each(|margin| *margin -= median);
    margins
}

/// [`Student::asked`], made consistent: a pair is asked in both orders, after examples that are turned with it; binary items are
/// centred. `[items]`.
pub fn consistent(
    student: &dyn Student,
    prompt: Option<usize>,
    items: &[Item],
    examples: &[Vec<Example>],
) -> Result<Vec<f32>, MethodError> {
    let margins = student.asked(prompt, items, examples)?;
    let Some(turned) = swapped(items) else { return Ok(centred(margins)) };
    let examples: Vec<Vec<Example>> =
        examples.iter().map(|before| before.iter().map(Example::swapped).collect()).collect();
    Ok(antisymmetric(&margins, &student.asked(prompt, &turned, &examples)?))
}

/// All items in the other order; `None` where they have none.
pub fn swapped(items: &[Item]) -> Option<Vec<Item>> {
    items.iter().map(Item::swapped).collect()
}
