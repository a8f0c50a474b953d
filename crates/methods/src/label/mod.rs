//! Stage one: targets. Each source is a file; this one only dispatches and applies the form.

use crate::error::MethodError;
use crate::pool::{Pool, logit, sigmoid};
use crate::recipe::{Form, Label, LabelSource};
use crate::student::Student;

pub mod best_prompt;
pub mod bootstrap;
pub mod ccs;
pub mod channel;
pub mod coherence;
pub mod critic;
pub mod epiplexity;
pub mod few_shot;
pub mod posterior;
pub mod probe;
pub mod random;
pub mod self_training;
pub mod weak;
pub mod zero_shot;

/// Soft targets of a source, `[items]`. What trains students first starts from the teacher's; the rest is `rounds`'.
pub fn soft(label: &Label, pool: &Pool, student: &dyn Student, seed: u64) -> Result<Vec<f32>, MethodError> {
    match label.source {
        LabelSource::Weak
        | LabelSource::SelfTraining
        | LabelSource::Bootstrap
        | LabelSource::Epiplexity
        | LabelSource::Critic => Ok(weak::soft(pool)),
        LabelSource::ZeroShot => zero_shot::soft(pool, student),
        LabelSource::Posterior => posterior::soft(pool, student),
        LabelSource::Probe => probe::soft(pool, student, seed),
        LabelSource::Ccs => ccs::soft(pool, student, seed),
        LabelSource::Channel => channel::soft(pool, student),
        LabelSource::FewShot => few_shot::soft(label, pool, student, seed),
        LabelSource::BestPrompt => best_prompt::soft(pool, student),
        LabelSource::Random => Ok(random::soft(pool.items.len(), seed)),
        LabelSource::Coherence => coherence::soft(pool, student, seed),
    }
}

/// Apply temperature and form.
pub fn shape(label: &Label, soft: &[f32]) -> Vec<f32> {
    let one = |&p: &f32| match label.form {
        Form::Hard => f32::from(u8::from(p > 0.5)),
        Form::Soft => sigmoid(logit(p) / label.temperature),
    };
    soft.iter().map(one).collect()
}
