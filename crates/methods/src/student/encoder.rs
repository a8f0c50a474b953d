//! A frozen encoder with a trained linear head (the linear-probe setting of Burns et al. 2023, section 4).

use super::head::Head;
use super::{Artefact, Example, Features, Student};
use crate::error::MethodError;
use crate::objective::{self, TrainSpec};
use aar_domain::inference::{MemberKind, Orders, PromptChoice};
use aar_domain::item::Item;
use aar_domain::problem::Problem;
use aar_lm::weights::Weights;
use aar_lm::{Encoder, Rows, Tokenizer};
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// An encoder with its tokenizer, problem and features that were made earlier.
pub struct EncoderStudent {
    problem: Problem,
    encoder: Encoder,
    tokenizer: Tokenizer,
    cache: HashMap<u64, Vec<f32>>,
    threads: usize,
}

impl EncoderStudent {
    /// Read a checkpoint's folder and the caches that exist.
    pub fn open(problem: &Problem, dir: &Path, caches: &[PathBuf], threads: usize) -> Result<Self, MethodError> {
        let mut student = Self {
            problem: problem.clone(),
            encoder: Encoder::load(dir)?,
            tokenizer: Tokenizer::load(dir)?,
            cache: HashMap::new(),
            threads,
        };
        for path in caches {
            student.read_cache(path)?;
        }
        Ok(student)
    }

    /// Width of its features.
    pub fn width(&self) -> usize {
        self.problem.training.layers.len() * self.encoder.config.hidden_size
    }

    /// Features of texts, each computed once: `[texts][width]`, scaled to unit mean square per layer.
    fn embed(&self, texts: &[String]) -> Result<Vec<Vec<f32>>, MethodError> {
        let missing: Vec<&String> = texts.iter().filter(|text| !self.cache.contains_key(&key(text))).collect();
        let mut rows = Rows::new();
        for text in &missing {
            let mut ids = self.tokenizer.encode_special(text)?;
            let limit = self.problem.max_tokens.min(self.encoder.config.max_position_embeddings);
            if ids.len() > limit {
                // The closing token survives, as it does with transformers' truncation.
                let last = ids[ids.len() - 1];
                ids.truncate(limit - 1);
                ids.push(last);
            }
            rows.push(&ids);
        }
        let fresh = self.encoder.embed(&rows, &self.problem.training.layers, self.threads);
        let mut fresh = fresh.chunks_exact(self.width());
        let found = texts.iter().map(|text| match self.cache.get(&key(text)) {
            Some(values) => values.clone(),
            None => fresh.next().map(|values| scale(values, self.encoder.config.hidden_size)).unwrap_or_default(),
        });
        Ok(found.collect())
    }

    /// Embed these items now and keep their features in memory.
    pub fn remember(&mut self, items: &[Item]) -> Result<(), MethodError> {
        let texts: Vec<String> = items.iter().flat_map(|item| self.texts_of(item)).collect();
        let values = self.embed(&texts)?;
        self.cache.extend(texts.iter().map(|text| key(text)).zip(values));
        Ok(())
    }

    /// The texts an item is made of: a pair's two replies to its prompt, or a question with its answer. A prompt that the
    /// problem's body leaves out, because all items share it, is left out here too.
    fn texts_of(&self, item: &Item) -> Vec<String> {
        let with_prompt = self.problem.prompt.body.contains("{prompt}");
        let join = |a: &str, b: &str| {
            if a.trim().is_empty() { b.to_owned() } else { format!("{a} {b}") }
        };
        match item {
            Item::Preference { first, second, .. } if !with_prompt => {
                vec![first.clone(), second.clone()]
            }
            Item::Preference { prompt, first, second, .. } => vec![join(prompt, first), join(prompt, second)],
            Item::Binary { question, choice, .. } => vec![join(question, choice)],
        }
    }

    /// Make a cache of these items' features; [`EncoderStudent::open`] reads it.
    pub fn write_cache(&self, items: &[Item], path: &Path) -> Result<(), MethodError> {
        let mut texts: Vec<String> = items.iter().flat_map(|item| self.texts_of(item)).collect();
        texts.sort();
        texts.dedup();
        let width = self.width();
        let values: Vec<f32> = self.embed(&texts)?.into_iter().flatten().collect();
        // Keys as four 16-bit integers each, exact in f32.
        let keys: Vec<f32> =
            texts.iter().flat_map(|text| (0..4).map(move |i| (key(text) >> (16 * i) & 0xffff) as f32)).collect();
        let tensors = [
            ("keys".to_owned(), vec![texts.len(), 4], &keys[..]),
            ("values".to_owned(), vec![texts.len(), width], &values[..]),
        ];
        Ok(aar_lm::weights::save(path, &tensors)?)
    }

