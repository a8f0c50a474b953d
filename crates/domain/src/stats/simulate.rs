//! Simulated studies: does the whole procedure, from feedback to verdict, keep its promises?
//!
//! No training: item- and seed-level outcomes are drawn from a latent model. Item i is answered rightly by method m under seed s when
//! base_m + difficulty_i + taste_{m,i} + luck_{m,s} + noise_{m,s,i} > 0, all parts normal. `taste` makes methods right on different items at
//! equal accuracy; `luck` is what seeds do to all items at once. A study grades `bundles` methods on the feedback split, takes the best as finalists,
//! re-runs them and plain training on fresh seeds and items, and declares a finalist better where Holm's adjusted p is
//! below 5 % and the difference positive.

use super::{Bootstrap, Outcomes, Panel, compare, holm};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Sizes and noise of a simulated study.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Design {
    /// Weak accuracy.
    pub weak: f64,
    /// Ceiling accuracy.
    pub ceiling: f64,
    /// PGR of plain training.
    pub plain: f64,
    /// Standard deviation over seeds of one method's PGR.
    pub luck: f64,
    /// Share of latent item variance that is a method's own taste.
    pub taste: f64,
    /// Items per cluster.
    pub cluster: usize,
    /// Bundles that are graded.
    pub bundles: usize,
    /// Seeds per graded bundle.
    pub seeds: usize,
    /// Clusters of the feedback split.
    pub feedback: usize,
    /// Finalists.
    pub finalists: usize,
    /// Seeds per finalist.
    pub final_seeds: usize,
    /// Clusters of the selection split.
    pub selection: usize,
}

impl Default for Design {
    /// The default study's closing sizes.
    fn default() -> Self {
        Self {
            weak: 0.58,
            ceiling: 0.86,
            plain: 0.25,
            luck: 0.10,
            taste: 0.2,
            cluster: 1,
            bundles: 20,
            seeds: 3,
            feedback: 1200,
            finalists: 4,
            final_seeds: 10,
            selection: 4000,
        }
    }
}

/// A method's truth in a simulated study.
#[derive(Clone, Debug)]
pub struct Method {
    base: f64,
    id: u64,
    /// What its taste is made of: independent tastes by number, with weights whose squares sum to 1.
    tastes: Vec<(u64, f64)>,
}

impl Method {
    /// Its number.
    pub fn id(&self) -> u64 {
        self.id
    }

    /// A method of the same worth whose taste is mixed of those of `parents` by weight, with a share of its own between 0 and 1.
    pub fn bred(parents: &[(&Method, f64)], id: u64, own: f64) -> Self {
        let mut tastes = std::collections::BTreeMap::<u64, f64>::new();
        for (parent, share) in parents {
            for (taste, weight) in &parent.tastes {
                *tastes.entry(*taste).or_default() += share * weight;
            }
        }
        let length = tastes.values().map(|weight| weight * weight).sum::<f64>().sqrt();
        let base = parents.first().map_or(0.0, |(parent, _)| parent.base);
        if length < 1e-9 {
            return Self { base, id, tastes: vec![(id, 1.0)] };
        }
        let kept = (1.0 - own).sqrt();
        let mut tastes: Vec<(u64, f64)> = tastes.into_iter().map(|(id, weight)| (id, kept * weight / length)).collect();
        tastes.push((id, own.sqrt()));
        Self { base, id, tastes }
    }
}

/// Latent standard deviations: difficulty, taste, noise; their squares sum to 1 beside luck's.
struct Latent {
    difficulty: f64,
    taste: f64,
    noise: f64,
    luck: f64,
}

impl Design {
    fn latent(&self) -> Latent {
        // An accuracy near p moves by density(p) per latent unit; luck is given in PGR.
        let accuracy = self.weak + self.plain * (self.ceiling - self.weak);
        let z = normal_quantile(accuracy);
        let density = (-z * z / 2.0).exp() / (2.0 * std::f64::consts::PI).sqrt();
        let luck = self.luck * (self.ceiling - self.weak) / density;
        Latent { difficulty: 0.5f64.sqrt(), taste: self.taste.sqrt(), noise: (0.5 - self.taste).max(0.05).sqrt(), luck }
    }

