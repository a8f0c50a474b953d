//! What the board says of each choice: a Bayesian linear model of PGR in the choices of a genome
//! (Bishop 2006, section 3.3), from which Thompson samples are drawn (Thompson 1933; Russo et al. 2018).

use super::space::{GENES, Genome};
use rand::Rng;
use rand_chacha::ChaCha8Rng;

/// Prior spread of one choice's effect, in PGR.
const EFFECT: f64 = 0.15;
/// Spread of one graded value around the additive model: seeds, the ledger's step, interactions.
const NOISE: f64 = 0.12;

/// A fitted model: mean and Cholesky factor of the posterior precision.
pub struct Surrogate {
    mean: Vec<f64>,
    /// Lower triangle L with L Lᵀ = precision, `[n × n]`.
    factor: Vec<f64>,
}

/// Length of a genome's feature vector: an intercept and one column per choice that is not plain's.
pub fn width() -> usize {
    1 + GENES.iter().map(|gene| gene.choices.len() - 1).sum::<usize>()
}

/// A genome's features, `[width()]`.
pub fn features(genome: &Genome) -> Vec<f64> {
    let mut row = vec![1.0];
    for (gene, &index) in GENES.iter().zip(genome) {
        row.extend((1..gene.choices.len()).map(|choice| f64::from(choice == usize::from(index))));
    }
    row
}

impl Surrogate {
    /// Fit to rows (genome, PGR).
    pub fn fit(rows: &[(Genome, f64)]) -> Self {
        let n = width();
        let mut precision = vec![0.0; n * n];
        let mut target = vec![0.0; n];
        for i in 0..n {
            precision[i * n + i] = 1.0 / (EFFECT * EFFECT);
        }
        for (genome, pgr) in rows {
            let x = features(genome);
            for i in 0..n {
                target[i] += x[i] * pgr / (NOISE * NOISE);
                for j in 0..n {
                    precision[i * n + j] += x[i] * x[j] / (NOISE * NOISE);
                }
            }
        }
        let factor = cholesky(&precision, n);
        let mean = solve_upper(&factor, &solve_lower(&factor, &target));
        Self { mean, factor }
    }

    /// One draw of all effects from the posterior, its spread scaled by `boldness` (1 = Thompson's own).
    pub fn sample(&self, boldness: f64, rng: &mut ChaCha8Rng) -> Vec<f64> {
        let noise: Vec<f64> = self.mean.iter().map(|_| normal(rng)).collect();
        let spread = solve_upper(&self.factor, &noise);
        self.mean.iter().zip(spread).map(|(mean, spread)| mean + boldness * spread).collect()
    }

    /// Posterior mean of every effect, in the order of [`features`].
    pub fn effects(&self) -> &[f64] {
        &self.mean
    }
}

/// The model's value of a genome.
pub fn value(effects: &[f64], genome: &Genome) -> f64 {
    effects.iter().zip(features(genome)).map(|(effect, x)| effect * x).sum()
}

/// Box and Muller's normal deviate.
fn normal(rng: &mut ChaCha8Rng) -> f64 {
    let (u, v): (f64, f64) = (1.0 - rng.random::<f64>(), rng.random());
    (-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * v).cos()
}

/// Lower Cholesky factor of a positive definite matrix `[n × n]`; the prior keeps it so.
fn cholesky(matrix: &[f64], n: usize) -> Vec<f64> {
    let mut factor = vec![0.0; n * n];
    for i in 0..n {
        for j in 0..=i {
            let dot: f64 = (0..j).map(|k| factor[i * n + k] * factor[j * n + k]).sum();
            let rest = matrix[i * n + j] - dot;
            factor[i * n + j] = if i == j { rest.sqrt() } else { rest / factor[j * n + j] };
        }
    }
    factor
}

fn solve_lower(factor: &[f64], target: &[f64]) -> Vec<f64> {
    let n = target.len();
    let mut x = vec![0.0; n];
    for i in 0..n {
        let dot: f64 = (0..i).map(|k| factor[i * n + k] * x[k]).sum();
        x[i] = (target[i] - dot) / factor[i * n + i];
    }
    x
}

fn solve_upper(factor: &[f64], target: &[f64]) -> Vec<f64> {
    let n = target.len();
    let mut x = vec![0.0; n];
    for i in (0..n).rev() {
        let dot: f64 = (i + 1..n).map(|k| factor[k * n + i] * x[k]).sum();
        x[i] = (target[i] - dot) / factor[i * n + i];
    }
    x
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::search::space::plain_genome;
    use rand::SeedableRng;

    #[test]
    fn finds_the_choice_that_helps() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let rows: Vec<(Genome, f64)> = (0..60)
            .map(|_| {
                let genome: Genome = GENES.iter().map(|gene| rng.random_range(0..gene.choices.len()) as u8).collect();
                let pgr = 0.2 + 0.3 * f64::from(genome[8] == 1) - 0.3 * f64::from(genome[0] == 2);
                (genome, pgr)
            })
            .collect();
        let model = Surrogate::fit(&rows);
        let mut good = plain_genome();
        good[8] = 1;
        let mut bad = plain_genome();
        bad[0] = 2;
        let value = |genome: &Genome| value(model.effects(), genome);
        assert!((value(&plain_genome()) - 0.2).abs() < 0.1);
        assert!((value(&good) - 0.5).abs() < 0.1);
        assert!((value(&bad) + 0.1).abs() < 0.1);
    }

    #[test]
    fn samples_spread_less_the_more_is_known() {
        let spread = |rows: usize| {
            let model = Surrogate::fit(&vec![(plain_genome(), 0.3); rows]);
            let mut rng = ChaCha8Rng::seed_from_u64(2);
            let draws: Vec<f64> = (0..200).map(|_| value(&model.sample(1.0, &mut rng), &plain_genome())).collect();
            let mean = draws.iter().sum::<f64>() / 200.0;
            draws.iter().map(|draw| (draw - mean).powi(2)).sum::<f64>() / 200.0
        };
        assert!(spread(20) < spread(0) / 10.0);
    }
}
