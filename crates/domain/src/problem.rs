//! What a researcher and a student are told of a problem: the task, its prompts and its label words.

use crate::item::Item;
use serde::{Deserialize, Serialize};

/// The two tasks a testbed can pose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Task {
    /// Which of two replies is better.
    Preference,
    /// Is this answer right.
    Binary,
}

/// A prompt with two label words. A body is cut when the whole is too long; the suffix never is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prompt {
    /// Text with `{prompt}`, `{first}`, `{second}` or `{question}`, `{choice}`.
    pub body: String,
    /// What always stands last, for instance `Label:`.
    pub suffix: String,
    /// Label words: positive, then negative. Each is one token of the student.
    pub labels: [String; 2],
}

impl Prompt {
    /// The body with an item's fields filled in.
    pub fn render_body(&self, item: &Item) -> String {
        let fields: &[(&str, &str)] = match item {
            Item::Preference { prompt, first, second, .. } => {
                &[("{prompt}", prompt), ("{first}", first), ("{second}", second)]
            }
            Item::Binary { question, choice, .. } => &[("{question}", question), ("{choice}", choice)],
        };
        fill(&self.body, fields)
    }
}

/// Fill each placeholder once from left to right, so that a field's own braces are never read as placeholders.
fn fill(template: &str, fields: &[(&str, &str)]) -> String {
    let mut out = String::with_capacity(template.len() + 64);
    let mut rest = template;
    while let Some(open) = rest.find('{') {
        out.push_str(&rest[..open]);
        rest = &rest[open..];
        match fields.iter().find(|(name, _)| rest.starts_with(name)) {
            Some((name, value)) => {
                out.push_str(value);
                rest = &rest[name.len()..];
            }
            None => {
                out.push('{');
                rest = &rest[1..];
            }
        }
    }
    out.push_str(rest);
    out
}

/// `public/problem.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Problem {
    /// Shown to people: what is asked, in a sentence.
    pub title: String,
    /// Preference or binary.
    pub task: Task,
    /// The prompt a student is fine-tuned and tested with.
    pub prompt: Prompt,
    /// Prompts that ask the untouched student; empty where it can't be asked (an encoder).
    #[serde(default)]
    pub zero_shot: Vec<Prompt>,
    /// Longest input in tokens, suffix included.
    pub max_tokens: usize,
    /// What the student is.
    pub student: Architecture,
    /// Fine-tuning that the ceiling and plain training use; a recipe's defaults.
    pub training: Training,
    /// What a decoder writes before its verdict; most problems want the verdict at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reasoning: Option<Reasoning>,
}

/// A chain of thought (Wei et al. 2022, arXiv 2201.11903): after the body stands the cue, then so many tokens that the student writes itself, then
/// the prompt's suffix, after which the verdict is read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reasoning {
    /// What asks for it.
    pub cue: String,
    /// Tokens of it.
    pub length: usize,
}

/// What kind of network the student is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Architecture {
    /// A causal language model, fine-tuned.
    Decoder,
    /// A frozen encoder with a trained linear head (the linear-probe setting of Burns et al. 2023).
    Encoder,
}

/// A testbed's declared training recipe.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Training {
    /// Peak learning rate.
    pub learning_rate: f32,
    /// Rows per step.
    pub batch: usize,
    /// Passes over the selected pool.
    pub epochs: f32,
    /// Decoupled weight decay; for an encoder's head the L2 penalty.
    pub weight_decay: f32,
    /// Hidden layers an encoder's features come from (0 = embeddings); unused for a decoder.
    #[serde(default)]
    pub layers: Vec<usize>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_that_looks_like_a_placeholder_stays_text() {
        let prompt = Prompt {
            body: "Q {prompt} A {first} B {second} {other}".into(),
            suffix: "Label:".into(),
            labels: ["A".into(), "B".into()],
        };
        let item =
            Item::Preference { id: "1".into(), prompt: "{second}".into(), first: "x".into(), second: "y".into() };
        assert_eq!(prompt.render_body(&item), "Q {second} A x B y {other}");
    }
}
