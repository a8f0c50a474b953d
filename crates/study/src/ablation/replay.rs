//! One study, replayed against a table: turns as in a real one, the researchers' own policy, the ledger's answers, a budget in counted
//! operations. What is not in the table can't be proposed.

use super::bench::{Bench, Seeds};
use super::team::{BASELINES, Direction, Kind, Sharing, Team};
use aar_domain::family::Family;
use aar_grader::ledger::Answers;
use aar_methods::search::direction::Leaning;
use aar_methods::search::policy::{self, History, Seen};
use aar_methods::search::space::{self, Genome};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::collections::BTreeSet;

/// What a researcher handed in.
#[derive(Clone, Debug, PartialEq)]
pub struct Submission {
    /// In which turn.
    pub turn: u32,
    /// Number of the researcher.
    pub by: usize,
    /// The table's row.
    pub row: usize,
    /// The family it is filed under.
    pub family: Family,
    /// The ledger's answer; `None` where it failed.
    pub answer: Option<f64>,
    genome: Genome,
}

/// How a study went.
#[derive(Clone, Debug, PartialEq)]
pub struct Course {
    /// All submissions, in the order in which they were answered.
    pub submissions: Vec<Submission>,
    /// What trials spoke against.
    pub refused: usize,
    /// Operations spent, in plain training's evaluations.
    pub spent: f64,
    /// The best answer, baselines included; ties go to whoever came first.
    pub announced: f64,
    /// PGR of what was announced, on fresh seeds and the selection split.
    pub replicated: f64,
    /// The same of the table's best row, as far as the told seeds can show it.
    pub best: f64,
}

/// Run study number `study`: the seeds that are told, directions and researchers follow from it, and are the same for every team.
pub fn run(bench: &Bench, team: &Team, study: u64) -> Course {
    let mut rng = ChaCha8Rng::seed_from_u64(study);
    let seeds = Seeds::drawn(bench.seeds, &mut rng);
    let first = rng.random_range(0..aar_domain::directions::DIRECTIONS.len());
    let mut replay = Replay::new(bench, team, seeds);
    let mut researchers: Vec<Researcher> =
        (0..team.researchers).map(|number| Researcher::new(team, number, first + number, rng.random())).collect();
    for turn in 0.. {
        let chosen: Vec<(usize, usize, Genome)> = researchers
            .iter_mut()
            .filter_map(|researcher| {
                let (row, genome) = researcher.turn(&mut replay, turn)?;
                Some((researcher.number, row, genome))
            })
            .collect();
        if chosen.is_empty() {
            break;
        }
        chosen.into_iter().for_each(|(by, row, genome)| replay.answer(turn, by, row, genome));
    }
    replay.close(team.budget - researchers.iter().map(|researcher| researcher.left).sum::<f64>())
}

/// The study's common state: board and forum.
struct Replay<'a> {
    bench: &'a Bench,
    team: &'a Team,
    seeds: Seeds,
    answers: Answers,
    baselines: Vec<(usize, Option<f64>)>,
    submissions: Vec<Submission>,
    /// Advice: turn, author, what is not worth an evaluation.
    avoid: Vec<(u32, usize, Genome)>,
}

impl<'a> Replay<'a> {
    fn new(bench: &'a Bench, team: &'a Team, seeds: Seeds) -> Self {
        let mut answers = Answers::new(team.policy);
        let mut baselines = Vec::new();
        for &name in if team.baselines { BASELINES } else { &BASELINES[..1] } {
            // A small table may lack some.
            if let Some(row) = bench.rows.iter().position(|row| row.shipped && row.name == name) {
                let outcomes = bench.feedback(row, &seeds.told);
                baselines.push((row, outcomes.and_then(|outcomes| answers.baseline(&bench.vault, &outcomes))));
            }
        }
        Self { bench, team, seeds, answers, baselines, submissions: Vec::new(), avoid: Vec::new() }
    }

    /// What a researcher knows when a turn begins, as `lab search` reads it off board and forum.
    fn history(&self, own: usize, turn: u32) -> History {
        let seen =
            |genome: &Genome, held: bool, pgr| Seen { genome: genome.clone(), bundle: held.then(String::new), pgr };
        let rows =
            self.baselines.iter().filter_map(|&(row, pgr)| Some(seen(self.bench.rows[row].read.as_ref()?, true, pgr)));
        let mut history = History { rows: rows.collect(), turn, ..History::default() };
        let sharing = self.team.sharing;
        let visible = |by: usize| by == own || sharing != Sharing::Nothing;
        for one in self.submissions.iter().filter(|one| one.turn < turn && visible(one.by)) {
            history.rows.push(seen(&one.genome, one.by == own || sharing == Sharing::Snapshots, one.answer));
        }
        let advice = self.avoid.iter().filter(|(given, by, _)| *given < turn && visible(*by));
        history.avoid.extend(advice.map(|(_, _, genome)| genome.clone()));
        history
    }

