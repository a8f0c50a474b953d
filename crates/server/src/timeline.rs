//! What everybody was at and when, from the log alone: runs of the study, turns and evaluations, what was seen of processes from outside.
//!
//! Who works in turns is known by them: between turns it thinks (and tries at its own bench), then its evaluation waits for a worker, is
//! trained, and waits for the others'. Of everybody else the study sees what its process is at (`Event::Seen`); who has no process of the
//! study's is known by its evaluations alone. "Now" is the last entry of the log.

use crate::event::{Event, Participant, Phase, Sight};
use crate::record::EvaluationRecord;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// What somebody is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Doing {
    /// Its model is asked, or it works out what to try next.
    Thinking,
    /// A trial or a command of its own runs, or its evaluation does.
    Training,
    /// For a worker, for the others of its turn, for whatever it waits for itself.
    Waiting,
    /// Nothing was heard of it past its own limit.
    Hung,
    /// The operator lets it stand still.
    Paused,
    /// Its process is not there.
    Gone,
}

impl Doing {
    /// What time is spent on, in the order in which it is shown.
    pub const ALL: [Doing; 5] = [Doing::Thinking, Doing::Training, Doing::Waiting, Doing::Hung, Doing::Paused];

    /// As it is written.
    pub fn name(self) -> &'static str {
        match self {
            Doing::Thinking => "thinking",
            Doing::Training => "training",
            Doing::Waiting => "waiting",
            Doing::Hung => "hung",
            Doing::Paused => "paused",
            Doing::Gone => "gone",
        }
    }
}

/// A stretch of somebody's time, in milliseconds since the epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Its beginning.
    pub from_ms: i64,
    /// Its end; what still lasts ends with the log.
    pub to_ms: i64,
    /// At what.
    pub doing: Doing,
}

/// Milliseconds per [`Doing::ALL`].
pub fn sums(spans: &[Span]) -> [i64; 5] {
    Doing::ALL.map(|doing| spans.iter().filter(|span| span.doing == doing).map(|span| span.to_ms - span.from_ms).sum())
}

/// When the study was at work, and what was seen of everybody.
#[derive(Clone, Debug, Default)]
pub struct Course {
    /// Beginning and end of each run; the end of the one under way is the last entry's time.
    runs: Vec<(i64, i64)>,
    under_way: bool,
    /// From when and until when researchers worked.
    research: Option<i64>,
    closed: Option<i64>,
    own: BTreeMap<String, Own>,
}

#[derive(Clone, Debug, Default)]
struct Own {
    seen: Vec<Sight>,
    paused: Vec<(i64, Option<i64>)>,
    ended: Option<i64>,
}

impl Course {
    pub(crate) fn goes_on(&mut self, at_ms: i64, event: &Event) {
        let begins = matches!(event, Event::Noted { kind, .. } if kind == "isolation");
        if begins || self.runs.is_empty() {
            // A run that was killed ended, for all that is known, with its last entry.
            self.runs.push((at_ms, at_ms));
            self.under_way = true;
        }
        if let Some(run) = self.runs.last_mut().filter(|_| self.under_way) {
            run.1 = at_ms;
        }
        match event {
            Event::Noted { kind, .. } if kind == "run" => self.under_way = false,
            Event::Phase { phase: Phase::Running } => self.research = Some(at_ms),
            Event::Phase { phase: Phase::Closing | Phase::Closed } => self.closed = self.closed.or(Some(at_ms)),
            Event::Seen(sight) => self.own(&sight.by).seen.push(sight.clone()),
            _ => {}
        }
    }

    pub(crate) fn stands(&mut self, at_ms: i64, paused: &BTreeSet<String>, retired: &BTreeSet<String>) {
        for name in paused {
            let own = self.own(name);
            if own.paused.last().is_none_or(|(_, end)| end.is_some()) {
                own.paused.push((at_ms, None));
            }
        }
        for (name, own) in &mut self.own {
            if let Some((_, end)) = own.paused.last_mut().filter(|_| !paused.contains(name)) {
                end.get_or_insert(at_ms);
            }
        }
        for name in retired {
            self.own(name).ended.get_or_insert(at_ms);
        }
    }

    fn own(&mut self, name: &str) -> &mut Own {
        self.own.entry(name.to_owned()).or_default()
    }

    /// The last entry's time.
    fn now(&self) -> i64 {
        self.runs.last().map_or(0, |run| run.1)
    }

