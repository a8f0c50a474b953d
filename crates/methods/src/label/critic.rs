//! A critic (Saunders et al. 2022, arXiv 2206.05802; as a weak-to-strong baseline in the published study): the student writes critiques, a judge that
//! was taught by the teacher reads them, and its answers become the labels.
//!
//! 1. A critique is what the student writes after an item's body: of a pair, after the body with one reply alone, so either reply has
//!    one. The judge, a student too, is taught on half of the rows, with critiques or without by a coin.
//! 2. The critic is trained by group-relative policy optimisation (Shao et al. 2024, arXiv 2402.03300, section 4.1) to make the judge reject what
//!    it criticises; no label is used. Of a pair it is each reply's advocate against the other, and what is true should be the easier case
//!    to make (Irving et al. 2018, arXiv 1805.00899, section 2).
//! 3. On the other half, whose labels the judge never saw, it answers with new critiques and without; the mean margin is the label.
//!
//! The critic's gradient is that of the mean over drawn tokens of w ln π, w = A + β (π_ref / π − 1) (their gradient coefficient, appendix A.1.6), A a
//! critique's reward less its group's mean, over its spread. One step is made per draw, so the ratio of policies is 1 and nothing is clipped.

use crate::error::MethodError;
use crate::objective::TrainSpec;
use crate::objective::batch::{Batch, Draw};
use crate::objective::{finetune, loss};
use crate::pool::sigmoid;
use crate::recipe::Objective;
use aar_lm::{Decoder, Rows, Trainer};
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Tokens of a critique. A problem names no token that ends one.
const LENGTH: usize = 8;
/// Times the judge goes through its half.
const PASSES: usize = 2;
/// Critiques of a group.
const GROUP: usize = 4;
/// Groups of a step.
const GROUPS: usize = 8;
/// The critic learns on one in so many rows of the judge's half.
const SPARSE: usize = 8;
/// β: pull towards the untouched student.
const BETA: f32 = 0.02;
/// Tells streams from each other.
const STREAMS: [u64; 4] = [0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a];

/// Items as the critic and the judge read them.
pub struct Dossier {
    /// Per option, what a critique of it follows, `[items]`: a pair has two, a binary item one.
    pub options: Vec<Rows>,
    /// Items without the question, `[items]`.
    pub bodies: Rows,
    /// The question.
    pub suffix: Vec<u32>,
    /// Label words: positive, negative.
    pub labels: [u32; 2],
    /// Longest input of judge and critic.
    pub context: usize,
}

/// Critiques of one item, one per option; none where the judge is asked without.
type Critiques = Vec<Vec<u32>>;

impl Dossier {
    /// Item `i` after its critiques: the body is cut so that the rest always fits.
    fn asked(&self, i: usize, critiques: &[Vec<u32>]) -> Vec<u32> {
        let end = [&critiques.concat()[..], &self.suffix].concat();
        let body = self.bodies.row(i);
        [&body[..body.len().min(self.context.saturating_sub(end.len()))], &end].concat()
    }

    /// What a critique of an option follows, with room for it.
    fn begun(&self, option: usize, i: usize) -> &[u32] {
        let row = self.options[option].row(i);
        &row[..row.len().min(self.context.saturating_sub(LENGTH))]
    }

    /// A critique of every option of some items.
    fn written(&self, critic: &Decoder, items: &[usize], seed: u64, threads: usize) -> Vec<Critiques> {
        let mut out = vec![Critiques::new(); items.len()];
        for option in 0..self.options.len() {
            let begun = items.iter().map(|&i| self.begun(option, i)).collect();
            let drawn = critic.sample(&begun, LENGTH, seed ^ (option as u64) << 32, threads);
            for (critiques, drawn) in out.iter_mut().zip(drawn.chunks_exact(LENGTH)) {
                critiques.push(drawn.iter().map(|(token, _)| *token).collect());
            }
        }
        out
    }

    fn margins(&self, judge: &Decoder, rows: &Rows, threads: usize) -> Vec<f32> {
        loss::margins(&judge.last_logits(rows, &self.labels, threads))
    }
}

/// Half of the rows for the judge to learn on, half to answer; either ascending.
pub fn halves(rows: usize, seed: u64) -> [Vec<usize>; 2] {
    let mut order: Vec<usize> = (0..rows).collect();
    order.shuffle(&mut ChaCha8Rng::seed_from_u64(seed ^ STREAMS[0]));
    let mut answered = order.split_off(rows / 2);
    order.sort_unstable();
    answered.sort_unstable();
    [order, answered]
}

