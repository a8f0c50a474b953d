//! Stage four: train.
//!
//! [`finetune`] trains a decoder step by step, [`head`] fits a readout; both take their gradient from [`loss`], where every
//! loss is a file. [`curriculum`] says which rows come when, [`co_teaching`] trains two students at once, [`evolution`] goes on without gradients.

use crate::recipe::{Curriculum, Objective};
use aar_domain::item::Item;

pub mod batch;
pub mod co_teaching;
pub mod confidence_loss;
pub mod curriculum;
pub mod entropy;
pub mod evolution;
pub mod finetune;
pub mod generalised;
pub mod head;
pub mod loss;
pub mod means;
pub mod mixup;
pub mod product;
pub mod reverse_kl;
pub mod symmetric;

/// Everything one training needs.
#[derive(Clone, Copy)]
pub struct TrainSpec<'a> {
    /// Rows to train on.
    pub items: &'a [Item],
    /// P(positive) per row.
    pub targets: &'a [f32],
    /// Weight per row; mean about 1.
    pub weights: &'a [f32],
    /// The teacher's soft label per row, by which a curriculum ranks them.
    pub weak: &'a [f32],
    /// Which parameters, against what.
    pub objective: &'a Objective,
    /// Which rows come first.
    pub curriculum: Curriculum,
    /// Steps of a decoder's training.
    pub steps: usize,
    /// Rows per step.
    pub batch: usize,
    /// Peak learning rate.
    pub learning_rate: f32,
    /// Decoupled weight decay; an encoder's head: the L2 penalty.
    pub weight_decay: f32,
    /// Swap pairs at random when drawn.
    pub swap_augment: bool,
    /// Seed of order and swaps.
    pub seed: u64,
    /// Gets (step, loss) of every step.
    pub on_step: &'a dyn Fn(u32, f32),
}
