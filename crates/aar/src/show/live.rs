//! A study while it runs: what happened as lines, what is going on as bars, both on stderr.

use super::{duration, short, style, with_interval};
use aar_domain::rung::{Kind, Split};
use aar_grader::ledger::Unit;
use aar_server::event::{Purpose, Role};
use aar_server::handle::Snapshot;
use aar_server::record::{EvaluationRecord, Status};
use aar_study::config::{Opened, StudyEvent, Tick};
use aar_study::diversity::Notice;
use aar_study::plan::Plan;
use aar_study::team::TeamEvent;
use indicatif::{MultiProgress, ProgressBar};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

/// What was shown so far.
pub struct Live<'a> {
    plan: &'a Plan,
    quiet: bool,
    bars: MultiProgress,
    total: ProgressBar,
    lines: BTreeMap<String, ProgressBar>,
    findings: usize,
    ended: BTreeSet<i64>,
    started: Instant,
    jobs_before: Option<usize>,
}

impl<'a> Live<'a> {
    /// Nothing shown yet.
    pub fn new(plan: &'a Plan, quiet: bool) -> Self {
        let bars = if quiet {
            MultiProgress::with_draw_target(indicatif::ProgressDrawTarget::hidden())
        } else {
            MultiProgress::new()
        };
        let total = bars.add(ProgressBar::new(1));
        total.set_style(style("{prefix:10} {bar:24} {pos}/{len} runs  {msg}"));
        Self {
            plan,
            quiet,
            bars,
            total,
            lines: BTreeMap::new(),
            findings: 0,
            ended: BTreeSet::new(),
            started: Instant::now(),
            jobs_before: None,
        }
    }

    fn line(&self, text: &str) {
        if !self.quiet {
            self.bars.suspend(|| aar_lab::note!("{text}"));
        }
    }

    /// Show an event.
    pub fn show(&mut self, event: &StudyEvent) {
        match event {
            StudyEvent::Opened(opened) => self.opened(opened),
            StudyEvent::Tick(tick) => self.tick(tick),
            StudyEvent::Examining(alteration, done, all) => {
                self.total.set_length(*all as u64);
                self.total.set_position(*done as u64);
                self.total.set_message(format!("finalists again: {}", alteration.name()));
            }
            StudyEvent::Team(TeamEvent::Done(name)) => self.line(&format!("{name:10} ▸ done")),
            StudyEvent::Team(TeamEvent::Stopped(name)) => self.line(&format!("{name:10} ▸ ended by the operator")),
            StudyEvent::Team(TeamEvent::Held(name, true)) => self.line(&format!("{name:10} ▸ paused by the operator")),
            StudyEvent::Team(TeamEvent::Held(name, false)) => self.line(&format!("{name:10} ▸ goes on")),
            StudyEvent::Team(TeamEvent::Restarted(name, why)) => {
                self.line(&format!("{name:10} ▸ crashed, started again: {why}"))
            }
            StudyEvent::Team(TeamEvent::GaveUp(name, why)) => self.line(&format!("{name:10} ▸ gave up: {why}")),
            StudyEvent::Team(TeamEvent::Retired(name, why)) => {
                self.line(&format!("{name:10} ▸ crashed too often, retired: {why}"))
            }
            StudyEvent::Collapsed(notice) => self.collapsed(notice),
            StudyEvent::Finalists(finalists) => {
                let seeds = self.plan.close.seeds;
                self.line(&format!(
                    "\nclosing    {} finalists and plain, {seeds} fresh seeds each, on items nobody has been scored on",
                    finalists.len()
                ));
                for finalist in *finalists {
                    self.line(&format!("           {} by {}", finalist.asked.name, finalist.asked.by));
                }
            }
        }
    }

    fn collapsed(&self, notice: &Notice) {
        let Notice { family, active, inside, entropy, .. } = notice;
        self.line(&format!(
            "{:10} ▸ {inside} of {active} researchers now work on {family} ({entropy:.2} bits of ideas); `aar ctl say NAME` reaches one",
            "team"
        ));
        if let (Some(name), Some(direction)) = (&notice.redirected, &notice.direction) {
            self.line(&format!("{name:10} ▸ given a new direction: {direction}"));
        }
    }

    fn opened(&self, opened: &Opened) {
        let record = opened.testbed;
        let demonstration = if record.truth_public { ", demonstration: truth is public" } else { "" };
        self.line(&format!(
            "problem    weak-to-strong / {} (testbed \"{}\"{demonstration})",
            record.subject, record.name
        ));
        let frozen = opened.server.vault().frozen(Split::Feedback);
        self.line(&format!(
            "           weak {:.3} ± {:.3}   ceiling {:.3} ± {:.3}   gap {:.3}   ({} frozen seeds each, ± standard error)",
            frozen.weak, frozen.weak_se, frozen.ceiling, frozen.ceiling_se, frozen.ceiling - frozen.weak, frozen.seeds
        ));
        if let Some(http) = opened.http {
            if let Some(link) = &opened.link {
                self.line(&format!("open       http://{http}/?t={link}   (live; works once)"));
            }
            self.line(&format!("look       AAR_API=http://{http} AAR_TOKEN={} aar lab leaderboard", opened.viewer));
        }
        for human in self.plan.researchers.iter().filter(|researcher| researcher.kind == Kind::Human) {
            let out = opened.directory.display();
            self.line(&format!("{:10} works by `aar lab`: aar token show {} --out {out}", human.name, human.name));
        }
        let how =
            if opened.resumed { "going on where it stopped" } else { "Ctrl-C stops cleanly, the same command goes on" };
        self.line(&format!("           {how}\n"));
    }

