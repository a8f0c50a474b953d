//! A causal language model that answers with one of two label words.

use super::head::Head;
use super::{Artefact, Example, Features, Student, antisymmetric, centred, swapped};
use crate::error::MethodError;
use crate::label::critic::{self, Dossier};
use crate::objective::{self, TrainSpec};
use crate::recipe::ObjectiveKind;
use aar_domain::inference::{MemberKind, Orders, PromptChoice};
use aar_domain::item::Item;
use aar_domain::problem::{Problem, Prompt, Task};
use aar_lm::{Adapter, Decoder, Pooling, Rows, Tokenizer};
use std::path::Path;

/// A decoder with its tokenizer and problem.
pub struct DecoderStudent {
    problem: Problem,
    model: Decoder,
    tokenizer: Tokenizer,
    task: Asked,
    zero_shot: Vec<Asked>,
    /// What asks it to think first, and for how long.
    thinks: Option<(Vec<u32>, usize)>,
    threads: usize,
}

/// A prompt with its suffix and label words as tokens.
struct Asked {
    prompt: Prompt,
    suffix: Vec<u32>,
    labels: [u32; 2],
}

impl Asked {
    fn new(prompt: &Prompt, tokenizer: &Tokenizer) -> Result<Self, MethodError> {
        let one = |word: &str| match tokenizer.encode(word)?.as_slice() {
            [id] => Ok(*id),
            ids => Err(MethodError::Mismatch(format!(
                "label word {word:?} is {} tokens of this student's tokenizer, it must be one",
                ids.len()
            ))),
        };
        let labels = [one(&prompt.labels[0])?, one(&prompt.labels[1])?];
        Ok(Self { prompt: prompt.clone(), suffix: tokenizer.encode(&prompt.suffix)?, labels })
    }
}

impl DecoderStudent {
    /// Read a checkpoint's folder.
    pub fn open(problem: &Problem, dir: &Path, threads: usize) -> Result<Self, MethodError> {
        Self::new(problem, Decoder::load(dir)?, Tokenizer::load(dir)?, threads)
    }

    /// From a model in memory.
    pub fn new(problem: &Problem, model: Decoder, tokenizer: Tokenizer, threads: usize) -> Result<Self, MethodError> {
        if tokenizer.vocab_size() > model.config.vocab_size {
            return Err(MethodError::Mismatch(format!(
                "the tokenizer has {} words, the model only {}: they do not belong together",
                tokenizer.vocab_size(),
                model.config.vocab_size
            )));
        }
        let task = Asked::new(&problem.prompt, &tokenizer)?;
        let zero_shot =
            problem.zero_shot.iter().map(|prompt| Asked::new(prompt, &tokenizer)).collect::<Result<_, _>>()?;
        let thinks = match &problem.reasoning {
            Some(reasoning) if reasoning.length > 0 => Some((tokenizer.encode(&reasoning.cue)?, reasoning.length)),
            _ => None,
        };
        Ok(Self { problem: problem.clone(), model, tokenizer, task, zero_shot, thinks, threads })
    }

    /// The untouched model.
    pub fn model(&self) -> &Decoder {
        &self.model
    }

    /// Its tokenizer.
    pub fn tokenizer(&self) -> &Tokenizer {
        &self.tokenizer
    }

    /// Threads of its passes.
    pub fn threads(&self) -> usize {
        self.threads
    }

    /// What items come to as token rows, and the label words' ids (positive, negative): under the task's prompt, or
    /// under one of the zero-shot prompts by its number. Thoughts, where the problem wants them, are the untouched student's.
    pub fn tokenise(&self, zero_shot: Option<usize>, items: &[Item]) -> Result<(Rows, [u32; 2]), MethodError> {
        let asked = self.under(zero_shot)?;
        Ok((self.rows(&self.model, asked, items)?, asked.labels))
    }

    fn under(&self, zero_shot: Option<usize>) -> Result<&Asked, MethodError> {
        let known = self.zero_shot.len();
        let none =
            |at| MethodError::NotApplicable(format!("there is no zero-shot prompt {at}: this problem has {known}"));
        match zero_shot {
            None => Ok(&self.task),
            Some(at) => self.zero_shot.get(at).ok_or_else(|| none(at)),
        }
    }

    /// Token rows of items under a prompt, with what this model thinks of them where the problem wants thoughts.
    fn rows(&self, model: &Decoder, asked: &Asked, items: &[Item]) -> Result<Rows, MethodError> {
        let Some((cue, length)) = &self.thinks else { return self.ending(asked, items, &asked.suffix, 0) };
        let begun = self.ending(asked, items, cue, length + asked.suffix.len())?;
        let thoughts = model.write(&begun, *length, self.threads);
        let whole = |(i, thoughts): (usize, &[u32])| [begun.row(i), thoughts, &asked.suffix].concat();
        Ok(thoughts.chunks_exact(*length).enumerate().map(whole).collect())
    }