    /// A method of this true PGR, with a taste of its own.
    pub fn method(&self, pgr: f64, id: u64) -> Method {
        let latent = self.latent();
        let spread =
            (latent.difficulty.powi(2) + latent.taste.powi(2) + latent.noise.powi(2) + latent.luck.powi(2)).sqrt();
        let base = normal_quantile(self.weak + pgr * (self.ceiling - self.weak)) * spread;
        Method { base, id, tastes: vec![(id, 1.0)] }
    }

    /// Outcomes of a method on one set of items. `study` and `split` name the items, so that methods share them.
    pub fn outcomes(&self, method: &Method, items: usize, seeds: &[u64], study: u64, split: u64) -> Outcomes {
        let latent = self.latent();
        let mut easy = ChaCha8Rng::seed_from_u64(study ^ split.wrapping_mul(0x9e37_79b9));
        let own = |id: u64| ChaCha8Rng::seed_from_u64(study ^ id.wrapping_mul(0xd1b5_4a32) ^ split.rotate_left(32));
        let mut tastes: Vec<(ChaCha8Rng, f64)> = method.tastes.iter().map(|&(id, weight)| (own(id), weight)).collect();
        let mut shared = 0.0;
        let level: Vec<f64> = (0..items)
            .map(|i| {
                if i % self.cluster == 0 {
                    shared = normal(&mut easy);
                }
                let difficulty = if self.cluster == 1 { shared } else { 0.8 * shared + 0.6 * normal(&mut easy) };
                let taste: f64 = tastes.iter_mut().map(|(own, weight)| *weight * normal(own)).sum();
                method.base + latent.difficulty * difficulty + latent.taste * taste
            })
            .collect();
        let row = |seed: &u64| {
            let mut rng =
                ChaCha8Rng::seed_from_u64(study ^ method.id.wrapping_mul(0xa076_1d64) ^ seed.rotate_left(20) ^ split);
            let luck = latent.luck * normal(&mut rng);
            level.iter().map(|level| level + luck + latent.noise * normal(&mut rng) > 0.0).collect()
        };
        Outcomes { seeds: seeds.to_vec(), correct: seeds.iter().map(row).collect() }
    }

    /// Items of so many clusters.
    pub fn panel(&self, clusters: usize) -> Panel {
        let items = clusters * self.cluster;
        let cluster = (0..items).map(|i| (i / self.cluster) as u32).collect();
        Panel { cluster, distribution: None, clusters }
    }

    /// Run one study whose bundles have these PGRs; for every finalist whether it was declared better than plain,
    /// with its index.
    fn study(&self, pgrs: &[f64], study: u64, replicates: usize) -> Vec<(usize, bool)> {
        let methods: Vec<Method> = pgrs.iter().enumerate().map(|(i, &pgr)| self.method(pgr, i as u64 + 1)).collect();
        let seeds: Vec<u64> = (0..self.seeds as u64).collect();
        let items = self.feedback * self.cluster;
        let graded: Vec<f64> =
            methods.iter().map(|method| self.outcomes(method, items, &seeds, study, 1).accuracy()).collect();
        let mut order: Vec<usize> = (0..methods.len()).collect();
        order.sort_by(|&a, &b| graded[b].total_cmp(&graded[a]));
        order.truncate(self.finalists);
        let finalists: Vec<&Method> = order.iter().map(|&i| &methods[i]).collect();
        let better = self.close(&finalists, study, replicates);
        order.into_iter().zip(better).collect()
    }