    fn tick(&mut self, tick: &Tick) {
        let snapshot = tick.snapshot;
        let news: Vec<&EvaluationRecord> =
            snapshot.evaluations.iter().filter(|record| record.ended() && !self.ended.contains(&record.id)).collect();
        for record in news {
            self.ended.insert(record.id);
            self.line(&result_line(record, tick));
        }
        for finding in snapshot.findings.iter().skip(self.findings) {
            let kind = format!("{:?}", finding.posted.kind).to_lowercase();
            self.line(&format!(
                "{:10} ▸ {kind} #{}: {}",
                finding.posted.by,
                finding.id,
                short(&finding.posted.title, 90)
            ));
        }
        self.findings = snapshot.findings.len();
        self.bars_of(snapshot);
        let (done, planned) = tick.jobs;
        let before = *self.jobs_before.get_or_insert(done);
        self.total.set_prefix(snapshot.phase.name());
        self.total.set_length(planned as u64);
        self.total.set_position(done as u64);
        let elapsed = self.started.elapsed().as_secs_f64();
        let left = if done > before + 3 {
            let rate = elapsed / (done - before) as f64;
            format!("about {} left", duration(rate * planned.saturating_sub(done) as f64))
        } else {
            "estimating".into()
        };
        let bits = snapshot.ledger.account(Unit::MilliBits);
        let limit = bits.limit.map_or(String::new(), |limit| format!(" of {:.0}", limit as f64 / 1000.0));
        let spent = tick.spent.map_or(String::new(), |sums| {
            let limit = sums.team.limits.usd.map_or(String::new(), |limit| format!(" of {limit:.2}"));
            format!(" · US$ {:.2}{limit}", sums.team.usd)
        });
        self.total.set_message(format!(
            "{} elapsed, {left} · leak ledger {:.0}{limit} bits{spent}",
            duration(elapsed),
            bits.used as f64 / 1000.0
        ));
    }

    /// One line per researcher: what it is doing.
    fn bars_of(&mut self, snapshot: &Snapshot) {
        for participant in snapshot.participants.iter().filter(|participant| participant.role == Role::Researcher) {
            let own = |record: &&EvaluationRecord| {
                record.asked.by == participant.name && record.asked.purpose == Purpose::Submission
            };
            let used = snapshot.evaluations.iter().filter(own).count();
            let current = snapshot.evaluations.iter().filter(own).find(|record| !record.ended());
            let doing = match current {
                _ if snapshot.retired.contains(&participant.name) => "done".into(),
                Some(record) if record.status == Status::Running => {
                    format!(
                        "evaluating {}, seed {} of {}",
                        short(&record.asked.name, 50),
                        record.done + 1,
                        record.jobs.len()
                    )
                }
                Some(record) => format!("waiting for {}", short(&record.asked.name, 50)),
                None => "thinking and trying on public data".into(),
            };
            let bars = &self.bars;
            let line = self.lines.entry(participant.name.clone()).or_insert_with(|| {
                let line = bars.add(ProgressBar::new_spinner());
                line.set_style(style("{prefix:10} {msg}"));
                line.set_prefix(participant.name.clone());
                line
            });
            line.set_message(format!("▸ {used} of {} evaluations · {doing}", participant.evaluations));
        }
    }

    /// Take the bars away.
    pub fn finish(&self) {
        // A bar that fails to clear is no reason to fail.
        let _ = self.bars.clear();
    }
}

fn result_line(record: &EvaluationRecord, tick: &Tick) -> String {
    let name = short(&record.asked.name, 60);
    let what = match record.asked.purpose {
        Purpose::Baseline => "baseline",
        Purpose::Submission => "graded",
        Purpose::Finalist | Purpose::Reference => "replicated",
    };
    match (&record.failure, (tick.score)(record.id)) {
        (Some((reason, _)), _) => format!("{:10} ▸ failed: {name}: {reason}", record.asked.by),
        (None, Some(score)) => {
            let interval = score.pgr.map(|pgr| [pgr.low, pgr.high]);
            format!(
                "{:10} ▸ {what} #{}: {name}  PGR {}",
                record.asked.by,
                record.id,
                with_interval(score.pgr.map(|pgr| pgr.value), interval)
            )
        }
        (None, None) => format!("{:10} ▸ {what} #{}: {name}", record.asked.by, record.id),
    }
}
