//! Questions run over many study seeds: means with intervals, paired differences, tests.

use super::bench::Bench;
use super::questions::Question;
use super::replay::{self, Course};
use super::team::Team;
use aar_domain::family::Family;
use aar_domain::stats::{Estimate, Pooled, over_testbeds, pooled};
use aar_server::ideas;
use serde::Serialize;
use std::collections::BTreeMap;

/// A question's answer.
#[derive(Clone, Debug, Serialize)]
pub struct Answer {
    /// The question's name.
    pub question: &'static str,
    /// What it asks.
    pub asks: &'static str,
    /// One per team, the first is the reference.
    pub arms: Vec<Arm>,
}

/// How a team did.
#[derive(Clone, Debug, Serialize)]
pub struct Arm {
    /// Its name.
    pub name: &'static str,
    /// Its rules.
    pub team: Team,
    /// By table.
    pub on: Vec<Outcome>,
    /// Its replicated PGR minus the reference's, paired by study seed and pooled over the tables; `None` for the reference itself.
    pub gain: Option<Pooled>,
}

/// A team's studies on one table. Intervals are over study seeds.
#[derive(Clone, Debug, Serialize)]
pub struct Outcome {
    /// The testbed.
    pub testbed: String,
    /// Its subject.
    pub subject: String,
    /// Studies.
    pub studies: usize,
    /// PGR of what was announced, on fresh seeds and the selection split.
    pub replicated: Option<Estimate>,
    /// What was announced.
    pub announced: Option<Estimate>,
    /// Replicated PGR minus the reference's.
    pub gain: Option<Pooled>,
    /// Submissions of a study, mean.
    pub submissions: f64,
    /// Trials that spoke against a submission, mean.
    pub refused: f64,
    /// Operations spent, in plain training's evaluations, mean.
    pub spent: f64,
}

/// The mean with Student's t interval.
pub(super) fn over_studies(values: &[f64]) -> Option<Estimate> {
    over_testbeds(values).map(|mean| Estimate::from(&mean))
}

fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let values: Vec<f64> = values.collect();
    values.iter().sum::<f64>() / values.len().max(1) as f64
}

/// Run a question's teams on every table, with the study seeds from 1 to `studies`. `ended` hears of every study.
pub fn answer(question: Question, benches: &[Bench], studies: u64, ended: &dyn Fn()) -> Answer {
    let run = |team: &Team, bench: &Bench| -> Vec<Course> {
        (1..=studies).map(|study| replay::run(bench, team, study)).inspect(|_| ended()).collect()
    };
    let mut reference: Vec<Vec<f64>> = Vec::new();
    let mut arms = Vec::new();
    for (at, (name, team)) in question.arms.into_iter().enumerate() {
        let courses: Vec<Vec<Course>> = benches.iter().map(|bench| run(&team, bench)).collect();
        let values: Vec<Vec<f64>> =
            courses.iter().map(|courses| courses.iter().map(|course| course.replicated).collect()).collect();
        if at == 0 {
            reference = values.clone();
        }
        let gains: Vec<Vec<f64>> = values.iter().zip(&reference).map(|(own, other)| differences(own, other)).collect();
        let on = benches.iter().zip(&courses).zip(&gains);
        let on = on.map(|((bench, courses), gains)| outcome(bench, courses, (at > 0).then_some(gains))).collect();
        arms.push(Arm { name, team, on, gain: if at > 0 { pooled(&gains) } else { None } });
    }
    Answer { question: question.name, asks: question.asks, arms }
}

fn differences(a: &[f64], b: &[f64]) -> Vec<f64> {
    a.iter().zip(b).map(|(a, b)| a - b).collect()
}

fn outcome(bench: &Bench, courses: &[Course], gains: Option<&Vec<f64>>) -> Outcome {
    let values = |of: fn(&Course) -> f64| courses.iter().map(of).collect::<Vec<f64>>();
    Outcome {
        testbed: bench.name.clone(),
        subject: bench.subject.clone(),
        studies: courses.len(),
        replicated: over_studies(&values(|course| course.replicated)),
        announced: over_studies(&values(|course| course.announced)),
        gain: gains.and_then(|gains| pooled(std::slice::from_ref(gains))),
        submissions: mean(courses.iter().map(|course| course.submissions.len() as f64)),
        refused: mean(courses.iter().map(|course| course.refused as f64)),
        spent: mean(courses.iter().map(|course| course.spent)),
    }
}

/// How mixed a team's ideas are in a turn.
#[derive(Clone, Debug, Serialize)]
pub struct Turn {
    /// The turn, from 1.
    pub turn: u32,
    /// Shannon entropy of families over the turn's submissions, in bits; over study seeds of all tables.
    pub entropy: Option<Estimate>,
    /// Studies in which enough researchers submitted.
    pub studies: usize,
}

/// A team's ideas over time.
#[derive(Clone, Debug, Serialize)]
pub struct Ideas {
    /// The team.
    pub name: &'static str,
    /// By turn.
    pub turns: Vec<Turn>,
}

/// Fewer submissions of a turn say nothing of a team (the published study drops such points too).
const ACTIVE: usize = 5;

/// Entropy of families turn by turn, for each of a question's teams.
pub fn entropy(question: Question, benches: &[Bench], studies: u64, ended: &dyn Fn()) -> Vec<Ideas> {
    let of = |(name, team): (&'static str, Team)| {
        let mut turns: BTreeMap<u32, Vec<f64>> = BTreeMap::new();
        for (bench, study) in benches.iter().flat_map(|bench| (1..=studies).map(move |study| (bench, study))) {
            let course = replay::run(bench, &team, study);
            for (turn, counts) in by_turn(&course) {
                if counts.values().sum::<usize>() >= ACTIVE {
                    turns.entry(turn).or_default().push(ideas::entropy(counts.values().copied()));
                }
            }
            ended();
        }
        // A turn that few studies reach is one of unusual studies.
        let most = benches.len() * studies as usize;
        turns.retain(|_, values| values.len() * 2 >= most);
        let turn = |(turn, values): (u32, Vec<f64>)| Turn {
            turn: turn + 1,
            entropy: over_studies(&values),
            studies: values.len(),
        };
        Ideas { name, turns: turns.into_iter().map(turn).collect() }
    };
    question.arms.into_iter().map(of).collect()
}

fn by_turn(course: &Course) -> BTreeMap<u32, BTreeMap<Family, usize>> {
    let mut turns: BTreeMap<u32, BTreeMap<Family, usize>> = BTreeMap::new();
    for one in &course.submissions {
        *turns.entry(one.turn).or_default().entry(one.family).or_default() += 1;
    }
    turns
}