/// Margins of the judge on the rows `answered`, `[answered]`, having been taught the targets of `taught`.
pub fn run(
    model: &Decoder,
    dossier: &Dossier,
    spec: &TrainSpec<'_>,
    [taught, answered]: [&[usize]; 2],
    threads: usize,
) -> Result<Vec<f32>, MethodError> {
    if taught.is_empty() {
        return Err(MethodError::NotApplicable("there are too few rows to teach a judge on".into()));
    }
    let references = dossier.written(model, taught, spec.seed ^ STREAMS[1], threads);
    let judge = judge(model, dossier, spec, (taught, &references), threads)?;
    let critic = critic(model, dossier, spec, (taught, &references), &judge, threads)?;
    let written = dossier.written(&critic, answered, spec.seed ^ STREAMS[3], threads);
    let with = answered.iter().zip(&written).map(|(&i, critiques)| dossier.asked(i, critiques)).collect();
    let without = answered.iter().map(|&i| dossier.asked(i, &[])).collect();
    let (with, without) = (dossier.margins(&judge, &with, threads), dossier.margins(&judge, &without, threads));
    Ok(with.iter().zip(without).map(|(a, b)| (a + b) / 2.0).collect())
}

/// A student that learns the targets, with critiques or without.
fn judge(
    model: &Decoder,
    dossier: &Dossier,
    spec: &TrainSpec<'_>,
    (taught, critiques): (&[usize], &[Critiques]),
    threads: usize,
) -> Result<Decoder, MethodError> {
    let count = spec.batch.min(taught.len()).max(1);
    let steps = (PASSES * taught.len()).div_ceil(count).max(1);
    let spec = &TrainSpec { objective: &Objective::default(), ..*spec };
    let mut trainer = finetune::start(model, spec, steps, 1.0, spec.seed, threads);
    let mut draw = Draw::new(taught.len(), spec.seed ^ STREAMS[2]);
    for step in 0..steps {
        let picks = draw.next(count, true);
        let row = |&(at, shown): &(usize, bool)| dossier.asked(taught[at], if shown { &critiques[at] } else { &[] });
        let of = |values: &[f32]| -> Vec<f32> { picks.iter().map(|&(at, _)| values[taught[at]]).collect() };
        let batch =
            Batch { rows: picks.iter().map(row).collect(), targets: of(spec.targets), weights: of(spec.weights) };
        let progress = step as f32 / steps as f32;
        let loss = finetune::step(&mut trainer, &batch, dossier.labels, spec, None, progress)?;
        (spec.on_step)(step as u32, loss);
    }
    Ok(trainer.into_model())
}

/// A student that learns which critiques make the judge reject.
fn critic(
    model: &Decoder,
    dossier: &Dossier,
    spec: &TrainSpec<'_>,
    (items, references): (&[usize], &[Critiques]),
    judge: &Decoder,
    threads: usize,
) -> Result<Decoder, MethodError> {
    let groups = items.len().div_ceil(SPARSE);
    let steps = groups.div_ceil(GROUPS);
    let (optimizer, schedule) = (finetune::optimizer(spec.learning_rate, 0.0), finetune::schedule(steps));
    let scope = finetune::adapter(spec.objective.rank);
    let mut trainer = Trainer::new(model.clone(), scope, optimizer, schedule, threads, spec.seed);
    let mut rng = ChaCha8Rng::seed_from_u64(spec.seed ^ STREAMS[3]);
    let mut order: Vec<usize> = (0..items.len()).collect();
    order.shuffle(&mut rng);
    for chosen in order[..groups].chunks(GROUPS) {
        // (place among the items, option) of every critique.
        let about: Vec<(usize, usize)> =
            chosen.iter().flat_map(|&at| [(at, rng.random_range(0..dossier.options.len())); GROUP]).collect();
        let begun: Rows = about.iter().map(|&(at, option)| dossier.begun(option, items[at])).collect();
        let drawn = trainer.model().sample(&begun, LENGTH, rng.random(), threads);
        let rewards = rewards(dossier, (items, references), judge, &about, &drawn, threads);
        let advantages: Vec<f32> = rewards.chunks(GROUP).flat_map(advantages).collect();
        step(model, &mut trainer, &begun, (&drawn, &advantages), threads)?;
    }
    Ok(trainer.into_model())
}

/// P(the judge rejects what is criticised), `[critiques]`; another option of the item has its reference critique.
fn rewards(
    dossier: &Dossier,
    (items, references): (&[usize], &[Critiques]),
    judge: &Decoder,
    about: &[(usize, usize)],
    drawn: &[(u32, f32)],
    threads: usize,
) -> Vec<f32> {
    let asked = about.iter().zip(drawn.chunks_exact(LENGTH)).map(|(&(at, option), drawn)| {
        let mut critiques = references[at].clone();
        critiques[option] = drawn.iter().map(|(token, _)| *token).collect();
        dossier.asked(items[at], &critiques)
    });
    let margins = dossier.margins(judge, &asked.collect(), threads);
    // The first reply, or the only answer, is rejected by the negative label.
    margins.iter().zip(about).map(|(&m, &(_, option))| sigmoid(if option == 0 { -m } else { m })).collect()
}

