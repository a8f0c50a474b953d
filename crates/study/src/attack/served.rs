//! A door through which the grader's attacks go over HTTP: a study of the predictions contract.

use super::target::{Target, token};
use super::wire::Request;
use crate::error::StudyError;
use aar_api::paths;
use aar_grader::attack::{Closed, Door, Elsewhere, ITEMS, Loot, World, margins};
use aar_grader::ledger::{Policy, Unit};
use aar_server::event::{Contract, Role};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Why a server could not be attacked, if so.
pub type Fault = Arc<Mutex<Option<StudyError>>>;

/// A server of its own, and what the attacker handed in.
pub struct Served<'w> {
    world: &'w World,
    target: Target,
    /// For each place of the released list, the item's number: graded ones first.
    order: Vec<usize>,
    submissions: u32,
    names: BTreeSet<usize>,
    keys: u32,
    answered: u32,
    rng: ChaCha8Rng,
    /// By evaluation: its artefact's PGR on fresh truth.
    fresh: BTreeMap<i64, f64>,
    /// After every answer: the best that was told so far minus what it is on fresh truth.
    pub inflation: Vec<f64>,
    best: Option<(f64, f64)>,
    /// How long the last answer took.
    pub waited: Duration,
    fault: Fault,
}

impl<'w> Served<'w> {
    /// Start a server with this truth. Attackers are taken to know which of the released items are graded: more than anybody is told.
    pub fn start(world: &'w World, policy: Policy, submissions: u32, fault: Fault) -> Result<Self, StudyError> {
        let plain = margins(&world.known.prior);
        let target = Target::start(world, Contract::Predictions, policy, submissions, &plain)?;
        let items = target.ask(&Request::get(paths::ITEMS, &token("viewer")))?.json();
        let number = |item: &Value| item["id"].as_str().and_then(|id| id.parse().ok());
        let order: Vec<usize> = items.as_array().into_iter().flatten().filter_map(number).collect();
        Ok(Self {
            world,
            target,
            order,
            submissions,
            names: BTreeSet::new(),
            keys: 0,
            answered: 0,
            // Luck of its own for every truth: what is the same in all of them does not average out.
            rng: ChaCha8Rng::seed_from_u64(world.known.sure[0].to_bits()),
            fresh: BTreeMap::new(),
            inflation: vec![],
            best: None,
            waited: Duration::ZERO,
            fault,
        })
    }

    /// The body's answers: a row of the graded items with the artefact's other answers, or, where it does not fit, the row as it is.
    fn text(&self, rows: &[Vec<f32>], elsewhere: &Elsewhere) -> String {
        let fits = rows.first().is_some_and(|row| row.len() == ITEMS) && rows.len() <= 3;
        if !fits {
            let row = |row: &Vec<f32>| row.iter().map(|&margin| written(margin)).collect::<Vec<_>>().join(",");
            let rows: Vec<String> = rows.iter().map(row).collect();
            return if rows.len() == 1 { format!("[{}]", rows[0]) } else { format!("[[{}]]", rows.join("],[")) };
        }
        let answer = |&item: &usize| match item.checked_sub(ITEMS) {
            None => written(rows[0][item]),
            Some(unseen) => {
                if elsewhere.answers[unseen] {
                    "1"
                } else {
                    "0"
                }
            }
        };
        format!("[{}]", self.order.iter().map(answer).collect::<Vec<_>>().join(","))
    }

