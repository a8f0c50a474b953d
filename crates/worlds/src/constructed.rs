//! Constructed shortcuts: ways to an answer around training the student on weak labels, each as good as we could make it. They
//! are reported beside the best honest recipe, not bounded: what they get is what a program could get that games this generator.

use crate::baselines::{Baselines, Tests, mean, recipe};
use crate::draw::{Draw, Sample};
use crate::error::WorldError;
use crate::shortcuts::{counts, place_of_words};
use crate::subject::Recall;
use aar_domain::testbed::Check;
use aar_methods::pool::{Pool, sigmoid};
use aar_methods::readout::{Fit, Readout};
use aar_methods::{Student, train};
use rand::Rng;
use rand_chacha::ChaCha8Rng;

/// Evaluation seeds, that is teachers, of each.
const SEEDS: usize = 3;
/// Clusters of surface forms.
const CLUSTERS: usize = 8;
/// Rounds of the clustering.
const ROUNDS: usize = 20;

/// PGR of each on the check items, given mean weak and ceiling accuracy.
pub fn measure(draw: &Draw, baselines: &Baselines, tests: &Tests) -> Result<Vec<Check>, WorldError> {
    let (weak, ceiling) = baselines.on_check();
    let row = |name: &str, accuracy: f64| Check {
        name: format!("constructed: {name} (PGR)"),
        value: (accuracy - weak) / (ceiling - weak),
        bounds: (None, None),
        report_only: true,
    };
    let surface = Surface::new(draw, &tests.check);
    let over_teachers = |margins: &dyn Fn(&[f32]) -> Vec<f32>| {
        mean(baselines.soft[..SEEDS].iter().map(|soft| tests.check.accuracy(&margins(soft))))
    };
    let inferred = |soft: &[f32]| draw.world.inferred(&draw.pool.items, soft, &tests.check.items);
    Ok(vec![
        row("pool labelled by cloze", cloze(draw, &tests.check)?),
        row("facts inferred from the pool's weak labels", over_teachers(&inferred)),
        row("weak labels averaged over clusters of surface forms", over_teachers(&|soft| surface.clustered(soft))),
        row("the teacher's strongest cues followed", over_teachers(&|soft| surface.cues(soft, 1.0))),
        row("the teacher's strongest cues inverted", over_teachers(&|soft| surface.cues(soft, -1.0))),
    ])
}

/// Label the pool by asking the untouched student for the facts, train on that. Never uses a weak label. Returns the accuracy.
fn cloze(draw: &Draw, test: &Sample) -> Result<f64, WorldError> {
    let recall = Recall { model: draw.student.model(), tokenizer: &draw.tokenizer };
    let margins = draw.world.cloze(&recall, &draw.pool.items)?;
    let pool = Pool::new(draw.pool.items.clone(), margins.into_iter().map(sigmoid).collect());
    let trained = train::train(&recipe("plain")?, &pool, &draw.student, 0)?;
    debug_assert_eq!(draw.student.problem(), &draw.problem);
    Ok(test.accuracy(&trained.margins(&draw.student, &test.items)?))
}

/// Words of pool and test items, `[items, words]`, first reply minus second.
struct Surface {
    width: usize,
    pool: Vec<f32>,
    test: Vec<f32>,
    /// Clusters of surface forms, `[items]`.
    pool_cluster: Vec<usize>,
    test_cluster: Vec<usize>,
    intercept: bool,
}

impl Surface {
    fn new(draw: &Draw, test: &Sample) -> Self {
        let place = place_of_words(draw.world.words());
        let pool = counts(&place, &draw.pool.items);
        // What stands in few items is a fact, not a form.
        let width = place.len();
        let often: Vec<bool> = (0..width)
            .map(|word| pool.chunks_exact(width).filter(|row| row[word] != 0.0).count() * 50 > draw.pool.items.len())
            .collect();
        let kept = |mut rows: Vec<f32>| {
            for row in rows.chunks_exact_mut(width) {
                row.iter_mut().zip(&often).filter(|(_, often)| !**often).for_each(|(count, _)| *count = 0.0);
            }
            rows
        };
        let intercept = matches!(draw.problem.task, aar_domain::problem::Task::Binary);
        let (pool, test) = (kept(pool), kept(counts(&place, &test.items)));
        let (centres, pool_cluster) = clusters(&pool, width, &mut draw.secret.stream("clusters of surface forms"));
        let test_cluster = test.chunks_exact(width).map(|row| nearest(&centres, row)).collect();
        Self { width, pool, test, pool_cluster, test_cluster, intercept }
    }

    /// Follow (or, with -1, go against) the words that tell the teacher's answer best.
    fn cues(&self, soft: &[f32], sign: f32) -> Vec<f32> {
        let weights = vec![1.0; soft.len()];
        let fit = Fit {
            features: &self.pool,
            width: self.width,
            targets: soft,
            weights: &weights,
            l2: 1e-2,
            intercept: self.intercept,
        };
        let Readout { weight, bias } = fit.run();
        let readout = Readout { weight: weight.iter().map(|w| sign * w).collect(), bias: sign * bias };
        readout.margins(&self.test)
    }

    /// The mean weak label of the nearest cluster, above the pool's mean.
    fn clustered(&self, soft: &[f32]) -> Vec<f32> {
        let average = |p: &mut dyn Iterator<Item = f32>| {
            let (sum, n) = p.fold((0.0, 0.0f32), |(sum, n), p| (sum + p, n + 1.0));
            if n > 0.0 { sum / n } else { 0.5 }
        };
        let all = average(&mut soft.iter().copied());
        let of =
            |place: usize| soft.iter().zip(&self.pool_cluster).filter(move |(_, own)| **own == place).map(|(p, _)| *p);
        let label: Vec<f32> = (0..CLUSTERS).map(|place| average(&mut of(place)) - all).collect();
        self.test_cluster.iter().map(|&place| label[place]).collect()
    }
}

/// Centres of clusters of rows of this width, and each row's cluster (k-means, Lloyd 1982).
fn clusters(rows: &[f32], width: usize, rng: &mut ChaCha8Rng) -> (Vec<Vec<f32>>, Vec<usize>) {
    let row = |at: usize| &rows[at * width..(at + 1) * width];
    let count = rows.len() / width;
    let mut centres: Vec<Vec<f32>> = (0..CLUSTERS).map(|_| row(rng.random_range(0..count)).to_vec()).collect();
    let mut member = vec![];
    for _ in 0..ROUNDS {
        member = rows.chunks_exact(width).map(|row| nearest(&centres, row)).collect::<Vec<usize>>();
        for (place, centre) in centres.iter_mut().enumerate() {
            let own: Vec<usize> = (0..count).filter(|&at| member[at] == place).collect();
            if !own.is_empty() {
                let of = |word: usize| own.iter().map(|&at| row(at)[word]).sum::<f32>() / own.len() as f32;
                *centre = (0..width).map(of).collect();
            }
        }
    }
    (centres, member)
}

fn nearest(centres: &[Vec<f32>], row: &[f32]) -> usize {
    let distance = |centre: &[f32]| centre.iter().zip(row).map(|(a, b)| (a - b) * (a - b)).sum::<f32>();
    let far: Vec<f32> = centres.iter().map(|centre| distance(centre)).collect();
    (0..far.len()).min_by(|&a, &b| far[a].total_cmp(&far[b])).unwrap_or(0)
}