    /// Close a study: re-run the finalists and plain training on fresh seeds and items. For each finalist whether it is declared better.
    pub fn close(&self, finalists: &[&Method], study: u64, replicates: usize) -> Vec<bool> {
        let bootstrap = Bootstrap::new(&self.panel(self.selection), replicates, study);
        let seeds: Vec<u64> = (100..100 + self.final_seeds as u64).collect();
        let score = |method: &Method| {
            bootstrap.accuracy(&self.outcomes(method, self.selection * self.cluster, &seeds, study, 2))
        };
        let plain = score(&self.method(self.plain, 0));
        let tests: Vec<_> = finalists.iter().map(|method| compare(&score(method), &plain)).collect();
        let adjusted = holm(&tests.iter().map(|test| test.p).collect::<Vec<_>>());
        tests.iter().zip(adjusted).map(|(test, p)| p < 0.05 && test.difference > 0.0).collect()
    }

    /// Of `studies` in which every bundle equals plain, how many end with any declared better.
    pub fn false_declarations(&self, studies: u64, replicates: usize) -> u64 {
        let equal = vec![self.plain; self.bundles];
        (0..studies).filter(|&study| self.study(&equal, study, replicates).iter().any(|&(_, better)| better)).count()
            as u64
    }

    /// Share of `studies` in which the one bundle with a true gain (in PGR) over plain, a finalist by construction
    /// beside equals, is declared better.
    pub fn power(&self, gain: f64, studies: u64, replicates: usize) -> f64 {
        let mut pgrs = vec![self.plain; self.finalists];
        pgrs[0] += gain;
        let found = |study: &u64| self.study(&pgrs, study + 1_000_000, replicates).contains(&(0, true));
        (0..studies).filter(found).count() as f64 / studies as f64
    }
}

/// Box and Muller's normal deviate.
fn normal(rng: &mut ChaCha8Rng) -> f64 {
    let (u, v): (f64, f64) = (1.0 - rng.random::<f64>(), rng.random());
    (-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * v).cos()
}

fn normal_quantile(p: f64) -> f64 {
    use statrs::distribution::{ContinuousCDF, Normal};
    Normal::new(0.0, 1.0).map_or(0.0, |normal| normal.inverse_cdf(p))
}

#[cfg(test)]
mod tests {
    use super::super::pgr;
    use super::*;

    /// At most 64 of 1,000 is the promise; of 200 the same procedure may show at most 20 (beyond, the chance at a
    /// rate of 5 % is below one in 1,000).
    #[test]
    fn null_studies_rarely_declare_anything() {
        for design in
            [Design::default(), Design { luck: 0.25, cluster: 4, feedback: 300, selection: 1000, ..Design::default() }]
        {
            let found = design.false_declarations(200, 400);
            assert!(found <= 20, "{found} of 200 null studies declared something: {design:?}");
        }
    }

    #[test]
    fn a_gain_of_a_fifth_is_found() {
        let power = Design::default().power(0.2, 60, 400);
        assert!(power >= 0.8, "power {power}");
    }

    /// Intervals of one method's PGR, over fresh items and seeds: nominal 95 %.
    #[test]
    fn intervals_cover() {
        let design = Design { feedback: 400, ..Design::default() };
        let (mut hits, studies) = (0, 200);
        for study in 0..studies {
            let bootstrap = Bootstrap::new(&design.panel(design.feedback), 400, study);
            let score = |pgr: f64, id: u64, seeds: u64| {
                let seeds: Vec<u64> = (0..seeds).map(|seed| seed + 1000 * id).collect();
                bootstrap.accuracy(&design.outcomes(&design.method(pgr, id), design.feedback, &seeds, study, 3))
            };
            let found = pgr(&score(0.5, 1, 3), &score(0.0, 2, 16), &score(1.0, 3, 16));
            hits += u32::from(found.is_some_and(|found| found.low <= 0.5 && 0.5 <= found.high));
        }
        let coverage = f64::from(hits) / studies as f64;
        assert!(coverage >= 0.92, "coverage {coverage}");
    }
}