    fn hand_in(&mut self, identity: usize, answers: &str, more: &str, fresh: f64) -> Result<Option<f64>, StudyError> {
        let name = format!("attacker-{identity}");
        if self.names.insert(identity) {
            self.target.join(&name, Role::Researcher, self.submissions)?;
        }
        self.keys += 1;
        let mut body = format!("{{\"answers\":{answers},\"name\":\"attack\"");
        let _ = write!(body, ",\"key\":\"{}\"{more}}}", self.keys);
        let asked = Instant::now();
        let answer = self.target.ask(&Request::post(paths::PREDICTIONS, &token(&name), body))?;
        self.waited = asked.elapsed();
        if answer.status >= 500 {
            return Err(StudyError::Attacked(format!("the server answered {}", answer.status)));
        }
        let view = answer.json();
        let (Some(id), Some(pgr)) = (view["id"].as_i64(), view["feedback"]["pgr"].as_f64()) else {
            return Ok(None);
        };
        self.answered += 1;
        self.fresh.insert(id, fresh);
        if self.best.is_none_or(|(best, _)| pgr > best + 1e-9) {
            self.best = Some((pgr, fresh));
        }
        self.inflation.extend(self.best.map(|(best, fresh)| best - fresh));
        let (weak, ceiling) = self.world.ends();
        Ok(Some(weak + pgr * (ceiling - weak)))
    }

    fn submit(&mut self, identity: usize, rows: &[Vec<f32>], method: Option<f64>, more: &str) -> Option<f64> {
        let elsewhere = self.world.answers(method, &mut self.rng);
        let answers = self.text(rows, &elsewhere);
        let told = self.hand_in(identity, &answers, more, elsewhere.fresh);
        told.unwrap_or_else(|error| self.failed(error))
    }

    fn failed<T>(&self, error: StudyError) -> Option<T> {
        if let Ok(mut fault) = self.fault.lock() {
            fault.get_or_insert(error);
        }
        None
    }

    /// The best row of the attacker's on the board, and what its replication gives.
    fn finalist(&self) -> Result<Option<(i64, f64, f64)>, StudyError> {
        let board = self.target.ask(&Request::get(paths::LEADERBOARD, &token("viewer")))?.json();
        let own = |row: &&Value| row["by"].as_str().is_some_and(|by| by.starts_with("attacker-"));
        let Some(row) = board.as_array().and_then(|rows| rows.iter().find(own)) else { return Ok(None) };
        let (Some(id), Some(pgr)) = (row["evaluation"].as_i64(), row["feedback"]["pgr"].as_f64()) else {
            return Ok(None);
        };
        let finalist = self.target.server.replicate_predictions(id)?;
        let outcomes = finalist.and_then(|id| self.target.server.outcomes(id));
        Ok(outcomes.map(|outcomes| (id, pgr, self.world.selected(outcomes.accuracy()))))
    }
}

/// As it stands in a body: what is no answer as literally as JSON, or what looks like it, can say it.
fn written(margin: f32) -> &'static str {
    match margin {
        margin if margin.is_nan() => "NaN",
        f32::INFINITY => "Infinity",
        f32::NEG_INFINITY => "-Infinity",
        margin if margin > 0.0 => "1",
        margin if margin < 0.0 => "0",
        _ => "2",
    }
}

impl Door for Served<'_> {
    fn ask(&mut self, identity: usize, rows: &[Vec<f32>]) -> Option<f64> {
        self.submit(identity, rows, None, "")
    }

    fn run(&mut self, rows: &[Vec<f32>], method: f64) -> Option<f64> {
        self.submit(0, rows, Some(method), "")
    }

    fn claim(&mut self, pgr: f64) {
        let more = format!(",\"pgr\":{pgr},\"accuracy\":{pgr},\"feedback\":{{\"pgr\":{pgr},\"step\":0,\"bits\":0}}");
        let _ = self.submit(0, &[margins(&self.world.known.prior)], None, &more);
    }

    fn answered(&self) -> u32 {
        self.answered
    }

    fn bits(&self) -> Option<f64> {
        Some(self.target.server.snapshot().ledger.account(Unit::MilliBits).used as f64 / 1000.0)
    }

    fn close(&mut self, _: &World, _: &Loot, _: &mut ChaCha8Rng) -> Closed {
        let finalist = self.finalist().unwrap_or_else(|error| self.failed(error));
        let fresh = finalist.and_then(|(id, ..)| self.fresh.get(&id).copied());
        let (Some((_, graded, headline)), Some(fresh)) = (finalist, fresh) else {
            return Closed { graded: None, headline: None };
        };
        Closed { graded: Some(graded - fresh), headline: Some(headline - fresh) }
    }
}