/// A step of the policy on critiques with their advantages.
fn step(
    model: &Decoder,
    trainer: &mut Trainer,
    begun: &Rows,
    (drawn, advantages): (&[(u32, f32)], &[f32]),
    threads: usize,
) -> Result<(), MethodError> {
    let tail = |i: usize| drawn[i * LENGTH..(i + 1) * LENGTH].iter().map(|(token, _)| *token).collect::<Vec<_>>();
    let whole: Rows = (0..begun.len()).map(|i| [begun.row(i), &tail(i)].concat()).collect();
    let untouched = model.log_probs(&whole, threads);
    let mut weights = vec![0.0; whole.tokens.len()];
    for (i, &advantage) in advantages.iter().enumerate() {
        let start = whole.offsets[i + 1] - LENGTH;
        for (at, (_, own)) in (start..).zip(&drawn[i * LENGTH..(i + 1) * LENGTH]) {
            weights[at] = coefficient(advantage, *own, untouched[at]);
        }
    }
    trainer.step_tokens(&whole, &weights, drawn.len() as f64)?;
    Ok(())
}

/// Rewards of a group less their mean, over their spread; 0 where all are alike.
pub fn advantages(rewards: &[f32]) -> Vec<f32> {
    let n = rewards.len().max(1) as f32;
    let mean = rewards.iter().sum::<f32>() / n;
    let spread = (rewards.iter().map(|r| (r - mean).powi(2)).sum::<f32>() / n).sqrt();
    rewards.iter().map(|r| if spread > 1e-6 { (r - mean) / spread } else { 0.0 }).collect()
}

