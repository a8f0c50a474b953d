//! What is in the store behind an origin, computed afresh from outcomes and log, not from what pages keep.
#![allow(dead_code)]

use aar_api::integrity::VerdictView;
use aar_domain::rung::Split;
use aar_domain::stats::{Estimate, Outcomes};
use aar_grader::Score;
use aar_server::board::Board;
use aar_server::event::Purpose;
use aar_server::handle::Snapshot;
use aar_server::ideas;
use aar_server::record::EvaluationRecord;
use aar_server::{Server, audit};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

#[path = "store_sums.rs"]
mod sums;

/// What an account or a charge of the gateway's says; tokens also in thousands and millions.
fn spent(account: &serde_json::Value, what: &str) -> Found {
    let usage = |kinds: &[&str]| {
        let tokens: f64 = kinds.iter().filter_map(|kind| account["usage"][kind].as_f64()).sum();
        vec![tokens, tokens / 1e3, tokens / 1e6]
    };
    account.as_object()?;
    Some(match what {
        "usd" => {
            let nano = |field: &str| account[field].as_f64().map(|nano| nano / 1e9);
            [nano("nano"), nano("open_nano"), account["limits"]["usd"].as_f64()].into_iter().flatten().collect()
        }
        "read" => usage(&["input", "cache_read", "cache_write"]),
        "written" => usage(&["output"]),
        "cached" => usage(&["cache_read"]),
        "tokens" => usage(&["input", "cache_read", "cache_write", "output"]),
        "token_limit" => vec![account["limits"]["tokens"].as_f64()?],
        "calls" | "failures" => vec![account[what].as_f64()?],
        _ => return None,
    })
}

fn talks(folder: &Path) -> BTreeMap<String, Vec<serde_json::Value>> {
    let read = |path: std::path::PathBuf| {
        let text = std::fs::read_to_string(&path).unwrap();
        let lines = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        (path.file_stem().unwrap().to_str().unwrap().to_owned(), lines)
    };
    std::fs::read_dir(folder).into_iter().flatten().map(|entry| read(entry.unwrap().path())).collect()
}

/// A server's log at one moment.
pub struct Store<'a> {
    server: &'a Server,
    snapshot: Snapshot,
    board: Arc<Board>,
    checked: i64,
    /// Lines of every transcript.
    talks: BTreeMap<String, Vec<serde_json::Value>>,
}

type Found = Option<Vec<f64>>;

impl<'a> Store<'a> {
    pub fn of(server: &'a Server, log: &Path) -> Self {
        let checked = audit::verify(log, &[]).unwrap().events;
        let talks = talks(&log.parent().unwrap().join("transcripts"));
        Self { server, snapshot: server.snapshot(), board: server.board(), checked, talks }
    }

    pub fn has(&self, evaluation: i64) -> bool {
        self.record(evaluation).is_some()
    }

    fn record(&self, id: i64) -> Option<&EvaluationRecord> {
        self.snapshot.evaluations.iter().find(|record| record.id == id)
    }

    /// All values that may be shown under an origin; `None` where there is no such entry.
    pub fn behind(&self, from: &str) -> Found {
        let (kind, rest) = from.split_once('/')?;
        let (id, what) = rest.split_once('/').unwrap_or((rest, ""));
        match kind {
            "evaluation" => self.evaluation(self.record(id.parse().ok()?)?, what),
            "seed" => self.seed(id.parse().ok()?, what),
            "finding" => self.finding(id, what),
            "researcher" => self.researcher(id, what),
            "timeline" => self.time(id, what),
            "verdict" => {
                let view = self.snapshot.integrity.verdicts.iter().find(|view| view.id.to_string() == id)?;
                let evidence = super::numbers::numbers(&view.verdict.evidence);
                let left = view.verdict.left.iter().flat_map(|left| [left.without, left.with]);
                Some(evidence.into_iter().map(|number| number.value).chain([view.id as f64]).chain(left).collect())
            }
            "pair" => self.pair(id, what),
            "touch" => {
                let touch = self.snapshot.integrity.touches.get(id.parse::<usize>().ok()?.checked_sub(1)?)?;
                Some(vec![f64::from(touch.times)])
            }
            "ledger" => self.ledger(id),
            "call" => self.call(id, what),
            "transcript" => self.talk(id, what),
            "spending" => spent(&self.spending()?["callers"][id], what),
            "team-spending" => spent(&self.spending()?["team"], id),
            "testbed" => self.testbed(id, what),
            "entropy" => {
                let course = ideas::course(&self.snapshot.evaluations, &self.snapshot.retired);
                let point = course.into_iter().find(|point| point.evaluation.to_string() == id)?;
                Some(vec![point.entropy, point.active as f64, point.families as f64])
            }
            "log" => self.log(rest),
            "costs" => self.costs(id, what),
            "graded" => {
                let of_family = |row: &&aar_server::board::Row| {
                    row.record.asked.purpose == Purpose::Submission && row.record.asked.family == rest
                };
                Some(vec![self.board.graded().filter(of_family).count() as f64])
            }
            "transfer" => self.transfer(id, what),
            "production" => self.production(id),
            "close" if rest == "resolves" => self.resolves(),
            // The verdict ends with what one of them gained in production.
            "board" if rest == "replicated" => {
                Some([self.close(), self.production("difference").unwrap_or_default()].concat())
            }
            _ => None,
        }
    }