    /// What was known before the first turn; of what happened since only that it need not be done again.
    fn at_the_start(&self, own: usize, since: &History) -> History {
        let mut history = self.history(own, 0);
        history.avoid = &since.avoid | &since.rows.iter().map(|row| row.genome.clone()).collect();
        history
    }

    fn answer(&mut self, turn: u32, by: usize, row: usize, genome: Genome) {
        let outcomes = self.bench.feedback(row, &self.seeds.told);
        let answer = outcomes.and_then(|outcomes| self.answers.answer(&self.bench.vault, &outcomes));
        self.submissions.push(Submission { turn, by, row, family: space::family(&genome), answer, genome });
    }

    fn close(self, spent: f64) -> Course {
        let told = self.submissions.iter().map(|one| (one.row, one.answer));
        let mut best = (self.bench.plain(), f64::NEG_INFINITY);
        for (row, answer) in self.baselines.iter().copied().chain(told) {
            if let Some(answer) = answer.filter(|&answer| answer > best.1) {
                best = (row, answer);
            }
        }
        // What was answered did not fail.
        let replicated = |row| self.bench.selection(row, &self.seeds.fresh).unwrap_or_default();
        Course {
            refused: self.avoid.len(),
            spent,
            announced: best.1,
            replicated: replicated(best.0),
            best: replicated(self.bench.best(&self.seeds)),
            submissions: self.submissions,
        }
    }
}

struct Researcher {
    number: usize,
    kind: Kind,
    leaning: Leaning,
    /// Its ideas are those it had at the start.
    fixed: bool,
    trials: usize,
    seed: u64,
    left: f64,
}

impl Researcher {
    fn new(team: &Team, number: usize, place: usize, seed: u64) -> Self {
        let left = team.budget / team.researchers as f64;
        let fixed = team.direction == Direction::Specific;
        Self { number, kind: team.kind, leaning: team.leaning(place), fixed, trials: team.trials, seed, left }
    }

    /// What it submits, paid for; `None` where nothing is left that it could pay.
    fn turn(&mut self, replay: &mut Replay<'_>, turn: u32) -> Option<(usize, Genome)> {
        let history = replay.history(self.number, turn);
        let mut rng =
            ChaCha8Rng::seed_from_u64(self.seed.wrapping_add(u64::from(turn).wrapping_mul(0x9e37_79b9_7f4a_7c15)));
        let bench = replay.bench;
        let proposals = match self.kind {
            Kind::Random => vec![],
            Kind::Search => {
                let payable = |genome: &Genome| bench.row(genome).is_some_and(|row| bench.cost(row) <= self.left);
                let listed = bench.genomes().map(|(genome, _)| genome.clone());
                let known = if self.fixed { replay.at_the_start(self.number, &history) } else { history.clone() };
                policy::propose(&known, &self.leaning, listed, &payable, self.trials.max(1), &mut rng)
            }
        };
        let genomes = proposals.into_iter().map(|proposal| proposal.genome).collect();
        let genome = self.pick(genomes, replay, turn).or_else(|| self.blind(&history, bench, &mut rng))?;
        let row = bench.row(&genome)?;
        self.left -= bench.cost(row);
        Some((row, genome))
    }

    /// The first proposal whose trial does not speak against it and that can still be paid; trials are paid for too.
    fn pick(&mut self, genomes: Vec<Genome>, replay: &mut Replay<'_>, turn: u32) -> Option<Genome> {
        let bench = replay.bench;
        for genome in genomes {
            let row = bench.row(&genome)?;
            if self.trials == 0 {
                return Some(genome);
            }
            let price = bench.trial_cost(row);
            if bench.cost(row) + price > self.left {
                continue;
            }
            self.left -= price;
            let tried = bench.rows[row].tried.as_ref();
            if tried.is_none_or(|tried| tried.objection().is_none()) {
                return Some(genome);
            }
            replay.avoid.push((turn, self.number, genome));
        }
        None
    }

    /// Uniform over what is in the table, can be paid and was not evaluated as far as it knows.
    fn blind(&self, history: &History, bench: &Bench, rng: &mut ChaCha8Rng) -> Option<Genome> {
        let known: BTreeSet<&Genome> = history.rows.iter().map(|row| &row.genome).collect();
        let open: Vec<&Genome> = bench
            .genomes()
            .filter(|&(genome, row)| bench.cost(row) <= self.left && !known.contains(genome))
            .map(|(genome, _)| genome)
            .filter(|genome| policy::allowed(genome, &self.leaning))
            .collect();
        // The policy's own blind draw, whose rejections are spared: it is uniform over what it may draw.
        (!open.is_empty()).then(|| open[rng.random_range(0..open.len())].clone())
    }
}