/// A + β (π_ref / π − 1) of a token, by the logarithms of its probabilities under the policy and under the reference.
pub fn coefficient(advantage: f32, own: f32, reference: f32) -> f32 {
    advantage + BETA * ((reference - own).exp() - 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::readout::Fit;
    use crate::recipe::Curriculum;
    use aar_lm::{DecoderConfig, InitScale};

    /// Bad answers have one flaw of four, and which one it is likely to be can be told from the question. The judge can't find flaws, but sees
    /// one that is pointed at; else it goes by how an answer is written, as the teacher does. Training on the teacher's labels learns style. A
    /// critic that points anywhere finds one flaw in four; one that was rewarded when the judge rejected knows where to point.
    #[test]
    fn a_critic_that_is_rewarded_for_rejections_finds_what_the_judge_can_not() {
        let mut rng = ChaCha8Rng::seed_from_u64(7);
        let rows = 2000;
        let kind: Vec<usize> = (0..rows).map(|_| rng.random_range(0..4)).collect();
        let good: Vec<bool> = (0..rows).map(|_| rng.random()).collect();
        let style: Vec<f32> = (0..rows).map(|_| if rng.random::<f32>() < 0.7 { 1.0 } else { -1.0 }).collect();
        let right = |positive: &dyn Fn(usize) -> bool| {
            (0..rows).filter(|&i| positive(i) == good[i]).count() as f32 / rows as f32
        };
        let targets: Vec<f32> = style.iter().map(|&s| f32::from(u8::from(s > 0.0))).collect();
        let weights = vec![1.0; rows];
        let fit = Fit { features: &style, width: 1, targets: &targets, weights: &weights, l2: 1e-2, intercept: true };
        let trained = fit.run().margins(&style);
        // A judge who has no better reason accepts, a little less gladly where the style is poor.
        let judge = |i: usize, pointed: usize| if !good[i] && pointed == kind[i] { -3.0 } else { 1.0 + 0.5 * style[i] };
        let mut policy = [[0.0f32; 4]; 4];
        let probability = |logits: &[f32; 4], at: usize| logits[at].exp() / logits.iter().map(|l| l.exp()).sum::<f32>();
        let draw = |logits: &[f32; 4], rng: &mut ChaCha8Rng| {
            let mut point = rng.random::<f32>();
            (0..3)
                .find(|&at| {
                    point -= probability(logits, at);
                    point < 0.0
                })
                .unwrap_or(3)
        };
        let untrained: Vec<usize> = (0..rows).map(|i| draw(&policy[kind[i]], &mut rng)).collect();
        for i in 0..rows {
            let drawn: Vec<usize> = (0..GROUP).map(|_| draw(&policy[kind[i]], &mut rng)).collect();
            let rewards: Vec<f32> = drawn.iter().map(|&at| sigmoid(-judge(i, at))).collect();
            let logits = policy[kind[i]];
            for (&at, advantage) in drawn.iter().zip(advantages(&rewards)) {
                let weight = coefficient(advantage, probability(&logits, at).ln(), 0.25f32.ln());
                for (k, logit) in policy[kind[i]].iter_mut().enumerate() {
                    *logit += 0.1 * weight * (f32::from(u8::from(k == at)) - probability(&logits, k)) / GROUP as f32;
                }
            }
        }
        let critiques: Vec<usize> = (0..rows).map(|i| draw(&policy[kind[i]], &mut rng)).collect();
        let (plain, blind) = (right(&|i| trained[i] > 0.0), right(&|i| judge(i, untrained[i]) > 0.0));
        let seen = right(&|i| judge(i, critiques[i]) > 0.0);
        assert!(plain < 0.55 && blind < 0.68 && seen > 0.9, "plain {plain}, blind critic {blind}, trained {seen}");
    }

    fn small(seed: u64) -> Decoder {
        let config = DecoderConfig {
            vocab_size: 20,
            hidden_size: 16,
            intermediate_size: 24,
            num_hidden_layers: 2,
            num_attention_heads: 2,
            num_key_value_heads: 2,
            head_dim: 8,
            rms_norm_eps: 1e-6,
            rope_theta: 10_000.0,
            tie_word_embeddings: true,
            qkv_bias: false,
            qk_norm: true,
            max_position_embeddings: 40,
        };
        Decoder::init(config, &InitScale { embedding: 0.5, ..InitScale::default() }, seed)
    }

    /// A judge was taught to reject answers whose critique is mostly of one half of the words; the critic, which is rewarded for
    /// rejections alone, learns to write those.
    #[test]
    fn a_decoder_learns_to_write_what_its_judge_rejects() {
        let (rows, mut rng) = (1600, ChaCha8Rng::seed_from_u64(1));
        let bodies: Rows = (0..rows).map(|_| (0..4).map(|_| rng.random_range(0..20)).collect::<Vec<_>>()).collect();
        let dossier = Dossier { options: vec![bodies.clone()], bodies, suffix: vec![19], labels: [3, 14], context: 40 };
        let (model, objective) = (small(1), Objective::default());
        let items: Vec<usize> = (0..rows).collect();
        let written = dossier.written(&model, &items, 1, 1);
        let low = |critique: &[u32]| critique.iter().filter(|word| **word < 10).count();
        let targets: Vec<f32> = written.iter().map(|of| f32::from(u8::from(low(&of[0]) < LENGTH / 2))).collect();
        let spec = TrainSpec {
            items: &[],
            targets: &targets,
            weights: &vec![1.0; rows],
            weak: &[],
            objective: &objective,
            curriculum: Curriculum::None,
            steps: 1,
            batch: 16,
            learning_rate: 1e-2,
            weight_decay: 0.0,
            swap_augment: false,
            seed: 5,
            on_step: &|_, _| (),
        };
        let judge = judge(&model, &dossier, &spec, (&items, &written), 1).unwrap();
        let trained = critic(&model, &dossier, &spec, (&items, &written), &judge, 1).unwrap();
        let mean = |critic: &Decoder| {
            let drawn = dossier.written(critic, &items, 9, 1);
            drawn.iter().map(|of| low(&of[0])).sum::<usize>() as f32 / (rows * LENGTH) as f32
        };
        let (before, after) = (mean(&model), mean(&trained));
        assert!(after > before + 0.1, "{before} of the words before, {after} after");
    }

    #[test]
    fn halves_share_nothing_and_leave_nothing_out() {
        let [taught, answered] = halves(11, 3);
        assert_eq!((taught.len(), answered.len()), (5, 6));
        let mut all = [taught, answered].concat();
        all.sort_unstable();
        assert_eq!(all, (0..11).collect::<Vec<_>>());
    }

    #[test]
    fn a_body_is_cut_and_critiques_and_question_are_not() {
        let rows = |length: u32| -> Rows { [(0..length).collect::<Vec<_>>()].iter().collect() };
        let of = |length| Dossier {
            options: vec![rows(length), rows(length)],
            bodies: rows(length),
            suffix: vec![90, 91],
            labels: [1, 2],
            context: 12,
        };
        assert_eq!(of(3).asked(0, &[vec![50; 3], vec![60; 3]]), [0, 1, 2, 50, 50, 50, 60, 60, 60, 90, 91]);
        assert_eq!(of(9).asked(0, &[vec![50; 3], vec![60; 3]]), [0, 1, 2, 3, 50, 50, 50, 60, 60, 60, 90, 91]);
        assert_eq!(of(9).begun(1, 0), [0, 1, 2, 3]);
        assert_eq!(of(3).begun(1, 0), [0, 1, 2]);
    }
}