    /// From when until when researchers worked, so far.
    pub fn window(&self) -> (i64, i64) {
        let from = self.research.or(self.runs.first().map(|run| run.0)).unwrap_or(0);
        (from, self.closed.unwrap_or(self.now()).max(from))
    }

    /// Milliseconds of all runs up to a moment: what lies between runs is left out.
    pub fn worked(&self, at_ms: i64) -> i64 {
        self.runs.iter().map(|&(from, to)| (at_ms.min(to) - from).max(0)).sum()
    }

    /// What was seen of somebody that went wrong: it hung, or its process ended before it was done.
    pub fn troubles(&self, name: &str) -> impl Iterator<Item = &Sight> {
        let seen = self.own.get(name).into_iter().flat_map(|own| &own.seen);
        seen.filter(|sight| matches!(sight.doing, Doing::Hung | Doing::Gone))
    }

    /// When somebody was done, or was ended.
    pub fn ended(&self, name: &str) -> Option<i64> {
        self.own.get(name)?.ended
    }

    /// What one researcher was at. `evaluations` are its own; `turns` say when everybody's of a turn had ended ([`turns`]).
    pub fn spans(&self, who: &Participant, evaluations: &[&EvaluationRecord], turns: &Turns) -> Vec<Span> {
        let nothing = Own::default();
        let own = self.own.get(&who.name).unwrap_or(&nothing);
        let (from, until) = self.window();
        let until = own.ended.map_or(until, |ended| ended.min(until));
        let mut line = Line::default();
        if who.turns && self.research.is_some() {
            line.put(from, until, Doing::Thinking);
        }
        for (at, sight) in own.seen.iter().enumerate() {
            line.put(sight.since_ms, own.seen.get(at + 1).map_or(until, |next| next.since_ms), sight.doing);
        }
        if who.turns || own.seen.is_empty() {
            for record in evaluations {
                let ended = record.ended_ms.unwrap_or(until);
                let began = record.began_ms.unwrap_or(ended);
                line.put(record.at_ms, began, Doing::Waiting);
                line.put(began, ended, Doing::Training);
                if let Some(turn) = record.asked.turn.filter(|_| who.turns) {
                    line.put(ended, turns.range(..=turn).next_back().map_or(until, |(_, over)| *over), Doing::Waiting);
                }
            }
        }
        for &(at, end) in &own.paused {
            line.put(at, end.unwrap_or(until), Doing::Paused);
        }
        self.clipped(&line.0, from, until)
    }

    /// Without what lies outside of the time of research, or between runs.
    fn clipped(&self, spans: &[Span], from: i64, until: i64) -> Vec<Span> {
        let mut inside = Vec::new();
        for span in spans.iter().filter(|span| span.doing != Doing::Gone) {
            for run in &self.runs {
                let (from_ms, to_ms) = (span.from_ms.max(run.0).max(from), span.to_ms.min(run.1).min(until));
                if from_ms < to_ms {
                    inside.push(Span { from_ms, to_ms, ..*span });
                }
            }
        }
        inside
    }
}

/// When the last evaluation of a turn, or of one before it, had ended; `i64::MAX` where one has not.
pub type Turns = BTreeMap<u32, i64>;

/// Of all evaluations; `ready` says whether a turn may begin.
pub fn turns(evaluations: &[EvaluationRecord], ready: impl Fn(u32) -> bool) -> Turns {
    let mut turns = Turns::new();
    for record in evaluations {
        if let Some(turn) = record.asked.turn {
            let over = turns.entry(turn).or_insert(0);
            *over = record.ended_ms.unwrap_or(i64::MAX).max(*over);
        }
    }
    // Somebody may not have submitted yet.
    if let Some((&last, over)) = turns.iter_mut().next_back()
        && !ready(last + 1)
    {
        *over = i64::MAX;
    }
    let mut before = 0;
    for over in turns.values_mut() {
        *over = before.max(*over);
        before = *over;
    }
    turns
}

/// Spans in order, none over another: what is put down last covers what was there.
#[derive(Default)]
struct Line(Vec<Span>);

impl Line {
    fn put(&mut self, from_ms: i64, to_ms: i64, doing: Doing) {
        if to_ms <= from_ms {
            return;
        }
        let first = self.0.partition_point(|span| span.to_ms <= from_ms);
        let last = self.0.partition_point(|span| span.from_ms < to_ms);
        let covered = &self.0[first..last.max(first)];
        let before = covered.first().filter(|span| span.from_ms < from_ms).map(|span| Span { to_ms: from_ms, ..*span });
        let after = covered.last().filter(|span| span.to_ms > to_ms).map(|span| Span { from_ms: to_ms, ..*span });
        let new = [before, Some(Span { from_ms, to_ms, doing }), after];
        self.0.splice(first..last.max(first), new.into_iter().flatten());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Purpose, Queued, Role};
    use aar_domain::rung::Split;