    fn finding(&self, id: &str, what: &str) -> Found {
        let finding = self.snapshot.findings.iter().find(|finding| finding.id.to_string() == id)?;
        Some(match what {
            "turn" => vec![f64::from(finding.posted.turn?)],
            "comments" => vec![finding.comments.len() as f64],
            "votes" => vec![finding.votes.values().map(|(value, _)| f64::from(*value)).sum()],
            "voters" => vec![finding.votes.values().filter(|(value, _)| *value != 0).count() as f64],
            _ => return None,
        })
    }

    fn pair(&self, id: &str, what: &str) -> Found {
        let [a, b] = [id, what].map(|id| self.record(id.parse().ok()?));
        let (a, b) = (self.score(a?)?, self.score(b?)?);
        let found = self.server.vault().compare(&a, &b);
        let frozen = self.server.vault().frozen(Split::Selection);
        let pairs = self.board.pairs.iter().map(|pair| pair.comparison.p).collect::<Vec<_>>();
        let same =
            self.board.pairs.iter().position(|pair| pair.better.to_string() == id && pair.other.to_string() == what)?;
        let p = aar_domain::stats::holm(&pairs)[same];
        Some(vec![found.difference / (frozen.ceiling - frozen.weak), p])
    }

    fn transfer(&self, id: &str, what: &str) -> Found {
        let matrix = aar_server::transfer::of(&self.snapshot.notes)?;
        let values = |shares: &[Option<Estimate>]| {
            shares.iter().flatten().flat_map(|share| [share.value, share.low, share.high]).collect::<Vec<_>>()
        };
        if id == "predicts" {
            return Some(values(&[matrix.predicts.map(|predicts| predicts.correlation)]));
        }
        if id == "target" {
            let target = matrix.targets.get(what.parse::<usize>().ok()?)?;
            let rest = [target.gap, target.gap_low, target.seeds as f64];
            return Some([values(&[target.plain]), rest.to_vec()].concat());
        }
        let line = matrix.methods.iter().find(|line| line.bundle == id)?;
        if what.is_empty() {
            return Some(values(&[line.home]));
        }
        if what == "holds" {
            let holds = line.cells.iter().filter(|cell| cell.fate.words() == "holds").count();
            return Some(vec![holds as f64, line.cells.len() as f64]);
        }
        let cell = line.cells.get(what.parse::<usize>().ok()?)?;
        Some(values(&[cell.pgr, cell.retained]))
    }

    fn production(&self, what: &str) -> Found {
        let trial = aar_server::transfer::production(&self.snapshot.notes)?;
        Some(match what {
            "weak" => vec![trial.weak],
            "plain" => vec![trial.plain],
            "accuracy" => vec![trial.accuracy?],
            "ceiling" => vec![trial.ceiling],
            "effect" => vec![100.0 * trial.registered.effect],
            "seeds" => vec![trial.registered.seeds as f64],
            "power" => vec![trial.registered.power],
            "difference" => {
                let found = trial.difference?;
                [found.value, found.low, found.high, trial.registered.effect].map(|share| 100.0 * share).to_vec()
            }
            _ => return None,
        })
    }

    fn score(&self, record: &EvaluationRecord) -> Option<Score> {
        Some(self.server.vault().score(record.asked.split, &self.server.outcomes(record.id)?))
    }

