//! Stage four: train.

use crate::recipe::{LossKind, ObjectiveKind};
use aar_domain::item::Item;

pub mod confidence_loss;
pub mod finetune;
pub mod head;
pub mod means;

/// Everything one training needs.
pub struct TrainSpec<'a> {
    /// Rows to train on.
    pub items: &'a [Item],
    /// P(positive) per row.
    pub targets: &'a [f32],
    /// Weight per row; mean about 1.
    pub weights: &'a [f32],
    /// Which parameters.
    pub kind: ObjectiveKind,
    /// Against what.
    pub loss: LossKind,
    /// Weight of the auxiliary term of [`LossKind::Confidence`].
    pub aux: f32,
    /// Rank of an adapter.
    pub rank: usize,
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