    fn evaluation(turn: Option<u32>, [at_ms, began, ended]: [i64; 3]) -> EvaluationRecord {
        let asked = Queued {
            bundle: String::new(),
            name: String::new(),
            family: String::new(),
            parent: None,
            by: "ada".into(),
            turn,
            key: String::new(),
            split: Split::Feedback,
            purpose: Purpose::Submission,
            card: None,
        };
        let when = |at: i64| (at > 0).then_some(at);
        let queued = EvaluationRecord::queued(1, asked, vec![], at_ms);
        EvaluationRecord { began_ms: when(began), ended_ms: when(ended), ..queued }
    }

    fn course(events: &[(i64, Event)]) -> Course {
        let mut course = Course::default();
        events.iter().for_each(|(at, event)| course.goes_on(*at, event));
        course
    }

    fn noted(kind: &str) -> Event {
        Event::Noted { kind: kind.into(), body: serde_json::json!({}) }
    }

    fn seen(since_ms: i64, doing: Doing) -> Event {
        Event::Seen(Sight { by: "ada".into(), doing, since_ms, why: String::new() })
    }

    fn written(spans: &[Span]) -> Vec<(i64, i64, &'static str)> {
        spans.iter().map(|span| (span.from_ms, span.to_ms, span.doing.name())).collect()
    }

    fn who(turns: bool) -> Participant {
        Participant { turns, ..Participant::service("ada", Role::Researcher, String::new()) }
    }

    #[test]
    fn who_works_in_turns_waits_for_a_worker_and_for_the_others() {
        let course =
            course(&[(0, noted("isolation")), (10, Event::Phase { phase: Phase::Running }), (100, noted("x"))]);
        let own = [evaluation(Some(0), [20, 30, 40]), evaluation(Some(1), [70, 75, 0])];
        let all = [own[0].clone(), evaluation(Some(0), [25, 40, 60]), own[1].clone()];
        let spans = course.spans(&who(true), &own.iter().collect::<Vec<_>>(), &turns(&all, |_| false));
        let wanted = [
            (10, 20, "thinking"),
            (20, 30, "waiting"),
            (30, 40, "training"),
            (40, 60, "waiting"),
            (60, 70, "thinking"),
            (70, 75, "waiting"),
            (75, 100, "training"),
        ];
        assert_eq!(written(&spans), wanted);
        assert_eq!(sums(&spans), [20, 35, 35, 0, 0]);
    }

    #[test]
    fn what_was_seen_is_cut_where_the_study_stood_still_and_where_somebody_ended() {
        let mut course = course(&[
            (0, noted("isolation")),
            (0, Event::Phase { phase: Phase::Running }),
            (10, seen(5, Doing::Thinking)),
            (30, seen(20, Doing::Training)),
            (40, noted("run")),
            (1000, noted("isolation")),
            (1050, seen(1010, Doing::Hung)),
            (1050, seen(1050, Doing::Gone)),
            (1060, seen(1060, Doing::Waiting)),
        ]);
        course.stands(1070, &["ada".to_owned()].into(), &[].into());
        course.stands(1080, &[].into(), &[].into());
        course.goes_on(1100, &noted("x"));
        course.stands(1090, &[].into(), &["ada".to_owned()].into());
        let spans = course.spans(&who(false), &[], &Turns::new());
        let wanted = [
            (5, 20, "thinking"),
            (20, 40, "training"),
            (1000, 1010, "training"),
            (1010, 1050, "hung"),
            (1060, 1070, "waiting"),
            (1070, 1080, "paused"),
            (1080, 1090, "waiting"),
        ];
        assert_eq!(written(&spans), wanted);
        assert_eq!((course.worked(40), course.worked(500), course.worked(1050)), (40, 40, 90));
        assert_eq!(course.troubles("ada").count(), 2);
    }

    #[test]
    fn of_a_person_only_evaluations_are_known() {
        let course = course(&[(0, Event::Phase { phase: Phase::Running }), (50, noted("x"))]);
        let spans = course.spans(&who(false), &[&evaluation(None, [10, 15, 20])], &Turns::new());
        assert_eq!(written(&spans), [(10, 15, "waiting"), (15, 20, "training")]);
    }
}