    fn evaluation(&self, record: &EvaluationRecord, what: &str) -> Found {
        let row = || self.board.row(record.id);
        let interval = |score: Score| score.pgr.map_or(vec![], |pgr| vec![pgr.value, pgr.low, pgr.high]);
        let jobs = || self.snapshot.jobs.iter().filter(|job| job.evaluation == record.id);
        Some(match what {
            "pgr" => interval(self.score(record)?),
            "by_seed" => self.score(record)?.by_seed,
            "accuracy" => vec![self.score(record)?.accuracy],
            "accuracy_in" => self.score(record)?.accuracy_in.into_iter().collect(),
            "accuracy_out" => self.score(record)?.accuracy_out.into_iter().collect(),
            "rank" => row()?.rank.map(|rank| rank as f64).into_iter().collect(),
            "attempts" => {
                let own = |other: &&EvaluationRecord| {
                    other.asked.by == record.asked.by && other.asked.purpose == Purpose::Submission
                };
                vec![self.snapshot.evaluations[..record.id as usize].iter().filter(own).count() as f64]
            }
            "told" => vec![self.told(record).count() as f64],
            "p_plain" => row()?.p_plain.into_iter().collect(),
            "seeds" => vec![record.jobs.len() as f64],
            "done" => vec![record.done as f64, record.jobs.len() as f64],
            "answer" => vec![record.answer?],
            "files" => vec![self.server.bundle(&record.asked.bundle)?.files.len() as f64],
            "checks" => vec![self.verdicts(record).count() as f64],
            "left" => self
                .verdicts(record)
                .filter_map(|view| view.verdict.left)
                .flat_map(|left| [left.without, left.with])
                .collect(),
            _ if what.starts_with("in/") || what.starts_with("out/") => self.subset(record, what)?,
            "items" => vec![self.server.vault().items(record.asked.split) as f64],
            "turn" => vec![f64::from(record.asked.turn?)],
            "cpu_s" => {
                vec![jobs().map(|job| job.usage.train_cpu_ms + job.usage.predict_cpu_ms).sum::<u64>() as f64 / 1e3]
            }
            "cpu_s_so_far" => {
                let (rows, _) = aar_server::pages::figures::in_order(&self.board);
                let last = rows.iter().position(|row| row.record.id == record.id)?;
                vec![rows[..=last].iter().map(|row| row.cpu_ms).sum::<u64>() as f64 / 1e3]
            }
            "noise_floor" if record.is_plain() => {
                vec![self.server.vault().noise_floor(record.asked.split, &self.score(record)?)]
            }
            "announced" => {
                let same = |other: &&EvaluationRecord| other.asked.bundle == record.asked.bundle;
                let graded = |other: &&EvaluationRecord| other.asked.split == Split::Feedback;
                let first = self.snapshot.evaluations.iter().filter(same).filter(graded);
                first.filter_map(|other| self.score(other)).flat_map(interval).collect()
            }
            "bits_before" => {
                let bits = self.snapshot.opening.as_ref()?.policy.milli_bits() as f64 / 1000.0;
                vec![self.told(record).count() as f64 * bits]
            }
            _ => return None,
        })
    }

    /// Answers that were there for the author to see: of earlier turns, or, for who takes none, of earlier moments.
    fn told(&self, record: &EvaluationRecord) -> impl Iterator<Item = &EvaluationRecord> {
        let submitted = self.snapshot.evaluations.iter().find(|other| {
            record.asked.purpose == Purpose::Finalist
                && other.asked.purpose == Purpose::Submission
                && other.asked.bundle == record.asked.bundle
                && other.asked.by == record.asked.by
        });
        let made = submitted.unwrap_or(record).clone();
        self.snapshot.evaluations.iter().filter(move |other| {
            let earlier = match other.asked.turn.zip(made.asked.turn) {
                Some((turn, own)) => turn < own,
                None => other.answered_ms.is_some_and(|at| at <= made.at_ms),
            };
            other.asked.split == Split::Feedback && other.answered && other.id != made.id && earlier
        })
    }

    fn verdicts(&self, record: &EvaluationRecord) -> impl Iterator<Item = &VerdictView> {
        self.snapshot.integrity.verdicts.iter().filter(|view| view.bundle == record.asked.bundle)
    }

    /// On one part of the split; accuracies the long way, a seed at a time.
    fn subset(&self, record: &EvaluationRecord, what: &str) -> Found {
        let (part, what) = what.split_once('/')?;
        let (vault, outcomes) = (self.server.vault(), self.server.outcomes(record.id)?);
        let found = vault.subsets(record.asked.split, &outcomes);
        let subset = found.iter().find(|subset| format!("{:?}", subset.distribution).to_lowercase() == part)?;
        let accuracy = |outcomes: &Outcomes| {
            let score = vault.score(record.asked.split, outcomes);
            if part == "in" { score.accuracy_in } else { score.accuracy_out }
        };
        Some(match what {
            "items" => vec![subset.items as f64],
            "weak" => vec![subset.weak],
            "ceiling" => vec![subset.ceiling],
            "accuracy" => accuracy(&outcomes).into_iter().collect(),
            "by_seed" => {
                let one = |at: usize| Outcomes {
                    seeds: vec![outcomes.seeds[at]],
                    correct: vec![outcomes.correct[at].clone()],
                };
                (0..outcomes.seeds.len()).filter_map(|at| accuracy(&one(at))).collect()
            }
            _ => return None,
        })
    }

    fn seed(&self, job: i64, what: &str) -> Found {
        let job = self.snapshot.jobs.iter().find(|record| record.id == job)?;
        let record = self.record(job.evaluation)?;
        let at = record.jobs.iter().position(|id| *id == job.id)?;
        let score = || self.score(record);
        Some(match what {
            "teacher" => vec![f64::from(job.seed.teacher)],
            "accuracy" => score().iter().map(|score| score.replicated.by_seed[at]).collect(),
            "pgr" => score().iter().filter_map(|score| score.by_seed.get(at).copied()).collect(),
            "train_cpu_s" => vec![job.usage.train_cpu_ms as f64 / 1e3],
            "loss" => job.curve.last().iter().map(|(_, loss)| f64::from(*loss)).collect(),
            _ => return None,
        })
    }
}