    /// Token rows of items with this end; the body is cut so that there is room for it and for so many tokens more.
    fn ending(&self, asked: &Asked, items: &[Item], end: &[u32], more: usize) -> Result<Rows, MethodError> {
        let room = self.problem.max_tokens.saturating_sub(end.len() + more);
        let mut rows = Rows::new();
        for item in items {
            let mut row = self.tokenizer.encode(&asked.prompt.render_body(item))?;
            row.truncate(room);
            row.extend(end);
            rows.push(&row);
        }
        Ok(rows)
    }

    /// Every row after its examples, each with its label; the earliest are left out where the model's context is too short.
    fn after(&self, asked: &Asked, rows: &Rows, examples: &[Vec<Example>]) -> Result<Rows, MethodError> {
        let mut whole = Rows::new();
        for (at, examples) in examples.iter().enumerate() {
            let question = rows.row(at);
            let mut room = self.model.config.max_position_embeddings.saturating_sub(question.len());
            let mut before: Vec<Vec<u32>> = Vec::new();
            for example in examples.iter().rev() {
                // An example's label follows at once: what it would be thought of costs more than it tells.
                let row = self.ending(asked, std::slice::from_ref(&example.item), &asked.suffix, 0)?;
                let row = [row.row(0), &[asked.labels[usize::from(!example.positive)]]].concat();
                if row.len() > room {
                    break;
                }
                room -= row.len();
                before.push(row);
            }
            before.reverse();
            whole.push(&[&before.concat(), question].concat());
        }
        Ok(whole)
    }

    fn ask(&self, model: &Decoder, asked: &Asked, items: &[Item]) -> Result<Vec<f32>, MethodError> {
        Ok(self.label_margins(model, asked, &self.rows(model, asked, items)?))
    }

    fn label_margins(&self, model: &Decoder, asked: &Asked, rows: &Rows) -> Vec<f32> {
        objective::loss::margins(&model.last_logits(rows, &asked.labels, self.threads))
    }

    /// Margins of any model of this student's architecture under a prompt.
    pub fn model_margins(
        &self,
        model: &Decoder,
        prompt: PromptChoice,
        items: &[Item],
        orders: Orders,
    ) -> Result<Vec<f32>, MethodError> {
        let prompts: Vec<&Asked> = match prompt {
            PromptChoice::Task => vec![&self.task],
            PromptChoice::ZeroShot => self.zero_shot.iter().collect(),
        };
        if prompts.is_empty() {
            return Err(MethodError::NotApplicable("this problem has no zero-shot prompt".into()));
        }
        let mut sum = vec![0.0; items.len()];
        let turned = if orders == Orders::Both { swapped(items) } else { None };
        for asked in &prompts {
            let mut margins = self.ask(model, asked, items)?;
            if let Some(turned) = &turned {
                margins = antisymmetric(&margins, &self.ask(model, asked, turned)?);
            }
            aar_lm::rows::add_scaled(&mut sum, &margins, 1.0 / prompts.len() as f32);
        }
        Ok(sum)
    }

    fn states(&self, items: &[Item]) -> Result<Vec<f32>, MethodError> {
        Ok(self.last_states(&self.rows(&self.model, &self.task, items)?))
    }

    fn last_states(&self, rows: &Rows) -> Vec<f32> {
        self.model.hidden(rows, &[self.model.config.num_hidden_layers], Pooling::Last, self.threads)
    }

    /// States after an item's prompt and one of its labels.
    fn answered(&self, items: &[Item], label: u32) -> Result<Vec<f32>, MethodError> {
        let asked = self.rows(&self.model, &self.task, items)?;
        let rows = (0..asked.len()).map(|i| [asked.row(i), &[label]].concat());
        Ok(self.last_states(&rows.collect()))
    }
}

/// A pair with one of its replies alone; a binary item as it is.
fn alone(item: &Item, option: usize) -> Item {
    let mut item = item.clone();
    if let Item::Preference { first, second, .. } = &mut item {
        if option == 0 { second.clear() } else { first.clear() }
    }
    item
}

impl Student for DecoderStudent {
    fn problem(&self) -> &Problem {
        &self.problem
    }

    fn zero_shot(&self, items: &[Item]) -> Result<Vec<f32>, MethodError> {
        let margins = self.model_margins(&self.model, PromptChoice::ZeroShot, items, Orders::Both)?;
        Ok(if self.problem.task == Task::Binary { centred(margins) } else { margins })
    }