    fn read_cache(&mut self, path: &Path) -> Result<(), MethodError> {
        let (Some(dir), Some(stem)) = (path.parent(), path.file_stem()) else {
            return Ok(());
        };
        let file = Weights::load(dir, &stem.to_string_lossy())?;
        let (shape, keys) = file.any("keys")?;
        let rows = shape.first().copied().unwrap_or(0);
        let values = file.get("values", &[rows, self.width()])?;
        for (key, value) in keys.chunks_exact(4).zip(values.chunks_exact(self.width())) {
            let key = key.iter().enumerate().fold(0, |sum, (i, part)| sum | (*part as u64) << (16 * i));
            self.cache.insert(key, value.to_vec());
        }
        Ok(())
    }
}

/// Unit mean square per layer, so that no layer drowns the others.
fn scale(values: &[f32], width: usize) -> Vec<f32> {
    let layer = |layer: &[f32]| {
        let norm = (layer.iter().map(|v| v * v).sum::<f32>() / width as f32).sqrt().max(1e-6);
        layer.iter().map(|v| v / norm).collect::<Vec<f32>>()
    };
    values.chunks_exact(width).flat_map(layer).collect()
}

/// FNV-1a, 64 bits: names a text in a cache.
fn key(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

impl Student for EncoderStudent {
    fn problem(&self) -> &Problem {
        &self.problem
    }

    fn zero_shot(&self, _items: &[Item]) -> Result<Vec<f32>, MethodError> {
        Err(MethodError::NotApplicable("an encoder can't be asked without training".into()))
    }

    fn asked(&self, _: Option<usize>, items: &[Item], _: &[Vec<Example>]) -> Result<Vec<f32>, MethodError> {
        self.zero_shot(items)
    }

    fn features(&self, items: &[Item]) -> Result<Features, MethodError> {
        let texts: Vec<Vec<String>> = items.iter().map(|item| self.texts_of(item)).collect();
        let flat: Vec<String> = texts.iter().flatten().cloned().collect();
        let mut embedded = self.embed(&flat)?.into_iter();
        let mut values = Vec::with_capacity(items.len() * self.width());
        for texts in &texts {
            let mut row = embedded.next().unwrap_or_default();
            if texts.len() == 2 {
                let second = embedded.next().unwrap_or_default();
                row.iter_mut().zip(second).for_each(|(a, b)| *a -= b);
            }
            values.extend(row);
        }
        Ok(Features { values, width: self.width() })
    }

    fn sides(&self, items: &[Item]) -> Result<[Features; 2], MethodError> {
        let texts: Vec<String> = items.iter().flat_map(|item| self.texts_of(item)).collect();
        if texts.len() != 2 * items.len() {
            let detail = "an encoder has one state of a binary item, not one for either label";
            return Err(MethodError::NotApplicable(detail.into()));
        }
        let mut sides = [vec![], vec![]];
        for (at, values) in self.embed(&texts)?.into_iter().enumerate() {
            sides[at % 2].extend(values);
        }
        Ok(sides.map(|values| Features { values, width: self.width() }))
    }

    fn judged(&self, _: &TrainSpec<'_>, _: [&[usize]; 2]) -> Result<Vec<f32>, MethodError> {
        Err(MethodError::NotApplicable("an encoder writes nothing".into()))
    }

    fn train(&self, spec: &TrainSpec<'_>) -> Result<Artefact, MethodError> {
        let features = self.features(spec.items)?;
        objective::head::run(&features, &self.problem, spec)
    }

    fn margins(
        &self,
        artefact: &Artefact,
        _prompt: PromptChoice,
        items: &[Item],
        _orders: Orders,
    ) -> Result<Vec<f32>, MethodError> {
        match artefact {
            Artefact::Head(head) => Ok(head.readout.margins(&self.features(items)?.values)),
            _ => Err(MethodError::Inference("an encoder answers through a head only".into())),
        }
    }

    fn save(&self, artefact: &Artefact, dir: &Path) -> Result<(), MethodError> {
        match artefact {
            Artefact::Head(head) => head.save(dir),
            _ => Err(MethodError::Inference("an encoder leaves a head only".into())),
        }
    }

    fn load(&self, kind: MemberKind, dir: &Path) -> Result<Artefact, MethodError> {
        match kind {
            MemberKind::Head => Ok(Artefact::Head(Head::load(dir, self.width())?)),
            other => {
                Err(MethodError::Inference(format!("{other:?} members need a decoder; this student is an encoder")))
            }
        }
    }
}
