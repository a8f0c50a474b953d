//! Sums over the log: researchers, costs, accounts, the close.

use super::{Found, Store, spent};
use aar_domain::rung::Split;
use aar_grader::ledger::Unit;
use aar_server::event::{Purpose, Role};
use aar_server::ideas;
use aar_server::record::{EvaluationRecord, Status};
use std::collections::{BTreeMap, BTreeSet};

impl Store<'_> {
    pub(super) fn researcher(&self, name: &str, what: &str) -> Found {
        let who = self.snapshot.participants.iter().find(|who| who.name == name && who.role == Role::Researcher)?;
        let own: Vec<&EvaluationRecord> =
            self.snapshot.evaluations.iter().filter(|record| record.asked.by == name).collect();
        let submitted: Vec<&&EvaluationRecord> =
            own.iter().filter(|record| record.asked.purpose == Purpose::Submission).collect();
        let bundles: BTreeSet<&str> = submitted.iter().map(|record| record.asked.bundle.as_str()).collect();
        let failed = |record: &&&EvaluationRecord| record.status == Status::Failed;
        let count = match what {
            "evaluations" => return Some(vec![submitted.len() as f64, f64::from(who.evaluations)]),
            "submitted" => submitted.len(),
            "failed" => own.iter().filter(failed).count(),
            "submissions_failed" => submitted.iter().copied().filter(failed).count(),
            "findings" => self.snapshot.findings.iter().filter(|finding| finding.posted.by == name).count(),
            "bundles" => bundles.len(),
            "again" => submitted.len() - bundles.len(),
            "told" => submitted.iter().filter(|record| record.answer.is_some()).count(),
            "marked" => submitted.iter().filter(|record| self.snapshot.marks[record.id as usize - 1].is_some()).count(),
            "touches" => {
                let own = self.snapshot.integrity.touches.iter().filter(|touch| touch.by == name);
                own.map(|touch| touch.times as usize).sum()
            }
            "wall_s" => {
                let runs = self.snapshot.notes.iter().filter(|note| note.kind == "run");
                return Some(vec![runs.filter_map(|note| note.body["researchers"][name].as_f64()).sum()]);
            }
            "built_on" => {
                let authors = self.snapshot.evaluations.iter();
                let mut by = BTreeMap::<&str, &str>::new();
                authors.for_each(|record| {
                    by.entry(&record.asked.bundle).or_insert(&record.asked.by);
                });
                let mut counts = BTreeMap::<&str, usize>::new();
                let done = own.iter().filter(|record| self.board.graded().any(|row| row.record.id == record.id));
                for author in done.filter_map(|record| by.get(record.asked.parent.as_deref()?)) {
                    *counts.entry(author).or_default() += 1;
                }
                return Some(counts.values().map(|&count| count as f64).collect());
            }
            "entropy" => {
                return Some(vec![ideas::entropy(self.families(|by| by == name).values().copied())]);
            }
            family => *self.families(|by| by == name).get(family.strip_prefix("family/")?)?,
        };
        Some(vec![count as f64])
    }

    /// How long somebody was at something, moment by moment: between any two that anything happened at, it was at one thing.
    pub(super) fn time(&self, name: &str, doing: &str) -> Found {
        let who = self.snapshot.participants.iter().find(|who| who.name == name && who.role == Role::Researcher)?;
        let course = self.server.course();
        let (from, until) = course.window();
        let until = course.ended(name).map_or(until, |ended| ended.min(until));
        let all = &self.snapshot.evaluations;
        let mut moments: Vec<i64> =
            all.iter().flat_map(|record| [Some(record.at_ms), record.began_ms, record.ended_ms]).flatten().collect();
        moments.extend([from, until]);
        moments.retain(|at| (from..=until).contains(at));
        moments.sort_unstable();
        let own = |at: i64| all.iter().rev().find(|record| record.asked.by == name && record.at_ms <= at);
        let before = |at: i64, end: Option<i64>| end.is_none_or(|end| at < end);
        let others = |at: i64, turn: Option<u32>| {
            let same = |record: &&EvaluationRecord| record.asked.turn.is_some() && record.asked.turn <= turn;
            all.iter().filter(same).any(|record| before(at, record.ended_ms))
        };
        let is = |at: i64| match own(at) {
            Some(record) if before(at, record.began_ms.or(record.ended_ms)) => "waiting",
            Some(record) if before(at, record.ended_ms) => "training",
            Some(record) if who.turns && others(at, record.asked.turn) => "waiting",
            _ if who.turns => "thinking",
            _ => "",
        };
        let lasted = moments.windows(2).filter(|pair| is(pair[0]) == doing);
        let seconds = lasted.map(|pair| course.worked(pair[1]) - course.worked(pair[0])).sum::<i64>() as f64 / 1000.0;
        ["thinking", "training", "waiting", "hung", "paused"]
            .contains(&doing)
            .then(|| vec![seconds, seconds / 60.0, seconds / 3600.0])
    }

    pub(super) fn families(&self, by: impl Fn(&str) -> bool) -> BTreeMap<&str, usize> {
        let mut counts = BTreeMap::new();
        for record in &self.snapshot.evaluations {
            if record.asked.purpose == Purpose::Submission && by(&record.asked.by) {
                *counts.entry(record.asked.family.as_str()).or_default() += 1;
            }
        }
        counts
    }

    pub(super) fn costs(&self, by: &str, what: &str) -> Found {
        let own: Vec<&EvaluationRecord> =
            self.snapshot.evaluations.iter().filter(|record| record.asked.by == by).collect();
        let cost = |record: &&EvaluationRecord| self.evaluation(record, "cpu_s").unwrap_or_default();
        Some(vec![match what {
            "evaluations" => own.len() as f64,
            "cpu_s" => own.iter().flat_map(cost).sum(),
            _ => return None,
        }])
    }

    /// The smallest difference that the close finds with a power of 80 %.
    pub(super) fn resolves(&self) -> Found {
        let rows = || self.board.results();
        let plain = rows().find(|row| row.record.is_plain())?;
        let others = rows().filter(|row| !row.record.is_plain());
        let se = others.map(|row| self.server.vault().compare(&row.score, &plain.score).se).reduce(f64::max)?;
        let frozen = self.server.vault().frozen(Split::Selection);
        let seeds = plain.record.jobs.len();
        Some(vec![aar_domain::stats::minimum_difference(se, seeds, frozen.ceiling - frozen.weak)])
    }

    pub(super) fn ledger(&self, unit: &str) -> Found {
        let unit: Unit = serde_json::from_value(unit.into()).ok()?;
        let account = self.snapshot.ledger.account(unit);
        let entries = [Some(account.used), Some(account.reserved), account.limit];
        let values = entries.into_iter().flatten().map(|value| value as f64);
        let scale = match unit {
            Unit::MilliBits | Unit::CpuMs => 1e3,
            Unit::Operations => 1e12,
            _ => 1.0,
        };
        Some(values.map(|value| value / scale).collect())
    }

    pub(super) fn spending(&self) -> Option<&serde_json::Value> {
        Some(&self.snapshot.notes.iter().rfind(|note| note.kind == "spending")?.body)
    }

    pub(super) fn talk(&self, name: &str, what: &str) -> Found {
        let lines = self.talks.get(name)?;
        Some(match what {
            "lines" => vec![lines.len() as f64],
            "mb" => vec![lines.iter().map(|line| line.to_string().len() as f64 + 1.0).sum::<f64>() / 1e6],
            _ => return None,
        })
    }

    pub(super) fn call(&self, id: &str, what: &str) -> Found {
        let of = |event: &str| {
            let mut lines = self.talks.values().flatten();
            lines.find(|line| line["event"] == event && id.parse::<u64>().is_ok_and(|id| line["call"] == id))
        };
        let charge = || Some(&of("ended")?["charge"]);
        Some(match what {
            "id" => vec![of("asked")?["call"].as_f64()?],
            "usd" => vec![charge()?["nano"].as_f64()? / 1e9],
            what => return spent(charge()?, what),
        })
    }

    pub(super) fn testbed(&self, split: &str, what: &str) -> Found {
        let split: Split = serde_json::from_value(split.into()).ok()?;
        let frozen = self.server.vault().frozen(split);
        let seeds = frozen.seeds as f64;
        Some(match what {
            // The two ends of the scale are 0 and 1 by definition.
            "weak" => vec![frozen.weak, frozen.weak_se, seeds, 0.0],
            "ceiling" => vec![frozen.ceiling, frozen.ceiling_se, seeds, 1.0],
            "gap" => vec![frozen.ceiling - frozen.weak],
            _ => return None,
        })
    }

    pub(super) fn log(&self, what: &str) -> Found {
        let (what, query) = what.split_once('?').unwrap_or((what, ""));
        let wanted: BTreeMap<&str, &str> = query.split('&').filter_map(|pair| pair.split_once('=')).collect();
        let is = |key: &str, value: &str| wanted.get(key).is_none_or(|wanted| *wanted == value);
        let snapshot = &self.snapshot;
        let in_state = |status: Status| snapshot.evaluations.iter().filter(|record| record.status == status).count();
        let count = match what {
            "evaluations" => {
                let wants =
                    |record: &&EvaluationRecord| is("by", &record.asked.by) && is("status", record.status.name());
                snapshot.evaluations.iter().filter(wants).count()
            }
            "findings" => snapshot.findings.iter().filter(|finding| is("by", &finding.posted.by)).count(),
            "researchers" => snapshot.participants.iter().filter(|who| who.role == Role::Researcher).count(),
            "queued" => in_state(Status::Queued),
            "under-way" => in_state(Status::Queued) + in_state(Status::Running),
            "board" => in_state(Status::Done),
            "height" => self.server.receipt().height as usize,
            "checked" => self.checked as usize,
            "stops" => snapshot.notes.iter().filter(|note| note.kind == "run" && note.body["stopped"] == true).count(),
            "wall" => {
                let runs = snapshot.notes.iter().filter(|note| note.kind == "run");
                return Some(vec![runs.filter_map(|note| note.body["wall_s"].as_f64()).sum()]);
            }
            "entropy" => return Some(vec![ideas::entropy(self.families(|_| true).values().copied())]),
            _ => match what.split_once('/')? {
                ("family", family) => *self.families(|_| true).get(family)?,
                ("failed", id) => {
                    let reason = &self.record(id.parse().ok()?)?.failure.as_ref()?.0;
                    let same =
                        |record: &&EvaluationRecord| record.failure.as_ref().is_some_and(|(why, _)| why == reason);
                    snapshot.evaluations.iter().filter(same).count()
                }
                _ => return None,
            },
        };
        Some(vec![count as f64])
    }

    /// What the verdict may say: values of the replicated rows, what they were announced at, how many seeds and ties.
    pub(super) fn close(&self) -> Vec<f64> {
        let mut values = vec![];
        let mut ranks = BTreeMap::<usize, usize>::new();
        for row in self.board.results() {
            values.extend(row.score.pgr.iter().flat_map(|pgr| [pgr.value, pgr.low, pgr.high]));
            values.extend(row.p_plain);
            values.extend(self.evaluation(&row.record, "announced").unwrap_or_default());
            values.push(row.record.jobs.len() as f64);
            row.rank.iter().for_each(|&rank| *ranks.entry(rank).or_default() += 1);
        }
        values.extend(ranks.values().flat_map(|&tied| [tied as f64, tied as f64 - 1.0]));
        // The fewest seeds that a verdict is spoken on.
        values.push(5.0);
        values
    }
}