    fn asked(&self, prompt: Option<usize>, items: &[Item], examples: &[Vec<Example>]) -> Result<Vec<f32>, MethodError> {
        let asked = self.under(prompt)?;
        let mut rows = self.rows(&self.model, asked, items)?;
        if !examples.is_empty() {
            rows = self.after(asked, &rows, examples)?;
        }
        Ok(self.label_margins(&self.model, asked, &rows))
    }

    fn features(&self, items: &[Item]) -> Result<Features, MethodError> {
        let mut values = self.states(items)?;
        if let Some(turned) = swapped(items) {
            for (value, other) in values.iter_mut().zip(self.states(&turned)?) {
                *value -= other;
            }
        }
        Ok(Features { values, width: self.model.config.hidden_size })
    }

    fn sides(&self, items: &[Item]) -> Result<[Features; 2], MethodError> {
        let sides = match swapped(items) {
            Some(turned) => [self.states(items)?, self.states(&turned)?],
            None => [self.answered(items, self.task.labels[0])?, self.answered(items, self.task.labels[1])?],
        };
        Ok(sides.map(|values| Features { values, width: self.model.config.hidden_size }))
    }

    fn judged(&self, spec: &TrainSpec<'_>, taught_asked: [&[usize]; 2]) -> Result<Vec<f32>, MethodError> {
        let bodies = |items: &mut dyn Iterator<Item = Item>| -> Result<Rows, MethodError> {
            let rows = items.map(|item| self.tokenizer.encode(&self.task.prompt.render_body(&item)));
            Ok(rows.collect::<Result<Vec<_>, _>>()?.into_iter().collect())
        };
        let count = if swapped(spec.items).is_some() { 2 } else { 1 };
        let options = (0..count).map(|option| bodies(&mut spec.items.iter().map(|item| alone(item, option))));
        let dossier = Dossier {
            options: options.collect::<Result<_, _>>()?,
            bodies: bodies(&mut spec.items.iter().cloned())?,
            suffix: self.task.suffix.clone(),
            labels: self.task.labels,
            context: self.model.config.max_position_embeddings,
        };
        critic::run(&self.model, &dossier, spec, taught_asked, self.threads)
    }

    fn train(&self, spec: &TrainSpec<'_>) -> Result<Artefact, MethodError> {
        let rows = self.rows(&self.model, &self.task, spec.items)?;
        let kind = spec.objective.kind;
        let both = spec.swap_augment || kind.is_readout() || kind == ObjectiveKind::Evolution;
        let turned = if both { swapped(spec.items) } else { None };
        let turned = turned.map(|turned| self.rows(&self.model, &self.task, &turned)).transpose()?;
        objective::finetune::run(&self.model, &rows, turned.as_ref(), self.task.labels, spec, self.threads)
    }

    fn margins(
        &self,
        artefact: &Artefact,
        prompt: PromptChoice,
        items: &[Item],
        orders: Orders,
    ) -> Result<Vec<f32>, MethodError> {
        match artefact {
            Artefact::Full(model) => self.model_margins(model, prompt, items, orders),
            Artefact::Adapter(adapter) => self.model_margins(&self.model.with_adapter(adapter), prompt, items, orders),
            Artefact::Base => self.model_margins(&self.model, prompt, items, orders),
            // Antisymmetric for pairs by construction, so both orders are one.
            Artefact::Head(head) => Ok(head.readout.margins(&self.features(items)?.values)),
        }
    }

    fn save(&self, artefact: &Artefact, dir: &Path) -> Result<(), MethodError> {
        match artefact {
            Artefact::Full(model) => Ok(model.save(dir)?),
            Artefact::Adapter(adapter) => Ok(adapter.save(dir)?),
            Artefact::Head(head) => head.save(dir),
            Artefact::Base => Ok(()),
        }
    }

    fn load(&self, kind: MemberKind, dir: &Path) -> Result<Artefact, MethodError> {
        Ok(match kind {
            MemberKind::Full => {
                let model = Decoder::load(dir)?;
                if model.config != self.model.config {
                    let detail = format!("{} is not of the student's architecture", dir.display());
                    return Err(MethodError::Inference(detail));
                }
                Artefact::Full(model)
            }
            MemberKind::Adapter => Artefact::Adapter(Adapter::load(&self.model, dir)?),
            MemberKind::Head => Artefact::Head(Head::load(dir, self.model.config.hidden_size)?),
            MemberKind::Base => Artefact::Base,
        })
    }
}
