//! AdamW's settings and learning-rate schedules.

/// AdamW (Loshchilov and Hutter 2019) with global gradient clipping.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdamW {
    /// Peak learning rate.
    pub lr: f32,
    /// Decay rates of the moments.
    pub betas: (f32, f32),
    /// Added to the root of the second moment.
    pub eps: f32,
    /// Decoupled weight decay, on every trained tensor.
    pub weight_decay: f32,
    /// Largest global norm of the gradient.
    pub clip: Option<f32>,
}

/// Factor on the learning rate over steps.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Schedule {
    /// Always 1.
    Constant,
    /// Up over `warmup` steps, then straight down to 0 at `total`.
    Linear {
        /// Steps of warm-up.
        warmup: usize,
        /// Steps in all.
        total: usize,
    },
    /// Up over `warmup` steps, then a half cosine down to `floor` at `total`.
    Cosine {
        /// Steps of warm-up.
        warmup: usize,
        /// Steps in all.
        total: usize,
        /// Last factor.
        floor: f32,
    },
}

impl Schedule {
    /// The factor of step `step`, counted from 0, as `transformers`' schedulers count.
    pub fn factor(self, step: usize) -> f32 {
        let ramp = |warmup: usize| (step < warmup).then(|| step as f32 / warmup as f32);
        let progress = |warmup: usize, total: usize| {
            ((step.saturating_sub(warmup)) as f32 / (total.saturating_sub(warmup)).max(1) as f32).min(1.0)
        };
        match self {
            Schedule::Constant => 1.0,
            Schedule::Linear { warmup, total } => ramp(warmup).unwrap_or_else(|| 1.0 - progress(warmup, total)),
            Schedule::Cosine { warmup, total, floor } => ramp(warmup).unwrap_or_else(|| {
                floor + (1.0 - floor) * 0.5 * (1.0 + (std::f32::consts::PI * progress(warmup, total)).cos())
            }),
        }
    }
}
